// Layout cluster-per-zone over existing Kubernetes clusters: what stands in which of them, how their members reach the record,
// what is refused, and that a day-2 change replaces nothing.
// It does not prove that the clusters reach one another: test/cluster/cluster-per-zone.test.ts does.
import { beforeAll, describe, expect, test } from "vitest";
import {
    dependsOnTransitively,
    runProgram,
    secretsSweep,
    valueAt,
    withoutSecrets,
    type Registration,
    type RunResult,
} from "./engine.js";
import { effectiveSteps, planBetween } from "./plan.js";

const CLUSTERS = Object.fromEntries(
    ["a", "b", "c"].map((zone, position) => [
        zone,
        { context: `zone-${zone}`, server: `https://10.0.${position}.1:6443` },
    ]),
);
const ACCESS = {
    members: { type: "LoadBalancer", sourceRanges: ["192.0.2.0/24"] },
    peerRanges: ["10.0.0.0/16", "10.244.0.0/14"],
};
const CONFIG = {
    name: "orders",
    engine: "mysql",
    replication: "async",
    layout: "cluster-per-zone",
    zones: '["a","b","c"]',
    clusters: JSON.stringify(CLUSTERS),
    names: '{"domain":"db.example.com"}',
    access: JSON.stringify(ACCESS),
};

type Config = Record<string, string>;
const up = (over: Config = {}, previous?: RunResult) =>
    runProgram({ config: { ...CONFIG, ...over }, ...(previous && { previous }) });
const preview = (over: Config = {}, previous?: RunResult) =>
    runProgram({
        config: { ...CONFIG, ...over },
        preview: true,
        ...(previous && { previous }),
    });
const errorsOf = ({ messages }: RunResult) =>
    messages.filter(({ severity }) => severity === "error").map(({ text }) => text);

/** The zone of the provider that an object is put by. */
const zoneOf = ({ provider }: Registration) => /kubernetes-(\w)/.exec(provider)?.[1] ?? "none";
const kindOf = ({ type }: Registration) => type.split(":").at(-1)!;
const objects = ({ resources }: RunResult) =>
    resources.filter(({ type }) => type.startsWith("kubernetes:") && !type.includes("Provider"));
const named = (result: RunResult, kind: string, name: string): Registration => {
    const found = result.resources.find((each) => kindOf(each) === kind && each.name === name);
    if (!found) {
        throw new Error(`there is no ${kind} ${name}`);
    }
    return found;
};

let first: RunResult;
beforeAll(async () => {
    first = await up();
    expect(errorsOf(first)).toEqual([]);
    expect(first.exitCode).toBe(0);
});

