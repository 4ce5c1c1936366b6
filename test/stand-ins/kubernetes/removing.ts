// Deleting: what is waited for, and what is forgiven.

import { describe, expect, it } from "vitest";
import { valueAt } from "../../../sandbox/pulumi/property-path.js";
import {
    Bench,
    failureOf,
    SKIP_AWAIT,
    statefulSetSpec,
    uniqueName,
    until,
    type KindName,
} from "./bench.js";

const FINALIZER = "quorum.dev/test";

export function removing(bench: () => Bench): void {
    const isBeingDeleted = async (kind: KindName, name: string) =>
        valueAt(await bench().live(kind, name), ["metadata", "deletionTimestamp"]) !== undefined;

    describe.concurrent("deleting", () => {
        it("waits until the object is gone", async () => {
            const name = uniqueName("held");
            const made = await bench().make("configMap", name, {
                metadata: { finalizers: [FINALIZER] },
            });
            let isDone = false;
            const removing = bench()
                .remove(made)
                .then(() => (isDone = true));
            await until(() => isBeingDeleted("configMap", name));
            await new Promise((resolve) => setTimeout(resolve, 1200));
            expect(isDone).toBe(false);
            await bench().patch("configMap", name, { metadata: { finalizers: null } });
            await removing;
            expect(await bench().live("configMap", name)).toBeUndefined();
        });

        it("at the end of the time says what holds the object, and keeps it in the state", async () => {
            const name = uniqueName("stuck");
            const made = await bench().make("configMap", name, {
                metadata: { finalizers: [FINALIZER] },
            });
            const failure = await failureOf(bench().remove(made, 1));
            expect(failure.message).toMatch(
                /timed out after 1 s waiting for ConfigMap .* to be deleted/,
            );
            expect(failure.message).toContain(`finalizers that have not ended: `);
            expect(failure.message).toContain(FINALIZER);
            expect(failure.partial!.id).toBe(made.id);
            expect(
                valueAt(failure.partial!.properties, ["metadata", "deletionTimestamp"]),
            ).toBeDefined();
            await bench().patch("configMap", name, { metadata: { finalizers: null } });
        });

        it("deletes the pods of a workload before the workload itself", async () => {
            const name = uniqueName("owner");
            const made = await bench().make("statefulSet", name, {
                metadata: { annotations: { "pulumi.com/waitFor": "jsonpath={.metadata.name}" } },
                spec: statefulSetSpec("o"),
            });
            const owner = {
                apiVersion: "apps/v1",
                kind: "StatefulSet",
                name,
                uid: valueAt(made.state, ["metadata", "uid"])!,
                blockOwnerDeletion: true,
                controller: true,
            };
            const pod = `${name}-0`;
            await bench().put("pod", pod, {
                metadata: { ownerReferences: [owner], finalizers: [FINALIZER] },
                spec: { containers: [{ name: "main", image: "localhost/a:1" }] },
            });
            const removing = bench().remove(made);
            await until(() => isBeingDeleted("pod", pod));
            expect(await bench().live("statefulSet", name)).toBeDefined();
            await bench().patch("pod", pod, { metadata: { finalizers: null } });
            await removing;
            expect(await bench().live("statefulSet", name)).toBeUndefined();
        });

        it("pulumi.com/deletionPropagationPolicy: orphan leaves the pods", async () => {
            const name = uniqueName("orphan");
            const annotations = {
                "pulumi.com/deletionPropagationPolicy": "orphan",
                "pulumi.com/waitFor": "jsonpath={.metadata.name}",
            };
            const made = await bench().make("statefulSet", name, {
                metadata: { annotations },
                spec: statefulSetSpec("o"),
            });
            const pod = `${name}-0`;
            await bench().put("pod", pod, {
                metadata: {
                    ownerReferences: [
                        {
                            apiVersion: "apps/v1",
                            kind: "StatefulSet",
                            name,
                            uid: valueAt(made.state, ["metadata", "uid"])!,
                        },
                    ],
                },
                spec: { containers: [{ name: "main", image: "localhost/a:1" }] },
            });
            await bench().remove(made);
            const left = await bench().live("pod", pod);
            expect(valueAt(left, ["metadata", "ownerReferences"])).toBeUndefined();
            expect(left).toBeDefined();
        });

        it("with skipAwait a workload is not waited for", async () => {
            const name = uniqueName("unwaited");
            const made = await bench().make("statefulSet", name, {
                metadata: { ...SKIP_AWAIT, finalizers: [FINALIZER] },
                spec: statefulSetSpec("o"),
            });
            await bench().remove(made);
            expect(await bench().live("statefulSet", name)).toBeDefined();
            await bench().patch("statefulSet", name, { metadata: { finalizers: null } });
        });

        it("an object that is gone already is deleted", async () => {
            const made = await bench().make("configMap", uniqueName("twice"), {});
            await bench().remove(made);
            await bench().remove(made);
        });

        it("a namespace goes with what is in it", async () => {
            const name = uniqueName("room");
            const made = await bench().make("namespace", name, {});
            await bench().raw("POST", `/api/v1/namespaces/${name}/configmaps`, {
                apiVersion: "v1",
                kind: "ConfigMap",
                metadata: { name: "inside" },
            });
            await bench().remove(made);
            expect(await bench().live("namespace", name)).toBeUndefined();
        });
    });
}
