// What Kubernetes says of a sandbox's nodes.

import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../command.js";
import { SandboxError } from "../failure.js";
import { binary } from "../tools.js";
import { FIRST, kubeconfigOf, type Sandbox, type SandboxNode } from "./plan.js";

const NODES_READY_PATIENCE_MILLISECONDS = 90_000;

/** kubectl of a sandbox, as its administrator. */
export async function kubectlOf(sandbox: Sandbox, ...args: string[]): Promise<string> {
    return run(binary("kubernetes", "kubectl"), ["--kubeconfig", kubeconfigOf(sandbox), ...args]);
}

/** kubectl of the first sandbox. */
export async function sandboxKubectl(...args: string[]): Promise<string> {
    return kubectlOf(FIRST, ...args);
}

/** A node's last word on whether it is ready. */
interface Readiness {
    readonly name: string;
    readonly isReady: boolean;
    readonly heardAt: Date;
}

async function readiness(sandbox: Sandbox): Promise<Readiness[]> {
    const ready = '.status.conditions[?(@.type=="Ready")]';
    const path = `{range .items[*]}{.metadata.name} {${ready}.status} {${ready}.lastHeartbeatTime}{"\\n"}{end}`;
    const text = await kubectlOf(sandbox, "get", "nodes", "-o", `jsonpath=${path}`);
    return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => {
            const [name, status, heardAt] = line.split(" ");
            return {
                name: name!,
                isReady: status === "True",
                heardAt: new Date(heardAt ?? ""),
            };
        });
}

/** Nodes that Kubernetes calls Ready. */
export async function readyNodes(sandbox: Sandbox = FIRST): Promise<string[]> {
    return (await readiness(sandbox)).filter(({ isReady }) => isReady).map(({ name }) => name);
}

/**
 * @param since a node that was just switched on may still be called Ready from before; only what
 *     it said after this time counts
 */
export async function waitForNodes(
    sandbox: Sandbox,
    wanted: readonly SandboxNode[],
    since = new Date(0),
): Promise<void> {
    const end = Date.now() + NODES_READY_PATIENCE_MILLISECONDS;
    // Kubernetes writes whole seconds.
    const sinceSecond = Math.floor(since.getTime() / 1000) * 1000;
    for (;;) {
        const ready = (await readiness(sandbox))
            .filter(({ isReady, heardAt }) => isReady && heardAt.getTime() >= sinceSecond)
            .map(({ name }) => name);
        const missing = wanted.filter((node) => !ready.includes(node.name));
        if (missing.length === 0) return;
        if (Date.now() > end) {
            const names = missing.map((node) => node.name).join(", ");
            throw new SandboxError(
                `Nodes ${names} are not Ready after ${NODES_READY_PATIENCE_MILLISECONDS / 1000} s; ` +
                    `see ${join(missing[0]!.directory, "log")}.`,
            );
        }
        await sleep(300);
    }
}
