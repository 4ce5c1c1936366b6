// The sandbox's own controllers, which stand in for what a cloud gives: addresses for services and
// disks for claims. Runs in the hub as long as the sandbox does.

import { messageOf } from "../failure.js";
import { Api } from "./api.js";
import { log, type Controller } from "./controller.js";
import { DiskController } from "./disks.js";
import { LoadBalancerController } from "./load-balancers.js";

/** Looks again even when nothing was heard, in case something outside the cluster changed. */
const RESYNC_MILLISECONDS = 30_000;

/** After an error. */
const RETRY_MILLISECONDS = 1_000;

/** One at a time, and once more for whatever came in meanwhile. */
function serialize(controller: Controller): () => void {
    let busy = false;
    let again = false;
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
                setTimeout(look, RETRY_MILLISECONDS);
            })
            .finally(() => {
                busy = false;
            });
    };
    return look;
}

async function runController(controller: Controller): Promise<void> {
    const look = serialize(controller);
    await Promise.all(controller.sources.map((source) => source.follow(look)));
    setInterval(look, RESYNC_MILLISECONDS);
    log(controller.name, "running");
}

const api = new Api(process.env["KUBECONFIG"]!);
// A failure here ends the process, and the hub starts it again.
await Promise.all([new LoadBalancerController(api), new DiskController(api)].map(runController));
