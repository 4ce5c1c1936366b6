// Which changes replace an object, which are made in place, and which are none.

import { describe, expect, it } from "vitest";
import { UNKNOWN, type TreeObject } from "../../../sandbox/pulumi/property-tree.js";
import {
    Bench,
    SKIP_AWAIT,
    statefulSetSpec,
    template,
    uniqueName,
    type KindName,
} from "./bench.js";

interface Row {
    readonly kind: KindName;
    readonly before: TreeObject;
    readonly after: TreeObject;
    /** Path -> kind of change, exactly. */
    readonly changes: Readonly<Record<string, string>>;
}

const labels = { app: "a" };
const statefulSet = (rest: TreeObject = {}): TreeObject => ({ spec: statefulSetSpec("a", rest) });
const claimTemplate = (size: string): TreeObject => ({
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: size } } },
});
const claim = (rest: TreeObject = {}): TreeObject => ({
    spec: {
        accessModes: ["ReadWriteOnce"],
        resources: { requests: { storage: "1Gi" } },
        storageClassName: "none",
        ...rest,
    },
});
const job = (image: string, rest: TreeObject = {}): TreeObject => ({
    spec: {
        template: {
            spec: { restartPolicy: "Never", containers: [{ name: "main", image }] },
        },
        ...rest,
    },
});
const deployment = (rest: TreeObject = {}): TreeObject => ({
    spec: { replicas: 1, selector: { matchLabels: labels }, template: template(labels), ...rest },
});
const service = (rest: TreeObject = {}): TreeObject => ({
    spec: { selector: labels, ports: [{ port: 80 }], ...rest },
});
const volume = (path: string): TreeObject => ({
    spec: {
        capacity: { storage: "1Gi" },
        accessModes: ["ReadWriteOnce"],
        hostPath: { path },
    },
});

