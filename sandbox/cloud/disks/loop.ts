// A disk's file as a block device of this machine: a loop device. The kernel knows which device has which file, so
// nothing of it is written down. All of this machine's namespaces see the same devices.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../../command.js";

const DEVICES = "/sys/block";

/** What the kernel appends to the name of a file that was unlinked. */
const UNLINKED = " (deleted)";

/** How long a device may take to let go of its file once nobody uses it. */
const RELEASE_PATIENCE_MILLISECONDS = 5_000;
const POLL_MILLISECONDS = 50;

export interface LoopDevice {
    /** For example `/dev/loop3`. */
    readonly device: string;
    readonly file: string;
    /** Its file has no name any more: the disk was deleted, or its bytes live on in another file. */
    readonly isUnlinked: boolean;
    /** It goes with the last who holds it open. */
    readonly isClosing: boolean;
}

/** Devices whose files are, or were, in this directory. */
export function loopDevices(directory: string): LoopDevice[] {
    return readdirSync(DEVICES)
        .filter((name) => name.startsWith("loop"))
        .flatMap((name) => {
            const read = (what: string): string =>
                readFileSync(join(DEVICES, name, "loop", what), "utf8").trim();
            let text: string;
            let isClosing: boolean;
            try {
                text = read("backing_file");
                isClosing = read("autoclear") === "1";
            } catch {
                // It has no file.
                return [];
            }
            const isUnlinked = text.endsWith(UNLINKED);
            const file = isUnlinked ? text.slice(0, -UNLINKED.length) : text;
            return file.startsWith(`${directory}/`)
                ? [{ device: `/dev/${name}`, file, isUnlinked, isClosing }]
                : [];
        });
}

function deviceOf(file: string): string | undefined {
    return loopDevices(join(file, "..")).find((one) => one.file === file && !one.isUnlinked)
        ?.device;
}

/** The device of a file, made when there is none. */
export async function openLoop(file: string): Promise<string> {
    return deviceOf(file) ?? (await run("losetup", ["--find", "--show", file])).trim();
}

/** Lets a device see that its file has grown. */
export async function growLoop(device: string): Promise<void> {
    await run("losetup", ["--set-capacity", device]);
}

/**
 * Takes a device from its file. One that is mounted somewhere goes when it is mounted nowhere any more; false: that is
 * still to come.
 */
export async function closeLoop({
    device,
    file,
}: Pick<LoopDevice, "device" | "file">): Promise<boolean> {
    const hasFile = (): boolean =>
        loopDevices(join(file, "..")).some((one) => one.device === device);
    if (!hasFile()) return true;
    await run("losetup", ["--detach", device]);
    const end = Date.now() + RELEASE_PATIENCE_MILLISECONDS;
    while (hasFile()) {
        if (Date.now() > end) return false;
        await sleep(POLL_MILLISECONDS);
    }
    return true;
}

/** All devices of a directory, at the end of everything. */
export async function closeLoops(directory: string): Promise<void> {
    for (const loop of loopDevices(directory)) await closeLoop(loop);
}
