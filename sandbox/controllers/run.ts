// The loop that runs a controller: one look at a time, again after an error.

import { messageOf } from "../failure.js";
import { log, type Controller } from "./controller.js";

/** Looks again even when nothing was heard, in case something changed that it does not follow. */
const RESYNC_MILLISECONDS = 30_000;

/** After an error. */
const RETRY_MILLISECONDS = 1_000;

/** One at a time, and once more for whatever came in meanwhile. */
function serialize(controller: Controller): () => void {
    let busy = false;
    let again = false;
    let retry: NodeJS.Timeout | undefined;
    const look = (): void => {
        again = true;
        if (busy) return;
        busy = true;
        const lookOn = async (): Promise<void> => {
            while (again) {
                again = false;
                await controller.reconcile();
            }
        };
        void lookOn()
            .catch((thrown: unknown) => {
                log(controller.name, `will try again: ${messageOf(thrown)}`);
                clearTimeout(retry);
                retry = setTimeout(look, RETRY_MILLISECONDS);
            })
            .finally(() => {
                busy = false;
            });
    };
    return look;
}

/** Runs a controller for ever: at every change of what it follows, and now and then without one. */
export async function runController(controller: Controller): Promise<void> {
    const look = serialize(controller);
    let isComplete = false;
    const changed = (): void => {
        // Who looks before all lists are there takes what it has not heard of for absent: a policy, say.
        if (isComplete) look();
    };
    await Promise.all(controller.sources.map((source) => source.follow(changed)));
    isComplete = true;
    look();
    setInterval(look, RESYNC_MILLISECONDS);
    log(controller.name, "running");
}
