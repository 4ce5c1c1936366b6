// Creating, updating, owning fields, drift, refresh.

import { describe, expect, it } from "vitest";
import { secret, type TreeObject } from "../../../sandbox/pulumi/property-tree.js";
import { valueAt } from "../../../sandbox/pulumi/property-path.js";
import {
    objectsAt,
    textAt,
} from "../../../sandbox/pulumi/resource-kubernetes/kubernetes-object.js";
import {
    Bench,
    failureOf,
    plain,
    SKIP_AWAIT,
    statefulSetSpec,
    uniqueName,
    until,
} from "./bench.js";

const member = (rest: TreeObject = {}, metadata: TreeObject = {}): TreeObject => ({
    metadata: { ...SKIP_AWAIT, ...metadata },
    spec: statefulSetSpec("m", rest),
});

/** Managers of an object's fields and how they wrote them. */
function managers(object: TreeObject | undefined): string[] {
    return objectsAt(object, "metadata", "managedFields").map(
        (entry) => `${textAt(entry, "manager")}/${textAt(entry, "operation")}`,
    );
}

export function writing(bench: () => Bench, upserting: () => Bench, mutable: () => Bench): void {
    describe.concurrent("creating", () => {
        it("an object that is there already is an error that names it", async () => {
            const name = uniqueName("taken");
            await bench().put("configMap", name, { data: { a: "theirs" } });
            const failure = await failureOf(
                bench().make("configMap", name, { data: { a: "ours" } }),
            );
            expect(failure.message).toContain(`configmaps "${name}" already exists`);
            expect(failure.message).toContain("pulumi import");
            expect(failure.partial).toBeUndefined();
            expect((await bench().live("configMap", name))!["data"]).toEqual({ a: "theirs" });
        });

        it("with upsertExistingObjects such an object is taken over, conflicts excepted", async () => {
            const name = uniqueName("upserted");
            await upserting().put("configMap", name, { data: { a: "theirs" } });
            const made = await upserting().make("configMap", name, { data: { b: "ours" } });
            expect(plain(made.state)["data"]).toEqual({ a: "theirs", b: "ours" });
            const other = uniqueName("upserted");
            await upserting().put("configMap", other, { data: { a: "theirs" } });
            await expect(
                upserting().make("configMap", other, { data: { a: "ours" } }),
            ).rejects.toThrow(/another field manager owns what would change.*\.data\.a/);
        });

        it("an object waits for its namespace to come", async () => {
            const namespace = uniqueName("late");
            const urn = bench().urn("configMap", "early");
            const made = bench().provider.create(urn, {
                apiVersion: "v1",
                kind: "ConfigMap",
                metadata: { name: "early", namespace },
            });
            await new Promise((resolve) => setTimeout(resolve, 300));
            await bench().raw("POST", "/api/v1/namespaces", {
                apiVersion: "v1",
                kind: "Namespace",
                metadata: { name: namespace },
            });
            expect((await made).id).toBe(`${namespace}/early`);
        });

        it("a field that the API server does not know is told to the user", async () => {
            const name = uniqueName("typo");
            await bench().make("statefulSet", name, member({ replica: 2 }));
            await until(() => bench().provider.messages.includes('unknown field "spec.replica"'));
        });

        it("types that are no objects are refused by name", async () => {
            const check = (type: string) =>
                bench().provider.check(`urn:pulumi:s::p::${type}::n`, { metadata: {} });
            await expect(check("kubernetes:helm.sh/v3:Release")).rejects.toThrow(/Helm, Kustomize/);
            await expect(check("kubernetes:core/v1:ConfigMapPatch")).rejects.toThrow(
                /Patch resources/,
            );
            await expect(check("kubernetes:core/v1:PodList")).rejects.toThrow(/list resources/);
            await expect(bench().provider.invoke("kubernetes:yaml:decode")).rejects.toThrow(
                /no Helm, no Kustomize and no YAML decoding/,
            );
        });
    });

    describe.concurrent("updating", () => {
        it("changes the fields in place and takes away those that are gone from the program", async () => {
            const name = uniqueName("changed");
            const made = await bench().make(
                "statefulSet",
                name,
                member({ minReadySeconds: 5 }, { labels: { a: "1", b: "2" } }),
            );
            const changed = await bench().change(
                made,
                "statefulSet",
                name,
                member({ replicas: 3 }, { labels: { a: "3" } }),
            );
            const live = (await bench().live("statefulSet", name))!;
            expect(valueAt(live, ["spec", "replicas"])).toBe(3);
            expect(valueAt(live, ["spec", "minReadySeconds"])).toBeUndefined();
            expect(valueAt(live, ["metadata", "labels"])).toEqual({ a: "3" });
            // The create's manager has handed its fields to the resource's own.
            expect(managers(live)).toEqual([
                expect.stringMatching(/^pulumi-kubernetes-[0-9a-f]{8}\/Apply$/) as string,
            ]);
            expect(changed.state["__fieldManager"]).toMatch(/^pulumi-kubernetes-[0-9a-f]{8}$/);
        });

        it("ConfigMaps and Secrets change in place when the provider allows it", async () => {
            const name = uniqueName("mutable");
            const made = await mutable().make("configMap", name, { data: { a: "1" } });
            const plan = await mutable().plan(made, "configMap", name, { data: { a: "2" } });
            expect(plan).toMatchObject({ changes: { "data.a": "update" }, replaces: [] });
            await mutable().change(made, "configMap", name, { data: { a: "2" } });
            expect((await mutable().live("configMap", name))!["data"]).toEqual({ a: "2" });
            const hidden = await mutable().make("secret", name, { stringData: { a: "1" } });
            const secretPlan = await mutable().plan(hidden, "secret", name, {
                stringData: { a: "2" },
            });
            expect(secretPlan).toMatchObject({ changes: { "data.a": "update" }, replaces: [] });
        });

        it("an immutable ConfigMap is replaced also then", async () => {
            const name = uniqueName("immutable");
            const rest = (value: string) => ({ immutable: true, data: { a: value } });
            const made = await mutable().make("configMap", name, rest("1"));
            const plan = await mutable().plan(made, "configMap", name, rest("2"));
            expect(plan.replaces).toEqual(["data.a"]);
        });

        it("a field that somebody else has taken is a conflict in one sentence, and stays theirs", async () => {
            const name = uniqueName("conflict");
            const first = await bench().make("statefulSet", name, member());
            const made = await bench().change(
                first,
                "statefulSet",
                name,
                member({ minReadySeconds: 1 }),
            );
            await bench().patch("statefulSet", name, { spec: { replicas: 5 } }, "autoscaler");
            const failure = await failureOf(
                bench().change(made, "statefulSet", name, member({ replicas: 2 })),
            );
            expect(failure.message).toMatch(/another field manager owns what would change/);
            expect(failure.message).toMatch(/"autoscaler".*\.spec\.replicas/);
            expect(failure.message).toContain(`pulumi.com/patchForce: "true"`);
            expect(failure.message).not.toContain("\n");
            expect(valueAt(await bench().live("statefulSet", name), ["spec", "replicas"])).toBe(5);
            // The object stays in the state as it is now, so that the next plan sees the difference.
            expect(valueAt(failure.partial!.properties, ["spec", "replicas"])).toBe(5);
        });

        it("pulumi.com/patchForce takes such a field over", async () => {
            const name = uniqueName("forced");
            const made = await bench().make("statefulSet", name, member());
            await bench().patch("statefulSet", name, { spec: { replicas: 5 } }, "autoscaler");
            const annotations = {
                ...(SKIP_AWAIT["annotations"] as TreeObject),
                "pulumi.com/patchForce": "true",
            };
            await bench().change(
                made,
                "statefulSet",
                name,
                member({ replicas: 2 }, { annotations }),
            );
            expect(valueAt(await bench().live("statefulSet", name), ["spec", "replicas"])).toBe(2);
        });

        it("an ignored field of another manager is left to it", async () => {
            const name = uniqueName("ignored");
            const made = await bench().make("statefulSet", name, member());
            await bench().patch("statefulSet", name, { spec: { replicas: 5 } }, "autoscaler");
            // The engine resets what is ignored to the old inputs before it asks for the update.
            const changed = await bench().change(
                made,
                "statefulSet",
                name,
                member({ minReadySeconds: 7 }),
                { ignoreChanges: ["spec.replicas"] },
            );
            const live = (await bench().live("statefulSet", name))!;
            expect(valueAt(live, ["spec", "replicas"])).toBe(5);
            expect(valueAt(live, ["spec", "minReadySeconds"])).toBe(7);
            const autoscaler = objectsAt(live, "metadata", "managedFields").find(
                (entry) => entry["manager"] === "autoscaler",
            );
            expect(valueAt(autoscaler, ["fieldsV1", "f:spec", "f:replicas"])).toEqual({});
            const plan = await bench().plan(
                changed,
                "statefulSet",
                name,
                member({ minReadySeconds: 7 }),
                ["spec.replicas"],
            );
            expect(plan.isChanged).toBe(false);
        });

        it("an ignored field of our own keeps the value that it has in the cluster", async () => {
            const name = uniqueName("kept");
            const made = await bench().make("statefulSet", name, member({ replicas: 2 }));
            await bench().change(
                made,
                "statefulSet",
                name,
                member({ replicas: 9, minReadySeconds: 1 }),
                {
                    ignoreChanges: ["spec.replicas"],
                },
            );
            expect(valueAt(await bench().live("statefulSet", name), ["spec", "replicas"])).toBe(2);
        });

        it("what others have added stays through an update", async () => {
            const name = uniqueName("added");
            const made = await bench().make("statefulSet", name, member());
            await bench().patch("statefulSet", name, {
                metadata: { annotations: { theirs: "1" }, labels: { theirs: "1" } },
            });
            await bench().change(made, "statefulSet", name, member({ replicas: 2 }));
            const live = await bench().live("statefulSet", name);
            expect(valueAt(live, ["metadata", "annotations", "theirs"])).toBe("1");
            expect(valueAt(live, ["metadata", "labels", "theirs"])).toBe("1");
        });
    });

    describe.concurrent("a refresh", () => {
        it("finds no change in status, in additions of others and in defaults", async () => {
            const name = uniqueName("still");
            const made = await bench().make("statefulSet", name, member());
            await bench().setStatus("statefulSet", name, { replicas: 1, readyReplicas: 1 });
            await bench().patch("statefulSet", name, {
                metadata: { annotations: { theirs: "1" }, labels: { theirs: "1" } },
                spec: { minReadySeconds: 3 },
            });
            const found = await bench().refresh(made);
            expect(found.inputs).toEqual(made.inputs);
            expect(valueAt(found.state, ["status", "readyReplicas"])).toBe(1);
            const plan = await bench().plan(found, "statefulSet", name, member());
            expect(plan.isChanged).toBe(false);
        });

        it("finds a changed field of ours, and the next update puts it right", async () => {
            const name = uniqueName("drifted");
            const rest = { data: { a: "1", b: "1" } };
            const made = await mutable().make("configMap", name, rest);
            await mutable().patch("configMap", name, { data: { a: "2" } });
            const found = await mutable().refresh(made);
            expect(found.inputs["data"]).toEqual({ a: "2", b: "1" });
            const plan = await mutable().plan(found, "configMap", name, rest);
            expect(plan.changes).toEqual({ "data.a": "update" });
            const annotations = { "pulumi.com/patchForce": "true" };
            await mutable().change(found, "configMap", name, {
                ...rest,
                metadata: { annotations },
            });
            expect((await mutable().live("configMap", name))!["data"]).toEqual({ a: "1", b: "1" });
        });

        it("finds that an object is gone", async () => {
            const name = uniqueName("gone");
            const made = await bench().make("configMap", name, {});
            await bench().plane.api.request({
                method: "DELETE",
                path: `/api/v1/namespaces/${bench().namespace}/configmaps/${name}`,
            });
            expect(await bench().refresh(made)).toMatchObject({ id: "", inputs: {}, state: {} });
        });

        it("keeps the reasons of a workload that is not ready", async () => {
            const name = uniqueName("sick");
            const made = await bench().make("statefulSet", name, member());
            const declared = { ...made.inputs, metadata: { name, namespace: bench().namespace } };
            await bench().patch("statefulSet", name, {
                metadata: { annotations: { "pulumi.com/skipAwait": null } },
            });
            const failure = await failureOf(
                bench().provider.read(made.urn, made.id, made.state, declared),
            );
            expect(failure.partial!.id).toBe(made.id);
            expect(failure.partial!.inputs).toEqual(declared);
            expect(failure.message).toContain("its controller has not seen the change yet");
        });
    });

    describe.concurrent("reading what Pulumi has not made", () => {
        it("gives the object and its fields as inputs, without what only the server writes", async () => {
            const name = uniqueName("found");
            await bench().put("configMap", name, { data: { a: "1" } });
            const id = `${bench().namespace}/${name}`;
            const found = await bench().provider.read(bench().urn("configMap", name), id);
            expect(found.id).toBe(id);
            expect(found.inputs).toEqual({
                apiVersion: "v1",
                kind: "ConfigMap",
                metadata: { name, namespace: bench().namespace },
                data: { a: "1" },
            });
            expect(valueAt(found.properties, ["metadata", "uid"])).toMatch(/-/);
        });

        it("an object that is not there has no id", async () => {
            const found = await bench().provider.read(
                bench().urn("configMap", "x"),
                `${bench().namespace}/nowhere`,
            );
            expect(found.id).toBe("");
        });
    });

    describe.concurrent("secrets", () => {
        const VALUE = "correct-horse-battery";
        const ENCODED = Buffer.from(VALUE).toString("base64");
        /** Everything that is not inside the mark of a secret. */
        const shown = (tree: unknown): string =>
            JSON.stringify(tree, (_key, value: unknown) =>
                typeof value === "object" &&
                value !== null &&
                "4dabf18193072939515e22adb298388d" in value
                    ? "[secret]"
                    : value,
            );
        const expectHidden = (tree: unknown) => {
            expect(shown(tree)).not.toContain(VALUE);
            expect(shown(tree)).not.toContain(ENCODED);
        };

        it("the data of a Secret is secret in every response, also when the program did not say so", async () => {
            const name = uniqueName("secret");
            const made = await bench().make("secret", name, { stringData: { password: VALUE } });
            expect(made.inputs["data"]).toEqual(secret({ password: ENCODED }));
            expect(made.inputs["stringData"]).toBeUndefined();
            expect(made.state["data"]).toEqual(secret({ password: ENCODED }));
            const changed = await bench().change(made, "secret", name, {
                stringData: { password: VALUE, more: "x" },
            });
            const found = await bench().refresh(made);
            for (const tree of [
                made.inputs,
                made.state,
                changed.state,
                found.inputs,
                found.state,
            ]) {
                expectHidden(tree);
            }
        });

        it("a secret value in another kind of object stays secret, and what is beside it stays readable", async () => {
            const name = uniqueName("mixed");
            const made = await bench().make("configMap", name, {
                data: { open: "yes", hidden: secret(VALUE) },
            });
            expect((await bench().live("configMap", name))!["data"]).toEqual({
                open: "yes",
                hidden: VALUE,
            });
            expect(made.state["data"]).toEqual({ open: "yes", hidden: secret(VALUE) });
            const found = await bench().refresh(made);
            for (const tree of [made.inputs, made.state, found.inputs, found.state]) {
                expectHidden(tree);
            }
        });

        it("a refusal of the API server does not quote the secret", async () => {
            const failure = await failureOf(
                bench().make("configMap", uniqueName("leak"), {
                    metadata: { labels: { hidden: secret(`${VALUE} is no label`) } },
                }),
            );
            expect(failure.message).toContain("[secret]");
            expect(failure.message).not.toContain(VALUE);
        });

        it("an imported Secret is secret", async () => {
            const name = uniqueName("imported");
            const annotations = {
                "kubectl.kubernetes.io/last-applied-configuration": `{"data":{"p":"${ENCODED}"}}`,
            };
            await bench().put("secret", name, {
                metadata: { annotations },
                data: { password: ENCODED },
            });
            const found = await bench().provider.read(
                bench().urn("secret", name),
                `${bench().namespace}/${name}`,
            );
            expectHidden(found);
        });
    });
}
