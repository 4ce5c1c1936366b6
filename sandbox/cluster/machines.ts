// Changes to a sandbox while it runs: nodes that come and go, and a control plane that begins anew. Whoever asks is the
// cloud; each change holds the sandbox's lock, so that no command of the user meets half a node.

import { existsSync, rmSync } from "node:fs";
import { ensureStore } from "./containerd.js";
import { imagesOf } from "./marks.js";
import { waitForNodes } from "./readiness.js";
import { underLock } from "./turn.js";
import {
    bootstrapCluster,
    etcdDirectory,
    forgetBootstrap,
    configureControlPlane,
    startControlPlane,
    waitForApiServer,
} from "./control-plane.js";
import { makeNode, powerOffNode, powerOnNode, unmakeNode } from "./node.js";
import { NODE_NUMBERS, nodeOf, type NodeRecord, type Sandbox, type SandboxNode } from "./plan.js";
import { powerOffPart } from "./processes.js";
import { nodesOf, recordsOf, writeRecords } from "./registry.js";
import { SandboxError } from "../failure.js";

/** The lowest that no node has. */
function freeNumber(records: readonly NodeRecord[]): number {
    const taken = new Set(records.map(({ number }) => number));
    const free = NODE_NUMBERS.find((number) => !taken.has(number));
    if (free === undefined) {
        throw new SandboxError(
            `There are no addresses for more than ${NODE_NUMBERS.length} nodes.`,
        );
    }
    return free;
}

/** Makes a node with everything that the sandbox's nodes have, and waits until Kubernetes calls it Ready. */
export async function addNode(
    sandbox: Sandbox,
    wish: Omit<NodeRecord, "number">,
): Promise<SandboxNode> {
    const since = new Date();
    const node = await underLock(async () => {
        const records = recordsOf(sandbox);
        const record: NodeRecord = { ...wish, number: freeNumber(records) };
        const made = nodeOf(sandbox, record);
        const recipes = imagesOf(sandbox);
        await ensureStore(recipes);
        await makeNode(made, recipes);
        // Who follows the registry finds a node that can be switched on.
        writeRecords(sandbox, [...records, record]);
        await powerOnNode(made);
        return made;
    });
    await waitForNodes(sandbox, [node], since);
    return node;
}

/** Cuts a node's power. */
export async function switchOff(node: SandboxNode): Promise<void> {
    await underLock(async () => {
        // Gone already when whoever removed it was cut off.
        if (existsSync(node.directory)) await powerOffNode(node);
    });
}

/** Takes a node away, with its disk. Kubernetes forgets it only when its object is deleted, too. */
export async function removeNode(node: SandboxNode): Promise<void> {
    await underLock(async () => {
        await unmakeNode(node);
        const { sandbox } = node;
        writeRecords(
            sandbox,
            recordsOf(sandbox).filter(({ name }) => name !== node.name),
        );
    });
}

/** Wipes what a control plane has stored and starts it again, empty; its keys stay. Nodes must be gone. */
export async function emptyControlPlane(sandbox: Sandbox): Promise<void> {
    await underLock(async () => {
        if (nodesOf(sandbox).length > 0) {
            throw new SandboxError(`${sandbox.name} still has nodes.`);
        }
        await powerOffPart(sandbox.hub);
        rmSync(etcdDirectory(sandbox), { recursive: true, force: true });
        forgetBootstrap(sandbox);
        configureControlPlane(sandbox);
        await startControlPlane(sandbox);
        await waitForApiServer(sandbox);
        await bootstrapCluster(sandbox, "cloud");
    });
}
