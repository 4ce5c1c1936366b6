// Sandboxes as a whole: start, heal, stop, and what they look like now.

import { copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { closeLoops } from "../cloud/disks/loop.js";
import { succeeds } from "../command.js";
import { SandboxError } from "../failure.js";
import { ensureImages, isMade } from "../images.js";
import { IN_EVERY_SANDBOX, RECIPES } from "../images/index.js";
import type { ImageRecipe } from "../images/recipe.js";
import { cloudDirectory, stateDirectory } from "../places.js";
import { binary } from "../tools.js";
import { joinSandbox, removeSwitch } from "./between.js";
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
    imagesOf,
    isDark,
    isStarted,
    runningForm,
    sandboxesOnCloud,
    startedSandboxes,
    writeMark,
} from "./marks.js";
import {
    buildHubNetwork,
    guardNetworks,
    hubNetworkStands,
    refuseForeignRoutes,
    removeNetworks,
    unguardNetworks,
} from "./network.js";
import { isSwitchedOff, makeNode, nodeIsRunning, powerOnNode } from "./node.js";
import { bringImages } from "./node-images.js";
import {
    FIRST,
    kubeconfigOf,
    nodeOf,
    sandboxNumbered,
    SANDBOXES,
    THREE_ZONES,
    type Form,
    type Sandbox,
} from "./plan.js";
import { switchOn } from "./power.js";
import { isRunning, powerOffPart } from "./processes.js";
import { waitForNodes } from "./readiness.js";
import { nodesOf, writeRecords } from "./registry.js";
import { underLock, type Step } from "./turn.js";

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
        ...["kubeconfigs", "kubeconfig", "kubeadm.yaml", "dark"],
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
    await refuseForeignRoutes(Object.values(sandbox.networks));
    await guardNetworks(Object.values(sandbox.networks));
    changeKernelSettings();
    makeSystemGroup(sandbox);
    await buildHubNetwork(sandbox);
    if (form.isJoined) await joinSandbox(sandbox);
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
    await guardNetworks(Object.values(sandbox.networks));
    if (isDark(sandbox)) await switchOn(sandbox, form);
    if (form.isJoined) await joinSandbox(sandbox);
    if (!isRunning(sandbox.hub)) {
        step("start the control plane again");
        await powerOffPart(sandbox.hub);
        configureControlPlane(sandbox);
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
    await bringImages(sandbox, all, step);
    writeMark(sandbox, form, all);
    if (!cloudIsRunning()) await runCloud();
}

function otherForm(runs: Form): SandboxError {
    const several = runs.isJoined ? ", as one of several side by side (CLUSTERS=3)" : "";
    const present =
        runs.machines === "cloud"
            ? `runs with a stand-in of Google Cloud (PLATFORM=gke)${several}`
            : `runs with nodes of its own, without PLATFORM=gke${several}`;
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
        if (runs !== undefined && (isDark(sandbox) || (await hubNetworkStands(sandbox)))) {
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
            if (wasThere) await guardNetworks(Object.values(sandbox.networks));
            await tearDown(sandbox);
            removeState(sandbox);
        }
        await removeSwitch();
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

/** One part of the sandbox and how it is. */
export interface PartStatus {
    readonly name: string;
    readonly state: "running" | "dead" | "switched off" | "absent";
}

/** What runs and what does not, without asking Kubernetes. While nothing is started: the form of `make up`. */
export async function sandboxStatus(): Promise<PartStatus[]> {
    const started = startedSandboxes();
    const parts = await Promise.all((started.length > 0 ? started : [FIRST]).map(partsOf));
    const hasCloud = sandboxesOnCloud().length > 0;
    const state = (runs: boolean): PartStatus["state"] => (runs ? "running" : "dead");
    return [
        ...parts.flat(),
        ...(hasCloud ? [{ name: "cloud", state: state(cloudIsRunning()) }] : []),
        ...kineApiServers().map(({ cluster, runs }) => ({
            name: `Kine ${cluster}`,
            state: state(runs),
        })),
    ];
}

async function partsOf(sandbox: Sandbox): Promise<PartStatus[]> {
    const form = runningForm(sandbox);
    const suffix = form?.isJoined === true ? ` of ${sandbox.name}` : "";
    const alive = (runs: boolean): PartStatus["state"] => {
        if (isDark(sandbox)) return "switched off";
        return runs ? "running" : form === undefined ? "absent" : "dead";
    };
    const nodes =
        form === undefined
            ? THREE_ZONES.nodes.map((record) => nodeOf(sandbox, record))
            : nodesOf(sandbox);
    return [
        { name: `networks${suffix}`, state: alive(await hubNetworkStands(sandbox)) },
        { name: `control plane${suffix}`, state: alive(isRunning(sandbox.hub)) },
        ...nodes.map((node) => ({
            name: `node ${node.name}`,
            state: isSwitchedOff(node) ? ("switched off" as const) : alive(nodeIsRunning(node)),
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
