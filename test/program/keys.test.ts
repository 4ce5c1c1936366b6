// Every key of the configuration, changed in a running cluster: whatever the change is, nothing that holds data is
// replaced or deleted unless a rule refused it. And the ways round the rules: another name, another release of Quorum.
// It does not prove what a provider or an API server does with the plan: test/cluster does.
import { beforeAll, describe, expect, test } from "vitest";
import { RULES } from "../../components/rules/changes.js";
import type { Key } from "../../components/rules/rule.js";
import { REQUIRED } from "../../sandbox/pulumi/resource-gcp/force-new.js";
import {
    runProgram,
    Secret,
    valueAt,
    withoutSecrets,
    type PropertyMap,
    type Registration,
    type RunOptions,
    type RunResult,
} from "./engine.js";
import { gcpProblems } from "./gcp/check.js";
import { GKE, ON_GKE } from "./google.js";
import { effectiveSteps, planBetween, type PlannedStep } from "./plan.js";

const CONFIG = { name: "orders", engine: "postgresql", version: "18", zones: '["a","b","c"]' };
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet";
/** What a member's data is in, or is reached with. */
const HOLDING = [
    STATEFUL_SET,
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolume",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:core/v1:Secret",
    "gcp:compute/disk:Disk",
    "gcp:compute/network:Network",
    "gcp:compute/subnetwork:Subnetwork",
    "gcp:container/cluster:Cluster",
    "gcp:secretmanager/secret:Secret",
    "gcp:secretmanager/secretVersion:SecretVersion",
];

type Config = Record<string, string>;
const run = (config: Config, options: Partial<RunOptions> = {}) =>
    runProgram({ config: { ...CONFIG, ...config }, ...ON_GKE, ...options });
const preview = (config: Config, previous: RunResult, options: Partial<RunOptions> = {}) =>
    run(config, { preview: true, previous, ...options });
const said = (result: RunResult, severity: string) =>
    result.messages.filter((each) => each.severity === severity).map(({ text }) => text);

/** What an update would take from those who stay. */
const lost = (plan: readonly PlannedStep[], leaving: readonly string[] = []) =>
    effectiveSteps(plan)
        .filter(({ type, operation }) => HOLDING.includes(type) && /replace|delete/.test(operation))
        .map(({ operation, name }) => `${operation} ${name}`)
        .filter((step) => !leaving.some((member) => step.includes(member)));

const LOCAL = '{"driver":"local","nodes":{"a":["1"],"b":["2"],"c":["3"]}}';
const DOOR = { type: "LoadBalancer", sourceRanges: ["192.0.2.0/24"] };
/** A door that is open and then is changed. */
const reopened = (door: string, over: object): [Config, Config] => [
    { access: JSON.stringify({ [door]: DOOR }) },
    { access: JSON.stringify({ [door]: { ...DOOR, ...over } }) },
];

const gke = (more: string) => ({ ...GKE, gke: GKE.gke.replace("}", `,${more}}`) });
const machines = (more: string) => ({ ...GKE, machines: GKE.machines.replace("}", `,${more}}`) });

