// The sandbox as a whole: start, heal, stop, and what it looks like now.

import {
    copyFileSync,
    existsSync,
    mkdirSync,
    readFileSync,
    readdirSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run, succeeds } from "../command.js";
import { SandboxError } from "../failure.js";
import { ensureImages, isMade } from "../images.js";
import { IN_EVERY_SANDBOX, RECIPES } from "../images/index.js";
import { hashOf, type ImageRecipe } from "../images/recipe.js";
import { withLock } from "../lock.js";
import { cacheDirectory, stateDirectory } from "../places.js";
import { binary } from "../tools.js";
import { kubeconfigDirectory, makeCertificates } from "./certificates.js";
import { makeGroups, removeGroups } from "./cgroups.js";
import { ensureStore } from "./containerd.js";
import {
    bootstrapCluster,
    configureControlPlane,
    forgetBootstrap,
    startControlPlane,
    waitForApiServer,
} from "./control-plane.js";
import { kineApiServers, stopKineApiServers } from "./kine-api-server.js";
import { changeKernelSettings, restoreKernelSettings } from "./kernel-settings.js";
import {
    buildHubNetwork,
    guardNetworks,
    hubNetworkStands,
    refuseForeignRoutes,
    removeNetworks,
    unguardNetworks,
} from "./network.js";
import {
    addImages,
    configureNode,
    fillNode,
    isSwitchedOff,
    lacksImages,
    nodeIsRunning,
    powerOffNode,
    powerOnNode,
} from "./node.js";
import { HUB, NODES, sandboxKubeconfig, type SandboxNode, type Zone } from "./plan.js";
import { isRunning, powerOffPart } from "./processes.js";

const NODES_READY_PATIENCE_MILLISECONDS = 90_000;

/** What the sandbox consists of; a sandbox of another form is replaced, not healed. */
const FORM = 3;

/** Told what is being done now. */
export type Step = (what: string) => void;

interface Mark {
    readonly form: number;
    /** The boot in which it was started: a reboot leaves files but nothing that runs. */
    readonly boot: string;
}

function markFile(): string {
    return stateDirectory("started.json");
}

