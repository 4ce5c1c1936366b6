// What tests and benchmarks use of the sandbox.

import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { startSandbox, stopSandbox } from "./cluster/cluster.js";
import { runningForm, startedSandboxes } from "./cluster/marks.js";
import { isSwitchedOff } from "./cluster/node.js";
import {
    FIRST,
    kubeconfigOf,
    nodeOf,
    THREE_ZONES,
    type Form,
    type Sandbox,
    type SandboxNode,
} from "./cluster/plan.js";
import { zoneUp } from "./cluster/power.js";
import { kubectlOf } from "./cluster/readiness.js";
import { nodesOf } from "./cluster/registry.js";
import { recordLines, writeZones } from "./cluster/zone-files.js";
import { ensurePackages } from "./packages.js";
import { recipesFor } from "./prepare.js";
import { toolsFor } from "./images/index.js";
import { CLUSTER_TOOLS, ensureTools } from "./tools.js";

export { removeSandbox, sandboxStatus, stopSandbox, type PartStatus } from "./cluster/cluster.js";
export { zoneDown, zoneUp } from "./cluster/power.js";
export { readyNodes } from "./cluster/readiness.js";
export {
    ON_CLOUD,
    ONE_ZONE_EACH,
    SANDBOXES,
    THREE_ON_CLOUD,
    ZONES,
    type Sandbox,
    type SandboxNode,
} from "./cluster/plan.js";
export { cutNetwork, healNetwork } from "./cluster/network.js";
export { imageFor } from "./images/index.js";
export { BUSYBOX_IMAGE } from "./images/base.js";
export { TOOLS_IMAGE } from "./images/tools.js";
export { preparePulumi } from "./pulumi/home.js";

/** The nodes of the sandbox of `make up`. */
export const NODES: readonly SandboxNode[] = THREE_ZONES.nodes.map((record) =>
    nodeOf(FIRST, record),
);

/** How long a resolver may remember a name of {@link setNames}. */
const NAMES_SECONDS = 5;

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
    await ensureSandboxes([form], images, report);
}

/** The same for several side by side. */
export async function ensureSandboxes(
    forms: readonly Form[],
    images: readonly string[] = [],
    report: (line: string) => void = () => undefined,
): Promise<void> {
    const recipes = recipesFor(images);
    await ensurePackages();
    await ensureTools([...CLUSTER_TOOLS, "pulumi", ...toolsFor(recipes)], report);
    const isWanted = (runs: Form | undefined): boolean =>
        forms.some((form) => isDeepStrictEqual(runs, form));
    if (!startedSandboxes().map(runningForm).every(isWanted)) await stopSandbox(report);
    for (const form of forms) await startSandbox(recipes, report, form);
    const off = startedSandboxes().flatMap(nodesOf).filter(isSwitchedOff);
    for (const zone of new Set(off.map(({ zone }) => zone))) await zoneUp(zone, report);
}

/** Makes names of a domain lead to addresses, in all of these sandboxes and for nobody else; the records of before are gone. */
export function setNames(
    sandboxes: readonly Sandbox[],
    domain: string,
    addresses: Readonly<Record<string, string>>,
): void {
    const records = Object.entries(addresses).map(([name, address]) => ({
        name: `${name}.${domain}.`,
        type: "A",
        ttl: NAMES_SECONDS,
        rrdatas: [address],
    }));
    const zones = new Map([[`${domain}.`, recordLines(records)]]);
    for (const sandbox of sandboxes) writeZones(sandbox, zones);
}

/** Path of a sandbox's kubeconfig. */
export function kubeconfigPath(sandbox: Sandbox = FIRST): string {
    return kubeconfigOf(sandbox);
}

/** Names of all nodes, Ready or not. */
export const nodeNames: readonly string[] = NODES.map((node) => node.name);

/** Standard output of kubectl as a sandbox's administrator; throws what kubectl said. */
export async function kubectl(args: readonly string[], sandbox: Sandbox = FIRST): Promise<string> {
    return kubectlOf(sandbox, ...args);
}

/** Each node's directory of `local` volumes, as the host sees it. */
export function localDisks(): string[] {
    return NODES.map((node) => join(node.directory, "var/lib/quorum"));
}
