// The master that leads asks the others: which master that is, found by asking all of them.

import { ask, Refusal, UnreachableError, type Destination } from "../shared/index.js";

/** What a master that does not lead answers. */
export const NOT_THE_LEADER = "not the leader";

/** Asks the leader among the masters. */
export async function askLeader<T>(
    masters: readonly Destination[],
    path: string,
    body: unknown = {},
    timeoutMs = 5000,
): Promise<T> {
    const deadline = Date.now() + timeoutMs;
    let last: unknown = new UnreachableError("no master answers");
    for (;;) {
        for (const master of masters) {
            try {
                return await ask<T>(master, path, body, Math.max(500, Math.min(2000, timeoutMs)));
            } catch (error) {
                const isElsewhere =
                    error instanceof UnreachableError ||
                    (error instanceof Refusal && error.status === 503);
                if (!isElsewhere) throw error;
                last = error;
            }
        }
        if (Date.now() > deadline) {
            const why = last instanceof Error ? last.message : String(last);
            throw new Error(
                `Timed out: Could not locate the leader master: GetLeaderMasterRpc(addrs: [${masters.map(({ host, port }) => `${host}:${port}`).join(", ")}]): ${why}`,
            );
        }
        await new Promise((resolve) => setTimeout(resolve, 300));
    }
}
