// What tests and benchmarks use of the sandbox.

import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { startSandbox, stopSandbox } from "./cluster/cluster.js";
import { runningForm } from "./cluster/marks.js";
import { isSwitchedOff } from "./cluster/node.js";
import {
    FIRST,
    kubeconfigOf,
    nodeOf,
    THREE_ZONES,
    type Form,
    type SandboxNode,
} from "./cluster/plan.js";
import { zoneUp } from "./cluster/power.js";
import { sandboxKubectl } from "./cluster/readiness.js";
import { nodesOf } from "./cluster/registry.js";
import { ensurePackages } from "./packages.js";
import { recipesFor } from "./prepare.js";
import { toolsFor } from "./images/index.js";
import { CLUSTER_TOOLS, ensureTools } from "./tools.js";

export { removeSandbox, sandboxStatus, stopSandbox, type PartStatus } from "./cluster/cluster.js";
export { zoneDown, zoneUp } from "./cluster/power.js";
export { readyNodes } from "./cluster/readiness.js";
export { ON_CLOUD, ZONES, type SandboxNode } from "./cluster/plan.js";
export { cutNetwork, healNetwork } from "./cluster/network.js";
export { imageFor } from "./images/index.js";
export { BUSYBOX_IMAGE } from "./images/base.js";
export { TOOLS_IMAGE } from "./images/tools.js";
export { preparePulumi } from "./pulumi/home.js";

/** The nodes of the sandbox of `make up`. */
export const NODES: readonly SandboxNode[] = THREE_ZONES.nodes.map((record) =>
    nodeOf(FIRST, record),
);

/** The name server of the sandbox. */
export const DNS_ADDRESS = FIRST.hub.address;

/**
 * Brings the sandbox up, all zones on, with the images of these engines, add-ons or references.
 * Quick when it is up already. One that runs in another form is stopped first, for tests may have the sandbox as they
 * want it.
 *
 * @example await ensureSandbox(["mysql", "localhost/kine:0.16.4"]);
 */
export async function ensureSandbox(
    images: readonly string[] = [],
    report: (line: string) => void = () => undefined,
    form: Form = THREE_ZONES,
): Promise<void> {
    const recipes = recipesFor(images);
    await ensurePackages();
    await ensureTools([...CLUSTER_TOOLS, "pulumi", ...toolsFor(recipes)], report);
    const runs = runningForm();
    if (runs !== undefined && !isDeepStrictEqual(runs, form)) await stopSandbox(report);
    await startSandbox(recipes, report, form);
    const off = nodesOf(FIRST)
        .filter(isSwitchedOff)
        .map(({ zone }) => zone);
    for (const zone of new Set(off)) await zoneUp(zone, report);
}

/** Path of the sandbox's kubeconfig. */
export function kubeconfigPath(): string {
    return kubeconfigOf(FIRST);
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
