// The Pulumi program on a cluster: the `dev` stack, its configuration for this machine, and the
// calls of the CLI.

import { execa } from "execa";
import { createHash } from "node:crypto";
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    readFileSync,
    readdirSync,
    writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import { CLOUD_ZONES } from "./cluster/plan.js";
import { run } from "./command.js";
import { SandboxError } from "./failure.js";
import { imageFor } from "./images/index.js";
import { TOOLS_IMAGE } from "./images/tools.js";
import { cloudDirectory, programDirectory, stateDirectory } from "./places.js";
import { identify } from "./process-identity.js";
import { preparePulumi } from "./pulumi/home.js";
import type { TreeObject } from "./pulumi/property-tree.js";
import { idFromInputs } from "./pulumi/resource-gcp/kinds/index.js";
import { idOf, textAt } from "./pulumi/resource-kubernetes/kubernetes-object.js";
import { binary, isBuilt } from "./tools.js";

const STACK = "dev";

/** Sub-commands that run the program; the others need its configuration only. */
const RUNS_PROGRAM = new Set(["up", "update", "preview", "destroy", "refresh", "watch", "import"]);

/** Which cluster a stack is for. */
export interface Target {
    readonly kubeconfig: string;
    /** False: a cluster of the user's own, which has no images of ours. */
    readonly isSandbox: boolean;
}

/** What `make up` was told. */
export interface Wishes {
    readonly engine?: string | undefined;
    readonly image?: string | undefined;
    readonly addon?: string | undefined;
    readonly platform?: Platform | undefined;
}

/** Where the program's Kubernetes comes from. */
export type Platform = (typeof PLATFORMS)[number];
export const PLATFORMS = ["existing", "gke"] as const;

/** Values of a stack's configuration file, key -> value. */
type Config = Record<string, unknown>;

interface ConfigFile {
    config?: Config;
    encryptionsalt?: string;
}

/** Everything of one target's stack that is kept between runs. */
function stackDirectory(target: Target): string {
    if (target.isSandbox) return stateDirectory("pulumi");
    // Not in the sandbox's own: that is dropped with the sandbox.
    const key = createHash("sha256").update(resolve(target.kubeconfig)).digest("hex").slice(0, 12);
    return stateDirectory("clusters", key);
}

/** A copy of the project file with this machine's configuration beside it. */
function projectDirectory(target: Target): string {
    return join(stackDirectory(target), "project");
}

function configFile(target: Target): string {
    return join(projectDirectory(target), `Pulumi.${STACK}.yaml`);
}

function readConfigFile(file: string): ConfigFile {
    return existsSync(file) ? ((parse(readFileSync(file, "utf8")) ?? {}) as ConfigFile) : {};
}

/** The engine that the stack of this target runs, as configured now. */
export function configuredEngine(target: Target): string {
    const checkedIn = readConfigFile(join(programDirectory, `Pulumi.${STACK}.yaml`)).config ?? {};
    const present = readConfigFile(configFile(target)).config ?? {};
    const engine = present["quorum:engine"] ?? checkedIn["quorum:engine"];
    return typeof engine === "string" ? engine : "mysql";
}

/** The platform that the stack of this target is on, as configured now. */
export function configuredPlatform(target: Target): Platform {
    const platform = readConfigFile(configFile(target)).config?.["quorum:platform"];
    return platform === "gke" ? "gke" : "existing";
}

/** The image that the stack of this target runs, as configured now; undefined: the engine's own. */
export function configuredImage(target: Target, wishes: Wishes): string | undefined {
    if (wishes.image !== undefined) return wishes.image;
    if (wishes.engine !== undefined) return imageFor(wishes.engine);
    const checkedIn = readConfigFile(join(programDirectory, `Pulumi.${STACK}.yaml`)).config ?? {};
    const present = readConfigFile(configFile(target)).config ?? checkedIn;
    const image = present["quorum:image"];
    return typeof image === "string" ? image : undefined;
}

/** Like the database's, Kine's image is the sandbox's own there and nowhere else. */
function kineSettings(config: Config, isSandbox: boolean): Config | undefined {
    const { image, ...rest } = (config["quorum:kine"] ?? {}) as Config;
    const isOurs = typeof image === "string" && image.startsWith("localhost/");
    const own = isSandbox && addonsOf(config).includes("kine") ? imageFor("kine") : undefined;
    const wanted = image === undefined || isOurs ? own : image;
    const settings = { ...rest, ...(wanted !== undefined && { image: wanted }) };
    return Object.keys(settings).length > 0 ? settings : undefined;
}

