// What platform gke refuses before anything is made, and what it says of a change. It does not prove that Google agrees.
import { describe, expect, test } from "vitest";
import { withPackageConfig } from "../../components/config.js";
import { without } from "../../components/input.js";
import { SpecError } from "../../components/problems.js";
import { acceptSpec } from "../../components/rules/accept.js";
import { ChangeRefusedError, findChanges, refusals } from "../../components/rules/changes.js";
import type { ClusterSpecInput } from "../../components/spec.js";

const ZONES = ["europe-west1-b", "europe-west1-c", "europe-west1-d"];
const base: ClusterSpecInput = {
    name: "orders",
    engine: "mysql",
    replication: "async",
    zones: ZONES,
    platform: "gke",
    gke: { project: "acme-prod" },
    machines: { type: "n2-standard-4" },
};

const problems = (over: object): string[] => {
    try {
        acceptSpec({ ...base, ...over });
        return [];
    } catch (error) {
        if (!(error instanceof SpecError)) {
            throw error;
        }
        return error.message
            .split("\n")
            .slice(1)
            .map((line) => line.trim());
    }
};
const gke = (over: object) => ({ gke: { project: "acme-prod", ...over } });
const machines = (over: object) => ({ machines: { type: "n2-standard-4", ...over } });

describe("refused, with its key and what to write", () => {
    test.each<[string, object, string]>([
        [
            "no project",
            { gke: {} },
            "quorum:gke.project is missing: platform gke needs the project",
        ],
        ["no machines", { machines: undefined }, "quorum:machines.type is missing"],
        [
            "zones of several regions",
            { zones: [...ZONES, "europe-west4-a"] },
            "are of several regions (europe-west1, europe-west4)",
        ],
        [
            "zones that are none of Google's",
            { zones: ["a", "b", "c"] },
            "a, b, c: must be zones of Google's",
        ],
        [
            "an internal load balancer outside of the subnetwork",
            {
                access: {
                    members: {
                        type: "LoadBalancer",
                        addresses: { "orders-europe-west1-b-0": "10.80.0.10" },
                    },
                },
            },
            'quorum:access.members.addresses.orders-europe-west1-b-0 = "10.80.0.10": is none of the subnetwork\'s, where internal load balancers are (quorum:gke.ranges.nodes 10.64.0.0/20)',
        ],
        ["a family for Arm", machines({ type: "c4a-standard-4" }), "is of family c4a, whose disks"],
        ["a system of no family", machines({ system: "x9-large" }), "quorum:machines.system"],
        [
            "no machine type at all",
            machines({ type: "big" }),
            "must be one of Google's machine types",
        ],
        [
            "fewer nodes than members",
            { replicas: 5, ...machines({ count: 1 }) },
            "has up to 2 members",
        ],
        ["boot disks in parts", machines({ bootDisk: "20.5Gi" }), "must be whole Gi"],
        [
            "local disks",
            {
                storage: {
                    driver: "local",
                    nodes: {
                        "europe-west1-b": ["1"],
                        "europe-west1-c": ["2"],
                        "europe-west1-d": ["3"],
                    },
                },
            },
            "local disks go with Google's nodes",
        ],
        [
            "claims that nobody finds again",
            { storage: { driver: "dynamic" } },
            "use storage.driver gce-disk, or delete",
        ],
        [
            "a disk that the machine cannot attach",
            { storage: { disk: { type: "hyperdisk-balanced" } } },
            "machines of type n2-standard-4 attach pd-balanced, pd-ssd, pd-standard only",
        ],
        ["a disk in parts", { storage: { size: "10.5Gi" } }, "Google's disks have whole Gi"],
        [
            "a disk that is too small",
            { storage: { size: "5Gi" } },
            "a pd-balanced has at least 10Gi",
        ],
        [
            "the speed of a disk that has none",
            { storage: { disk: { iops: 5000 } } },
            "is of hyperdisks, and the disks are pd-balanced",
        ],
        [
            "copies of copies",
            { storage: { disk: { replicaZone: "europe-west1-c" } } },
            "is for a single member",
        ],
        [
            "a copy in the same zone",
            { zones: [ZONES[0]], replicas: 1, storage: { disk: { replicaZone: ZONES[0] } } },
            "must be another zone of europe-west1",
        ],
        [
            "a copy that the machine cannot attach",
            {
                zones: [ZONES[0]],
                replicas: 1,
                ...machines({ type: "n4-standard-4" }),
                storage: { disk: { replicaZone: ZONES[1] } },
            },
            "attach no regional disks",
        ],
        [
            "ranges that overlap",
            gke({ ranges: { pods: "10.64.0.0/16" } }),
            "overlaps gke.ranges.nodes 10.64.0.0/20",
        ],
        [
            "a range that begins in its middle",
            gke({ ranges: { pods: "10.68.1.0/16" } }),
            "must begin at the first address",
        ],
        [
            "too few pods",
            gke({ ranges: { pods: "10.68.0.0/28" } }),
            "must hold a /24 for each node",
        ],
        [
            "half a network",
            gke({ network: "shared" }),
            "quorum:gke.subnetwork is missing: an existing network",
        ],
        [
            "a public endpoint for nobody",
            gke({ endpoint: "public" }),
            "name the networks that may reach the control plane",
        ],
        [
            "networks for an endpoint without addresses",
            gke({ authorizedNetworks: ["192.0.2.0/24"] }),
            "who comes by dns is checked by IAM",
        ],
        [
            "a window that Google refuses",
            gke({ window: "SA 01:00-07:00" }),
            "make 48 h in any 32 days; these are 1 a week of 6 h",
        ],
        [
            "a window of short blocks",
            gke({ window: "MO,TU,WE,TH,FR,SA,SU 01:00-04:00" }),
            "blocks of at least 4 h",
        ],
        ["a window in words", gke({ window: "at night" }), "must be days and hours in UTC"],
        [
            "an exclusion that never begins",
            gke({
                exclusions: [
                    { name: "x", from: "2026-12-24T00:00:00Z", until: "2026-12-20T00:00:00Z" },
                ],
            }),
            "must end after it begins",
        ],
        [
            "a time of another zone",
            gke({
                exclusions: [
                    { name: "x", from: "2026-12-24T00:00:00+01:00", until: "2026-12-26T00:00:00Z" },
                ],
            }),
            "must be a time in UTC",
        ],
        [
            "its keys elsewhere",
            { platform: "existing" },
            'quorum:gke = {"project":"acme-prod"}: belongs to platform gke',
        ],
        [
            "its disks elsewhere",
            {
                platform: "existing",
                gke: undefined,
                machines: undefined,
                storage: { driver: "gce-disk" },
            },
            "is of platform gke, which makes the disks",
        ],
        [
            "a class of somebody else's",
            { storage: { driver: "dynamic", onDelete: "delete", className: "fast" } },
            "driver dynamic takes a class that Quorum makes",
        ],
        [
            "a class of no type",
            {
                storage: {
                    driver: "dynamic",
                    onDelete: "delete",
                    provisioner: "pd.csi.storage.gke.io",
                },
            },
            "must name the type of the disks",
        ],
        [
            "prices elsewhere",
            {
                platform: "existing",
                gke: undefined,
                machines: undefined,
                prices: { nat: { usd: 1 } },
            },
            "belongs to platform gke",
        ],
    ])("%s", (_, over, reason) => {
        expect(problems(over).join("\n")).toContain(reason);
    });

    test("all at once", () => {
        const found = problems({
            zones: ["europe-west1-b", "us-east1-c", "europe-west1-d"],
            gke: { window: "SA 01:00-02:00" },
            machines: { type: "n4-standard-4", count: 0 },
        });
        expect(found.map((line) => line.split(" ")[0])).toEqual(
            expect.arrayContaining(["quorum:gke.project", "quorum:machines.count"]),
        );
    });
});

