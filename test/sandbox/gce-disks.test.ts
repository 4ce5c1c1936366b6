// Disks of the cloud's stand-in in Kubernetes: attached, mounted, grown, and taken away.
// Not proven here: speeds, IOPS, and whatever else a file on this machine's own disk has not got.

import { closeSync, existsSync, mkdirSync, openSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attachLimitOf } from "../../sandbox/cloud/disks/limits.js";
import { loopDevices } from "../../sandbox/cloud/disks/loop.js";
import { zonalDiskPath } from "../../sandbox/cloud/paths.js";
import type { DiskStatus } from "../../sandbox/cloud/status.js";
import { powerOffNode } from "../../sandbox/cluster/node.js";
import { FIRST } from "../../sandbox/cluster/plan.js";
import { nodesOf } from "../../sandbox/cluster/registry.js";
import { ensureSandbox, kubectl, ON_CLOUD } from "../../sandbox/index.js";
import {
    cloud,
    deleteCluster,
    makeCluster,
    nodesOfPool,
    poolPath,
    PROJECT,
    state,
    stopPool,
    writePool,
} from "./cloud.js";
import { eventually, shellPod, World } from "./world.js";

const GIB = 2 ** 30;
const DRIVER = "pd.csi.storage.gke.io";
const CLASS = "kept-disks";

test("machines take as many disks as Google's driver says of their types", () => {
    const types = [
        "e2-small",
        "e2-standard-4",
        "n4-standard-8",
        "n4-standard-16",
        "c4d-standard-2",
    ];
    expect(types.map(attachLimitOf)).toEqual([15, 127, 15, 31, 3]);
});