const addonsOf = (config: Config): string[] => {
    const addons = config["quorum:addons"];
    return Array.isArray(addons) ? addons.map(String) : [];
};

/** The add-ons of the stack of this target, as configured now. */
export function configuredAddons(target: Target, wishes: Wishes): string[] {
    return wishes.addon === undefined
        ? addonsOf(readConfigFile(configFile(target)).config ?? {})
        : [wishes.addon];
}

/** The sandbox's own image of the tools there, and nowhere else. */
function toolsImage(config: Config, isSandbox: boolean): unknown {
    const image = config["quorum:toolsImage"];
    if (isSandbox) return image ?? TOOLS_IMAGE;
    return image === TOOLS_IMAGE ? undefined : image;
}

/** The project of the cloud's stand-in. */
const CLOUD_PROJECT = "quorum-sandbox";

/**
 * What a stack on the stand-in of Google Cloud needs to differ from one on a Kubernetes that exists. Given once, when
 * it becomes one: what is set afterwards stays set.
 */
const ON_GKE: Config = {
    "quorum:platform": "gke",
    "quorum:gke": { project: CLOUD_PROJECT },
    "quorum:zones": CLOUD_ZONES.slice(0, 3),
    "quorum:storage": { driver: "gce-disk", size: "10Gi" },
    "quorum:machines": { type: "e2-standard-4" },
    "gcp:project": CLOUD_PROJECT,
};

/** Applies what was asked for to a configuration. Pure. */
export function applyWishes(config: Config, wishes: Wishes, isSandbox: boolean): Config {
    const result = { ...config };
    const engine = wishes.engine ?? result["quorum:engine"];
    if (wishes.engine !== undefined && wishes.engine !== result["quorum:engine"]) {
        // A version and an image of another engine mean nothing here.
        delete result["quorum:version"];
        delete result["quorum:image"];
        result["quorum:engine"] = wishes.engine;
    }
    if (wishes.image !== undefined) {
        result["quorum:image"] = wishes.image;
    } else if (!isSandbox) {
        const image = result["quorum:image"];
        if (typeof image === "string" && image.startsWith("localhost/")) {
            delete result["quorum:image"];
        }
    } else if (result["quorum:image"] === undefined && typeof engine === "string") {
        const image = imageFor(engine);
        if (image !== undefined) result["quorum:image"] = image;
    }
    if (wishes.addon !== undefined) result["quorum:addons"] = [wishes.addon];
    if (wishes.platform === "gke" && result["quorum:platform"] !== "gke") {
        Object.assign(result, ON_GKE);
    }
    const tools = toolsImage(result, isSandbox);
    delete result["quorum:toolsImage"];
    if (tools !== undefined) result["quorum:toolsImage"] = tools;
    const kine = kineSettings(result, isSandbox);
    if (kine === undefined) {
        delete result["quorum:kine"];
    } else {
        result["quorum:kine"] = kine;
    }
    return result;
}

const BASE_MARK = "base.sha256";

/**
 * Writes this machine's copy of the stack's configuration. The checked-in file is never touched;
 * when it changes, the copy starts again from it. Until then what was set stays set.
 */
function writeConfig(target: Target, wishes: Wishes): void {
    const project = projectDirectory(target);
    mkdirSync(project, { recursive: true });
    copyFileSync(join(programDirectory, "Pulumi.yaml"), join(project, "Pulumi.yaml"));
    const checkedIn = join(programDirectory, `Pulumi.${STACK}.yaml`);
    const hash = createHash("sha256").update(readFileSync(checkedIn)).digest("hex");
    const mark = join(project, BASE_MARK);
    const present = readConfigFile(configFile(target));
    const isCurrent = existsSync(mark) && readFileSync(mark, "utf8") === hash;
    const base = isCurrent ? present : { ...present, config: readConfigFile(checkedIn).config };
    const config = applyWishes(base.config ?? {}, wishes, target.isSandbox);
    writeFileSync(configFile(target), stringify({ ...base, config }));
    writeFileSync(mark, hash);
}

/** The environment of the CLI and of every command that we print or run for the user. */
export interface Toolbox {
    readonly pulumi: string;
    readonly env: Record<string, string>;
    readonly standIns: readonly string[];
}

