// Turns at the cloud's files. Unlike the lock of the command line (sandbox/lock.ts) this one also
// works between processes that do not see each other's pids: a CSI driver lives in its node's own
// namespaces. Whoever holds it does nothing but read and write small files, so age tells a dead one.

import { mkdirSync, renameSync, rmdirSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MILLISECONDS = 10;

/** A turn takes milliseconds; a thousand times that is for a machine that stands still. */
const DEAD_AFTER_MILLISECONDS = 15_000;

function ageOf(folder: string): number {
    try {
        return Date.now() - statSync(folder).mtimeMs;
    } catch {
        return 0;
    }
}

function tryTake(folder: string): boolean {
    try {
        mkdirSync(folder);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
        throw error;
    }
}

/** Renaming first makes one of several who wait the one who clears what a dead one left. */
function clearDead(folder: string): void {
    const aside = `${folder}.dead.${process.pid}.${Date.now()}`;
    try {
        renameSync(folder, aside);
        rmdirSync(aside);
    } catch {
        // Somebody else was quicker.
    }
}

/** Runs `work`, which must not wait for anything, while nobody else runs theirs. */
export async function inTurn<T>(folder: string, work: () => T): Promise<T> {
    while (!tryTake(folder)) {
        if (ageOf(folder) > DEAD_AFTER_MILLISECONDS) clearDead(folder);
        else await sleep(POLL_MILLISECONDS);
    }
    try {
        return work();
    } finally {
        rmdirSync(folder);
    }
}
