// The planner's promises. It does not prove that Kubernetes can place the members.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JobFacts, PodFacts } from "../../components/engines/engine.js";
import { planOf } from "../../components/topology.js";
import { acceptSpec } from "../../components/rules/accept.js";
import type { ClusterSpec, ClusterSpecInput } from "../../components/spec.js";

const spec = (over: Partial<ClusterSpecInput> = {}): ClusterSpec =>
    acceptSpec({
        name: "orders",
        engine: "mysql",
        replication: "async",
        zones: ["a", "b", "c"],
        ...over,
    }).spec;

const names = (input: ClusterSpec) => planOf(input).members.map((member) => member.name);

const zoneNames = ["a", "b", "c", "d", "europe-west1-b"];
const specs = fc
    .record({
        replicas: fc.integer({ min: 2, max: 20 }),
        zones: fc.uniqueArray(fc.constantFrom(...zoneNames), { minLength: 1, maxLength: 5 }),
    })
    .map((over) => spec(over));

describe("members", () => {
    test("are named by zone and index", () => {
        expect(names(spec({ replicas: 5 }))).toEqual([
            "orders-a-0",
            "orders-a-1",
            "orders-b-0",
            "orders-b-1",
            "orders-c-0",
        ]);
    });

    test("of a single zone are named alike", () => {
        expect(names(spec({ zones: ["b"], replicas: 3 }))).toEqual([
            "orders-b-0",
            "orders-b-1",
            "orders-b-2",
        ]);
    });

    test("are the same for the same specification, whatever the order of its zones", () => {
        fc.assert(
            fc.property(specs, (input) => {
                expect(planOf({ ...input, zones: [...input.zones].reverse() }).members).toEqual(
                    planOf(input).members,
                );
            }),
        );
    });

    test("differ by exactly one when replicas grow by one", () => {
        fc.assert(
            fc.property(specs, (input) => {
                const before = names(input);
                const after = names({ ...input, replicas: input.replicas + 1 });
                expect(after.filter((name) => !before.includes(name))).toHaveLength(1);
                expect(before.filter((name) => !after.includes(name))).toEqual([]);
            }),
        );
    });

    test("are spread over the zones within one", () => {
        fc.assert(
            fc.property(specs, (input) => {
                const counts = input.zones.map(
                    (zone) => planOf(input).members.filter((member) => member.zone === zone).length,
                );
                expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
            }),
        );
    });

    test("keep their names when a zone is added; nobody is renamed", () => {
        fc.assert(
            fc.property(specs, (input) => {
                const wider = { ...input, zones: [...input.zones, "z"] };
                const renamed = planOf(wider).members.filter(
                    (member) => member.zone !== "z" && !names(input).includes(member.name),
                );
                expect(renamed).toEqual([]);
            }),
        );
    });

    test("have ids of their own that depend on nothing but the name", () => {
        fc.assert(
            fc.property(specs, (input) => {
                const ids = planOf(input).members.map((member) => member.id);
                expect(new Set(ids).size).toBe(ids.length);
            }),
        );
        expect(planOf(spec()).members[0]!.id).toBe(
            planOf(spec({ replicas: 5, zones: ["c", "a"] })).members[0]!.id,
        );
    });
});

describe("the chain", () => {
    test("begins with the forming member and ends with the preferred leader", () => {
        const input = spec({ replicas: 5 });
        expect(planOf(input).chain.map((member) => member.name)).toEqual([
            "orders-b-0",
            "orders-c-0",
            "orders-a-1",
            "orders-b-1",
            "orders-a-0",
        ]);
    });

    test("begins with a member of the join list, so that the others find it", () => {
        fc.assert(
            fc.property(specs, (input) => {
                const { first, seeds } = planOf(input);
                expect(seeds.map(({ name }) => name)).toContain(first.name);
            }),
        );
    });

    test("ends with the primary that the configuration names", () => {
        const input = spec({ primary: "orders-b-0" });
        expect(planOf(input).chain.map((member) => member.name)).toEqual([
            "orders-a-0",
            "orders-c-0",
            "orders-b-0",
        ]);
        expect(planOf(input).primary.name).toBe("orders-b-0");
    });

    test("of one member is that member", () => {
        const input = spec({ replicas: 1 });
        expect(planOf(input).chain.map((member) => member.name)).toEqual(["orders-a-0"]);
    });
});

describe("the join list", () => {
    test("never changes with the number of members", () => {
        fc.assert(
            fc.property(specs, fc.integer({ min: 1, max: 50 }), (input, replicas) => {
                expect(planOf({ ...input, replicas }).seeds).toEqual(planOf(input).seeds);
            }),
        );
    });
});

test("a pod that would depend on what scaling changes does not compile", () => {
    const known = { spec: {} } as unknown as JobFacts;
    const pods: PodFacts = known;
    expect([
        // @ts-expect-error a pod may not know who the members are
        pods.members,
        // @ts-expect-error a pod may not know who leads
        pods.primary,
        // @ts-expect-error a pod may not know how many there are
        pods.spec.replicas,
    ]).toEqual([undefined, undefined, undefined]);
});