/** Prepares the CLI for a target; kubectl of the sandbox is first on PATH. */
export async function openToolbox(target: Target): Promise<Toolbox> {
    const prepared = await preparePulumi({
        stateDir: stackDirectory(target),
        // Outlives the stack, as disks do that are kept; it goes with the sandbox.
        ...(target.isSandbox && { cloud: cloudDirectory() }),
    });
    const path = prepared.env["PATH"] ?? process.env["PATH"] ?? "";
    const kubectl = isBuilt("kubernetes") ? `${dirname(binary("kubernetes", "kubectl"))}:` : "";
    return {
        ...prepared,
        env: {
            ...prepared.env,
            PATH: `${kubectl}${path}`,
            KUBECONFIG: target.kubeconfig,
            PULUMI_STACK: STACK,
        },
    };
}

/** The processes that hold the stack's lock, from the file backend's lock files. */
function lockHolders(target: Target): number[] {
    const folder = join(stackDirectory(target), "stacks", ".pulumi", "locks");
    if (!existsSync(folder)) return [];
    return (
        readdirSync(folder, { recursive: true, encoding: "utf8" })
            // .../PROJECT/STACK/ID.json: locks of other stacks are none of our business.
            .filter((name) => basename(dirname(name)) === STACK && name.endsWith(".json"))
            .map((name) => {
                const lock = JSON.parse(readFileSync(join(folder, name), "utf8")) as {
                    pid: number;
                };
                return lock.pid;
            })
    );
}

/** An update that was killed leaves its lock; one whose holder is gone is taken away. */
async function releaseDeadLock(target: Target, tools: Toolbox): Promise<void> {
    const holders = lockHolders(target);
    if (holders.length === 0) return;
    const living = holders.find((pid) => identify(pid) !== undefined);
    if (living !== undefined) {
        throw new SandboxError(
            `Another Pulumi command (pid ${living}) works on the ${STACK} stack; wait for it or end it.`,
        );
    }
    await run(tools.pulumi, ["cancel", "--yes"], {
        cwd: projectDirectory(target),
        env: tools.env,
    });
}

interface Resource {
    readonly urn: string;
    readonly type: string;
    readonly id?: string;
    readonly inputs?: TreeObject;
}

interface Deployment {
    readonly resources?: readonly Resource[];
    readonly pending_operations?: readonly { readonly type: string; readonly resource: Resource }[];
}

async function deploymentOf(target: Target, tools: Toolbox): Promise<Deployment> {
    const text = await run(tools.pulumi, ["stack", "export"], {
        cwd: projectDirectory(target),
        env: tools.env,
    });
    return (JSON.parse(text) as { deployment?: Deployment }).deployment ?? {};
}

/** Makes the stack and its configuration, and repairs what an interrupted update left. */
export async function openStack(target: Target, tools: Toolbox, wishes: Wishes): Promise<void> {
    writeConfig(target, wishes);
    const options = { cwd: projectDirectory(target), env: tools.env };
    // Selecting would write to the checkout's own settings; PULUMI_STACK selects without that.
    const stacks = JSON.parse(await run(tools.pulumi, ["stack", "ls", "--json"], options)) as {
        name: string;
    }[];
    if (!stacks.some(({ name }) => name === STACK || name.endsWith(`/${STACK}`))) {
        await run(tools.pulumi, ["stack", "init", STACK, "--no-select"], options);
    }
    await releaseDeadLock(target, tools);
}

/** Runs the CLI in the foreground; the user's Ctrl-C goes to it, and we wait for its good end. */
async function runInForeground(
    program: string,
    args: readonly string[],
    options: { cwd: string; env: Record<string, string> },
): Promise<void> {
    const ignore = () => undefined;
    process.on("SIGINT", ignore);
    try {
        const done = await execa(program, args, { ...options, stdio: "inherit", reject: false });
        if (done.failed) {
            const how = done.exitCode === undefined ? "was ended" : `ended with ${done.exitCode}`;
            throw new SandboxError(`"pulumi ${args[0] ?? ""}" ${how}; what it said is above.`);
        }
    } finally {
        process.off("SIGINT", ignore);
    }
}

/** `pulumi ARGS` for a target, with its configuration. */
export async function runPulumi(
    target: Target,
    tools: Toolbox,
    args: readonly string[],
): Promise<void> {
    const runsProgram = RUNS_PROGRAM.has(args[0] ?? "");
    await runInForeground(
        tools.pulumi,
        runsProgram ? [...args, "--config-file", configFile(target)] : args,
        { cwd: runsProgram ? programDirectory : projectDirectory(target), env: tools.env },
    );
}

