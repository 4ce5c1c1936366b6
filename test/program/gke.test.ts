// Platform gke, the whole program: what it sends to Google, in which order, and what each change of a running cluster would do
// there. It does not prove that Google accepts a value, nor how long anything takes.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { REQUIRED } from "../../sandbox/pulumi/resource-gcp/force-new.js";
import {
    deletionOrderOf,
    dependsOnTransitively,
    runProgram,
    Secret,
    secretsSweep,
    valueAt,
    withoutSecrets,
    type Registration,
    type RunOptions,
    type RunResult,
} from "./engine.js";
import { gcpProblems } from "./gcp/check.js";
import { GKE, ON_GKE } from "./google.js";
import { effectiveSteps, planBetween, type PlannedStep } from "./plan.js";

type Config = Record<string, string>;
const CONFIG: Config = { name: "orders", engine: "mongodb", version: "8.0.9", ...GKE };
const run = (over: Config = {}, options: Partial<RunOptions> = {}) =>
    runProgram({ config: { ...CONFIG, ...over }, ...ON_GKE, ...options });

const errorsOf = ({ messages }: RunResult) =>
    messages.filter(({ severity }) => severity === "error").map(({ text }) => text);
const infosOf = ({ messages }: RunResult) =>
    messages.filter(({ severity }) => severity === "info").map(({ text }) => text);

const CLUSTER = "gcp:container/cluster:Cluster";
const POOL = "gcp:container/nodePool:NodePool";
const DISK = "gcp:compute/disk:Disk";
const SET = "kubernetes:apps/v1:StatefulSet";
const ofType = ({ resources }: RunResult, type: string) =>
    resources.filter((each) => each.type === type);
const named = (result: RunResult, type: string, name: string): Registration => {
    const found = ofType(result, type).find((each) => each.name === name);
    if (!found) {
        throw new Error(`there is no ${type} ${name}`);
    }
    return found;
};

/** What the random provider made. */
const passwordsOf = ({ resources }: RunResult): string[] =>
    resources
        .filter(({ type }) => type.startsWith("random:"))
        .map(({ outputs }) => withoutSecrets(outputs["result"]!) as string);

let first: RunResult;
beforeAll(async () => {
    first = await run();
    expect(errorsOf(first)).toEqual([]);
});

describe("what is sent to Google", () => {
    test.each<[string, Config]>([
        ["by default", {}],
        [
            "with everything that can be asked for",
            {
                engine: "postgresql",
                version: "18",
                machines:
                    '{"type":"n4-standard-4","count":2,"bootDisk":"60Gi","system":"e2-standard-2"}',
                gke: JSON.stringify({
                    project: "acme-prod",
                    channel: "REGULAR",
                    endpoint: "public",
                    authorizedNetworks: ["192.0.2.0/24"],
                    exclusions: [
                        { name: "x", from: "2026-12-20T00:00:00Z", until: "2026-12-27T00:00:00Z" },
                    ],
                }),
                storage: JSON.stringify({
                    disk: {
                        iops: 6000,
                        throughput: 200,
                        kmsKey: "projects/p/locations/l/keyRings/r/cryptoKeys/k",
                        snapshots: {},
                    },
                }),
            },
        ],
        [
            "for a single member with a copy, in an existing network",
            {
                replicas: "1",
                zones: '["europe-west1-b"]',
                gke: '{"project":"acme-prod","network":"shared","subnetwork":"shared","endpoint":"private"}',
                storage: '{"disk":{"replicaZone":"europe-west1-c","snapshots":{}}}',
            },
        ],
        [
            "with addresses and names for clients outside",
            {
                engine: "postgresql",
                version: "18",
                access: '{"members":{"type":"LoadBalancer","addresses":{"orders-europe-west1-b-0":"10.64.1.1"}}}',
                names: '{"domain":"orders.internal"}',
            },
        ],
        [
            "with addresses on the Internet",
            {
                engine: "postgresql",
                version: "18",
                access: '{"members":{"type":"LoadBalancer","internal":false,"sourceRanges":["192.0.2.0/24"]}}',
            },
        ],
        [
            "with a class in place of disks",
            {
                storage:
                    '{"driver":"dynamic","onDelete":"delete","provisioner":"pd.csi.storage.gke.io","parameters":{"type":"pd-ssd"}}',
            },
        ],
    ])("is what the package declares: %s", async (_, over) => {
        const result = await run(over);
        expect(errorsOf(result)).toEqual([]);
        expect(gcpProblems(result, { required: REQUIRED })).toEqual([]);
        expect(secretsSweep(result, passwordsOf(result))).toEqual([]);
    });

    test("is the same in a preview that knows no output as in the update", async () => {
        const preview = await run({}, { preview: true, outputsUnknown: true });
        expect(errorsOf(preview)).toEqual([]);
        const urns = ({ resources }: RunResult) => resources.map(({ urn }) => urn).sort();
        expect(urns(preview)).toEqual(urns(first));
        expect(infosOf(preview).join()).toContain("Cost: 664.51 a month");
    });

    test("comes back as what it costs, and as a kubeconfig for kubectl", () => {
        expect(first.outputs["cost"]).toMatchObject({ currency: "USD", monthly: 664.51 });
        expect(first.outputs["kubeconfig"]).toContain("gke-gcloud-auth-plugin");
    });

    test("is nothing at all without the plugin that reaches the cluster", async () => {
        const result = await run({}, { environment: { PATH: "/nowhere" } });
        expect(errorsOf(result).join()).toContain(
            "Platform gke needs gke-gcloud-auth-plugin, by which Pulumi and kubectl reach the cluster, and it is not on PATH. Install it: gcloud components install gke-gcloud-auth-plugin",
        );
        expect(result.resources.map(({ type }) => type)).toEqual(["pulumi:pulumi:Stack"]);
    });
});