describe("each Kubernetes cluster", () => {
    test("has the members of its zone, and what they stand on; jobs and the record are in the first only", () => {
        const inZone = (zone: string) =>
            objects(first)
                .filter((each) => zoneOf(each) === zone)
                .map((each) => `${kindOf(each)} ${each.name}`)
                .sort();
        expect(objects(first).filter((each) => zoneOf(each) === "none")).toEqual([]);
        expect(inZone("b")).toEqual([
            "ConfigMap orders-configuration-b",
            "ConfigMap orders-scripts-b",
            "EndpointSlice orders-write-b",
            "Namespace kubernetes-b",
            "Namespace orders-namespace-b",
            "NetworkPolicy orders-ingress-b",
            "PersistentVolumeClaim orders-b-0-disk",
            "PodDisruptionBudget orders-budget-b",
            "Role orders-b-0-role",
            "Role orders-membership-role-b",
            "RoleBinding orders-b-0-role",
            "RoleBinding orders-membership-role-b",
            "Secret orders-credentials-b",
            "Secret orders-membership-token-b",
            "Secret orders-record-access-b",
            "Service orders-b-0-external",
            "Service orders-b-0-service",
            "Service orders-clients-b",
            "Service orders-peers-b",
            "Service orders-read-clients-b",
            "ServiceAccount orders-b-0-account",
            "ServiceAccount orders-membership-account-b",
            "StatefulSet orders-b-0",
        ]);
        const letters = (zone: string) =>
            inZone(zone).map((line) => line.replaceAll(`-${zone}-`, "-Z-").replace(/-[bc]$/, "-Z"));
        expect(letters("c")).toEqual(letters("b"));
        const home = inZone("a");
        expect(home.filter((line) => line.startsWith("Job "))).toEqual([
            "Job orders-membership",
            "Job orders-membership-upgrade",
        ]);
        expect(home).toEqual(
            expect.arrayContaining([
                "EndpointSlice orders-write",
                "Secret orders-remotes",
                "Secret orders-record-access-b-token",
                "Secret orders-record-access-c-token",
                "StatefulSet orders-a-0",
            ]),
        );
        expect(home).not.toContain("StatefulSet orders-b-0");
    });

    test("calls its objects as every other does, and no two resources of Pulumi are called alike", () => {
        const names = (zone: string, kind: string) =>
            objects(first)
                .filter((each) => zoneOf(each) === zone && kindOf(each) === kind)
                .map(({ inputs }) => valueAt(inputs, ["metadata", "name"]) as string)
                .filter((name) => !/-[abc](-|$)/.test(name) && name !== "orders-remotes")
                .sort();
        for (const kind of ["Namespace", "ConfigMap", "EndpointSlice", "NetworkPolicy"]) {
            expect([kind, names("b", kind)]).toEqual([kind, names("a", kind)]);
        }
        const urns = first.resources.map(({ urn }) => urn);
        expect(new Set(urns).size).toBe(urns.length);
    });

    test("lets in the members of the others at every port, and its clients at theirs", () => {
        const { inputs } = named(first, "NetworkPolicy", "orders-ingress-b");
        const [clients, peers] = valueAt(inputs, ["spec", "ingress"]) as { from: unknown[] }[];
        const blocks = ACCESS.peerRanges.map((cidr) => ({ ipBlock: { cidr } }));
        expect(peers!.from).toEqual([
            { podSelector: { matchLabels: { "app.kubernetes.io/instance": "orders" } } },
            ...blocks,
        ]);
        expect(clients!.from).toEqual([
            { namespaceSelector: {} },
            { ipBlock: { cidr: "192.0.2.0/24" } },
            ...blocks,
        ]);
        // The load balancer keeps sources too, and must let the members of the others in.
        const { inputs: service } = named(first, "Service", "orders-b-0-external");
        expect(valueAt(service, ["spec", "loadBalancerSourceRanges"])).toEqual([
            "192.0.2.0/24",
            ...ACCESS.peerRanges,
        ]);
        expect(valueAt(service, ["spec", "publishNotReadyAddresses"])).toBe(true);
    });
});

describe("the record", () => {
    const dataOf = (secret: string) =>
        withoutSecrets(valueAt(named(first, "Secret", secret).inputs, ["stringData"]) ?? {});
    const mountsOf = (registration: Registration, container: number) =>
        (
            valueAt(registration.inputs, [
                "spec",
                "template",
                "spec",
                "containers",
                container,
                "volumeMounts",
            ]) as { mountPath: string }[]
        ).map(({ mountPath }) => mountPath);

    test("is reached by members of the other clusters through their Secret, and by nobody else so", () => {
        expect(mountsOf(named(first, "StatefulSet", "orders-b-0"), 1)).toContain(
            "/quorum/record-access",
        );
        expect(mountsOf(named(first, "StatefulSet", "orders-b-0"), 0)).not.toContain(
            "/quorum/record-access",
        );
        expect(mountsOf(named(first, "StatefulSet", "orders-a-0"), 1)).not.toContain(
            "/quorum/record-access",
        );
        expect(dataOf("orders-record-access-b")).toEqual({
            server: "https://10.0.0.1:6443",
            token: "an account's token",
            "ca.crt": "a CA",
        });
        const { inputs } = named(first, "Role", "orders-record-access-b-role");
        expect(valueAt(inputs, ["rules"])).toEqual([
            {
                apiGroups: ["discovery.k8s.io"],
                resources: ["endpointslices"],
                resourceNames: ["orders-write"],
                verbs: ["get", "patch"],
            },
        ]);
    });

    test("and its job reaches the other clusters for the claims of members that left, and for nothing else", () => {
        expect(mountsOf(named(first, "Job", "orders-membership"), 0)).toContain("/quorum/remotes");
        expect(mountsOf(named(first, "Job", "orders-membership-upgrade"), 0)).not.toContain(
            "/quorum/remotes",
        );
        expect(dataOf("orders-remotes")).toEqual(
            Object.fromEntries(
                ["b", "c"].flatMap((zone, position) => [
                    [`${zone}.server`, `https://10.0.${position + 1}.1:6443`],
                    [`${zone}.token`, "an account's token"],
                    [`${zone}.ca.crt`, "a CA"],
                ]),
            ),
        );
        expect(valueAt(named(first, "Role", "orders-membership-role-b").inputs, ["rules"])).toEqual(
            [{ apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: ["delete"] }],
        );
    });

    test("is there before any member starts, and members start one after the other across the clusters", () => {
        const set = (name: string) => named(first, "StatefulSet", name).urn;
        const record = named(first, "EndpointSlice", "orders-write").urn;
        for (const name of ["orders-a-0", "orders-b-0", "orders-c-0"]) {
            expect(dependsOnTransitively(first, set(name), record)).toBe(true);
        }
        expect(dependsOnTransitively(first, set("orders-c-0"), set("orders-b-0"))).toBe(true);
        expect(dependsOnTransitively(first, set("orders-a-0"), set("orders-c-0"))).toBe(true);
    });
});

