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
import { isDeepStrictEqual } from "node:util";
import { closeLoops } from "../cloud/disks/loop.js";
import { run, succeeds } from "../command.js";
import { SandboxError } from "../failure.js";
import { ensureImages, isMade } from "../images.js";
import { IN_EVERY_SANDBOX, RECIPES } from "../images/index.js";
import { hashOf, type ImageRecipe } from "../images/recipe.js";
import { withLock } from "../lock.js";
import { cacheDirectory, cloudDirectory, stateDirectory } from "../places.js";
import { binary } from "../tools.js";
import { kubeconfigDirectory, makeCertificates } from "./certificates.js";
import { makeSystemGroup, removeGroups } from "./cgroups.js";
import { cloudIsRunning, startCloud, stopCloud } from "./cloud.js";
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
    isSwitchedOff,
    lacksImages,
    makeNode,
    nodeIsRunning,
    powerOffNode,
    powerOnNode,
} from "./node.js";
import {
    FIRST,
    kubeconfigOf,
    nodeOf,
    sandboxNumbered,
    SANDBOXES,
    THREE_ZONES,
    type Form,
    type Sandbox,
    type SandboxNode,
} from "./plan.js";
import { isRunning, powerOffPart } from "./processes.js";
import { nodesOf, writeRecords } from "./registry.js";

const NODES_READY_PATIENCE_MILLISECONDS = 90_000;

/** How sandboxes are laid out on this machine; one of another layout is replaced, not healed. */
const LAYOUT = 4;

/** Told what is being done now. */
export type Step = (what: string) => void;

interface Mark {
    readonly layout: number;
    readonly form: Form;
    /** Hashes of the recipes whose images nodes are to have, also those that are to come. */
    readonly images: readonly string[];
    /** The boot in which it was started: a reboot leaves files but nothing that runs. */
    readonly boot: string;
}

function markFile(sandbox: Sandbox): string {
    return join(sandbox.directory, "started.json");
}