/** A change of each key: before, after, who leaves by it. */
const CHANGES: Record<Key, [before: Config, after: Config, leaving?: string]> = {
    name: [{}, { name: "other" }],
    engine: [{}, { engine: "mysql", version: "9.7.1" }],
    layout: [{}, { zones: '["a"]', layout: "single-zone" }],
    namespace: [{}, { namespace: "other" }],
    platform: [{}, {}],
    clusterDomain: [{}, { clusterDomain: "other.local" }],
    database: [{}, { database: "other" }],
    replication: [
        { engine: "mysql", version: "9.7.1" },
        { engine: "mysql", version: "9.7.1", replication: "async" },
    ],
    version: [{}, { version: "17" }],
    image: [{}, { image: "ghcr.io/zalando/spilo-18:4.1-p3" }],
    finalizeUpgrade: [
        { engine: "mongodb", version: "8.0.9" },
        { engine: "mongodb", version: "8.0.9", finalizeUpgrade: "8.0" },
    ],
    toolsImage: [{}, { toolsImage: "tools:2" }],
    imagePullPolicy: [{}, { imagePullPolicy: "Always" }],
    replicas: [{ replicas: "4" }, {}, "orders-a-1"],
    zones: [{}, { zones: '["a","b","d"]' }, "orders-c-0"],
    primary: [{}, { primary: "orders-c-0" }],
    durability: [{}, { durability: "async" }],
    privileged: [
        { engine: "kaiwudb", version: "3.1.0" },
        { engine: "kaiwudb", version: "3.1.0", privileged: "true" },
    ],
    maxUnavailable: [{ replicas: "5" }, { replicas: "5", maxUnavailable: "2" }],
    membershipTimeout: [{}, { membershipTimeout: "600" }],
    "storage.driver": [{}, { storage: LOCAL }],
    "storage.className": [{}, { storage: '{"className":"fast"}' }],
    "storage.provisioner": [{}, { storage: '{"provisioner":"ebs.csi.aws.com"}' }],
    "storage.parameters": [
        { storage: '{"provisioner":"ebs.csi.aws.com"}' },
        { storage: '{"provisioner":"ebs.csi.aws.com","parameters":{"type":"gp3"}}' },
    ],
    "storage.path": [{ storage: LOCAL }, { storage: LOCAL.replace("}}", '},"path":"/srv/data"}') }],
    "storage.size": [{}, { storage: '{"size":"20Gi"}' }],
    "storage.nodes": [{ storage: LOCAL }, { storage: LOCAL.replace('"1"', '"9"') }],
    "storage.onDelete": [
        { storage: '{"provisioner":"ebs.csi.aws.com"}' },
        { storage: '{"provisioner":"ebs.csi.aws.com","onDelete":"delete"}' },
    ],
    "resources.cpu": [{}, { resources: '{"cpu":"1"}' }],
    "resources.memory": [{}, { resources: '{"memory":"512Mi"}' }],
    "licence.organization": [
        { engine: "cockroachdb", version: "26.2.2", licence: '{"organization":"A","secret":"l"}' },
        { engine: "cockroachdb", version: "26.2.2", licence: '{"organization":"B","secret":"l"}' },
    ],
    "licence.secret": [
        { engine: "cockroachdb", version: "26.2.2", licence: '{"organization":"A","secret":"l"}' },
        { engine: "cockroachdb", version: "26.2.2" },
    ],
    addons: [{ addons: '["kine"]' }, {}, "kine"],
    "kine.image": [
        { addons: '["kine"]' },
        { addons: '["kine"]', kine: '{"image":"rancher/kine:v0.16.5"}' },
    ],
    "kine.replicas": [{ addons: '["kine"]' }, { addons: '["kine"]', kine: '{"replicas":3}' }],
    "access.members.type": reopened("members", { type: "NodePort" }),
    "access.members.addresses": reopened("members", { addresses: { "orders-a-0": "192.0.2.10" } }),
    "access.members.internal": reopened("members", { internal: false }),
    "access.members.annotations": reopened("members", { annotations: { "example.com/type": "x" } }),
    "access.members.sourceRanges": reopened("members", { sourceRanges: ["192.0.0.0/16"] }),
    "access.clients.type": [{}, { access: JSON.stringify({ clients: DOOR }) }],
    "access.clients.addresses": reopened("clients", { addresses: { write: "192.0.2.10" } }),
    "access.clients.internal": reopened("clients", { internal: false }),
    "access.clients.annotations": reopened("clients", { annotations: { "example.com/type": "x" } }),
    "access.clients.sourceRanges": reopened("clients", { sourceRanges: ["192.0.0.0/16"] }),
    "access.nodeRanges": [
        { access: JSON.stringify({ members: DOOR }) },
        { access: JSON.stringify({ members: DOOR, nodeRanges: ["10.0.0.0/16"] }) },
    ],
    "access.peerRanges": [{}, {}],
    "names.domain": [
        { access: JSON.stringify({ members: DOOR }) },
        { access: JSON.stringify({ members: DOOR }), names: '{"domain":"db.example.com"}' },
    ],
    "gke.project": [GKE, { ...GKE, gke: '{"project":"acme-test"}' }],
    "gke.channel": [GKE, gke('"channel":"RAPID"')],
    "gke.network": [GKE, gke('"network":"shared","subnetwork":"shared"')],
    "gke.subnetwork": [
        gke('"network":"shared","subnetwork":"one"'),
        gke('"network":"shared","subnetwork":"two"'),
    ],
    "gke.ranges": [GKE, gke('"ranges":{"nodes":"10.65.0.0/20"}')],
    "gke.endpoint": [GKE, gke('"endpoint":"public","authorizedNetworks":["192.0.2.0/24"]')],
    "gke.authorizedNetworks": [
        gke('"endpoint":"public","authorizedNetworks":["192.0.2.0/24"]'),
        gke('"endpoint":"public","authorizedNetworks":["198.51.100.0/24"]'),
    ],
    "gke.window": [GKE, gke('"window":"FR,SA 00:00-08:00"')],
    "gke.exclusions": [
        GKE,
        gke(
            '"exclusions":[{"name":"x","from":"2026-12-20T00:00:00Z","until":"2026-12-27T00:00:00Z"}]',
        ),
    ],
    "gke.deletionProtection": [GKE, gke('"deletionProtection":false')],
    "machines.type": [GKE, { ...GKE, machines: '{"type":"n2d-standard-4"}' }],
    "machines.count": [machines('"count":2'), GKE],
    "machines.bootDisk": [GKE, machines('"bootDisk":"60Gi"')],
    "machines.system": [GKE, machines('"system":"e2-standard-2"')],
    prices: [GKE, { ...GKE, prices: '{"managementFee":{"usd":0.2}}' }],
    "storage.disk": [GKE, { ...GKE, storage: '{"disk":{"type":"pd-ssd"}}' }],
    adopt: [{}, { adopt: "true" }],
    allowChanges: [{}, { allowChanges: '["combination"]' }],
};

