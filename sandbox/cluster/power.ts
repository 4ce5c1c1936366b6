// Power of zones, and of whole sandboxes where several stand side by side.

import { SandboxError } from "../failure.js";
import { joinSandbox } from "./between.js";
import { configureControlPlane, startControlPlane, waitForApiServer } from "./control-plane.js";
import { imagesOf, isDark, runningForm, setDark, startedSandboxes } from "./marks.js";
import { buildHubNetwork, hubNetworkStands, removeNetworks, routeToNode } from "./network.js";
import { nodeIsRunning, powerOffNode, powerOnNode } from "./node.js";
import { bringImages } from "./node-images.js";
import type { Form, Sandbox, SandboxNode } from "./plan.js";
import { isRunning, powerOffPart } from "./processes.js";
import { waitForNodes } from "./readiness.js";
import { nodesOf } from "./registry.js";
import { underLock, type Step } from "./turn.js";

/** Names of all zones, as the nodes are in them. */
export function zoneNames(): string[] {
    return [
        ...new Set(
            startedSandboxes()
                .flatMap(nodesOf)
                .map(({ zone }) => zone),
        ),
    ];
}

/** Its addresses do not answer any more: neither API server nor load balancers. */
async function switchOff(sandbox: Sandbox): Promise<void> {
    setDark(sandbox, true);
    await Promise.all(nodesOf(sandbox).map(powerOffNode));
    await powerOffPart(sandbox.hub);
    await removeNetworks(sandbox);
}

/** The control plane; the nodes are switched on after it. */
export async function switchOn(sandbox: Sandbox, { isJoined }: Form): Promise<void> {
    await powerOffPart(sandbox.hub);
    await removeNetworks(sandbox);
    await buildHubNetwork(sandbox);
    if (isJoined) await joinSandbox(sandbox);
    for (const node of nodesOf(sandbox)) await routeToNode(node);
    configureControlPlane(sandbox);
    await startControlPlane(sandbox);
    await waitForApiServer(sandbox);
    setDark(sandbox, false);
}

/** Where a zone's nodes are. A sandbox that is joined to others and all in this zone goes dark as a whole. */
interface ZoneIn {
    readonly sandbox: Sandbox;
    readonly form: Form;
    readonly nodes: readonly SandboxNode[];
    readonly isWhole: boolean;
}

function whereIs(zone: string): ZoneIn[] {
    return startedSandboxes().flatMap((sandbox) => {
        const form = runningForm(sandbox)!;
        const all = nodesOf(sandbox);
        const nodes = all.filter((node) => node.zone === zone);
        const isWhole = form.isJoined && nodes.length === all.length;
        return nodes.length === 0 ? [] : [{ sandbox, form, nodes, isWhole }];
    });
}

async function requireRunning(sandbox: Sandbox): Promise<void> {
    if (!isRunning(sandbox.hub) || !(await hubNetworkStands(sandbox))) {
        throw new SandboxError('The sandbox is not running; "make sandbox" starts it.');
    }
}

/**
 * Cuts the power of a zone's nodes. Kubernetes sees it after about 28 s. Of several sandboxes side by side, the one that
 * is all in this zone goes with its control plane.
 */
export async function zoneDown(zone: string, step: Step = () => undefined): Promise<void> {
    await underLock(async () => {
        for (const { sandbox, nodes, isWhole } of whereIs(zone)) {
            if (isDark(sandbox)) continue;
            await requireRunning(sandbox);
            if (isWhole) await switchOff(sandbox);
            else await Promise.all(nodes.map(powerOffNode));
        }
    }, step);
}

/** Switches a zone's nodes on again, with the disks they had, and waits until they are Ready. */
export async function zoneUp(zone: string, step: Step = () => undefined): Promise<void> {
    await underLock(async () => {
        for (const { sandbox, form, nodes } of whereIs(zone)) {
            if (isDark(sandbox)) await switchOn(sandbox, form);
            await requireRunning(sandbox);
            const off = nodes.filter((node) => !nodeIsRunning(node));
            const since = new Date();
            await Promise.all(nodes.map(powerOnNode));
            await waitForNodes(sandbox, off, since);
            await waitForNodes(sandbox, nodes);
            await bringImages(sandbox, imagesOf(sandbox), step);
        }
    }, step);
}
