// The storage class `sandbox-disk`: disks are made where the pod goes, grow, and are removed or kept.
// Not proven here: a limit of size, which a folder does not have.

import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { diskDirectory } from "../../sandbox/cluster/plan.js";
import { ensureSandbox, kubectl, NODES } from "../../sandbox/index.js";
import { eventually, shellPod, World } from "./world.js";

const KEEPING_CLASS = "sandbox-disk-kept";
const SIZE = "{.status.capacity.storage}";

const world = new World("sandbox-disks");

function claim(name: string, storageClassName?: string): object {
    return {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name },
        spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: "1Gi" } },
            ...(storageClassName === undefined ? {} : { storageClassName }),
        },
    };
}

/** Where a volume's folder is on this machine. */
function folderOn(node: string, volume: string): string {
    return join(diskDirectory(NODES.find(({ name }) => name === node)!), volume);
}

beforeAll(async () => {
    await ensureSandbox();
    await world.create();
    await world.apply(
        {
            apiVersion: "storage.k8s.io/v1",
            kind: "StorageClass",
            metadata: { name: KEEPING_CLASS },
            provisioner: "sandbox.quorum.dev/disk",
            reclaimPolicy: "Retain",
            volumeBindingMode: "WaitForFirstConsumer",
        },
        claim("data"),
        claim("kept", KEEPING_CLASS),
        shellPod("writer", "echo hello > /data/greeting; sleep 3600", {
            claim: "data",
            node: "b2",
        }),
        shellPod("keeper", "echo hello > /data/greeting; sleep 3600", { claim: "kept" }),
    );
    await world.ready("writer");
    await world.ready("keeper");
});

afterAll(async () => {
    await world.remove();
    await kubectl(["delete", "storageclass", KEEPING_CLASS, "--ignore-not-found"]);
});

test("a disk is made on the node where its pod runs", async () => {
    const volume = await world.get("pvc/data", "{.spec.volumeName}");
    expect(existsSync(join(folderOn("b2", volume), "greeting"))).toBe(true);
    for (const { name } of NODES.filter((node) => node.name !== "b2")) {
        expect(existsSync(folderOn(name, volume))).toBe(false);
    }
});

test("a disk outlives its pod", async () => {
    await world.kubectl("delete", "pod", "writer");
    await world.apply(shellPod("reader", "cat /data/greeting; sleep 3600", { claim: "data" }));
    await world.ready("reader");
    expect(await world.get("pod/reader", "{.spec.nodeName}")).toBe("b2");
    expect(await world.kubectl("logs", "reader")).toBe("hello");
});

test("a claim that asks for more gets more", async () => {
    const more = '{"spec":{"resources":{"requests":{"storage":"3Gi"}}}}';
    await world.kubectl("patch", "pvc", "data", "-p", more);
    const size = () => world.get("pvc/data", SIZE);
    expect(await eventually(size, (text) => text === "3Gi", 10)).toBe("3Gi");
    const volume = await world.get("pvc/data", "{.spec.volumeName}");
    expect(await world.get(`pv/${volume}`, "{.spec.capacity.storage}")).toBe("3Gi");
});

test("a claim that is deleted takes its disk with it", async () => {
    const volume = await world.get("pvc/data", "{.spec.volumeName}");
    await world.kubectl("delete", "pod", "reader");
    await world.kubectl("delete", "pvc", "data");
    const left = () => kubectl(["get", "pv", volume, "--ignore-not-found", "-o", "name"]);
    expect(await eventually(left, (text) => text === "", 15)).toBe("");
    expect(existsSync(folderOn("b2", volume))).toBe(false);
});

test("with reclaimPolicy Retain the disk stays when its claim is deleted", async () => {
    const volume = await world.get("pvc/kept", "{.spec.volumeName}");
    const node = await world.get("pod/keeper", "{.spec.nodeName}");
    await world.kubectl("delete", "pod", "keeper");
    await world.kubectl("delete", "pvc", "kept");
    const phase = () => world.get(`pv/${volume}`, "{.status.phase}");
    expect(await eventually(phase, (text) => text === "Released", 15)).toBe("Released");
    expect(existsSync(join(folderOn(node, volume), "greeting"))).toBe(true);
    await kubectl(["delete", "pv", volume]);
    // The volume's object is gone, the data is not.
    expect(existsSync(join(folderOn(node, volume), "greeting"))).toBe(true);
    rmSync(folderOn(node, volume), { recursive: true });
});