const runs = new Map<string, Promise<RunResult>>();
/** A running cluster of this configuration; made once. */
function running(config: Config): Promise<RunResult> {
    const key = JSON.stringify(config);
    runs.set(key, runs.get(key) ?? run(config));
    return runs.get(key)!;
}

/** Also with every word that can be said for it. */
const ALLOWED = '["combination","image","kubernetes","unfinished","version"]';

describe("a change of", () => {
    test.concurrent.each(Object.keys(RULES) as Key[])(
        "%s replaces and deletes nothing that holds data, allowed or not",
        async (key) => {
            const [before, after, leaving] = CHANGES[key];
            const old = await running(before);
            expect(said(old, "error")).toEqual([]);
            expect(gcpProblems(old, { required: REQUIRED })).toEqual([]);
            const words: Config[] = [{}, { allowChanges: ALLOWED }];
            for (const allowed of words) {
                // Half of the updates were cut off: the rules know less then.
                const previous = "allowChanges" in allowed ? cutOff(old) : old;
                const next = await preview({ ...after, ...allowed }, previous);
                expect(gcpProblems(next, { required: REQUIRED })).toEqual([]);
                if (next.exitCode === 0) {
                    expect(
                        lost(planBetween(previous, next, ON_GKE), leaving ? [leaving] : []),
                    ).toEqual([]);
                    // What no rule refuses needs no word, and comes out the same with it.
                    break;
                } else {
                    expect(said(next, "error").join("\n")).toMatch(
                        /change-rules" failed: .*quorum:/s,
                    );
                }
            }
        },
        600_000,
    );
});

