// The sandbox's own controllers, which stand in for what a cloud gives (addresses for services, disks for claims) and for
// what a network plugin does with network policies. Runs in the hub as long as the sandbox does.

import { sandboxNumbered, type SandboxNumber } from "../cluster/plan.js";
import { messageOf } from "../failure.js";
import { Api } from "./api.js";
import { log, type Controller } from "./controller.js";
import { DiskController } from "./disks.js";
import { LoadBalancerController } from "./load-balancers.js";
import { NetworkPolicyController } from "./network-policies.js";

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

const api = new Api(process.env["KUBECONFIG"]!);
const sandbox = sandboxNumbered(Number(process.env["SANDBOX_NUMBER"]) as SandboxNumber);
// A failure here ends the process, and the hub starts it again.
const controllers = [LoadBalancerController, DiskController, NetworkPolicyController];
await Promise.all(controllers.map((kind) => runController(new kind(api, sandbox))));
