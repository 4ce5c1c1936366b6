// The sandbox's control groups: one for its own processes, one for the pods of each node. They also
// say, whatever else was lost, which processes are the sandbox's.

import { mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SandboxError } from "../failure.js";
import type { Sandbox, SandboxNode } from "./plan.js";

const SYSTEM = "system";

/** How long killed processes may take to disappear. */
const KILL_PATIENCE_MILLISECONDS = 20_000;

interface Hierarchy {
    readonly mountPoint: string;
    readonly isVersion2: boolean;
    readonly controllers: readonly string[];
}

/** Version 1 has one hierarchy per controller, version 2 one for all; some machines have both. */
function hierarchies(): Hierarchy[] {
    return readFileSync("/proc/self/mountinfo", "utf8")
        .split("\n")
        .filter((line) => / - cgroup2? /.test(line))
        .map((line) => {
            const [left, right] = line.split(" - ");
            return {
                mountPoint: left!.split(" ")[4]!,
                isVersion2: right!.startsWith("cgroup2 "),
                controllers: right!.split(" ")[2]!.split(","),
            };
        });
}

function read(...path: string[]): string {
    return readFileSync(join(...path), "utf8").trim();
}

/** A version 1 cpuset starts without processors or memory, and takes no process like that. */
function copyCpuset(parent: string, child: string): void {
    for (const name of ["cpuset.cpus", "cpuset.mems"]) {
        if (read(child, name) === "") writeFileSync(join(child, name), read(parent, name));
    }
}

/** A version 2 group gives its children the controllers that it lists here. */
function delegateControllers(group: string): void {
    for (const controller of read(group, "cgroup.controllers").split(" ")) {
        if (controller === "") continue;
        try {
            writeFileSync(join(group, "cgroup.subtree_control"), `+${controller}`);
        } catch {
            // One that cannot be passed on (a real-time scheduler's, say) is not needed either.
        }
    }
}

/** The group of everything of a sandbox. */
function rootOf(sandbox: Sandbox): string {
    return `quorum-${sandbox.name}`;
}

/** The name of the group of a node's pods, as kubelet wants it. */
export function podGroupOf(node: SandboxNode): string {
    return `/${rootOf(node.sandbox)}/${node.name}`;
}

/** The folders through which a process joins the group of the sandbox's own processes. */
export function systemGroupFolders(sandbox: Sandbox): string[] {
    return hierarchies().map(({ mountPoint }) => join(mountPoint, rootOf(sandbox), SYSTEM));
}

/** Makes the group of the sandbox's own processes, and with it the one around all of its groups. */
export function makeSystemGroup(sandbox: Sandbox): void {
    makeGroup(sandbox, SYSTEM);
}

/** Makes the group of a node's pods. */
export function makePodGroup(node: SandboxNode): void {
    makeGroup(node.sandbox, node.name);
}

/** One that exists stays. */
function makeGroup(sandbox: Sandbox, name: string): void {
    for (const hierarchy of hierarchies()) {
        const root = join(hierarchy.mountPoint, rootOf(sandbox));
        const group = join(root, name);
        const isCpuset = hierarchy.controllers.includes("cpuset");
        const pure = hierarchy.isVersion2 && hierarchies().length === 1;
        if (pure) delegateControllers(hierarchy.mountPoint);
        mkdirSync(group, { recursive: true });
        if (isCpuset) copyCpuset(hierarchy.mountPoint, root);
        if (pure) delegateControllers(root);
        if (isCpuset) copyCpuset(root, group);
    }
}

/** The group and all below it, children first. */
function groupsBelow(group: string): string[] {
    let names: string[];
    try {
        names = readdirSync(group, { withFileTypes: true })
            .filter((entry) => entry.isDirectory())
            .map((entry) => entry.name);
    } catch {
        return [];
    }
    return [...names.flatMap((name) => groupsBelow(join(group, name))), group];
}

function allGroups(sandbox: Sandbox): string[] {
    return hierarchies().flatMap(({ mountPoint }) =>
        groupsBelow(join(mountPoint, rootOf(sandbox))),
    );
}

/** The processes in any group of the sandbox: all of them are ours, for nobody else joins. */
export function processesInGroups(sandbox: Sandbox): number[] {
    const found = new Set<number>();
    for (const group of allGroups(sandbox)) {
        try {
            for (const line of read(group, "cgroup.procs").split("\n")) {
                if (line !== "" && line !== "0") found.add(Number(line));
            }
        } catch {
            // The group went away while we looked.
        }
    }
    return [...found];
}

/**
 * Removes the groups of a node's dead pods. Nothing but a reboot does that on a real machine, and a
 * kubelet that finds them spends three seconds on each before it is Ready.
 */
export function removePodGroups(node: SandboxNode): void {
    for (const { mountPoint } of hierarchies()) {
        const top = join(mountPoint, podGroupOf(node));
        for (const group of groupsBelow(top).filter((one) => one !== top)) {
            try {
                rmdirSync(group);
            } catch {
                // Held by a process that is just ending; kubelet will see to it.
            }
        }
    }
}

/** Removes the group of a node's pods with all below it. The node has no power, so what is in them is just ending. */
export async function removePodGroup(node: SandboxNode): Promise<void> {
    const end = Date.now() + KILL_PATIENCE_MILLISECONDS;
    const left = (): string[] =>
        hierarchies().flatMap(({ mountPoint }) => groupsBelow(join(mountPoint, podGroupOf(node))));
    while (left().length > 0) {
        if (Date.now() > end) {
            throw new SandboxError(`The control group of node ${node.name} cannot be removed.`);
        }
        for (const group of left()) {
            try {
                rmdirSync(group);
            } catch {
                // Still held by a process that is just ending.
            }
        }
        await sleep(20);
    }
}

/** Kills what is left in the groups and removes them. */
export async function removeGroups(sandbox: Sandbox): Promise<void> {
    const end = Date.now() + KILL_PATIENCE_MILLISECONDS;
    for (;;) {
        const left = processesInGroups(sandbox);
        if (left.length === 0) break;
        if (Date.now() > end) {
            throw new SandboxError(
                `Processes ${left.join(", ")} of the sandbox do not end; ` +
                    `they may wait for a disk. Try again, or restart the machine.`,
            );
        }
        for (const pid of left) {
            try {
                process.kill(pid, "SIGKILL");
            } catch {
                // Already gone.
            }
        }
        await sleep(50);
    }
    while (allGroups(sandbox).length > 0) {
        for (const group of allGroups(sandbox)) {
            try {
                rmdirSync(group);
            } catch {
                // Still held by a process that is just ending.
            }
        }
        if (Date.now() > end) {
            throw new SandboxError(
                `The control groups named ${rootOf(sandbox)} cannot be removed.`,
            );
        }
        await sleep(20);
    }
}
