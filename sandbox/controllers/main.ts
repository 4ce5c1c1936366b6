// The sandbox's own controllers, which stand in for what a cloud gives: addresses for services and
// disks for claims. Runs in the hub as long as the sandbox does.

import { KubeConfig, type Informer, type KubernetesObject } from "@kubernetes/client-node";
import { messageOf } from "../failure.js";
import { log, type Controller } from "./controller.js";
import { DiskController } from "./disks.js";
import { LoadBalancerController } from "./load-balancers.js";

/** Looks again even when nothing was heard, in case a watch was cut. */
const RESYNC_MILLISECONDS = 15_000;

/** After an error, so that a restart of the API server is not met with a storm. */
const RETRY_MILLISECONDS = 1_000;

/** One at a time, and once more for whatever came in meanwhile. */
function serialize(controller: Controller): () => void {
    let busy = false;
    let again = false;
    const look = (): void => {
        if (busy) {
            again = true;
            return;
        }
        busy = true;
        again = false;
        void controller
            .reconcile()
            .catch((thrown: unknown) => {
                log(controller.name, `will try again: ${messageOf(thrown)}`);
                setTimeout(look, RETRY_MILLISECONDS);
            })
            .finally(() => {
                busy = false;
                if (again) look();
            });
    };
    return look;
}

async function keepStarted(informer: Informer<KubernetesObject>): Promise<void> {
    try {
        await informer.start();
    } catch (thrown) {
        console.error(`watch failed, will try again: ${messageOf(thrown)}`);
        setTimeout(() => void keepStarted(informer), RETRY_MILLISECONDS);
    }
}

async function runController(controller: Controller): Promise<void> {
    const look = serialize(controller);
    for (const source of controller.sources) {
        for (const event of ["add", "update", "delete"] as const) source.on(event, look);
        source.on("error", () => {
            setTimeout(() => void keepStarted(source), RETRY_MILLISECONDS);
        });
    }
    await Promise.all(controller.sources.map(keepStarted));
    setInterval(look, RESYNC_MILLISECONDS);
    log(controller.name, "running");
    look();
}

const config = new KubeConfig();
config.loadFromDefault();
await Promise.all(
    [new LoadBalancerController(config), new DiskController(config)].map(runController),
);