function bootId(): string {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Written when a start has come to its end, so whatever lacks it is a ruin. */
function isStarted(): boolean {
    try {
        const mark = JSON.parse(readFileSync(markFile(), "utf8")) as Mark;
        return mark.form === FORM && mark.boot === bootId();
    } catch {
        return false;
    }
}

/** kubectl of the sandbox, as its administrator. */
export async function sandboxKubectl(...args: string[]): Promise<string> {
    return run(binary("kubernetes", "kubectl"), ["--kubeconfig", sandboxKubeconfig(), ...args]);
}

/** A node's last word on whether it is ready. */
interface Readiness {
    readonly name: string;
    readonly isReady: boolean;
    readonly heardAt: Date;
}

async function readiness(): Promise<Readiness[]> {
    const ready = '.status.conditions[?(@.type=="Ready")]';
    const path = `{range .items[*]}{.metadata.name} {${ready}.status} {${ready}.lastHeartbeatTime}{"\\n"}{end}`;
    const text = await sandboxKubectl("get", "nodes", "-o", `jsonpath=${path}`);
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
export async function readyNodes(): Promise<string[]> {
    return (await readiness()).filter(({ isReady }) => isReady).map(({ name }) => name);
}

/**
 * @param since a node that was just switched on may still be called Ready from before; only what
 *     it said after this time counts
 */
async function waitForNodes(wanted: readonly SandboxNode[], since = new Date(0)): Promise<void> {
    const end = Date.now() + NODES_READY_PATIENCE_MILLISECONDS;
    // Kubernetes writes whole seconds.
    const sinceSecond = Math.floor(since.getTime() / 1000) * 1000;
    for (;;) {
        const ready = (await readiness())
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

async function underLock<T>(work: () => Promise<T>, step: Step): Promise<T> {
    return withLock(cacheDirectory("sandbox.lock"), work, (pid) =>
        step(`wait for another command on the sandbox (pid ${pid})`),
    );
}

/** Ends and removes all but the state folder and the guard on the networks. */
async function tearDown(): Promise<void> {
    await stopKineApiServers();
    for (const node of NODES) await powerOffPart(node);
    await powerOffPart(HUB);
    // Containers are in the groups of their nodes; this finds also what no record names.
    await removeGroups();
    await removeNetworks();
    restoreKernelSettings();
}

function removeState(): void {
    for (const name of [
        ...["nodes", "hub", "kine", "pki", "kubeconfigs", "kubeconfig", "kubeadm.yaml"],
        // The stack's state lists objects of a cluster that is no more.
        ...["pulumi", "started.json"],
    ]) {
        rmSync(stateDirectory(name), { recursive: true, force: true });
    }
}

async function startNew(recipes: readonly ImageRecipe[], step: Step): Promise<void> {
    step("clear what an earlier run left");
    await tearDown();
    removeState();
    mkdirSync(stateDirectory(), { recursive: true, mode: 0o711 });
    step("lay the networks");
    await refuseForeignRoutes();
    await guardNetworks();
    changeKernelSettings();
    makeGroups();
    await buildHubNetwork();
    for (const node of NODES) configureNode(node);
    configureControlPlane();
    forgetBootstrap();
    step("make keys and certificates");
    await makeCertificates();
    copyFileSync(join(kubeconfigDirectory(), "admin.conf"), sandboxKubeconfig());
    step("start the control plane");
    await startControlPlane();
    for (const node of NODES) await fillNode(node, recipes);
    await waitForApiServer();
    await bootstrapCluster();
    step(`start ${NODES.length} nodes`);
    await Promise.all(NODES.map(powerOnNode));
    await waitForNodes(NODES);
    writeFileSync(markFile(), JSON.stringify({ form: FORM, boot: bootId() } satisfies Mark));
}

async function heal(recipes: readonly ImageRecipe[], step: Step): Promise<void> {
    await guardNetworks();
    if (!isRunning(HUB)) {
        step("start the control plane again");
        await powerOffPart(HUB);
        await startControlPlane();
    }
    await waitForApiServer();
    await bootstrapCluster();
    const wanted = NODES.filter((node) => !isSwitchedOff(node));
    const dead = wanted.filter((node) => !nodeIsRunning(node));
    if (dead.length > 0) {
        step(`start node ${dead.map((node) => node.name).join(", ")} again`);
        const since = new Date();
        await Promise.all(dead.map(powerOnNode));
        await waitForNodes(dead, since);
    }
    await waitForNodes(wanted);
    await importImages(recipes, step);
}

async function importImages(recipes: readonly ImageRecipe[], step: Step): Promise<void> {
    const lacking = NODES.filter((node) => nodeIsRunning(node) && lacksImages(node, recipes));
    if (lacking.length === 0) return;
    step(`bring images to the nodes: ${recipes.map((recipe) => recipe.name).join(", ")}`);
    await Promise.all(lacking.map((node) => addImages(node, recipes)));
}

/**
 * Brings the sandbox up with at least these images, from whatever state it is in: running (then
 * this is quick, and heals dead parts), half dead, or left over from a crash or a reboot.
 * The tools must be there; the images are made when they are not.
 */
export async function startSandbox(
    recipes: readonly ImageRecipe[],
    step: Step = () => undefined,
): Promise<void> {
    const wanted = [...new Set([...IN_EVERY_SANDBOX, ...recipes])];
    await ensureImages(wanted, step);
    await underLock(async () => {
        if (isStarted() && (await hubNetworkStands())) {
            await heal(wanted, step);
            return;
        }
        // Whatever is made already costs little now, and much when it is wanted on running nodes.
        const all = RECIPES.filter((recipe) => wanted.includes(recipe) || isMade(recipe));
        step("make the nodes' container store");
        await ensureStore(all);
        await startNew(all, step);
    }, step);
}

/**
 * Stops the sandbox and wipes its nodes' disks. Leaves no process, namespace, mount, control group
 * or link; the ranges stay unreachable until `removeSandbox`, so that a forgotten client cannot
 * send to them.
 */
export async function stopSandbox(step: Step = () => undefined): Promise<void> {
    await underLock(async () => {
        const wasThere = existsSync(stateDirectory());
        if (wasThere) await guardNetworks();
        await tearDown();
        removeState();
    }, step);
}

/**
 * Stops the sandbox and removes everything of it but the cache. What is kept of stacks on clusters
 * of the user's own (`clusters`) stays: without it Pulumi would not know what it made there.
 */
export async function removeSandbox(step: Step = () => undefined): Promise<void> {
    await stopSandbox(step);
    await unguardNetworks();
    if (!existsSync(stateDirectory())) return;
    for (const name of readdirSync(stateDirectory())) {
        if (name !== "clusters") rmSync(stateDirectory(name), { recursive: true, force: true });
    }
    if (readdirSync(stateDirectory()).length === 0) rmSync(stateDirectory(), { recursive: true });
}

function nodesOf(zone: Zone): SandboxNode[] {
    return NODES.filter((node) => node.zone === zone);
}

async function requireRunning(): Promise<void> {
    if (!isStarted() || !isRunning(HUB) || !(await hubNetworkStands())) {
        throw new SandboxError('The sandbox is not running; "make sandbox" starts it.');
    }
}

/** Cuts the power of a zone's nodes. Kubernetes sees it after about 28 s. */
export async function zoneDown(zone: Zone, step: Step = () => undefined): Promise<void> {
    await underLock(async () => {
        await requireRunning();
        await Promise.all(nodesOf(zone).map(powerOffNode));
    }, step);
}

/** Switches a zone's nodes on again, with the disks they had, and waits until they are Ready. */
export async function zoneUp(zone: Zone, step: Step = () => undefined): Promise<void> {
    await underLock(async () => {
        await requireRunning();
        const nodes = nodesOf(zone);
        const off = nodes.filter((node) => !nodeIsRunning(node));
        const since = new Date();
        await Promise.all(nodes.map(powerOnNode));
        await waitForNodes(off, since);
        await waitForNodes(nodes);
        await importImages(imagesAnywhere(), step);
    }, step);
}

/** Images that any node has: a node that was off while they came gets them at power-on. */
function imagesAnywhere(): ImageRecipe[] {
    const hashes = new Set(
        NODES.flatMap((node) => {
            try {
                return JSON.parse(
                    readFileSync(join(node.directory, "images.json"), "utf8"),
                ) as string[];
            } catch {
                return [];
            }
        }),
    );
    return RECIPES.filter((recipe) => hashes.has(hashOf(recipe)));
}

/** One part of the sandbox and how it is. */
export interface PartStatus {
    readonly name: string;
    readonly state: "running" | "dead" | "switched off" | "absent";
}

/** What runs and what does not, without asking Kubernetes. */
export async function sandboxStatus(): Promise<PartStatus[]> {
    const started = isStarted();
    const alive = (runs: boolean): PartStatus["state"] =>
        runs ? "running" : started ? "dead" : "absent";
    return [
        { name: "networks", state: alive(await hubNetworkStands()) },
        { name: "control plane", state: alive(isRunning(HUB)) },
        ...NODES.map((node) => ({
            name: `node ${node.name}`,
            state: isSwitchedOff(node) ? "switched off" : alive(nodeIsRunning(node)),
        })),
        ...kineApiServers().map(({ cluster, runs }) => ({
            name: `Kine ${cluster}`,
            state: alive(runs),
        })),
    ];
}

/** True when the API server can be asked. */
export async function sandboxAnswers(): Promise<boolean> {
    if (!isStarted() || !isRunning(HUB) || !(await hubNetworkStands())) return false;
    return succeeds(binary("kubernetes", "kubectl"), [
        ...["--kubeconfig", sandboxKubeconfig(), "--request-timeout=3s", "get", "--raw", "/readyz"],
    ]);
}
