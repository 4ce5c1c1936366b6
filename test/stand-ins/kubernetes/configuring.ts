// The provider's own arguments: another cluster, no cluster, the default namespace.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { UNKNOWN, type TreeObject } from "../../../sandbox/pulumi/property-tree.js";
import { kubernetesService } from "../../../sandbox/pulumi/resource-kubernetes/service.js";
import { startProvider } from "../provider-client.js";
import { Bench, uniqueName } from "./bench.js";

/** Nothing listens there: port 9 is "discard". */
const NOWHERE = "https://127.0.0.1:9";

function kubeconfig(server: string, user = "a"): string {
    return JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "c", cluster: { server } }],
        users: [{ name: "u", user: { token: user } }],
        contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        "current-context": "x",
    });
}

async function unreachable(configuration: TreeObject = {}) {
    const provider = await startProvider(kubernetesService);
    await provider.configure({ kubeconfig: kubeconfig(NOWHERE), ...configuration });
    return provider;
}

const URN = "urn:pulumi:s::p::kubernetes:core/v1:ConfigMap::n";
const INPUTS: TreeObject = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: "n", namespace: "default" },
};

export function configuring(bench: () => Bench): void {
    describe.concurrent("the provider's arguments", () => {
        const diff = (olds: TreeObject, news: TreeObject) =>
            bench().provider.diffConfig(olds, news);

        it("another server in the kubeconfig replaces the provider, another user does not", async () => {
            const olds = { kubeconfig: kubeconfig("https://a") };
            const moved = await diff(olds, { kubeconfig: kubeconfig("https://b") });
            expect(moved.replaces).toEqual(["kubeconfig"]);
            const rotated = await diff(olds, { kubeconfig: kubeconfig("https://a", "other") });
            expect(rotated).toMatchObject({ isChanged: true, replaces: [] });
            expect((await diff(olds, olds)).isChanged).toBe(false);
        });

        it("a kubeconfig that is not known yet is taken for another cluster", async () => {
            const plan = await diff(
                { kubeconfig: kubeconfig("https://a") },
                { kubeconfig: UNKNOWN },
            );
            expect(plan.replaces).toEqual(["kubeconfig"]);
        });

        it("with the same clusterIdentifier nothing replaces the provider, with another one it does", async () => {
            const olds = { clusterIdentifier: "one", kubeconfig: kubeconfig("https://a") };
            const same = { clusterIdentifier: "one", kubeconfig: UNKNOWN };
            expect(await diff(olds, same)).toMatchObject({ isChanged: true, replaces: [] });
            const moved = { ...same, kubeconfig: kubeconfig("https://b") };
            expect((await diff(olds, moved)).replaces).toEqual([]);
            const other = { ...olds, clusterIdentifier: "two" };
            expect((await diff(olds, other)).replaces).toEqual(["clusterIdentifier"]);
        });

        it("rendering to a directory is refused by name", async () => {
            expect(await bench().provider.checkConfig({ renderYamlToDirectory: "out" })).toEqual([
                `"renderYamlToDirectory" is not supported by the sandbox's stand-in for Pulumi's Kubernetes provider.`,
            ]);
        });

        it("the default namespace is that of the provider", async () => {
            const other = await startProvider(kubernetesService);
            await other.configure({ kubeconfig: bench().plane.kubeconfig, namespace: "databases" });
            const inputs = await other.check(URN, { ...INPUTS, metadata: { name: "n" } });
            expect(inputs["metadata"]).toEqual({ name: "n", namespace: "databases" });
            other.stop();
        });
    });

    describe.concurrent("a cluster that cannot be reached", () => {
        it("can be planned for, but nothing can be made or read there", async () => {
            const provider = await unreachable();
            const planned = await provider.create(URN, INPUTS, { preview: true });
            expect(planned).toEqual({ id: "", properties: INPUTS });
            await expect(provider.create(URN, INPUTS)).rejects.toThrow(
                /The configured Kubernetes cluster is unreachable: https:\/\/127\.0\.0\.1:9 does not answer/,
            );
            await expect(provider.read(URN, "default/n", {}, INPUTS)).rejects.toThrow(
                /PULUMI_K8S_DELETE_UNREACHABLE=true/,
            );
            await expect(provider.delete(URN, "default/n", INPUTS)).rejects.toThrow(/unreachable/);
            provider.stop();
        });

        it("deleteUnreachable forgets its objects", async () => {
            const provider = await unreachable({ deleteUnreachable: "true" });
            expect((await provider.read(URN, "default/n", {}, INPUTS)).id).toBe("");
            await provider.delete(URN, "default/n", INPUTS);
            provider.stop();
        });

        it("skipUpdateUnreachable leaves everything as it was", async () => {
            const provider = await unreachable({ skipUpdateUnreachable: "true" });
            const news = { ...INPUTS, data: { a: "2" } };
            expect(await provider.check(URN, news, INPUTS)).toEqual(INPUTS);
            const found = await provider.read(URN, "default/n", INPUTS, INPUTS);
            expect(found).toEqual({ id: "default/n", properties: INPUTS, inputs: INPUTS });
            provider.stop();
        });
    });

    describe.concurrent("another kubeconfig", () => {
        it("may be the path of a file, and then the file is read", async () => {
            const folder = mkdtempSync(join(tmpdir(), "quorum-kubeconfig-"));
            const file = join(folder, "config.yaml");
            writeFileSync(file, bench().plane.kubeconfig);
            const provider = await startProvider(kubernetesService);
            await provider.configure({ kubeconfig: file });
            const name = uniqueName("by-path");
            const inputs = { ...INPUTS, metadata: { name, namespace: bench().namespace } };
            expect((await provider.create(URN, inputs)).id).toBe(`${bench().namespace}/${name}`);
            provider.stop();
            rmSync(folder, { recursive: true });
        });
    });
}