test("members know one another by names of the users' DNS", () => {
    const { inputs } = named(first, "StatefulSet", "orders-b-0");
    const env = valueAt(inputs, ["spec", "template", "spec", "containers", 1, "env"]) as {
        name: string;
        value?: string;
    }[];
    const valueOf = (name: string) => env.find((each) => each.name === name)?.value;
    expect(valueOf("QUORUM_MEMBER_DOMAIN")).toBe("db.example.com");
    expect(valueOf("QUORUM_ADDRESS")).toBe("orders-b-0.db.example.com");
});

test("no password or token leaves its envelope", () => {
    expect(secretsSweep(first, ["an account's token"])).toEqual([]);
});

describe.each(["mongodb", "cockroachdb", "kaiwudb"])("%s", (engine) => {
    test("has the same shape", async () => {
        const { replication, ...rest } = CONFIG;
        expect(replication).toBe("async");
        const config = { ...rest, engine, access: JSON.stringify({ ...ACCESS }) };
        const result = await runProgram({ config });
        expect(errorsOf(result)).toEqual([]);
        const sets = objects(result).filter((each) => kindOf(each) === "StatefulSet");
        expect(sets.map((each) => `${each.name} ${zoneOf(each)}`).sort()).toEqual([
            "orders-a-0 a",
            "orders-b-0 b",
            "orders-c-0 c",
        ]);
        const jobs = objects(result).filter((each) => kindOf(each) === "Job");
        expect(new Set(jobs.map(zoneOf))).toEqual(new Set(["a"]));
    });
});