test("disks are Google's unless something else is asked for, and the project may be that of gcp:project", () => {
    const input = withPackageConfig(without(base, [["gke"]]) as ClusterSpecInput, {
        "gcp:project": "from-package",
    });
    const { spec } = acceptSpec(input);
    expect(spec.storage.driver).toBe("gce-disk");
    expect(spec.gke).toMatchObject({
        project: "from-package",
        channel: "STABLE",
        endpoint: "dns",
        window: "SA,SU 01:00-07:00",
        deletionProtection: true,
    });
    expect(acceptSpec(spec).spec).toEqual(spec);
});

const spec = (over: object) => acceptSpec({ ...base, ...over }).spec;
const refused = (old: object, wanted: object): string =>
    new ChangeRefusedError(refusals(findChanges(spec(old), spec(wanted)), [])).message;
const announced = (old: object, wanted: object): string[] =>
    findChanges(spec(old), spec(wanted)).map(({ severity, reason }) => `${severity}: ${reason}`);

describe("a change is refused", () => {
    test.each<[string, object, object, string]>([
        [
            "another project",
            {},
            gke({ project: "other-project" }),
            "cannot change in a running cluster",
        ],
        [
            "other ranges",
            {},
            gke({ ranges: { nodes: "10.65.0.0/20" } }),
            "cannot change in a running cluster",
        ],
        [
            "an existing network",
            {},
            gke({ network: "n", subnetwork: "s" }),
            "cannot change in a running cluster",
        ],
        [
            "a slower channel",
            gke({ channel: "RAPID" }),
            {},
            "Kubernetes may be newer already than STABLE offers",
        ],
        [
            "an endpoint that locks Pulumi out",
            {},
            gke({ endpoint: "private" }),
            "would find the control plane unreachable",
        ],
        [
            "another region",
            { allowChanges: ["majorityLeaves"] },
            { zones: ["us-east1-b", "us-east1-c", "us-east1-d"], allowChanges: ["majorityLeaves"] },
            "are in europe-west1, and stay there",
        ],
        [
            "a family that cannot attach the disks",
            {},
            machines({ type: "n4-standard-4" }),
            "the members' disks are pd-balanced, and machines of family n4 attach hyperdisk-balanced only",
        ],
        [
            "another kind of disk",
            {},
            { storage: { disk: { type: "pd-ssd" } } },
            "cannot change in a running cluster: disks that are there stay",
        ],
        [
            "a node that goes before its member has left",
            { replicas: 5 },
            {},
            "orders-europe-west1-b-1 leaves zone europe-west1-b, and 1 of its 2 nodes would go before it did",
        ],
        [
            "machines and members at once",
            {},
            { replicas: 5, ...machines({ type: "n2-standard-8" }) },
            "machines.type change at once",
        ],
        [
            "machines and disks of nodes at once",
            {},
            machines({ type: "n2-standard-8", bootDisk: "60Gi" }),
            "machines.type and machines.bootDisk change at once",
        ],
        ["a smaller disk", { storage: { size: "20Gi" } }, {}, "a disk cannot shrink"],
    ])("%s", (_, old, wanted, reason) => {
        expect(refused(old, wanted)).toContain(reason);
    });
});