/** The same cluster after an update that never came to its end. */
function cutOff(result: RunResult): RunResult {
    const state = new Map(
        [...result.state].map(([urn, each]): [string, Registration] => [
            urn,
            each.custom ? each : { ...each, outputs: {} },
        ]),
    );
    return { ...result, state };
}

describe("the rules are asked", () => {
    let first: RunResult;
    beforeAll(async () => {
        first = await running({});
    }, 300_000);

    test("when the cluster gets another name", async () => {
        const next = await preview({ name: "other" }, first);
        expect(said(next, "error").join()).toContain('quorum:name "orders" -> "other"');
        const planned = next.resources.filter(
            ({ type, managed }) => managed && type.startsWith("kubernetes:"),
        );
        expect(planned).toEqual([]);
    }, 300_000);

    test("when the stack gets another name, and the cluster had none of its own", async () => {
        const config = { ...CONFIG, name: "" };
        Reflect.deleteProperty(config, "name");
        const old = await runProgram({ config, stack: "prod" });
        const renamed = { ...old, stack: "prodeu", state: moved(old.state, "prod", "prodeu") };
        const next = await runProgram({
            config,
            stack: "prodeu",
            previous: renamed,
            preview: true,
        });
        expect(said(next, "error").join()).toContain('quorum:name "prod" -> "prodeu"');
        expect(said(next, "error").join()).toContain("set quorum:name to the cluster's old name");
        const kept = await runProgram({
            config: { ...config, name: "prod" },
            stack: "prodeu",
            previous: renamed,
            preview: true,
        });
        expect(lost(planBetween(renamed, kept))).toEqual([]);
        expect(kept.exitCode).toBe(0);
    }, 300_000);

    test("when the objects are looked for in another Kubernetes", async () => {
        const elsewhere = ({ id }: Registration): PropertyMap | undefined =>
            id === "kube-system"
                ? { metadata: { name: "kube-system", uid: "another" } }
                : undefined;
        const next = await preview({ context: "production" }, first, { computed: elsewhere });
        expect(said(next, "error").join()).toContain("another Kubernetes");
        const allowed = await preview({ allowChanges: '["kubernetes"]' }, first, {
            computed: elsewhere,
        });
        expect(allowed.exitCode).toBe(0);
        expect(said(allowed, "warning").join()).toContain(
            "allowed by quorum:allowChanges: this update: another Kubernetes",
        );
    }, 300_000);

    test("and say of an override that nothing needs it", async () => {
        const next = await preview({ allowChanges: '["image"]' }, first);
        expect(said(next, "warning")).toEqual([
            "orders: quorum:allowChanges names image, which nothing in this update needs: take it out.",
        ]);
    }, 300_000);

    test("but not of the one that an image needs for as long as it runs", async () => {
        const image = { image: "ghcr.io/zalando/spilo-17:4.0-p3", allowChanges: '["image"]' };
        const next = await preview(image, first);
        expect(next.exitCode).toBe(0);
        expect(said(next, "warning")).toEqual([]);
    }, 300_000);

    test("about a restart that no key of the configuration asks for", async () => {
        const state = new Map(first.state);
        for (const [urn, each] of state) {
            if (each.type === "quorum:index:DatabaseCluster") {
                const pods = { "orders-a-0": "1", "orders-b-0": "1", "orders-c-0": "1" };
                state.set(urn, { ...each, checkedInputs: { ...each.checkedInputs, pods } });
            }
        }
        const next = await preview({}, { ...first, state });
        expect(said(next, "info").join()).toContain("restarted one after the other");
    }, 300_000);
});

