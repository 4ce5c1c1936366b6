// The planner of platform gke: what there will be on Google Cloud, as plain values, for every number of zones and members.
// It does not prove that Google takes any of it.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { firstWindow } from "../../components/platforms/gke/maintenance.js";
import { gkePlanOf, membersOf } from "../../components/platforms/gke/plan.js";
import { linesOfReport } from "../../components/platforms/gke/cost.js";
import { costOfPlan } from "../../components/platforms/gke/plan-cost.js";
import { isAligned, overlap, rangeAfter } from "../../components/ranges.js";
import { acceptSpec } from "../../components/rules/accept.js";
import { ENGINE_NAMES, type ClusterSpecInput } from "../../components/spec.js";

const ZONES = ["a", "b", "c", "d", "e"].map((letter) => `europe-west1-${letter}`);

const planned = (over: Partial<ClusterSpecInput> = {}) => {
    const accepted = acceptSpec({
        name: "orders",
        engine: "mysql",
        replication: "async",
        zones: ZONES.slice(0, 3),
        platform: "gke",
        gke: { project: "acme-prod" },
        machines: { type: "n4-standard-4" },
        ...over,
    });
    return { ...accepted, gke: gkePlanOf(accepted.spec, accepted.plan) };
};

/** What one Kubernetes cluster for each zone asks for. */
const PER_ZONE = {
    layout: "cluster-per-zone",
    names: { domain: "db.example.com" },
    access: { members: { type: "LoadBalancer" } },
} as const;

/** Zones 1 to 5, members 1 to 9, all layouts, names up to the longest that the rules let through. */
const anyShape = fc
    .record({
        zones: fc.integer({ min: 1, max: 5 }).map((count) => ZONES.slice(0, count)),
        replicas: fc.integer({ min: 1, max: 9 }),
        name: fc.stringMatching(/^[a-z][a-z0-9]{0,22}$/),
        engine: fc.constantFrom(...ENGINE_NAMES),
        isPerZone: fc.boolean(),
    })
    .map(({ isPerZone, ...shape }) => ({
        ...shape,
        ...(isPerZone && PER_ZONE),
        ...(isPerZone && shape.engine === "mysql" && { replication: "async" as const }),
    }));

/** The shape, or undefined where the general rules refuse it (an even number of voters, a name that is taken). */
function tryPlan(shape: Partial<ClusterSpecInput>) {
    try {
        return planned({ replication: undefined, ...shape });
    } catch {
        return undefined;
    }
}

