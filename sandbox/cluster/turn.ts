// One command at a time changes the sandboxes.

import { withLock } from "../lock.js";
import { cacheDirectory } from "../places.js";

/** Told what is being done now. */
export type Step = (what: string) => void;

/** Runs `work` while no other command changes any sandbox. */
export async function underLock<T>(
    work: () => Promise<T>,
    step: Step = () => undefined,
): Promise<T> {
    return withLock(cacheDirectory("sandbox.lock"), work, (pid) =>
        step(`wait for another command on the sandbox (pid ${pid})`),
    );
}