describe("order", () => {
    const pool = (zone: string, kind = "") =>
        ofType(first, POOL).find(({ name }) =>
            name.startsWith(`orders-${kind}pool-europe-west1-${zone}-`),
        )!.urn;

    test("nodes are touched zone after zone", () => {
        expect(dependsOnTransitively(first, pool("c"), pool("b"))).toBe(true);
        expect(dependsOnTransitively(first, pool("d"), pool("c"))).toBe(true);
        expect(dependsOnTransitively(first, pool("b"), pool("c"))).toBe(false);
    });

    test("a member comes after the nodes of its zone and its disk", () => {
        const member = named(first, SET, "orders-europe-west1-c-0").urn;
        const disk = named(first, DISK, "orders-europe-west1-c-0").urn;
        expect(dependsOnTransitively(first, member, pool("c"))).toBe(true);
        expect(dependsOnTransitively(first, member, disk)).toBe(true);
    });

    test("a disk waits for no cluster", () => {
        const disk = named(first, DISK, "orders-europe-west1-c-0").urn;
        expect(dependsOnTransitively(first, disk, named(first, CLUSTER, "orders").urn)).toBe(false);
    });

    test("a destroy takes members before nodes, nodes before the cluster, the cluster before its network", () => {
        const order = deletionOrderOf(first);
        const at = (urn: string) => order.findIndex((wave) => wave.includes(urn));
        const network = named(first, "gcp:compute/network:Network", "orders-network").urn;
        const clients = named(first, "kubernetes:core/v1:Service", "orders-clients").urn;
        for (const zone of ["b", "c", "d"]) {
            expect(at(named(first, SET, `orders-europe-west1-${zone}-0`).urn)).toBeLessThan(
                at(pool(zone)),
            );
            expect(at(pool(zone))).toBeLessThan(at(named(first, CLUSTER, "orders").urn));
        }
        expect(at(clients)).toBeLessThan(at(named(first, CLUSTER, "orders").urn));
        expect(at(named(first, CLUSTER, "orders").urn)).toBeLessThan(at(network));
    });

    test("members find their nodes by a label of both, and nobody else is let on them", () => {
        const pod = valueAt(
            named(first, SET, "orders-europe-west1-b-0").inputs,
            "spec.template.spec",
        );
        expect(pod).toMatchObject({
            nodeSelector: { "quorum.dev/members": "orders" },
            tolerations: [
                {
                    key: "quorum.dev/members",
                    operator: "Equal",
                    value: "orders",
                    effect: "NoSchedule",
                },
            ],
        });
        const members = ofType(first, POOL).filter(({ name }) => !name.includes("system"));
        for (const { inputs } of members) {
            expect(valueAt(inputs, "nodeConfig")).toMatchObject({
                labels: { "quorum.dev/members": "orders" },
                taints: [{ key: "quorum.dev/members", value: "orders", effect: "NO_SCHEDULE" }],
            });
        }
    });
});