describe("in the sandbox", () => {
    const world = new World("sandbox-gce-disks");
    const disk = zonalDiskPath(PROJECT, "sandbox-a", "data");
    let first = "";
    let second = "";
    let elsewhere = "";

    /** As the provider makes one. */
    async function makeDisk(handle: string): Promise<void> {
        await cloud.change((writer) => {
            const file = cloud.bytesOf(handle);
            mkdirSync(dirname(file), { recursive: true });
            closeSync(openSync(file, "w"));
            truncateSync(file, GIB);
            writer.write<DiskStatus>(handle, {
                type: "gcp:compute/disk:Disk",
                id: handle,
                properties: { name: handle.split("/").at(-1)!, zone: "sandbox-a", size: 1 },
                status: { attachedTo: null },
            });
        });
    }

    function volume(name: string, handle: string): object[] {
        const zones = { key: "topology.gke.io/zone", operator: "In", values: ["sandbox-a"] };
        const spec = {
            storageClassName: CLASS,
            accessModes: ["ReadWriteOnce"],
            volumeMode: "Filesystem",
        };
        return [
            {
                apiVersion: "v1",
                kind: "PersistentVolume",
                metadata: { name },
                spec: {
                    ...spec,
                    capacity: { storage: "1Gi" },
                    persistentVolumeReclaimPolicy: "Retain",
                    csi: { driver: DRIVER, volumeHandle: handle, fsType: "ext4" },
                    claimRef: { namespace: world.namespace, name },
                    nodeAffinity: {
                        required: { nodeSelectorTerms: [{ matchExpressions: [zones] }] },
                    },
                },
            },
            {
                apiVersion: "v1",
                kind: "PersistentVolumeClaim",
                metadata: { name },
                spec: {
                    ...spec,
                    volumeName: name,
                    resources: { requests: { storage: "1Gi" } },
                },
            },
        ];
    }

    const attachedTo = (handle: string) => cloud.read<DiskStatus>(handle)?.status.attachedTo;
    const inPod = (pod: string, line: string) => world.kubectl("exec", pod, "--", "sh", "-c", line);

    beforeAll(async () => {
        await ensureSandbox([], undefined, ON_CLOUD);
        await makeCluster();
        await writePool("a", { nodeLocations: ["sandbox-a"], nodeCount: 2 });
        await writePool("b", { nodeLocations: ["sandbox-b"], nodeCount: 1 });
        [first = "", second = ""] = await nodesOfPool("a");
        [elsewhere = ""] = await nodesOfPool("b");
        await world.create();
        await makeDisk(disk);
        await world.apply(
            {
                apiVersion: "storage.k8s.io/v1",
                kind: "StorageClass",
                metadata: { name: CLASS },
                provisioner: DRIVER,
                reclaimPolicy: "Retain",
                allowVolumeExpansion: true,
                volumeBindingMode: "WaitForFirstConsumer",
            },
            ...volume("data", disk),
            shellPod("writer", "echo hello > /data/greeting; sync; sleep 3600", {
                claim: "data",
                node: first,
            }),
        );
        await world.ready("writer");
    });

    afterAll(() => deleteCluster());

    test("an empty disk gets a file system of its size, on the node that it is attached to", async () => {
        expect(attachedTo(disk)).toBe(first);
        expect(await inPod("writer", "df -m /data | tail -1 | tr -s ' ' | cut -d' ' -f2")).toMatch(
            /^9\d\d$/,
        );
        const csiNode = `jsonpath={.spec.drivers[?(@.name=="${DRIVER}")]}`;
        const driver = JSON.parse(
            await kubectl(["get", "csinode", first, "-o", csiNode]),
        ) as object;
        expect(driver).toMatchObject({
            nodeID: `projects/${PROJECT}/zones/sandbox-a/instances/${first}`,
            topologyKeys: ["topology.gke.io/zone"],
            // e2-medium, GKE's default.
            allocatable: { count: 15 },
        });
    });

    test.each([
        [
            "another zone",
            () => elsewhere,
            "data",
            /is in sandbox-a and the instance .* in sandbox-b/,
        ],
        ["a second node", () => second, "data", /is already being used by gke-trial-a/],
        ["a disk that is not there", () => second, "missing", /Could not find disk .*missing/],
    ])("%s is refused", async (_, node, name, message) => {
        if (name === "missing") {
            await world.apply(...volume(name, zonalDiskPath(PROJECT, "sandbox-a", name)));
        }
        const attachment = {
            apiVersion: "storage.k8s.io/v1",
            kind: "VolumeAttachment",
            metadata: { name: "by-hand" },
            spec: {
                attacher: DRIVER,
                nodeName: node(),
                source: { persistentVolumeName: name },
            },
        };
        await world.apply(attachment);
        const error = () => world.get("volumeattachment/by-hand", "{.status.attachError.message}");
        expect(await eventually(error, (text) => text !== "", 20)).toMatch(message);
        await kubectl(["delete", "volumeattachment", "by-hand"]);
        expect(attachedTo(disk)).toBe(first);
    });

    test("a claim that asks for more grows disk, volume and file system, while it is in use", async () => {
        const more = '{"spec":{"resources":{"requests":{"storage":"2Gi"}}}}';
        await world.kubectl("patch", "pvc", "data", "-p", more);
        const size = () => world.get("pvc/data", "{.status.capacity.storage}");
        // Kubelet looks at a running pod again after its syncFrequency, and half of it.
        expect(await eventually(size, (text) => text === "2Gi", 120)).toBe("2Gi");
        expect(await world.get("pvc/data", "{.status.conditions}")).toBe("");
        expect(
            await kubectl(["get", "pv", "data", "-o", "jsonpath={.spec.capacity.storage}"]),
        ).toBe("2Gi");
        expect(cloud.read(disk)!.properties["size"]).toBe(2);
        expect(await inPod("writer", "df -m /data | tail -1 | tr -s ' ' | cut -d' ' -f2")).toMatch(
            /^19\d\d$/,
        );
    });

    test("a disk goes where its pod goes, within its zone", async () => {
        await world.kubectl("delete", "pod", "writer");
        await world.apply(
            shellPod("reader", "cat /data/greeting; sleep 3600", { claim: "data", node: second }),
        );
        await world.ready("reader");
        expect(await world.kubectl("logs", "reader")).toBe("hello");
        expect(attachedTo(disk)).toBe(second);
    });

    test("a dead node keeps its disk until it is called out of service", async () => {
        await powerOffNode(nodesOf(FIRST).find(({ name }) => name === second)!);
        await kubectl(["wait", "--for=condition=Ready=Unknown", `node/${second}`, "--timeout=60s"]);
        await world.kubectl("delete", "pod", "reader", "--force", "--grace-period=0");
        await world.apply(
            shellPod("survivor", "cat /data/greeting; sleep 3600", { claim: "data", node: first }),
        );
        const events = () =>
            world.kubectl("get", "events", "--field-selector=reason=FailedAttachVolume");
        expect(await eventually(events, (text) => text.includes("Multi-Attach"), 20)).toContain(
            "Multi-Attach error",
        );
        expect(attachedTo(disk)).toBe(second);
        await kubectl(["taint", "node", second, "node.kubernetes.io/out-of-service=x:NoExecute"]);
        await world.ready("survivor");
        expect(await world.kubectl("logs", "survivor")).toBe("hello");
        expect(attachedTo(disk)).toBe(first);
    });

    test("a disk that is deleted under a running pod is gone: what is mounted of it answers with errors", async () => {
        await cloud.change((writer) => writer.remove(disk));
        const attempt = () => inPod("survivor", "echo more >> /data/greeting; echo ended $?");
        expect(await eventually(attempt, (text) => text.includes("ended 1"), 20)).toContain(
            "ended 1",
        );
        await world.kubectl("delete", "pod", "survivor");
        const loops = () => Promise.resolve(loopDevices(cloud.directory));
        expect(await eventually(loops, (left) => left.length === 0, 20)).toEqual([]);
    });

    test("a claim of the default class gets a disk where its pod goes, and takes it along", async () => {
        const claim = {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: { name: "dynamic" },
            spec: {
                accessModes: ["ReadWriteOnce"],
                resources: { requests: { storage: "1Gi" } },
            },
        };
        await world.apply(
            claim,
            shellPod("user", "sleep 3600", { claim: "dynamic", node: elsewhere }),
        );
        await world.ready("user");
        const name = await world.get("pvc/dynamic", "{.spec.volumeName}");
        const handle = zonalDiskPath(PROJECT, "sandbox-b", name);
        expect(cloud.read(handle)!.properties).toMatchObject({ size: 1, type: "pd-balanced" });
        await world.kubectl("delete", "pod", "user");
        await world.kubectl("delete", "pvc", "dynamic");
        const exists = () => Promise.resolve(existsSync(cloud.bytesOf(handle)));
        expect(await eventually(exists, (there) => !there, 30)).toBe(false);
        const left = () => kubectl(["get", "pv", name, "--ignore-not-found", "-o", "name"]);
        expect(await eventually(left, (text) => text === "", 10)).toBe("");
    });

    test("a pool that is deleted lets its disks go, with their data", async () => {
        const other = zonalDiskPath(PROJECT, "sandbox-a", "other");
        await makeDisk(other);
        await world.apply(
            ...volume("other", other),
            shellPod("last", "echo kept > /data/word; sync; sleep 3600", { claim: "other" }),
        );
        await world.ready("last");
        expect(attachedTo(other)).toBe(first);
        await stopPool("a");
        await state(poolPath("a"), undefined);
        const free = () => Promise.resolve(attachedTo(other));
        expect(await eventually(free, (node) => node === null, 20)).toBe(null);
        expect(loopDevices(cloud.directory)).toEqual([]);
        expect(existsSync(cloud.bytesOf(other))).toBe(true);
    });
});
