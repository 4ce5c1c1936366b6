// The cloud's disks as the CSI driver sees them: found by a volume's handle, attached to one node of their zone, grown.

import { statSync, truncateSync } from "node:fs";
import type { SandboxNode } from "../../cluster/plan.js";
import type { DiskStatus } from "../status.js";
import type { Cloud, CloudResource, Writer } from "../store.js";
import { GIB } from "./driver.js";
import { EVERY_REGIONAL_DISK, EVERY_ZONAL_DISK } from "../paths.js";
import { attachLimitOf } from "./limits.js";

/** A volume's handle is the disk's id: `projects/P/zones/Z/disks/N`, with `regions/R` for a regional one. */
const HANDLE = /^projects\/[^/]+\/(zones|regions)\/[^/]+\/disks\/[^/]+$/;

type Disk = CloudResource<DiskStatus>;

/** A refusal in the words of the API that refuses; kubectl shows it where a volume is not attached. */
export class DiskError extends Error {
    override readonly name = "DiskError";
}

export function diskOf(cloud: Cloud, handle: string): Disk {
    if (!HANDLE.test(handle)) {
        throw new DiskError(`"${handle}" is no disk: projects/P/zones/Z/disks/N is expected.`);
    }
    const disk = cloud.read<DiskStatus>(handle);
    if (disk === undefined)
        throw new DiskError(`Could not find disk ${handle}: it does not exist.`);
    return disk;
}

/** The zones in which a disk can be attached. */
function zonesOf(handle: string, { properties }: Disk): string[] {
    const parts = handle.split("/");
    return parts[2] === "zones"
        ? [parts[3]!]
        : ((properties["replicaZones"] ?? []) as string[]).map((zone) => zone.split("/").at(-1)!);
}

/** All disks, zonal and regional ones, by their handles. */
export function allDisks(cloud: Cloud): { handle: string; disk: Disk }[] {
    return [EVERY_ZONAL_DISK, EVERY_REGIONAL_DISK]
        .flatMap((pattern) => cloud.find<DiskStatus>(pattern))
        .map(({ path, resource }) => ({ handle: path, disk: resource }));
}

/** Why a disk cannot be attached to a node; undefined when it can. */
function refusalOf(
    cloud: Cloud,
    handle: string,
    disk: Disk,
    node: SandboxNode,
): string | undefined {
    const zones = zonesOf(handle, disk);
    if (!zones.includes(node.zone)) {
        return `The disk ${handle} is in ${zones.join(" and ")} and the instance ${node.name} in ${node.zone}: they must be in one zone.`;
    }
    const { attachedTo } = disk.status;
    if (attachedTo !== null && attachedTo !== node.name) {
        return `The disk resource ${handle} is already being used by ${attachedTo} (RESOURCE_IN_USE_BY_ANOTHER_RESOURCE).`;
    }
    const limit = attachLimitOf(node.machine?.type ?? "");
    const others = allDisks(cloud).filter(
        (one) => one.handle !== handle && one.disk.status.attachedTo === node.name,
    );
    if (others.length >= limit) {
        return `The instance ${node.name} has ${limit} disks attached, and its machine type takes no more.`;
    }
    return undefined;
}

/** Attaches a disk to a node; one that it is attached to already stays. */
export async function attachDisk(cloud: Cloud, handle: string, node: SandboxNode): Promise<void> {
    await cloud.change((writer) => {
        const disk = diskOf(cloud, handle);
        const refusal = refusalOf(cloud, handle, disk, node);
        if (refusal !== undefined) throw new DiskError(refusal);
        if (disk.status.attachedTo !== node.name) setAttached(writer, handle, disk, node.name);
    });
}

function setAttached(writer: Writer, handle: string, disk: Disk, node: string | null): void {
    writer.write<DiskStatus>(handle, { ...disk, status: { ...disk.status, attachedTo: node } });
}

/** Says that a disk is attached to this node no more; that of another node stays. */
export async function releaseDisk(cloud: Cloud, handle: string, node: string): Promise<void> {
    await cloud.update<DiskStatus>(handle, (disk) =>
        disk.status.attachedTo === node
            ? { ...disk, status: { ...disk.status, attachedTo: null } }
            : undefined,
    );
}

/** Makes a disk at least as large as this, in whole GiB; resolves to its size. Never smaller: GCE cannot. */
export async function growDisk(cloud: Cloud, handle: string, bytes: number): Promise<number> {
    return cloud.change((writer) => {
        const disk = diskOf(cloud, handle);
        const present = Number(disk.properties["size"]);
        const size = Math.max(present, Math.ceil(bytes / GIB));
        const file = cloud.bytesOf(handle);
        if (statSync(file).size < size * GIB) truncateSync(file, size * GIB);
        if (size !== present) {
            writer.write(handle, { ...disk, properties: { ...disk.properties, size } });
        }
        return size * GIB;
    });
}