/** What a plan does to Google's resources and to what holds data, one line each. */
function stepsOf(plan: readonly PlannedStep[]): string[] {
    return effectiveSteps(plan)
        .filter(
            ({ type, operation }) =>
                type.startsWith("gcp:") ||
                /StatefulSet|PersistentVolume|Namespace|core.v1:Secret/.test(type) ||
                (operation === "replace" && !type.endsWith(":Job")),
        )
        .map(({ operation, type, name }) => `${operation} ${type.split(":").at(-1)!} ${name}`);
}
const LONG = /europe-west1-/g;
const short = (steps: readonly string[]) =>
    steps.map((step) => step.replace(LONG, "").replace(/-[0-9a-f]{6}$/, "-HASH"));

describe("a change of a running cluster", () => {
    const ONE = { replicas: "1", zones: '["europe-west1-b"]' };
    const N2 = (more: string) => `{"type":"n2-standard-4"${more}}`;
    const gke = (more: string) => ({ gke: `{"project":"acme-prod",${more}}` });
    test.each<[string, Config, Config, string[]]>([
        [
            "more members: their nodes and disks come with them",
            {},
            { replicas: "5" },
            [
                "update NodePool orders-pool-b-HASH",
                "update NodePool orders-pool-c-HASH",
                "create Disk orders-b-1",
                "create Disk orders-c-1",
                "create PersistentVolume orders-b-1-volume",
                "create PersistentVolume orders-c-1-volume",
                "create PersistentVolumeClaim orders-b-1-disk",
                "create PersistentVolumeClaim orders-c-1-disk",
                "create StatefulSet orders-b-1",
                "create StatefulSet orders-c-1",
            ],
        ],
        [
            "another zone in the place of one: its nodes go last",
            {},
            { zones: '["europe-west1-c","europe-west1-d","europe-west1-f"]' },
            [
                "create NodePool orders-system-pool-f-HASH",
                "create NodePool orders-pool-f-HASH",
                "create Disk orders-f-0",
                "create PersistentVolume orders-f-0-volume",
                "create PersistentVolumeClaim orders-f-0-disk",
                "create StatefulSet orders-f-0",
                "delete StatefulSet orders-b-0",
                "delete PersistentVolumeClaim orders-b-0-disk",
                "delete PersistentVolume orders-b-0-volume",
                "delete Disk orders-b-0",
                "delete NodePool orders-pool-b-HASH",
                "delete NodePool orders-system-pool-b-HASH",
            ],
        ],
        [
            "a larger machine: the pools in place, and no member's pod",
            {},
            { machines: '{"type":"n2-standard-8"}' },
            ["b", "c", "d"].map((zone) => `update NodePool orders-pool-${zone}-HASH`),
        ],
        [
            "another family: new pools first, the old ones last",
            {},
            { machines: '{"type":"n2d-standard-4"}' },
            [
                ...["b", "c", "d"].map((zone) => `create NodePool orders-pool-${zone}-HASH`),
                ...["d", "c", "b"].map((zone) => `delete NodePool orders-pool-${zone}-HASH`),
            ],
        ],
        [
            "larger disks: by the claims alone",
            {},
            { storage: '{"size":"20Gi"}' },
            ["b", "c", "d"].map((zone) => `update PersistentVolumeClaim orders-${zone}-0-disk`),
        ],
        [
            "faster disks: in place",
            { machines: '{"type":"n4-standard-4"}' },
            { machines: '{"type":"n4-standard-4"}', storage: '{"disk":{"iops":6000}}' },
            ["b", "c", "d"].map((zone) => `update Disk orders-${zone}-0`),
        ],
        [
            "snapshots: beside the disks",
            {},
            { storage: '{"disk":{"snapshots":{"at":"03:00"}}}' },
            [
                "create ResourcePolicy orders-snapshots",
                ...["b", "c", "d"].map(
                    (zone) => `create DiskResourcePolicyAttachment orders-${zone}-0-snapshots`,
                ),
            ],
        ],
        [
            "snapshots of a disk in two zones: likewise",
            { ...ONE, storage: '{"disk":{"replicaZone":"europe-west1-c"}}' },
            {
                ...ONE,
                storage: '{"disk":{"replicaZone":"europe-west1-c","snapshots":{"at":"03:00"}}}',
            },
            [
                "create ResourcePolicy orders-snapshots",
                "create RegionDiskResourcePolicyAttachment orders-b-0-snapshots",
            ],
        ],
        ["another window", {}, gke('"window":"FR,SA 00:00-08:00"'), ["update Cluster orders"]],
        ["a faster channel", {}, gke('"channel":"REGULAR"'), ["update Cluster orders"]],
        [
            "no deletion protection",
            {},
            gke('"deletionProtection":false'),
            ["update Cluster orders"],
        ],
        [
            "an upgrade of the database: the members, and nothing of Google's",
            {},
            { version: "8.0.10" },
            ["b", "c", "d"].map((zone) => `update StatefulSet orders-${zone}-0`),
        ],
        [
            "a spare node in each zone",
            {},
            { machines: N2(',"count":2') },
            ["b", "c", "d"].map((zone) => `update NodePool orders-pool-${zone}-HASH`),
        ],
    ])("%s", async (_, before, after, steps) => {
        const old = Object.keys(before).length === 0 ? first : await run(before);
        const next = await run(after, { preview: true, previous: old });
        expect(errorsOf(next)).toEqual([]);
        expect([...short(stepsOf(planBetween(old, next, ON_GKE)))].sort()).toEqual(
            [...steps].sort(),
        );
    });

    test("the same again changes nothing", async () => {
        const next = await run({}, { preview: true, previous: first });
        expect(effectiveSteps(planBetween(first, next, ON_GKE))).toEqual([]);
    });
});

