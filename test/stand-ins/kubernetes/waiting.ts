// When an object counts as ready, what is said while it does not, and how a wait ends otherwise.

import { describe, expect, it } from "vitest";
import type { TreeObject } from "../../../sandbox/pulumi/property-tree.js";
import { valueAt } from "../../../sandbox/pulumi/property-path.js";
import {
    Bench,
    failureOf,
    SKIP_AWAIT,
    statefulSetSpec,
    template,
    uniqueName,
    until,
    type KindName,
} from "./bench.js";

/** Longer than one look at the object, so that "still waiting" has been true at least once. */
const SHORT_SECONDS = 1.5;

const settled = async (promise: Promise<unknown>) => {
    const marker = Symbol("waiting");
    const first = await Promise.race([
        promise.catch(() => undefined),
        new Promise((resolve) => setTimeout(() => resolve(marker), SHORT_SECONDS * 1000)),
    ]);
    return first !== marker;
};

const labels = { app: "w" };
const condition = (type: string, status = "True", rest: TreeObject = {}): TreeObject => ({
    type,
    status,
    ...rest,
});
const jobSpec: TreeObject = {
    spec: {
        backoffLimit: 0,
        template: {
            spec: {
                restartPolicy: "Never",
                containers: [{ name: "main", image: "localhost/a:1" }],
            },
        },
    },
};
const now = "2026-01-01T00:00:00Z";

interface Case {
    readonly title: string;
    readonly kind: KindName;
    readonly rest: TreeObject;
    /** Not enough to be ready, and what is said about it. */
    readonly almost: TreeObject;
    readonly missing: RegExp;
    /** Enough. */
    readonly enough: TreeObject;
}

const CASES: readonly Case[] = [
    {
        title: "a StatefulSet: all replicas ready, of the newest revision, seen by the controller",
        kind: "statefulSet",
        rest: { spec: statefulSetSpec("w") },
        almost: {
            observedGeneration: 1,
            replicas: 1,
            readyReplicas: 1,
            currentReplicas: 1,
            currentRevision: "a",
            updateRevision: "b",
        },
        missing: /the update from revision "a" to "b" is not complete/,
        enough: { currentRevision: "b" },
    },
    {
        title: "a Deployment: updated, ready, available, and its rollout complete",
        kind: "deployment",
        rest: {
            spec: { replicas: 1, selector: { matchLabels: labels }, template: template(labels) },
        },
        almost: {
            observedGeneration: 1,
            replicas: 1,
            updatedReplicas: 1,
            conditions: [
                condition("Available", "False"),
                condition("Progressing", "True", { reason: "ReplicaSetUpdated", message: "busy" }),
            ],
        },
        missing: /0 out of 1 replicas are ready/,
        enough: {
            readyReplicas: 1,
            availableReplicas: 1,
            conditions: [
                condition("Available"),
                condition("Progressing", "True", { reason: "NewReplicaSetAvailable" }),
            ],
        },
    },
    {
        title: "a DaemonSet: as many pods as nodes are scheduled, updated, available and ready",
        kind: "daemonSet",
        rest: { spec: { selector: { matchLabels: labels }, template: template(labels) } },
        almost: {
            observedGeneration: 1,
            desiredNumberScheduled: 2,
            currentNumberScheduled: 2,
            numberMisscheduled: 0,
            updatedNumberScheduled: 2,
            numberAvailable: 1,
            numberReady: 1,
        },
        missing: /1 out of 2 pods are ready/,
        enough: { numberAvailable: 2, numberReady: 2 },
    },
    {
        title: "a Job: complete",
        kind: "job",
        rest: jobSpec,
        almost: { startTime: now, active: 1 },
        missing: /it has not completed \(active: 1, succeeded: 0, failed: 0\)/,
        enough: {
            active: 0,
            succeeded: 1,
            completionTime: now,
            conditions: [
                condition("SuccessCriteriaMet", "True", { lastTransitionTime: now }),
                condition("Complete", "True", { lastTransitionTime: now }),
            ],
        },
    },
    {
        title: "a Pod: scheduled, initialized and ready",
        kind: "pod",
        rest: { spec: { containers: [{ name: "main", image: "localhost/a:1" }] } },
        almost: {
            phase: "Pending",
            conditions: [
                condition("PodScheduled", "False", {
                    reason: "Unschedulable",
                    message: "0/3 nodes are available",
                }),
            ],
        },
        missing: /Unschedulable: 0\/3 nodes are available/,
        enough: {
            phase: "Running",
            conditions: ["PodScheduled", "Initialized", "Ready"].map((type) => condition(type)),
        },
    },
    {
        title: "a claim: bound",
        kind: "claim",
        rest: {
            spec: {
                accessModes: ["ReadWriteOnce"],
                resources: { requests: { storage: "1Gi" } },
                storageClassName: "immediate",
            },
        },
        almost: { phase: "Pending" },
        missing: /it is Pending, not Bound/,
        enough: { phase: "Bound" },
    },
    {
        title: "a volume: available",
        kind: "volume",
        rest: {
            spec: {
                capacity: { storage: "1Gi" },
                accessModes: ["ReadWriteOnce"],
                hostPath: { path: "/a" },
            },
        },
        almost: { phase: "Pending" },
        missing: /it is Pending, not Available/,
        enough: { phase: "Available" },
    },
    {
        title: "a LoadBalancer without a selector: an address",
        kind: "service",
        rest: { spec: { type: "LoadBalancer", ports: [{ port: 80 }] } },
        almost: { loadBalancer: {} },
        missing: /it was not given an address/,
        enough: { loadBalancer: { ingress: [{ ip: "172.30.8.10" }] } },
    },
];

