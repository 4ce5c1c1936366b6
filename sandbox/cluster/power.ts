// Power of zones.

import { SandboxError } from "../failure.js";
import { imagesOf, isStarted } from "./marks.js";
import { hubNetworkStands } from "./network.js";
import { nodeIsRunning, powerOffNode, powerOnNode } from "./node.js";
import { bringImages } from "./node-images.js";
import { FIRST, type Sandbox, type SandboxNode } from "./plan.js";
import { isRunning } from "./processes.js";
import { waitForNodes } from "./readiness.js";
import { nodesOf } from "./registry.js";
import { underLock, type Step } from "./turn.js";

/** Names of a sandbox's zones, as its nodes are in them. */
export function zonesOf(sandbox: Sandbox = FIRST): string[] {
    return [...new Set(nodesOf(sandbox).map(({ zone }) => zone))];
}

function nodesIn(sandbox: Sandbox, zone: string): SandboxNode[] {
    return nodesOf(sandbox).filter((node) => node.zone === zone);
}

async function requireRunning(sandbox: Sandbox): Promise<void> {
    if (!isStarted(sandbox) || !isRunning(sandbox.hub) || !(await hubNetworkStands(sandbox))) {
        throw new SandboxError('The sandbox is not running; "make sandbox" starts it.');
    }
}

/** Cuts the power of a zone's nodes. Kubernetes sees it after about 28 s. */
export async function zoneDown(
    zone: string,
    step: Step = () => undefined,
    sandbox: Sandbox = FIRST,
): Promise<void> {
    await underLock(async () => {
        await requireRunning(sandbox);
        await Promise.all(nodesIn(sandbox, zone).map(powerOffNode));
    }, step);
}

/** Switches a zone's nodes on again, with the disks they had, and waits until they are Ready. */
export async function zoneUp(
    zone: string,
    step: Step = () => undefined,
    sandbox: Sandbox = FIRST,
): Promise<void> {
    await underLock(async () => {
        await requireRunning(sandbox);
        const nodes = nodesIn(sandbox, zone);
        const off = nodes.filter((node) => !nodeIsRunning(node));
        const since = new Date();
        await Promise.all(nodes.map(powerOnNode));
        await waitForNodes(sandbox, off, since);
        await waitForNodes(sandbox, nodes);
        await bringImages(sandbox, imagesOf(sandbox), step);
    }, step);
}