describe("an update", () => {
    test("that asks for the same changes nothing", async () => {
        const second = await up({}, first);
        expect(effectiveSteps(planBetween(first, second))).toEqual([]);
    });

    test.each<[string, Config]>([
        ["a second member in each zone", { replicas: "6" }],
        ["another primary", { primary: "orders-b-0" }],
        ["more memory", { resources: '{"memory":"2Gi"}' }],
        ["larger disks", { storage: '{"size":"20Gi"}' }],
        ["a zone more", { zones: '["a","b","c","d"]', replicas: "4" }],
    ])("to %s replaces nothing that stays", async (_, over) => {
        const clusters = { ...CLUSTERS, d: { server: "https://10.0.3.1:6443" } };
        const config = over["zones"] ? { ...over, clusters: JSON.stringify(clusters) } : over;
        const next = await preview(config, first);
        expect(errorsOf(next)).toEqual([]);
        const taken = effectiveSteps(planBetween(first, next)).filter(
            ({ type, operation }) =>
                /replace|delete/.test(operation) && type !== "kubernetes:batch/v1:Job",
        );
        expect(taken.map(({ operation, name }) => `${operation} ${name}`)).toEqual([]);
    });

    test.each<[string, Config, RegExp]>([
        [
            "the first zone goes",
            {
                zones: '["b","c","d"]',
                clusters: JSON.stringify({ b: CLUSTERS["b"], c: CLUSTERS["c"], d: CLUSTERS["c"] }),
            },
            /Kubernetes cluster of zone a holds the cluster record/,
        ],
        [
            "a zone comes before the first",
            {
                zones: '["a","b","c","0"]',
                replicas: "4",
                clusters: JSON.stringify({ ...CLUSTERS, 0: CLUSTERS["c"] }),
            },
            /Kubernetes cluster of zone a holds the cluster record/,
        ],
        [
            "the names' domain changes",
            { names: '{"domain":"db.example.org"}' },
            /members know one another by these names/,
        ],
        [
            "it would be one cluster again",
            { layout: "multi-zone", clusters: "", access: "{}" },
            /layout|clusters/,
        ],
    ])("is refused where %s", async (_, over, reason) => {
        const config = Object.fromEntries(
            Object.entries({ ...CONFIG, ...over }).filter(([, value]) => value !== ""),
        );
        const next = await runProgram({ config, preview: true, previous: first });
        expect(errorsOf(next).join("\n")).toMatch(reason);
        expect(next.exitCode).not.toBe(0);
    });
});

describe("a configuration", () => {
    test("that lacks what the layout needs is refused with all of it, and nothing is made", async () => {
        const result = await runProgram({
            config: {
                name: "orders",
                engine: "mysql",
                layout: "cluster-per-zone",
                zones: '["a","b","c"]',
                context: "here",
                addons: '["kine"]',
            },
        });
        const [message] = errorsOf(result);
        for (const part of [
            "quorum:context",
            "quorum:clusters is missing",
            "quorum:layout",
            "quorum:names.domain is missing",
            "quorum:access.members.type",
            "quorum:access.peerRanges is missing",
            "quorum:addons",
        ]) {
            expect(message).toContain(part);
        }
        expect(objects(result)).toEqual([]);
    });

    test.each<[string, object | string, RegExp]>([
        [
            "leaves a zone out",
            { a: CLUSTERS["a"], b: CLUSTERS["b"] },
            /quorum:clusters\.c is missing/,
        ],
        [
            "names one that is none",
            { ...CLUSTERS, z: CLUSTERS["a"] },
            /quorum:clusters\.z .* is no zone/,
        ],
        [
            "has no server",
            { ...CLUSTERS, a: { context: "x" } },
            /quorum:clusters\.a\.server is missing/,
        ],
        [
            "has a server with a path",
            { ...CLUSTERS, a: { server: "https://10.0.0.1/x" } },
            /quorum:clusters\.a\.server .*without a path/,
        ],
        [
            "has a key that is none",
            { ...CLUSTERS, a: { ...CLUSTERS["a"], contxt: "x" } },
            /did you mean "context"/,
        ],
        ["is no object", "nothing", /quorum:clusters/],
    ])("whose clusters %s is refused by that key", async (_, clusters, reason) => {
        const text = typeof clusters === "string" ? clusters : JSON.stringify(clusters);
        const result = await up({ clusters: text });
        expect(errorsOf(result).join("\n")).toMatch(reason);
    });

    test("of another layout takes no clusters and no peers", async () => {
        const result = await up({ layout: "multi-zone" });
        expect(errorsOf(result).join("\n")).toMatch(/quorum:clusters .*cluster-per-zone/);
        expect(errorsOf(result).join("\n")).toMatch(/quorum:access\.peerRanges .*cluster-per-zone/);
    });

    test.each<[string, Config, RegExp]>([
        ["a replication group", { replication: "group" }, /replication group needs one network/],
        ["PostgreSQL", { engine: "postgresql" }, /Patroni elects the leader/],
    ])("with %s is refused", async (_, over, reason) => {
        const { replication, ...rest } = CONFIG;
        const config = { ...rest, ...(over["engine"] ? {} : { replication }), ...over };
        const result = await runProgram({ config });
        expect(errorsOf(result).join("\n")).toMatch(reason);
    });
});