describe("adopt", () => {
    const password = Buffer.from("kept").toString("base64");
    const data = { "superuser-password": password, "app-password": password };
    const kept = ({ importId }: Registration): PropertyMap | undefined =>
        importId === "orders/orders-credentials" ? { data: new Secret(data) } : undefined;
    let adopted: RunResult;
    beforeAll(async () => {
        adopted = await run({ adopt: "true" }, { computed: kept });
    }, 300_000);
    const secretOf = (result: RunResult) =>
        result.resources.find(({ name }) => name === "orders-credentials")!;

    test("takes over the Secret as it is, and only what was kept by a provider that overwrites", () => {
        expect(said(adopted, "error")).toEqual([]);
        expect(secretOf(adopted)).toMatchObject({
            importId: "orders/orders-credentials",
            ignoreChanges: ["data", "stringData"],
            managed: true,
        });
        expect(JSON.stringify(adopted.outputs["connection"])).toContain(":kept@");
        const overwriting = adopted.resources
            .filter(({ provider }) => provider.includes("::kubernetes-kept::"))
            .map(({ name }) => name);
        expect(overwriting.sort()).toEqual([
            "orders-a-0-disk",
            "orders-b-0-disk",
            "orders-c-0-disk",
            "orders-namespace",
        ]);
        const providers = adopted.resources.filter(
            ({ type }) => type === "pulumi:providers:kubernetes",
        );
        expect(
            providers.map(({ name, inputs }) => [name, valueAt(inputs, "upsertExistingObjects")]),
        ).toEqual([
            ["kubernetes", undefined],
            ["kubernetes-kept", "true"],
        ]);
    });

    test("can be taken out and put in again: same passwords, same Secret", async () => {
        const out = await run({}, { previous: adopted, computed: kept });
        expect(said(out, "error")).toEqual([]);
        expect(lost(planBetween(adopted, out))).toEqual([]);
        expect(out.outputs["connection"]).toEqual(adopted.outputs["connection"]);
        const random = (result: RunResult) =>
            result.resources
                .filter(({ type }) => type.startsWith("random:"))
                .map(({ outputs }) => withoutSecrets(outputs["result"]!));
        expect(random(out)).toEqual(random(adopted));
        const again = await run({ adopt: "true" }, { previous: out, computed: kept });
        expect(said(again, "error")).toEqual([]);
        expect(lost(planBetween(out, again))).toEqual([]);
        expect(again.outputs["connection"]).toEqual(adopted.outputs["connection"]);
    }, 300_000);

    test("says that it is over", async () => {
        const next = await preview({ adopt: "true", replicas: "5" }, adopted, { computed: kept });
        expect(said(next, "info").join()).toContain("pulumi config rm quorum:adopt");
    }, 300_000);
});

test("a password that is made anew does not reach the Secret: the members would be locked out", async () => {
    const first = await running({});
    const state = new Map(
        [...first.state].map(([urn, each]): [string, Registration] => [
            urn,
            each.type.startsWith("random:")
                ? { ...each, checkedInputs: { ...each.checkedInputs, length: 8 } }
                : each,
        ]),
    );
    const next = await run({}, { previous: { ...first, state } });
    const steps = next.steps.filter(({ urn }) => urn.endsWith("::orders-credentials"));
    expect(steps.map(({ step }) => step)).toEqual(["same"]);
    expect(next.outputs["connection"]).toEqual(first.outputs["connection"]);
}, 300_000);

/** The state after `pulumi stack rename`: another stack in every URN. */
function moved(
    state: ReadonlyMap<string, Registration>,
    from: string,
    to: string,
): ReadonlyMap<string, Registration> {
    const rename = <T>(value: T): T => {
        if (typeof value === "string") {
            return value.replaceAll(`urn:pulumi:${from}::`, `urn:pulumi:${to}::`) as T;
        }
        if (Array.isArray(value)) {
            return value.map(rename) as T;
        }
        return typeof value === "object" && value !== null && value.constructor === Object
            ? (Object.fromEntries(
                  Object.entries(value).map(([key, inner]) => [
                      rename(key),
                      rename(inner as unknown),
                  ]),
              ) as T)
            : value;
    };
    return new Map([...state].map(([urn, each]) => [rename(urn), rename(each)]));
}
