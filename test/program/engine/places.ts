// How many programs of one test file run at once: as many as the machine has processors, since the last file runs alone. More
// only makes each of them slower, until the last ones run out of time.

import { availableParallelism } from "node:os";

let free = Math.max(2, availableParallelism());
const waiting: (() => void)[] = [];

/** Waits for a place, does the work, and gives the place to whoever waits longest. */
export async function inAPlace<Result>(work: () => Promise<Result>): Promise<Result> {
    if (free > 0) {
        free--;
    } else {
        await new Promise<void>((resolve) => waiting.push(resolve));
    }
    try {
        return await work();
    } finally {
        const next = waiting.shift();
        if (next === undefined) {
            free++;
        } else {
            next();
        }
    }
}