describe("for any zones and members", () => {
    test("names are within Google's limits and unique", () => {
        fc.assert(
            fc.property(anyShape, (shape) => {
                const found = tryPlan(shape);
                fc.pre(found !== undefined);
                const { gke } = found;
                const unique = (names: readonly string[]) => {
                    expect(new Set(names).size).toBe(names.length);
                };
                for (const { name } of gke.clusters) {
                    expect(name.length).toBeLessThanOrEqual(40);
                }
                for (const { name } of gke.pools) {
                    expect(name).toMatch(/^[a-z][-a-z0-9]{0,38}$/);
                }
                for (const { name } of gke.disks) {
                    expect(name).toMatch(/^[a-z][-a-z0-9]{0,62}$/);
                }
                expect(gke.account).toMatch(/^[a-z][-a-z0-9]{4,28}[a-z0-9]$/);
                unique(gke.pools.map(({ cluster, name }) => `${cluster}/${name}`));
                unique(gke.pools.map(({ resource }) => resource));
                unique(gke.disks.map(({ id }) => id));
            }),
        );
    });

    test("there is one cluster, or one in each zone", () => {
        fc.assert(
            fc.property(anyShape, (shape) => {
                const found = tryPlan(shape);
                fc.pre(found !== undefined);
                const { clusters } = found.gke;
                const isPerZone = found.spec.layout === "cluster-per-zone";
                expect(clusters.map(({ zones }) => zones)).toEqual(
                    isPerZone ? shape.zones.map((zone) => [zone]) : [shape.zones],
                );
                expect(clusters.map(({ location }) => location)).toEqual(
                    isPerZone ? shape.zones : ["europe-west1"],
                );
            }),
        );
    });

    test("a zone that comes or goes changes no other's cluster", () => {
        const plans = ([0, 1, 2] as const).map((left) => {
            const zones = ZONES.slice(0, 4).filter((_, at) => at !== left + 1);
            return planned({ ...PER_ZONE, zones, replicas: 3 }).gke.clusters;
        });
        for (const clusters of plans) {
            for (const cluster of clusters) {
                for (const other of plans.flat().filter(({ name }) => name === cluster.name)) {
                    expect(other).toEqual(cluster);
                }
            }
        }
    });

    test("ranges are disjoint", () => {
        fc.assert(
            fc.property(anyShape, (shape) => {
                const found = tryPlan(shape);
                fc.pre(found !== undefined);
                const { network } = found.gke;
                const ranges = [network!.nodes, ...network!.secondary.map(({ range }) => range)];
                ranges.forEach((one, position) => {
                    expect(isAligned(one)).toBe(true);
                    for (const other of ranges.slice(0, position)) {
                        expect(overlap(one, other)).toBe(false);
                    }
                });
            }),
        );
    });

    test("each zone has a pool for the system and one for its members, with a node for each", () => {
        fc.assert(
            fc.property(anyShape, (shape) => {
                const found = tryPlan(shape);
                fc.pre(found !== undefined);
                const { gke, plan } = found;
                expect(gke.pools.map(({ zone, purpose }) => `${zone} ${purpose}`)).toEqual(
                    shape.zones.flatMap((zone) => [`${zone} system`, `${zone} member`]),
                );
                for (const pool of gke.pools) {
                    const needed = pool.purpose === "system" ? 1 : membersOf(plan, pool.zone);
                    expect(pool.count).toBe(needed);
                }
            }),
        );
    });

    test("each member has a disk in its zone, and no zone of three holds a majority", () => {
        fc.assert(
            fc.property(anyShape, (shape) => {
                const found = tryPlan(shape);
                fc.pre(found !== undefined);
                const { gke, plan } = found;
                expect(gke.disks.map(({ name, zone }) => [name, zone])).toEqual(
                    plan.members.map(({ name, zone }) => [name, zone]),
                );
                const voters = plan.ofRole("member");
                if (shape.zones.length >= 3 && voters.length >= 3) {
                    for (const zone of shape.zones) {
                        const here = voters.filter((member) => member.zone === zone).length;
                        // Where the number is even they do not vote: half of them is no majority.
                        const half = voters.length / 2;
                        expect(here).toBeLessThanOrEqual(Math.floor(half));
                    }
                }
            }),
        );
    });

    test("the cost is the sum of its lines, and says what has no price", () => {
        fc.assert(
            fc.property(
                anyShape,
                fc.constantFrom("n2-standard-4", "n4-standard-4"),
                (shape, type) => {
                    const found = tryPlan({ ...shape, machines: { type } });
                    fc.pre(found !== undefined);
                    const { total, places } = costOfPlan(found.spec, found.gke);
                    const lines = places.flatMap((place) => place.lines);
                    const cents = lines.reduce((sum, line) => sum + (line.cents?.all ?? 0), 0);
                    const unknown = lines.filter((line) => line.cents === undefined);
                    expect(total.cents).toBe(cents);
                    expect(total.withoutPrice).toBe(
                        unknown.reduce((sum, { count }) => sum + count, 0),
                    );
                    // A hyperdisk has no price that anybody agrees on, and that of a load balancer is told in two ways.
                    const isPerZone = found.spec.layout === "cluster-per-zone";
                    expect(total.withoutPrice > 0).toBe(type.startsWith("n4") || isPerZone);
                    const counted = (kind: string) =>
                        lines
                            .filter((line) => line.kind === kind)
                            .reduce((sum, { count }) => sum + count, 0);
                    expect(counted("node")).toBe(
                        found.gke.pools.reduce((sum, { count }) => sum + count, 0),
                    );
                    expect(counted("disk")).toBe(found.plan.members.length);
                },
            ),
        );
    });

    test("the order of the zones in the configuration changes nothing", () => {
        fc.assert(
            fc.property(anyShape, (shape) => {
                const found = tryPlan(shape);
                fc.pre(found !== undefined);
                const turned = tryPlan({ ...shape, zones: [...shape.zones].reverse() });
                expect(turned!.gke).toEqual(found.gke);
            }),
        );
    });
});

