// What tests and benchmarks use of the sandbox.

import { join } from "node:path";
import { startSandbox, sandboxKubectl, zoneUp } from "./cluster/cluster.js";
import { isSwitchedOff } from "./cluster/node.js";
import { NODES, sandboxKubeconfig, ZONES } from "./cluster/plan.js";
import { ensurePackages } from "./packages.js";
import { recipesFor } from "./prepare.js";
import { toolsFor } from "./images/index.js";
import { CLUSTER_TOOLS, ensureTools } from "./tools.js";

export {
    readyNodes,
    removeSandbox,
    sandboxStatus,
    stopSandbox,
    zoneDown,
    zoneUp,
    type PartStatus,
} from "./cluster/cluster.js";
export {
    HUB_ADDRESS as DNS_ADDRESS,
    NODES,
    ZONES,
    type SandboxNode,
    type Zone,
} from "./cluster/plan.js";
export { imageFor } from "./images/index.js";
export { BUSYBOX_IMAGE } from "./images/base.js";
export { TOOLS_IMAGE } from "./images/tools.js";
export { preparePulumi } from "./pulumi/home.js";

/**
 * Brings the sandbox up, all zones on, with the images of these engines, add-ons or references.
 * Quick when it is up already.
 *
 * @example await ensureSandbox(["mysql", "localhost/kine:0.16.4"]);
 */
export async function ensureSandbox(
    images: readonly string[] = [],
    report: (line: string) => void = () => undefined,
): Promise<void> {
    const recipes = recipesFor(images);
    await ensurePackages();
    await ensureTools([...CLUSTER_TOOLS, "pulumi", ...toolsFor(recipes)], report);
    await startSandbox(recipes, report);
    for (const zone of ZONES) {
        const off = NODES.some((node) => node.zone === zone && isSwitchedOff(node));
        if (off) await zoneUp(zone, report);
    }
}

/** Path of the sandbox's kubeconfig. */
export function kubeconfigPath(): string {
    return sandboxKubeconfig();
}

/** Names of all nodes, Ready or not. */
export const nodeNames: readonly string[] = NODES.map((node) => node.name);

/** Standard output of kubectl as the sandbox's administrator; throws what kubectl said. */
export async function kubectl(args: readonly string[]): Promise<string> {
    return sandboxKubectl(...args);
}

/** Each node's directory of `local` volumes, as the host sees it. */
export function localDisks(): string[] {
    return NODES.map((node) => join(node.directory, "var/lib/quorum"));
}