function endpoints(bench: Bench, name: string, ready: boolean): TreeObject {
    const addresses = [{ ip: "10.244.1.2" }];
    return {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: { name, namespace: bench.namespace },
        subsets: [
            {
                ...(ready ? { addresses } : { notReadyAddresses: addresses }),
                ports: [{ port: 80 }],
            },
        ],
    };
}

export function waiting(bench: () => Bench): void {
    describe.concurrent("readiness", () => {
        it.each(CASES)("$title", async ({ kind, rest, almost, missing, enough }) => {
            const name = uniqueName("await");
            const made = bench().make(kind, name, rest);
            await bench().setStatus(kind, name, almost);
            expect(await settled(made)).toBe(false);
            // A second one shows what is said when the time ends with exactly this missing.
            const late = uniqueName("late");
            const failing = failureOf(bench().make(kind, late, rest, { timeout: SHORT_SECONDS }));
            await bench().setStatus(kind, late, almost);
            const failure = await failing;
            expect(failure.message).toMatch(missing);
            expect(failure.message).toMatch(/timed out after 1.5 s waiting for/);
            await bench().setStatus(kind, name, enough);
            const { id } = await made;
            expect(id).toMatch(new RegExp(`${name}$`));
        });

        it("a Service with a selector waits for its pods", async () => {
            const name = uniqueName("service");
            const made = bench().make("service", name, {
                spec: { selector: { app: "w" }, ports: [{ port: 80 }] },
            });
            const path = `/api/v1/namespaces/${bench().namespace}/endpoints`;
            await bench().raw("POST", path, endpoints(bench(), name, false));
            expect(await settled(made)).toBe(false);
            await bench().raw("PATCH", `${path}/${name}`, endpoints(bench(), name, true));
            expect((await made).id).toBe(`${bench().namespace}/${name}`);
        });

        it("headless, selectorless and external Services wait for nothing", async () => {
            const specs: TreeObject[] = [
                { clusterIP: "None", selector: { app: "w" }, ports: [{ port: 80 }] },
                { ports: [{ port: 80 }] },
                { type: "ExternalName", externalName: "example.invalid" },
            ];
            for (const spec of specs) await bench().make("service", uniqueName("free"), { spec });
        });

        it("a claim that waits for its first consumer is not waited for", async () => {
            const storageClass = uniqueName("lazy");
            await bench().make("storageClass", storageClass, {
                provisioner: "kubernetes.io/no-provisioner",
                volumeBindingMode: "WaitForFirstConsumer",
            });
            const made = await bench().make("claim", uniqueName("lazy"), {
                spec: {
                    accessModes: ["ReadWriteOnce"],
                    resources: { requests: { storage: "1Gi" } },
                    storageClassName: storageClass,
                },
            });
            expect(valueAt(made.state, ["status", "phase"])).toBe("Pending");
        });

        it("namespaces and definitions of kinds are ready when the API server says so", async () => {
            const made = await bench().make("namespace", uniqueName("home"), {});
            expect(valueAt(made.state, ["status", "phase"])).toBe("Active");
            const group = `${uniqueName("g")}.quorum.dev`;
            const definition = await bench().make("definition", `things.${group}`, {
                spec: {
                    group,
                    names: { kind: "Thing", plural: "things" },
                    scope: "Namespaced",
                    versions: [
                        {
                            name: "v1",
                            served: true,
                            storage: true,
                            schema: {
                                openAPIV3Schema: {
                                    type: "object",
                                    x_kubernetes_preserve_unknown_fields: true,
                                },
                            },
                        },
                    ],
                },
            });
            expect(JSON.stringify(definition.state["spec"])).toContain(
                `"x_kubernetes_preserve_unknown_fields":true`,
            );
            // And at once there can be one of them.
            const thing = await bench().provider.create(
                `urn:pulumi:s::p::kubernetes:${group}/v1:Thing::one`,
                {
                    apiVersion: `${group}/v1`,
                    kind: "Thing",
                    metadata: { name: "one", namespace: bench().namespace },
                    size: 3,
                },
            );
            expect(thing.id).toBe(`${bench().namespace}/one`);
            expect(thing.properties["size"]).toBe(3);
        });

        it("an update waits until the controller has seen it", async () => {
            const name = uniqueName("observed");
            const ready = {
                observedGeneration: 1,
                replicas: 1,
                readyReplicas: 1,
                currentReplicas: 1,
                currentRevision: "a",
                updateRevision: "a",
            };
            const making = bench().make("statefulSet", name, { spec: statefulSetSpec("w") });
            await bench().setStatus("statefulSet", name, ready);
            const made = await making;
            const changing = bench().change(made, "statefulSet", name, {
                spec: statefulSetSpec("w", { minReadySeconds: 1 }),
            });
            expect(await settled(changing)).toBe(false);
            await bench().setStatus("statefulSet", name, { observedGeneration: 2 });
            expect(valueAt((await changing).state, ["spec", "minReadySeconds"])).toBe(1);
        });

        it("with OnDelete an update waits for no new revision", async () => {
            const name = uniqueName("on-delete");
            const spec = (rest: TreeObject) =>
                statefulSetSpec("w", { updateStrategy: { type: "OnDelete" }, ...rest });
            const made = await bench().make("statefulSet", name, {
                metadata: SKIP_AWAIT,
                spec: spec({}),
            });
            const changing = bench().change(made, "statefulSet", name, {
                spec: spec({ minReadySeconds: 1 }),
            });
            await bench().setStatus("statefulSet", name, {
                observedGeneration: 2,
                replicas: 1,
                readyReplicas: 1,
                currentRevision: "a",
                updateRevision: "b",
            });
            await changing;
        });
    });

    describe.concurrent("a wait that fails", () => {
        it("keeps the object in the state, with the pod and its reason", async () => {
            const name = uniqueName("broken");
            const pod = `${name}-0`;
            await bench().put("pod", pod, {
                metadata: { labels: { app: name } },
                spec: { containers: [{ name: "main", image: "localhost/a:1" }] },
            });
            await bench().setStatus("pod", pod, {
                phase: "Pending",
                containerStatuses: [
                    {
                        name: "main",
                        ready: false,
                        restartCount: 0,
                        image: "",
                        imageID: "",
                        state: { waiting: { reason: "ErrImagePull", message: "no such image" } },
                    },
                ],
            });
            const failure = await failureOf(
                bench().make(
                    "statefulSet",
                    name,
                    { spec: statefulSetSpec(name) },
                    { timeout: SHORT_SECONDS },
                ),
            );
            expect(failure.message).toMatch(
                /was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: timed out after 1.5 s/,
            );
            const partial = failure.partial!;
            expect(partial.id).toBe(`${bench().namespace}/${name}`);
            expect(valueAt(partial.properties, ["metadata", "uid"])).toBeDefined();
            expect(valueAt(partial.properties, ["__inputs", "spec", "serviceName"])).toBe(name);
            expect(partial.reasons[0]).toMatch(/waiting for StatefulSet \S+ to be ready$/);
            expect(partial.reasons.slice(1)).toEqual([
                "its controller has not seen the change yet",
                `${pod}: 0/1 ready: container "main" waits: ErrImagePull: no such image`,
            ]);
        });

        it("a Job that has failed is not waited for any longer, and says why", async () => {
            const name = uniqueName("failed");
            const making = failureOf(bench().make("job", name, jobSpec));
            await bench().setStatus("job", name, {
                startTime: now,
                failed: 1,
                conditions: ["FailureTarget", "Failed"].map((type) =>
                    condition(type, "True", {
                        reason: "BackoffLimitExceeded",
                        message: "Job has reached the specified backoff limit",
                        lastTransitionTime: now,
                    }),
                ),
            });
            const failure = await making;
            expect(failure.message).toContain(
                "failed: [BackoffLimitExceeded] Job has reached the specified backoff limit",
            );
            expect(failure.partial!.id).toBe(`${bench().namespace}/${name}`);
        });

        it("an object that is deleted meanwhile fails the wait", async () => {
            const name = uniqueName("vanished");
            const making = failureOf(
                bench().make("statefulSet", name, { spec: statefulSetSpec("w") }),
            );
            await bench().setStatus("statefulSet", name, { replicas: 0 });
            await bench().plane.api.request({
                method: "DELETE",
                path: `/apis/apps/v1/namespaces/${bench().namespace}/statefulsets/${name}`,
            });
            expect((await making).message).toContain("was deleted while it was being waited for");
        });

        it("pulumi.com/timeoutSeconds ends the wait, customTimeouts are stronger", async () => {
            const rest: TreeObject = {
                metadata: { annotations: { "pulumi.com/timeoutSeconds": "1" } },
                spec: statefulSetSpec("w"),
            };
            const annotated = await failureOf(
                bench().make("statefulSet", uniqueName("patience"), rest),
            );
            expect(annotated.message).toContain("timed out after 1 s");
            const custom = await failureOf(
                bench().make("statefulSet", uniqueName("patience"), rest, { timeout: 2 }),
            );
            expect(custom.message).toContain("timed out after 2 s");
        });
    });

    describe.concurrent("annotations", () => {
        it("pulumi.com/skipAwait waits for nothing, also beside waitFor", async () => {
            const annotations = {
                "pulumi.com/skipAwait": "true",
                "pulumi.com/waitFor": "condition=Never",
            };
            const made = await bench().make("statefulSet", uniqueName("skip"), {
                metadata: { annotations },
                spec: statefulSetSpec("w"),
            });
            expect(valueAt(made.state, ["status", "readyReplicas"])).toBeUndefined();
        });

        const expressions = [
            ["jsonpath={.status.readyReplicas}=2", { readyReplicas: 1 }, { readyReplicas: 2 }],
            ["jsonpath={$.status.currentRevision}", {}, { currentRevision: "x" }],
            [
                `jsonpath={.status.conditions[?(@.type=="Warm")].status}=True`,
                { conditions: [condition("Cold")] },
                { conditions: [condition("Cold"), condition("Warm")] },
            ],
            [
                "condition=Warm",
                { conditions: [condition("Warm", "False")] },
                { conditions: [condition("Warm")] },
            ],
            [
                "condition=Warm=False",
                { conditions: [condition("Warm")] },
                { conditions: [condition("Warm", "False")] },
            ],
            [
                `["jsonpath={.status.readyReplicas}=1", "condition=Warm"]`,
                { readyReplicas: 1 },
                { readyReplicas: 1, conditions: [condition("Warm")] },
            ],
        ] as const;
        it.each(expressions)("pulumi.com/waitFor: %s", async (expression, almost, enough) => {
            const name = uniqueName("wait-for");
            const making = bench().make("statefulSet", name, {
                metadata: { annotations: { "pulumi.com/waitFor": expression } },
                spec: statefulSetSpec("w", { replicas: 5 }),
            });
            await bench().setStatus("statefulSet", name, { replicas: 5, ...almost } as TreeObject);
            expect(await settled(making)).toBe(false);
            await bench().setStatus("statefulSet", name, enough as TreeObject);
            await making;
        });

        it("an expression that is none is refused with what it should be", async () => {
            const failure = await failureOf(
                bench().make("statefulSet", uniqueName("wrong"), {
                    metadata: { annotations: { "pulumi.com/waitFor": "ready" } },
                    spec: statefulSetSpec("w"),
                }),
            );
            expect(failure.message).toContain(
                `expected a "jsonpath=" or "condition=" prefix, got "ready"`,
            );
        });

        it("pulumi.com/replaceUnready replaces a Job that has not completed", async () => {
            const name = uniqueName("again");
            const annotations = {
                "pulumi.com/skipAwait": "true",
                "pulumi.com/replaceUnready": "true",
            };
            const rest = { ...jobSpec, metadata: { annotations } };
            const made = await bench().make("job", name, rest);
            // skipAwait is for the create; whether the Job is complete is asked all the same.
            const plan = await bench().plan(made, "job", name, rest);
            expect(plan.replaces).toEqual(['metadata.annotations["pulumi.com/replaceUnready"]']);
        });
    });

    describe.concurrent("a long wait", () => {
        it("says every ten seconds what it waits for, and a cancel ends it with the state kept", async () => {
            const name = uniqueName("slow");
            const other = await Bench.start(bench().plane);
            try {
                const making = failureOf(
                    other.make("statefulSet", name, { spec: statefulSetSpec("w") }),
                );
                await other.setStatus("statefulSet", name, { observedGeneration: 1, replicas: 1 });
                const message = `${name}: 0 out of 1 replicas are ready`;
                await until(() => other.provider.messages.some((text) => text.includes(message)));
                await other.provider.cancel();
                const failure = await making;
                expect(failure.message).toContain("was cancelled");
                expect(failure.partial!.id).toBe(`${other.namespace}/${name}`);
            } finally {
                other.stop();
            }
        });
    });
}