/** provider/pkg/provider/diff.go, row by row, and beside each what is near it and changes in place. */
const ROWS: readonly Row[] = [
    {
        kind: "statefulSet",
        before: statefulSet(),
        after: statefulSet({ podManagementPolicy: "Parallel" }),
        changes: { "spec.podManagementPolicy": "addReplace" },
    },
    {
        kind: "statefulSet",
        before: statefulSet({ revisionHistoryLimit: 2 }),
        after: statefulSet({ revisionHistoryLimit: 3 }),
        changes: { "spec.revisionHistoryLimit": "updateReplace" },
    },
    {
        kind: "statefulSet",
        before: statefulSet(),
        after: statefulSet({ serviceName: "b" }),
        changes: { "spec.serviceName": "updateReplace" },
    },
    {
        kind: "statefulSet",
        before: statefulSet(),
        after: statefulSet({ selector: { matchLabels: { app: "a", x: "y" } } }),
        changes: { "spec.selector.matchLabels.x": "addReplace" },
    },
    {
        kind: "statefulSet",
        before: statefulSet({ volumeClaimTemplates: [claimTemplate("1Gi")] }),
        after: statefulSet({ volumeClaimTemplates: [claimTemplate("2Gi")] }),
        changes: {
            "spec.volumeClaimTemplates[0].spec.resources.requests.storage": "updateReplace",
        },
    },
    {
        kind: "statefulSet",
        before: statefulSet(),
        after: statefulSet({
            replicas: 3,
            template: template(labels, {
                containers: [{ name: "main", image: "localhost/main:2" }],
            }),
        }),
        changes: { "spec.replicas": "update", "spec.template.spec.containers[0].image": "update" },
    },
    {
        kind: "deployment",
        before: deployment(),
        after: deployment({ selector: { matchLabels: { app: "b" } } }),
        changes: { "spec.selector.matchLabels.app": "updateReplace" },
    },
    {
        kind: "deployment",
        before: deployment({ strategy: { type: "Recreate" } }),
        after: deployment(),
        changes: { "spec.strategy": "delete" },
    },
    {
        kind: "job",
        before: job("localhost/a:1"),
        after: job("localhost/a:2"),
        changes: { "spec.template.spec.containers[0].image": "updateReplace" },
    },
    {
        kind: "job",
        before: job("localhost/a:1", { completions: 1, parallelism: 1 }),
        after: job("localhost/a:1", { completions: 2, parallelism: 2 }),
        changes: { "spec.completions": "updateReplace", "spec.parallelism": "updateReplace" },
    },
    {
        kind: "job",
        before: job("localhost/a:1"),
        after: job("localhost/a:1", { backoffLimit: 3 }),
        changes: { "spec.backoffLimit": "add" },
    },
    {
        kind: "claim",
        before: claim(),
        after: claim({ storageClassName: "other" }),
        changes: { "spec.storageClassName": "updateReplace" },
    },
    {
        kind: "claim",
        before: claim(),
        after: claim({ accessModes: ["ReadWriteMany"] }),
        changes: { "spec.accessModes[0]": "updateReplace" },
    },
    {
        kind: "claim",
        before: claim({ volumeName: "v1" }),
        after: claim({ volumeName: "v2" }),
        changes: { "spec.volumeName": "updateReplace" },
    },
    {
        kind: "claim",
        before: claim(),
        after: claim({ resources: { requests: { storage: "2Gi" } } }),
        changes: { "spec.resources.requests.storage": "update" },
    },
    {
        kind: "volume",
        before: volume("/a"),
        after: volume("/b"),
        changes: { "spec.hostPath.path": "updateReplace" },
    },
    {
        kind: "service",
        before: service(),
        after: service({ clusterIP: "None" }),
        changes: { "spec.clusterIP": "addReplace" },
    },
    {
        kind: "service",
        before: service(),
        after: service({ ports: [{ port: 81 }, { name: "second", port: 82 }] }),
        changes: { "spec.ports[0].port": "update", "spec.ports[1]": "add" },
    },
    {
        kind: "storageClass",
        before: { provisioner: "a/b", parameters: { type: "x" } },
        after: { provisioner: "a/c", parameters: { type: "y" } },
        changes: { provisioner: "updateReplace", "parameters.type": "updateReplace" },
    },
    {
        kind: "configMap",
        before: { data: { a: "1" } },
        after: { data: { a: "2", b: "3" } },
        changes: { "data.a": "updateReplace", "data.b": "addReplace" },
    },
    {
        kind: "secret",
        before: { stringData: { a: "1" } },
        after: { stringData: { a: "2" } },
        changes: { "data.a": "updateReplace" },
    },
    {
        kind: "secret",
        before: { type: "Opaque", data: { a: "MQ==" } },
        after: { type: "quorum.dev/other", data: { a: "MQ==" } },
        changes: { type: "updateReplace" },
    },
    {
        kind: "configMap",
        before: { metadata: { labels: { "a.b/c": "1" } } },
        after: { metadata: { labels: { "a.b/c": "2" } } },
        changes: { 'metadata.labels["a.b/c"]': "update" },
    },
];

/** Without waiting: these tests are about plans. */
function unawaited(rest: TreeObject): TreeObject {
    const metadata = rest["metadata"] as TreeObject | undefined;
    return { ...rest, metadata: { ...SKIP_AWAIT, ...metadata } };
}