/** The state as a refresh would leave it after somebody else was there. */
function drifted(
    result: RunResult,
    change: (each: Registration) => Registration | undefined,
): RunResult {
    const state = new Map(
        [...result.state].flatMap(([urn, each]): [string, Registration][] => {
            const changed = change(each);
            return changed ? [[urn, changed]] : [];
        }),
    );
    return { ...result, state };
}

describe("what others do in Google's console, and a refresh sees", () => {
    test.each<[string, (each: Registration) => Registration | undefined, string[]]>([
        [
            "a disk that was grown: it stays as it is",
            (each) =>
                each.type === DISK
                    ? {
                          ...each,
                          checkedInputs: { ...each.checkedInputs, size: 50 },
                          outputs: { ...each.outputs, size: 50 },
                      }
                    : each,
            [],
        ],
        [
            "labels of others on the cluster, and a newer version: they stay",
            (each) =>
                each.type === CLUSTER
                    ? {
                          ...each,
                          checkedInputs: {
                              ...each.checkedInputs,
                              resourceLabels: { mesh: "on" },
                              minMasterVersion: "1.35",
                              nodeVersion: "1.35",
                              initialNodeCount: 0,
                          },
                      }
                    : each,
            [],
        ],
        [
            "a pool that was deleted: it comes back, and nothing else happens",
            (each) =>
                each.type === POOL && each.name.startsWith("orders-pool-europe-west1-c")
                    ? undefined
                    : each,
            ["create NodePool orders-pool-c-HASH"],
        ],
    ])("%s", async (_, change, steps) => {
        const old = drifted(first, change);
        const next = await run({}, { preview: true, previous: old });
        expect(errorsOf(next)).toEqual([]);
        expect(short(stepsOf(planBetween(old, next, ON_GKE)))).toEqual(steps);
    });
});