/** The provider's id of what was being made when an update was cut off; undefined when only Google knows it. */
export function pendingId({ type, inputs = {} }: Resource): string | undefined {
    if (type.startsWith("gcp:")) return idFromInputs(type, inputs);
    if (!type.startsWith("kubernetes:") || textAt(inputs, "metadata", "name") === "") {
        return undefined;
    }
    return idOf(inputs);
}

/**
 * After an update that was killed, Pulumi does not know whether what it was creating exists. We name
 * the objects, so that it can look; the rest it forgets and makes again.
 */
async function settlePending(target: Target, tools: Toolbox): Promise<void> {
    const { pending_operations: pending = [] } = await deploymentOf(target, tools);
    if (pending.length === 0) return;
    const known = pending
        .filter(({ type }) => type === "creating")
        .flatMap(({ resource }) => {
            const id = pendingId(resource);
            return id === undefined ? [] : [resource.urn, id];
        });
    await runPulumi(target, tools, [
        ...["refresh", "--yes", "--skip-preview", "--clear-pending-creates"],
        ...known.map((text) => `--import-pending-creates=${text}`),
    ]);
}

/**
 * After `make down` the disks and passwords are still there (`storage.onDelete: keep`), and a stack
 * that does not know them would refuse to make them again. In the sandbox we answer for the user:
 * take them over.
 */
async function adoptWhatWasKept(target: Target, tools: Toolbox): Promise<void> {
    const file = readConfigFile(configFile(target));
    const config = file.config ?? {};
    if (!target.isSandbox || config["quorum:adopt"] !== undefined) return;
    const name = config["quorum:name"];
    if (typeof name !== "string") return;
    const kept =
        config["quorum:platform"] === "gke"
            ? passwordsInCloud(name)
            : await passwordsInKubernetes(name, config["quorum:namespace"], tools);
    const { resources = [] } = await deploymentOf(target, tools);
    if (kept === undefined || resources.some(({ id }) => id === kept)) return;
    console.log(`Takes over what an earlier stack kept of ${name}: its disks and its passwords.`);
    writeFileSync(
        configFile(target),
        stringify({ ...file, config: { ...config, "quorum:adopt": true } }),
    );
}

/** Id of the Secret with a cluster's passwords, where there is one. */
async function passwordsInKubernetes(
    name: string,
    wished: unknown,
    tools: Toolbox,
): Promise<string | undefined> {
    const namespace = typeof wished === "string" ? wished : name;
    const secret = `${name}-credentials`;
    const found = await run(
        "kubectl",
        [
            ...["get", "secret", secret, "--namespace", namespace],
            ...["--ignore-not-found", "--output=name"],
        ],
        { env: tools.env },
    );
    return found === "" ? undefined : `${namespace}/${secret}`;
}

/** The same of the cloud's secrets: its Kubernetes is gone with the stack. */
function passwordsInCloud(name: string): string | undefined {
    const id = `projects/${CLOUD_PROJECT}/secrets/quorum-${name}-credentials`;
    return existsSync(join(cloudDirectory(), `${id}.json`)) ? id : undefined;
}

/** `pulumi up`, also after an update that was cut off, and after `down`. */
export async function bringUp(target: Target, tools: Toolbox): Promise<void> {
    await settlePending(target, tools);
    await adoptWhatWasKept(target, tools);
    await runPulumi(target, tools, ["up", "--yes", "--skip-preview"]);
}

/** True when the target has a stack at all. */
export function hasStack(target: Target): boolean {
    return existsSync(configFile(target));
}

/** The stack's outputs; secrets stay hidden. */
export async function stackOutputs(
    target: Target,
    tools: Toolbox,
): Promise<Record<string, unknown>> {
    const text = await run(tools.pulumi, ["stack", "output", "--json"], {
        cwd: projectDirectory(target),
        env: tools.env,
    });
    return JSON.parse(text) as Record<string, unknown>;
}

/** A shell command line in the foreground, with kubectl and KUBECONFIG. */
export async function runCommandLine(line: string, tools: Toolbox): Promise<void> {
    const done = await execa("bash", ["-c", line], {
        stdio: "inherit",
        reject: false,
        env: tools.env,
    });
    if (done.failed)
        throw new SandboxError(`The client ended with ${done.exitCode ?? "a signal"}.`);
}