export function planning(bench: () => Bench): void {
    describe.concurrent("the force-new table", () => {
        it.each(ROWS)("$kind: $changes", async ({ kind, before, after, changes }) => {
            const name = uniqueName("row");
            const made = await bench().make(kind, name, unawaited(before));
            const plan = await bench().plan(made, kind, name, unawaited(after));
            expect(plan.changes).toEqual(changes);
            const replaces = Object.keys(changes).filter((path) =>
                changes[path]!.endsWith("Replace"),
            );
            expect([...plan.replaces].sort()).toEqual(replaces.sort());
            // The object has a name of its own, so the old one must make room first.
            expect(plan.deleteBeforeReplace).toBe(replaces.length > 0);
            expect(plan.isChanged).toBe(true);
            const same = await bench().plan(made, kind, name, unawaited(before));
            expect(same.changes).toEqual({});
            expect(same.isChanged).toBe(false);
        });

        it("another name or namespace replaces anything, and the new one can be made first", async () => {
            const name = uniqueName("named");
            const made = await bench().make("configMap", name, { data: { a: "1" } });
            const renamed = await bench().plan(made, "configMap", `${name}-2`, {
                data: { a: "1" },
            });
            expect(renamed.changes).toEqual({ "metadata.name": "updateReplace" });
            expect(renamed.deleteBeforeReplace).toBe(false);
            const declared = bench().declare("configMap", name, { data: { a: "1" } });
            const moved = await bench().provider.diff(made.urn, made.state, {
                ...declared,
                metadata: { name, namespace: "elsewhere" },
            });
            expect(moved.changes).toEqual({ "metadata.namespace": "updateReplace" });
            expect(moved.deleteBeforeReplace).toBe(false);
        });
    });

    describe.concurrent("what is no change", () => {
        it("a quantity in another spelling", async () => {
            const resources = (memory: string, cpu: string) => ({
                spec: statefulSetSpec("q", {
                    template: template(
                        { app: "q" },
                        {
                            containers: [
                                {
                                    name: "main",
                                    image: "localhost/main:1",
                                    resources: { limits: { memory, cpu } },
                                },
                            ],
                        },
                    ),
                }),
            });
            const name = uniqueName("quantity");
            const made = await bench().make(
                "statefulSet",
                name,
                unawaited(resources("1024Mi", "0.5")),
            );
            const again = await bench().plan(
                made,
                "statefulSet",
                name,
                unawaited(resources("1024Mi", "0.5")),
            );
            expect(again.changes).toEqual({});
            const more = await bench().plan(
                made,
                "statefulSet",
                name,
                unawaited(resources("1025Mi", "500m")),
            );
            expect(more.changes).toEqual({
                "spec.template.spec.containers[0].resources.limits.memory": "update",
            });
        });

        it("empty values, which the API server leaves out", async () => {
            const rest = {
                spec: statefulSetSpec("e", {
                    template: template(
                        { app: "e" },
                        {
                            hostNetwork: false,
                            initContainers: [],
                            containers: [
                                {
                                    name: "main",
                                    image: "localhost/main:1",
                                    env: [{ name: "EMPTY", value: "" }],
                                },
                            ],
                        },
                    ),
                }),
            };
            const name = uniqueName("empty");
            const made = await bench().make("statefulSet", name, unawaited(rest));
            expect(
                (await bench().plan(made, "statefulSet", name, unawaited(rest))).changes,
            ).toEqual({});
        });

        it("what is ignored by ignoreChanges, at the path and below it", async () => {
            const name = uniqueName("ignored");
            const made = await bench().make("statefulSet", name, unawaited(statefulSet()));
            const news = unawaited(statefulSet({ replicas: 2, serviceName: "b" }));
            const plan = await bench().plan(made, "statefulSet", name, news, ["spec.replicas"]);
            expect(plan.changes).toEqual({ "spec.serviceName": "updateReplace" });
            const none = await bench().plan(made, "statefulSet", name, news, ["spec"]);
            expect(none.isChanged).toBe(false);
        });
    });

    describe.concurrent("names", () => {
        it("an object without a name gets the resource's name and eight hex digits", async () => {
            const urn = bench().urn("configMap", "settings");
            const declared = bench().declare("configMap", undefined, { data: { a: "1" } });
            const inputs = await bench().provider.check(urn, declared);
            expect(inputs["metadata"]).toEqual({
                name: expect.stringMatching(/^settings-[0-9a-f]{8}$/) as string,
                namespace: bench().namespace,
                annotations: { "pulumi.com/autonamed": "true" },
            });
            const other = await bench().provider.check(urn, declared);
            expect(other["metadata"]).not.toEqual(inputs["metadata"]);
        });

        it("a made-up name is kept from one update to the next", async () => {
            const urn = bench().urn("configMap", "kept");
            const declared = bench().declare("configMap", undefined, { data: { a: "1" } });
            const olds = await bench().provider.check(urn, declared);
            expect(await bench().provider.check(urn, declared, olds)).toEqual(olds);
        });

        it("a replacement of an object with a made-up name is made before the old one goes", async () => {
            const urn = bench().urn("configMap", "twin");
            const declared = bench().declare("configMap", undefined, { data: { a: "1" } });
            const inputs = await bench().provider.check(urn, declared);
            const { properties } = await bench().provider.create(urn, inputs);
            const news = await bench().provider.check(
                urn,
                { ...declared, data: { a: "2" } },
                inputs,
            );
            const plan = await bench().provider.diff(urn, properties, news);
            expect(plan.replaces).toEqual(["data.a"]);
            expect(plan.deleteBeforeReplace).toBe(false);
        });

        it("generateName is refused, as it cannot be applied on the server", async () => {
            const declared = bench().declare("configMap", undefined, {
                metadata: { generateName: "x-" },
            });
            await expect(
                bench().provider.check(bench().urn("configMap", "g"), declared),
            ).rejects.toThrow(/metadata.generateName is not supported with server-side apply/);
        });

        it("an object without a namespace goes to that of the kubeconfig", async () => {
            const inputs = await bench().provider.check(bench().urn("configMap", "n"), {
                apiVersion: "v1",
                kind: "ConfigMap",
                metadata: { name: "n" },
            });
            expect(inputs["metadata"]).toEqual({ name: "n", namespace: "default" });
            const scopeless = await bench().provider.check(bench().urn("storageClass", "n"), {
                apiVersion: "storage.k8s.io/v1",
                kind: "StorageClass",
                metadata: { name: "n" },
                provisioner: "a/b",
            });
            expect(scopeless["metadata"]).toEqual({ name: "n" });
        });
    });

    describe.concurrent("a preview", () => {
        it("keeps what is not known yet, and writes nothing", async () => {
            const name = uniqueName("unknown");
            const declared = bench().declare("configMap", name, { data: { a: UNKNOWN } });
            const urn = bench().urn("configMap", name);
            const inputs = await bench().provider.check(urn, declared);
            expect(inputs["data"]).toEqual({ a: UNKNOWN });
            const made = await bench().provider.create(urn, inputs, { preview: true });
            expect(made).toEqual({ id: "", properties: inputs });
            expect(await bench().live("configMap", name)).toBeUndefined();
        });

        it("asks the API server for the defaults, and writes nothing", async () => {
            const name = uniqueName("planned");
            const declared = bench().declare("statefulSet", name, statefulSet());
            const urn = bench().urn("statefulSet", name);
            const made = await bench().provider.create(urn, declared, { preview: true });
            expect(made.id).toBe("");
            expect((made.properties["spec"] as TreeObject)["podManagementPolicy"]).toBe(
                "OrderedReady",
            );
            expect(made.properties["status"]).toBeUndefined();
            expect(await bench().live("statefulSet", name)).toBeUndefined();
        });

        it("shows what the API server would refuse", async () => {
            const declared = bench().declare("configMap", "Not_A_Name", {});
            await expect(
                bench().provider.create(bench().urn("configMap", "x"), declared, { preview: true }),
            ).rejects.toThrow(/ConfigMap "Not_A_Name" is invalid: metadata.name/);
        });

        it("plans objects in a namespace that is itself only planned", async () => {
            const declared = {
                apiVersion: "v1",
                kind: "ConfigMap",
                metadata: { name: "early", namespace: "not-there-yet" },
            };
            const made = await bench().provider.create(
                bench().urn("configMap", "early"),
                declared,
                {
                    preview: true,
                },
            );
            expect(made).toEqual({ id: "", properties: declared });
        });

        it("plans an update without making it", async () => {
            const name = uniqueName("later");
            const made = await bench().make("statefulSet", name, unawaited(statefulSet()));
            const { state } = await bench().change(
                made,
                "statefulSet",
                name,
                unawaited(statefulSet({ replicas: 4 })),
                { preview: true },
            );
            expect((state["spec"] as TreeObject)["replicas"]).toBe(4);
            const live = await bench().live("statefulSet", name);
            expect((live!["spec"] as TreeObject)["replicas"]).toBe(1);
        });
    });
}
