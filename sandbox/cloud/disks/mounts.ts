// Mounts in a node's own mount namespace, made from outside of it.

import { mkdirSync, readFileSync, rmdirSync, statfsSync, type StatsFs } from "node:fs";
import { join } from "node:path";
import { run } from "../../command.js";
import type { SandboxNode } from "../../cluster/plan.js";
import { firstProcessOf } from "../../cluster/processes.js";

/** XFS' "going down" (Linux, fs/xfs/libxfs/xfs_fs.h: XFS_IOC_GOINGDOWN), as in a power cut: the log is not written. */
const GOING_DOWN = "0x8004587d";
const WITHOUT_LOG = 2;

/** One line of a node's mountinfo. */
interface Mount {
    readonly place: string;
    readonly source: string;
}

function powerOf(node: SandboxNode): number {
    const first = firstProcessOf(node);
    if (first === undefined) throw new Error(`Node ${node.name} has no power.`);
    return first;
}

/** What a node's processes see at a path. */
function seenFrom(node: SandboxNode, path: string): string {
    return join(`/proc/${powerOf(node)}/root`, path);
}

/** A program in the node's namespaces of mounts and processes. */
export async function inNode(node: SandboxNode, ...command: string[]): Promise<string> {
    const enter = ["--target", String(powerOf(node)), "--mount", "--pid"];
    return run("nsenter", [...enter, ...command]);
}

/** Spaces and the like are octal in mountinfo. */
function decode(text: string): string {
    return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
        String.fromCharCode(Number.parseInt(digits, 8)),
    );
}

/** A node's mounts; none without power. */
export function mountsOf(node: SandboxNode): Mount[] {
    const first = firstProcessOf(node);
    if (first === undefined) return [];
    return readFileSync(`/proc/${first}/mountinfo`, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
            const [left, right] = line.split(" - ");
            return { place: decode(left!.split(" ")[4]!), source: right!.split(" ")[1]! };
        });
}

export function isMounted(node: SandboxNode, place: string): boolean {
    return mountsOf(node).some((mount) => mount.place === place);
}

export function makeFolder(node: SandboxNode, place: string): void {
    mkdirSync(seenFrom(node, place), { recursive: true, mode: 0o750 });
}

/** Unmounts a folder and removes it; one that is gone already stays gone. */
export async function removeMount(node: SandboxNode, place: string): Promise<void> {
    while (isMounted(node, place)) await inNode(node, "umount", place);
    try {
        rmdirSync(seenFrom(node, place));
    } catch (thrown) {
        if ((thrown as NodeJS.ErrnoException).code !== "ENOENT") throw thrown;
    }
}

export function statOf(node: SandboxNode, place: string): StatsFs {
    return statfsSync(seenFrom(node, place));
}

/**
 * Ends the file system of a device as a disk that is pulled out ends it: from now on whoever reads or writes there gets
 * an error. What was not written to the disk by then is lost.
 */
export async function breakMounts(node: SandboxNode, device: string): Promise<void> {
    const mount = mountsOf(node).find(({ source }) => source === device);
    if (mount === undefined) return;
    // One that has ended already cannot be opened, which is error 5, EIO.
    const script =
        `open(my $folder, "<", $ARGV[0]) or exit($! == 5 ? 0 : 1); ` +
        `my $how = pack("L", ${WITHOUT_LOG}); ioctl($folder, ${GOING_DOWN}, $how) or die $!;`;
    await inNode(node, "perl", "-e", script, mount.place);
}