describe("data that is kept", () => {
    const SECRET = "gcp:secretmanager/secret:Secret";
    const VERSION = "gcp:secretmanager/secretVersion:SecretVersion";
    const retained = (result: RunResult) =>
        result.resources
            .filter(({ retainOnDelete }) => retainOnDelete)
            .map(({ type, name }) => `${type.split(":").at(-1)!} ${name}`)
            .sort();

    test("is the disks, and the passwords in Secret Manager: nothing of Kubernetes, which goes", () => {
        expect(retained(first)).toEqual([
            "Disk orders-europe-west1-b-0",
            "Disk orders-europe-west1-c-0",
            "Disk orders-europe-west1-d-0",
            "Secret orders-kept-credentials",
            "SecretVersion orders-kept-credentials",
        ]);
        const kept = named(first, VERSION, "orders-kept-credentials").inputs["secretData"];
        expect(kept).toBeInstanceOf(Secret);
        const text = withoutSecrets(kept!) as string;
        expect(Object.keys(JSON.parse(text) as object).sort()).toEqual([
            "admin-password",
            "app-password",
            "keyfile",
        ]);
    });

    test("is none with onDelete delete", async () => {
        expect(retained(await run({ storage: '{"onDelete":"delete"}' }))).toEqual([]);
    });

    test("comes back in a new stack: disks by name, passwords as they were", async () => {
        const passwords = {
            "admin-password": "a",
            "app-password": "kept-by-somebody",
            keyfile: "k",
        };
        const adopted = await run(
            { adopt: "true" },
            {
                invokes: {
                    "gcp:secretmanager/getSecretVersion:getSecretVersion": ({ secret }) => ({
                        secret: secret!,
                        secretData: JSON.stringify(passwords),
                    }),
                },
            },
        );
        expect(errorsOf(adopted)).toEqual([]);
        expect(ofType(adopted, DISK).map(({ importId }) => importId)).toEqual(
            expect.arrayContaining([
                "projects/acme-prod/zones/europe-west1-b/disks/orders-europe-west1-b-0",
            ]),
        );
        expect(named(adopted, SECRET, "orders-kept-credentials").importId).toBe(
            "projects/acme-prod/secrets/quorum-orders-credentials",
        );
        expect(JSON.stringify(adopted.outputs["connection"])).toContain(":kept-by-somebody@");
        expect(secretsSweep(adopted, ["kept-by-somebody"])).toEqual([]);
        const out = await run({}, { preview: true, previous: adopted });
        expect(stepsOf(planBetween(adopted, out, ON_GKE))).toEqual([]);
    });
});

