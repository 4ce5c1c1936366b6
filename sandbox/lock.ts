// A lock between runs of the command line: one file that names its holder. The lock of a holder
// that died (kill -9, reboot) is taken over.

import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.js";

const POLL_MILLISECONDS = 500;

function holderOf(file: string): ProcessIdentity | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as ProcessIdentity;
    } catch {
        return undefined;
    }
}

function tryTake(file: string): boolean {
    const own = `${file}.${process.pid}`;
    writeFileSync(own, JSON.stringify(identify(process.pid)));
    try {
        // link(2) fails when the name exists, and the file is complete when the name appears.
        linkSync(own, file);
        return true;
    } catch {
        return false;
    } finally {
        rmSync(own, { force: true });
    }
}

/** Renaming first makes one of several contenders the one who clears the dead holder's file. */
function clearStale(file: string, stale: ProcessIdentity | undefined): void {
    const aside = `${file}.stale.${process.pid}`;
    try {
        renameSync(file, aside);
    } catch {
        return;
    }
    const moved = holderOf(aside);
    if (moved !== undefined && moved.pid !== stale?.pid && isAlive(moved)) {
        // Somebody else was quicker and this is already the lock of a living holder.
        renameSync(aside, file);
        return;
    }
    rmSync(aside, { force: true });
}

/**
 * Runs `work` while holding the lock `file`; waits for a living holder as long as it lives.
 *
 * @param onWait told once, with the holder's pid, when there is something to wait for
 */
export async function withLock<T>(
    file: string,
    work: () => Promise<T>,
    onWait: (pid: number) => void = () => undefined,
): Promise<T> {
    mkdirSync(dirname(file), { recursive: true });
    let waiting = false;
    while (!tryTake(file)) {
        const holder = holderOf(file);
        if (holder === undefined || !isAlive(holder)) {
            clearStale(file, holder);
            continue;
        }
        if (!waiting) onWait(holder.pid);
        waiting = true;
        await sleep(POLL_MILLISECONDS);
    }
    try {
        return await work();
    } finally {
        rmSync(file, { force: true });
    }
}
