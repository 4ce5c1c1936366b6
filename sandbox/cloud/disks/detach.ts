// Takes disks away from nodes: as Kubernetes asks for it, with the machine, or under a running database.

import { renameSync } from "node:fs";
import { SANDBOXES } from "../../cluster/plan.js";
import { nodesOf } from "../../cluster/registry.js";
import { run } from "../../command.js";
import { log, type Controller } from "../../controllers/controller.js";
import type { DiskStatus } from "../status.js";
import type { Cloud } from "../store.js";
import { allDisks, releaseDisk } from "./disks.js";
import { closeLoop, loopDevices, type LoopDevice } from "./loop.js";
import { breakMounts } from "./mounts.js";

/** Ends what any node has mounted of a device, and closes it; false: somebody still holds it open. */
async function pull(loop: LoopDevice): Promise<boolean> {
    for (const node of SANDBOXES.flatMap(nodesOf)) await breakMounts(node, loop.device);
    return closeLoop(loop);
}

/**
 * Detaches a disk from a node. Usually kubelet has unmounted it; from a node that does not answer it is torn away. Who
 * still holds it open there holds bytes that are nobody's any more: the disk goes on in a copy.
 */
export async function detachDisk(cloud: Cloud, handle: string, node: string): Promise<void> {
    if (cloud.read<DiskStatus>(handle)?.status.attachedTo !== node) return;
    const file = cloud.bytesOf(handle);
    const isOurs = (loop: LoopDevice): boolean => loop.file === file && !loop.isUnlinked;
    for (const loop of loopDevices(cloud.directory).filter(isOurs)) {
        if (await pull(loop)) continue;
        await run("cp", ["--sparse=always", file, `${file}.copy`]);
        renameSync(`${file}.copy`, file);
    }
    await releaseDisk(cloud, handle, node);
}

/** What is attached goes with its machine, and a disk that is deleted is gone, in use or not. */
export class LossController implements Controller {
    readonly name = "disks that lose their machine, and machines that lose their disk";

    constructor(
        private readonly cloud: Cloud,
        readonly sources: Controller["sources"],
    ) {}

    async reconcile(): Promise<void> {
        const nodes = new Set(SANDBOXES.flatMap(nodesOf).map(({ name }) => name));
        for (const { handle, disk } of allDisks(this.cloud)) {
            const { attachedTo } = disk.status;
            if (attachedTo === null || nodes.has(attachedTo)) continue;
            await detachDisk(this.cloud, handle, attachedTo);
            log(this.name, `${handle} is detached: ${attachedTo} is gone`);
        }
        for (const loop of loopDevices(this.cloud.directory)) {
            if (!loop.isUnlinked || loop.isClosing) continue;
            await pull(loop);
            log(this.name, `${loop.file} is gone, and what was mounted of it with it`);
        }
    }
}