describe("a change is announced", () => {
    test("machines of the same family: nodes one by one, zones in order", () => {
        expect(announced({}, machines({ type: "n2-standard-8" }))).toEqual([
            "announced: nodes are recreated one by one, a new one first: europe-west1-b, then europe-west1-c, then europe-west1-d. Every member is restarted by it. A member away from its node for more than an hour is not waited for: that is Google's bound.",
        ]);
    });
    test("machines of another family: new pools first", () => {
        expect(announced({}, machines({ type: "n2d-standard-4" })).join()).toContain(
            "new pools come first: europe-west1-b, then",
        );
    });
    test("members that leave while their nodes stay, and then nodes that go", () => {
        const five = { replicas: 5 };
        const stay = machines({ count: 2 });
        expect(refused(five, stay)).toBe("");
        expect(announced(five, stay).join("\n")).toContain(
            "orders-europe-west1-b-1 leaves: its data is on orders-europe-west1-b-0, orders-europe-west1-c-0, orders-europe-west1-d-0; its disk stays (quorum:storage.onDelete keep) and goes on costing",
        );
        expect(announced(stay, {}).join("\n")).toContain(
            "zone europe-west1-b gives back 1 of 2 nodes, whichever Google takes: it is drained",
        );
    });
    test("more members bring their nodes with them", () => {
        expect(refused({}, { replicas: 5 })).toBe("");
    });
    test("a faster disk", () => {
        const n4 = machines({ type: "n4-standard-4" });
        expect(announced(n4, { ...n4, storage: { disk: { iops: 6000 } } })).toEqual([
            "announced: every member's disk gets another speed in place; nothing is restarted. Google takes one such change in four hours.",
        ]);
    });
    test("that deletion protection is off, in capitals", () => {
        expect(announced({}, gke({ deletionProtection: false })).join()).toContain(
            'FROM THE END OF THIS UPDATE ON "pulumi destroy" DELETES the Kubernetes cluster of orders; its disks stay.',
        );
    });
    test("a newer channel, and who reaches the control plane", () => {
        expect(announced({}, gke({ channel: "REGULAR" })).join()).toContain("to a newer release");
        const open = (...authorizedNetworks: string[]) =>
            gke({ endpoint: "public", authorizedNetworks });
        expect(announced(open("192.0.2.0/24"), open("198.51.100.0/24")).join()).toContain(
            "is open to 198.51.100.0/24 from now on",
        );
    });
});