describe("a pool", () => {
    const poolsOf = (type: string) =>
        planned({ machines: { type } })
            .gke.pools.filter(({ purpose }) => purpose === "member")
            .map(({ resource }) => resource);
    test("is the same within a family, and another one in another family: that comes first, the old one goes last", () => {
        expect(poolsOf("n4-standard-8")).toEqual(poolsOf("n4-highmem-4"));
        expect(poolsOf("n4-standard-8")).not.toEqual(poolsOf("c4-standard-8"));
    });
    test("of YugabyteDB takes a master and a tserver on one node: only those of one kind stay apart", () => {
        const { gke } = planned({ engine: "yugabytedb", replication: undefined });
        expect(gke.pools.filter(({ purpose }) => purpose === "member")).toMatchObject([
            { count: 1 },
            { count: 1 },
            { count: 1 },
        ]);
        expect(gke.disks).toHaveLength(6);
    });
});

describe("a way in from outside", () => {
    const lines = (over: Partial<ClusterSpecInput>) => {
        const { spec, gke } = planned({ replicas: 4, ...over });
        return linesOfReport(costOfPlan(spec, gke))
            .filter(({ kind, key }) => kind === "loadBalancer" || key === "addresses.loadBalancer")
            .map(({ what, count }) => `${count} ${what}`);
    };
    const door = { type: "LoadBalancer" as const, sourceRanges: ["192.0.2.0/24"] };
    test("is a load balancer for each member and each Service, and an address for each on the Internet", () => {
        expect(lines({})).toEqual([]);
        expect(lines({ access: { members: { ...door, type: "NodePort" } } })).toEqual([]);
        expect(lines({ access: { members: door } })).toEqual(["4 load balancer (members)"]);
        expect(lines({ access: { members: door, clients: { ...door, internal: false } } })).toEqual(
            [
                "2 address of a load balancer (clients)",
                "2 load balancer (clients)",
                "4 load balancer (members)",
            ],
        );
    });
    test("is not for masters, which serve no clients", () => {
        const yugabytedb = { engine: "yugabytedb" as const, replication: undefined };
        expect(lines({ ...yugabytedb, access: { members: door } })).toEqual([
            "4 load balancer (members)",
        ]);
    });
});

describe("a disk", () => {
    const disk = (over: Partial<ClusterSpecInput>) => planned(over).gke.disks[0]!;
    test("is of the machine family's type, unless the configuration names one", () => {
        expect(disk({})).toMatchObject({ type: "hyperdisk-balanced", gib: 10 });
        expect(disk({ machines: { type: "n2-standard-4" } }).type).toBe("pd-balanced");
        expect(
            disk({
                machines: { type: "n2-standard-4" },
                storage: { disk: { type: "pd-ssd" }, size: "1Ti" },
            }),
        ).toMatchObject({ type: "pd-ssd", gib: 1024 });
    });
    test("is called by its volume as Google's CSI driver calls it", () => {
        expect(disk({}).id).toBe(
            "projects/acme-prod/zones/europe-west1-a/disks/orders-europe-west1-a-0",
        );
        const regional = disk({
            zones: ZONES.slice(0, 1),
            replicas: 1,
            machines: { type: "n2-standard-4" },
            storage: { disk: { replicaZone: "europe-west1-b" } },
        });
        expect(regional.id).toBe(
            "projects/acme-prod/regions/europe-west1/disks/orders-europe-west1-a-0",
        );
    });
});

test("a range follows another of its size, as long as there are addresses", () => {
    expect(rangeAfter("10.68.0.0/16", 2)).toBe("10.70.0.0/16");
    expect(rangeAfter("10.127.0.0/20", 1)).toBe("10.127.16.0/20");
    expect(rangeAfter("172.16.64.0/28", 16)).toBe("172.16.65.0/28");
    expect(rangeAfter("255.255.0.0/16", 1)).toBeUndefined();
    expect(overlap("10.0.0.0/8", "10.200.0.0/16")).toBe(true);
    expect(overlap("10.68.0.0/16", "10.69.0.0/16")).toBe(false);
    expect(isAligned("10.64.0.1/20")).toBe(false);
});

test("a maintenance window begins on its first day of the week, in UTC", () => {
    expect(firstWindow("SU,SA 01:00-07:00")).toEqual({
        startTime: "2026-01-10T01:00:00Z",
        endTime: "2026-01-10T07:00:00Z",
        recurrence: "FREQ=WEEKLY;BYDAY=SU,SA",
    });
    expect(firstWindow("MO,TU,WE 22:30-04:30")).toMatchObject({
        startTime: "2026-01-05T22:30:00Z",
        endTime: "2026-01-06T04:30:00Z",
    });
});