function bootId(): string {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Written when a start has come to its end, so whatever lacks it is a ruin. */
function writeMark(sandbox: Sandbox, form: Form, recipes: readonly ImageRecipe[]): void {
    const mark: Mark = { layout: LAYOUT, form, images: recipes.map(hashOf), boot: bootId() };
    writeFileSync(markFile(sandbox), JSON.stringify(mark));
}

function readMark(sandbox: Sandbox): Mark | undefined {
    try {
        const mark = JSON.parse(readFileSync(markFile(sandbox), "utf8")) as Mark;
        return mark.layout === LAYOUT && mark.boot === bootId() ? mark : undefined;
    } catch {
        return undefined;
    }
}

/** The form in which a sandbox runs; undefined when it does not. */
export function runningForm(sandbox: Sandbox = FIRST): Form | undefined {
    return readMark(sandbox)?.form;
}

/** The images that a sandbox's nodes are to have. */
export function imagesOf(sandbox: Sandbox): ImageRecipe[] {
    const hashes = readMark(sandbox)?.images ?? [];
    return RECIPES.filter((recipe) => hashes.includes(hashOf(recipe)));
}

/** The running sandboxes whose machines are the cloud's. */
export function sandboxesOnCloud(): Sandbox[] {
    return SANDBOXES.filter((sandbox) => runningForm(sandbox)?.machines === "cloud");
}

function isStarted(sandbox: Sandbox): boolean {
    return runningForm(sandbox) !== undefined;
}

/** kubectl of a sandbox, as its administrator. */
async function kubectlOf(sandbox: Sandbox, ...args: string[]): Promise<string> {
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

/** Runs `work` while no other command changes any sandbox. */
export async function underLock<T>(
    work: () => Promise<T>,
    step: Step = () => undefined,
): Promise<T> {
    return withLock(cacheDirectory("sandbox.lock"), work, (pid) =>
        step(`wait for another command on the sandbox (pid ${pid})`),
    );
}

/** Ends and removes all but the sandbox's directory and the guard on the networks. */
async function tearDown(sandbox: Sandbox): Promise<void> {
    // First, for it would make new nodes.
    await stopCloud();
    if (sandbox.number === FIRST.number) await stopKineApiServers();
    for (const node of nodesOf(sandbox)) await powerOffPart(node);
    await powerOffPart(sandbox.hub);
    // Containers are in the groups of their nodes; this finds also what no record names.
    await removeGroups(sandbox);
    await removeNetworks(sandbox);
    // Nothing of them is mounted any more.
    if (sandbox.number === FIRST.number) await closeLoops(cloudDirectory());
    const others = SANDBOXES.filter(({ number }) => number !== sandbox.number);
    if (!others.some(isStarted)) restoreKernelSettings();
}

function removeState(sandbox: Sandbox): void {
    for (const name of [
        ...["nodes", "nodes.json", "hub", "kine", "pki"],
        ...["kubeconfigs", "kubeconfig", "kubeadm.yaml"],
        // They list objects of a cluster that is no more.
        ...["pulumi", "cloud", "machines", "started.json"],
    ]) {
        rmSync(join(sandbox.directory, name), { recursive: true, force: true });
    }
}

async function startNew(form: Form, recipes: readonly ImageRecipe[], step: Step): Promise<void> {
    const sandbox = sandboxNumbered(form.number);
    step("clear what an earlier run left");
    await tearDown(sandbox);
    removeState(sandbox);
    mkdirSync(sandbox.directory, { recursive: true, mode: 0o711 });
    step("lay the networks");
    await refuseForeignRoutes(sandbox);
    await guardNetworks(sandbox);
    changeKernelSettings();
    makeSystemGroup(sandbox);
    await buildHubNetwork(sandbox);
    writeRecords(sandbox, form.nodes);
    configureControlPlane(sandbox);
    forgetBootstrap(sandbox);
    step("make keys and certificates");
    await makeCertificates(sandbox);
    copyFileSync(join(kubeconfigDirectory(sandbox), "admin.conf"), kubeconfigOf(sandbox));
    step("start the control plane");
    await startControlPlane(sandbox);
    const nodes = nodesOf(sandbox);
    for (const node of nodes) await makeNode(node, recipes);
    await waitForApiServer(sandbox);
    await bootstrapCluster(sandbox, form.machines);
    if (nodes.length > 0) step(`start ${nodes.length} nodes`);
    await Promise.all(nodes.map(powerOnNode));
    await waitForNodes(sandbox, nodes);
    writeMark(sandbox, form, recipes);
    await runCloud();
}

/** The process of the cloud, for all sandboxes whose machines are its own. */
async function runCloud(): Promise<void> {
    const sandboxes = sandboxesOnCloud();
    if (sandboxes.length > 0) await startCloud(sandboxes);
}

async function heal(form: Form, recipes: readonly ImageRecipe[], step: Step): Promise<void> {
    const sandbox = sandboxNumbered(form.number);
    await guardNetworks(sandbox);
    if (!isRunning(sandbox.hub)) {
        step("start the control plane again");
        await powerOffPart(sandbox.hub);
        await startControlPlane(sandbox);
    }
    await waitForApiServer(sandbox);
    await bootstrapCluster(sandbox, form.machines);
    const wanted = nodesOf(sandbox).filter((node) => !isSwitchedOff(node));
    const dead = wanted.filter((node) => !nodeIsRunning(node));
    if (dead.length > 0) {
        step(`start node ${dead.map((node) => node.name).join(", ")} again`);
        const since = new Date();
        await Promise.all(dead.map(powerOnNode));
        await waitForNodes(sandbox, dead, since);
    }
    await waitForNodes(sandbox, wanted);
    const all = [...new Set([...imagesOf(sandbox), ...recipes])];
    await importImages(sandbox, all, step);
    writeMark(sandbox, form, all);
    if (!cloudIsRunning()) await runCloud();
}

async function importImages(
    sandbox: Sandbox,
    recipes: readonly ImageRecipe[],
    step: Step,
): Promise<void> {
    const lacking = nodesOf(sandbox).filter(
        (node) => nodeIsRunning(node) && lacksImages(node, recipes),
    );
    if (lacking.length === 0) return;
    step(`bring images to the nodes: ${recipes.map((recipe) => recipe.name).join(", ")}`);
    await Promise.all(lacking.map((node) => addImages(node, recipes)));
}

function otherForm(runs: Form): SandboxError {
    const present =
        runs.machines === "cloud"
            ? "runs with a stand-in of Google Cloud (PLATFORM=gke)"
            : "runs with nodes of its own, without PLATFORM=gke";
    return new SandboxError(
        `The sandbox ${present}, and cannot become another while it runs. "make stop" ends it, with its disks ` +
            `and the stack on it; then the same command again makes the one that you want.`,
    );
}

/**
 * Brings a sandbox of this form up with at least these images, from whatever state it is in: running (then this is
 * quick, and heals dead parts), half dead, or left over from a crash or a reboot. The tools must be there; the images
 * are made when they are not.
 */
export async function startSandbox(
    recipes: readonly ImageRecipe[],
    step: Step = () => undefined,
    form: Form = THREE_ZONES,
): Promise<void> {
    const sandbox = sandboxNumbered(form.number);
    const wanted = [...new Set([...IN_EVERY_SANDBOX, ...recipes])];
    await ensureImages(wanted, step);
    await underLock(async () => {
        const runs = runningForm(sandbox);
        if (runs !== undefined && (await hubNetworkStands(sandbox))) {
            if (!isDeepStrictEqual(runs, form)) throw otherForm(runs);
            await heal(form, wanted, step);
            return;
        }
        // Whatever is made already costs little now, and much when it is wanted on running nodes.
        const all = RECIPES.filter((recipe) => wanted.includes(recipe) || isMade(recipe));
        step("make the nodes' container store");
        await ensureStore(all);
        await startNew(form, all, step);
    }, step);
}

/**
 * Stops the sandboxes and wipes their nodes' disks. Leaves no process, namespace, mount, control group
 * or link; the ranges stay unreachable until `removeSandbox`, so that a forgotten client cannot
 * send to them.
 */
export async function stopSandbox(step: Step = () => undefined): Promise<void> {
    await underLock(async () => {
        for (const sandbox of [...SANDBOXES].reverse()) {
            const wasThere = existsSync(sandbox.directory);
            if (wasThere) await guardNetworks(sandbox);
            await tearDown(sandbox);
            removeState(sandbox);
        }
        rmSync(stateDirectory("sandboxes"), { recursive: true, force: true });
    }, step);
}

/**
 * Stops the sandboxes and removes everything of them but the cache. What is kept of stacks on clusters
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
        await importImages(sandbox, imagesOf(sandbox), step);
    }, step);
}

/** One part of the sandbox and how it is. */
export interface PartStatus {
    readonly name: string;
    readonly state: "running" | "dead" | "switched off" | "absent";
}

/** What runs and what does not, without asking Kubernetes. Of a sandbox that is not there: the form of `make up`. */
export async function sandboxStatus(sandbox: Sandbox = FIRST): Promise<PartStatus[]> {
    const started = isStarted(sandbox);
    const alive = (runs: boolean): PartStatus["state"] =>
        runs ? "running" : started ? "dead" : "absent";
    const hasCloud = runningForm(sandbox)?.machines === "cloud";
    const nodes = started
        ? nodesOf(sandbox)
        : THREE_ZONES.nodes.map((record) => nodeOf(sandbox, record));
    return [
        { name: "networks", state: alive(await hubNetworkStands(sandbox)) },
        { name: "control plane", state: alive(isRunning(sandbox.hub)) },
        ...nodes.map((node) => ({
            name: `node ${node.name}`,
            state: isSwitchedOff(node) ? "switched off" : alive(nodeIsRunning(node)),
        })),
        ...(hasCloud ? [{ name: "cloud", state: alive(cloudIsRunning()) }] : []),
        ...kineApiServers().map(({ cluster, runs }) => ({
            name: `Kine ${cluster}`,
            state: alive(runs),
        })),
    ];
}

/** True when the API server can be asked. */
export async function sandboxAnswers(sandbox: Sandbox = FIRST): Promise<boolean> {
    const { hub } = sandbox;
    if (!isStarted(sandbox) || !isRunning(hub) || !(await hubNetworkStands(sandbox))) return false;
    return succeeds(binary("kubernetes", "kubectl"), [
        ...["--kubeconfig", kubeconfigOf(sandbox), "--request-timeout=3s"],
        ...["get", "--raw", "/readyz"],
    ]);
}