describe("clients outside", () => {
    let open: RunResult;
    beforeAll(async () => {
        open = await run({
            access: '{"members":{"type":"LoadBalancer","addresses":{"orders-europe-west1-b-0":"10.64.1.1"}}}',
            names: '{"domain":"orders.internal"}',
        });
        expect(errorsOf(open)).toEqual([]);
    });
    const ADDRESS = "gcp:compute/address:Address";
    const addressOf = (zone: string) =>
        withoutSecrets(
            named(open, ADDRESS, `orders-europe-west1-${zone}-0-address`).outputs["address"]!,
        );

    test("reach each member at an address that is made before its Service, inside of the network", () => {
        expect(ofType(open, ADDRESS).map(({ name }) => name)).toEqual(
            ["c", "d"].map((zone) => `orders-europe-west1-${zone}-0-address`),
        );
        for (const zone of ["c", "d"]) {
            const service = named(
                open,
                "kubernetes:core/v1:Service",
                `orders-europe-west1-${zone}-0-external`,
            );
            expect(valueAt(service.inputs, "spec.loadBalancerIP")).toBe(addressOf(zone));
            expect(valueAt(service.inputs, "metadata.annotations")).toMatchObject({
                "networking.gke.io/load-balancer-type": "Internal",
            });
        }
    });

    test("find members by names that only the network sees", () => {
        const records = ofType(open, "gcp:dns/recordSet:RecordSet").map(({ inputs }) => [
            inputs["name"],
            withoutSecrets(inputs["rrdatas"]!),
        ]);
        expect(records).toEqual([
            ["orders-europe-west1-b-0.orders.internal.", ["10.64.1.1"]],
            ["orders-europe-west1-c-0.orders.internal.", [addressOf("c")]],
            ["orders-europe-west1-d-0.orders.internal.", [addressOf("d")]],
        ]);
        expect(ofType(open, "gcp:dns/managedZone:ManagedZone")[0]!.inputs).toMatchObject({
            visibility: "private",
            dnsName: "orders.internal.",
        });
    });

    test("come from the nodes' addresses, which the network policy lets in", async () => {
        const bounded = await run({
            access: '{"members":{"type":"LoadBalancer","sourceRanges":["10.0.0.0/24"]}}',
        });
        const policy = named(
            bounded,
            "kubernetes:networking.k8s.io/v1:NetworkPolicy",
            "orders-ingress",
        );
        expect(valueAt(policy.inputs, "spec.ingress[0].from")).toEqual([
            { namespaceSelector: {} },
            { ipBlock: { cidr: "10.0.0.0/24" } },
            { ipBlock: { cidr: "10.64.0.0/20" } },
        ]);
    });

    test("keep their addresses with the data where the network stays, and an address is never replaced", async () => {
        // Google deletes no subnetwork that has an address.
        expect(ofType(open, ADDRESS).some(({ retainOnDelete }) => retainOnDelete)).toBe(false);
        const shared = await run({
            access: '{"members":{"type":"LoadBalancer"},"nodeRanges":["10.0.0.0/16"]}',
            gke: '{"project":"acme-prod","network":"shared","subnetwork":"shared"}',
        });
        expect(errorsOf(shared)).toEqual([]);
        expect(ofType(shared, ADDRESS).every(({ retainOnDelete }) => retainOnDelete)).toBe(true);
        const moved = drifted(open, (each) =>
            each.type === ADDRESS
                ? { ...each, checkedInputs: { ...each.checkedInputs, purpose: "GCE_ENDPOINT" } }
                : each,
        );
        const next = await run(
            {
                access: '{"members":{"type":"LoadBalancer","addresses":{"orders-europe-west1-b-0":"10.64.1.1"}}}',
                names: '{"domain":"orders.internal"}',
            },
            { preview: true, previous: moved },
        );
        expect(stepsOf(planBetween(moved, next, ON_GKE))).toEqual([]);
    });
});

test("the cluster is protected until deletion protection is off", async () => {
    expect(named(first, CLUSTER, "orders").protect).toBe(true);
    const off = await run({ gke: '{"project":"acme-prod","deletionProtection":false}' });
    expect(named(off, CLUSTER, "orders").protect).toBe(false);
    expect(valueAt(named(off, CLUSTER, "orders").inputs, "deletionProtection")).toBe(false);
});

describe("what the repository shows", () => {
    test("Pulumi.prod.yaml is a stack that is accepted", async () => {
        const { config } = parse(
            readFileSync(new URL("../../Pulumi.prod.yaml", import.meta.url), "utf8"),
        ) as { config: Record<string, unknown> };
        const written = Object.entries(config).map(([key, value]) => [
            key,
            typeof value === "string" ? value : JSON.stringify(value),
        ]);
        const result = await runProgram({
            config: Object.fromEntries(written) as Config,
            stack: "prod",
            preview: true,
            ...ON_GKE,
        });
        expect(errorsOf(result)).toEqual([]);
        expect(gcpProblems(result, { required: REQUIRED })).toEqual([]);
        // A hyperdisk has no price that anybody agrees on.
        expect(infosOf(result).join()).toContain("Cost: at least");
    });

    test("examples/gke makes a database and gives an application its connection", async () => {
        const result = await runProgram({
            program: fileURLToPath(new URL("../../examples/gke", import.meta.url)),
            config: { "gcp:project": "acme-dev" },
            ...ON_GKE,
        });
        expect(errorsOf(result)).toEqual([]);
        const secret = named(result, "kubernetes:core/v1:Secret", "shop-database");
        expect(secret.inputs["stringData"]).toBeInstanceOf(Secret);
        expect(secretsSweep(result, passwordsOf(result))).toEqual([]);
    });
});
