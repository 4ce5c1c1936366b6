// Clusters of the cloud: each has one of the sandbox's control planes, which is there already and empty when it begins.

import { runningForm } from "../cluster/marks.js";
import { waitForApiServer } from "../cluster/control-plane.js";
import { emptyControlPlane, removeNode } from "../cluster/machines.js";
import { nodesOf } from "../cluster/registry.js";
import type { Sandbox } from "../cluster/plan.js";
import { log, type Controller } from "../controllers/controller.js";
import { sandboxOf } from "./control-planes.js";
import { EVERY_CLUSTER } from "./paths.js";
import type { ClusterStatus } from "./status.js";
import type { Cloud } from "./store.js";

export class ClusterController implements Controller {
    readonly name = "GKE's clusters";

    constructor(
        private readonly cloud: Cloud,
        readonly sources: Controller["sources"],
    ) {}

    async reconcile(): Promise<void> {
        for (const { path, resource } of this.cloud.find<ClusterStatus>(EVERY_CLUSTER)) {
            const { state, controlPlane } = resource.status;
            if (state !== "PROVISIONING" && state !== "RECONCILING" && state !== "STOPPING")
                continue;
            const sandbox = sandboxOf(this.cloud, path);
            if (sandbox === undefined || runningForm(sandbox)?.machines !== "cloud") {
                await this.#fail(path, `There is no control plane "${controlPlane}".`);
            } else if (state === "STOPPING") {
                await this.#stop(path, sandbox);
            } else {
                await waitForApiServer(sandbox);
                await this.#settle(path);
                log(this.name, `${path} runs on ${controlPlane}`);
            }
        }
    }

    async #settle(path: string): Promise<void> {
        await this.cloud.update<ClusterStatus>(path, (now) =>
            now.status.state === "STOPPING"
                ? undefined
                : { ...now, status: { ...now.status, state: "RUNNING" } },
        );
    }

    async #fail(path: string, message: string): Promise<void> {
        await this.cloud.update<ClusterStatus>(path, (now) => ({
            ...now,
            status: { ...now.status, state: "ERROR", message },
        }));
    }

    /** All that was in it is gone then: a control plane that is given out again knows nothing of it. */
    async #stop(path: string, sandbox: Sandbox): Promise<void> {
        for (const node of nodesOf(sandbox)) await removeNode(node);
        await emptyControlPlane(sandbox);
        await this.cloud.change((writer) => writer.remove(path));
        log(this.name, `${path} is deleted, ${sandbox.name} is empty`);
    }
}
