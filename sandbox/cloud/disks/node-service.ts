// What kubelet asks of the CSI driver on a node (CSI's Node service): mounts of disks that are attached to it.

import grpc from "@grpc/grpc-js";
import { execa } from "execa";
import { join } from "node:path";
import { run } from "../../command.js";
import type { SandboxNode } from "../../cluster/plan.js";
import { log } from "../../controllers/controller.js";
import { messageOf } from "../../failure.js";
import { PluginError } from "../../pulumi/grpc-handler.js";
import type { Cloud } from "../store.js";
import { DiskError, diskOf } from "./disks.js";
import { TOPOLOGY_KEY } from "./driver.js";
import { attachLimitOf } from "./limits.js";
import { closeLoop, growLoop, loopDevices, openLoop } from "./loop.js";
import { inNode, isMounted, makeFolder, mountsOf, removeMount, statOf } from "./mounts.js";

/** What a volume may ask for; an empty text is the driver's default, ext4. */
const FILE_SYSTEMS = ["", "ext4", "xfs"];

/**
 * What it gets. Linux lets nobody grow a mounted ext4 without the right CAP_SYS_RESOURCE, which many machines that are
 * themselves guests do not give to root; XFS asks for CAP_SYS_ADMIN only.
 */
const FILE_SYSTEM = "xfs";

/** blkid's exit code for a device on which it recognises nothing. */
const NOTHING_FOUND = 2;

/** What a request carries; which of it is a matter of the method. */
export interface NodeRequest {
    readonly volumeId: string;
    readonly stagingTargetPath: string;
    readonly targetPath: string;
    readonly volumePath: string;
    readonly readonly: boolean;
    readonly volumeCapability: { readonly mount?: MountCapability; readonly block?: object } | null;
    readonly capacityRange: { readonly requiredBytes: number } | null;
}

interface MountCapability {
    readonly fsType: string;
    readonly mountFlags: readonly string[];
}

/** True when the device has nothing on it, so that making a file system on it destroys nothing. */
async function isEmpty(device: string): Promise<boolean> {
    const found = await execa("blkid", ["--probe", device], { reject: false });
    if (found.exitCode !== 0 && found.exitCode !== NOTHING_FOUND) {
        throw new Error(`blkid cannot read ${device}: ${found.stderr}`);
    }
    return found.exitCode === NOTHING_FOUND;
}

export class NodeService {
    readonly #name: string;

    constructor(
        private readonly cloud: Cloud,
        private readonly node: SandboxNode,
    ) {
        this.#name = `the CSI driver on ${node.name}`;
    }

    info() {
        const { machine, zone, name } = this.node;
        const project = machine?.providerId.split("/")[2] ?? "";
        return {
            nodeId: `projects/${project}/zones/${zone}/instances/${name}`,
            maxVolumesPerNode: attachLimitOf(machine?.type ?? ""),
            accessibleTopology: { segments: { [TOPOLOGY_KEY]: zone } },
        };
    }

    capabilities() {
        const types = ["STAGE_UNSTAGE_VOLUME", "GET_VOLUME_STATS", "EXPAND_VOLUME"];
        return { capabilities: types.map((type) => ({ rpc: { type } })) };
    }

    /** The bytes of a disk that is attached here; a node sees no device of any other. */
    #bytesOf(handle: string): string {
        let attachedTo: string | null;
        try {
            ({ attachedTo } = diskOf(this.cloud, handle).status);
        } catch (thrown) {
            if (!(thrown instanceof DiskError)) throw thrown;
            throw new PluginError(thrown.message, grpc.status.NOT_FOUND);
        }
        if (attachedTo !== this.node.name) {
            throw new PluginError(
                `No device of ${handle} on ${this.node.name}: it is attached to ${attachedTo ?? "no instance"}.`,
                grpc.status.INTERNAL,
            );
        }
        return this.cloud.bytesOf(handle);
    }

    /** Makes a file system where there is none, and mounts it, as large as the disk is by now. */
    async stage({ volumeId, stagingTargetPath, volumeCapability }: NodeRequest): Promise<object> {
        const capability = volumeCapability?.mount;
        if (capability === undefined || !FILE_SYSTEMS.includes(capability.fsType)) {
            throw new PluginError(
                `The sandbox's stand-in has ext4 and xfs, not ${capability?.fsType ?? "raw block devices"}.`,
                grpc.status.INVALID_ARGUMENT,
            );
        }
        const file = this.#bytesOf(volumeId);
        if (isMounted(this.node, stagingTargetPath)) return {};
        const device = await openLoop(file);
        // A device that was there before its file grew has the old size.
        await growLoop(device);
        const isNew = await isEmpty(device);
        if (isNew) await run(`mkfs.${FILE_SYSTEM}`, ["-q", device]);
        makeFolder(this.node, stagingTargetPath);
        // A copy of a file system has the UUID of its original, which may still be mounted; see detach.ts.
        const options = [...capability.mountFlags, "nouuid"].join(",");
        const mount = ["mount", "-t", FILE_SYSTEM, "-o", options, device, stagingTargetPath];
        await inNode(this.node, ...mount);
        await inNode(this.node, "xfs_growfs", stagingTargetPath);
        // ext4's: a database that wants an empty directory must not be given a volume's root.
        if (isNew) makeFolder(this.node, join(stagingTargetPath, "lost+found"));
        log(this.#name, `${volumeId}: ${isNew ? "has a new file system and is" : "is"} mounted`);
        return {};
    }

    async unstage({ volumeId, stagingTargetPath }: NodeRequest): Promise<object> {
        const device = mountsOf(this.node).find(({ place }) => place === stagingTargetPath)?.source;
        await removeMount(this.node, stagingTargetPath);
        const loop = loopDevices(this.cloud.directory).find((one) => one.device === device);
        if (loop !== undefined) await closeLoop(loop);
        log(this.#name, `${volumeId}: unmounted`);
        return {};
    }

    async publish(request: NodeRequest): Promise<object> {
        const { stagingTargetPath, targetPath, readonly } = request;
        if (isMounted(this.node, targetPath)) return {};
        makeFolder(this.node, targetPath);
        const options = readonly ? "bind,ro" : "bind";
        await inNode(this.node, "mount", "-o", options, stagingTargetPath, targetPath);
        return {};
    }

    async unpublish({ targetPath }: NodeRequest): Promise<object> {
        await removeMount(this.node, targetPath);
        return {};
    }

    async expand({ volumeId, volumePath, capacityRange }: NodeRequest): Promise<object> {
        this.#bytesOf(volumeId);
        const device = mountsOf(this.node).find(({ place }) => place === volumePath)?.source;
        if (device === undefined) {
            throw new PluginError(
                `${volumeId} is not mounted at ${volumePath}.`,
                grpc.status.NOT_FOUND,
            );
        }
        await growLoop(device);
        await inNode(this.node, "xfs_growfs", volumePath);
        log(this.#name, `${volumeId}: its file system has grown`);
        return { capacityBytes: capacityRange?.requiredBytes ?? 0 };
    }

    stats({ volumePath }: NodeRequest): object {
        let stat;
        try {
            stat = statOf(this.node, volumePath);
        } catch (thrown) {
            throw new PluginError(messageOf(thrown), grpc.status.NOT_FOUND);
        }
        const { bsize, blocks, bfree, bavail, files, ffree } = stat;
        return {
            usage: [
                {
                    unit: "BYTES",
                    total: blocks * bsize,
                    used: (blocks - bfree) * bsize,
                    available: bavail * bsize,
                },
                { unit: "INODES", total: files, used: files - ffree, available: ffree },
            ],
        };
    }
}
