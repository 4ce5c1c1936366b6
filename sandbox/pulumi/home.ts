// A PULUMI_HOME and an environment in which the Pulumi CLI works on this machine: with Pulumi's own
// plugins where they are there or can be downloaded, with the sandbox's stand-ins where not.

import { execa } from "execa";
import { randomBytes } from "node:crypto";
import {
    accessSync,
    constants,
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join, resolve } from "node:path";
import { Cloud } from "../cloud/store.js";
import { cloudEnvironment } from "../cloud/environment.js";
import { SandboxError } from "../failure.js";
import { withLock } from "../lock.js";
import { cacheDirectory, stateDirectory } from "../places.js";
import { pulumiBinary } from "../tools.js";
import {
    GOOGLE,
    GOOGLE_LOGIN,
    installStandIn,
    LANGUAGE_HOST,
    RESOURCE_PLUGINS,
    sourceHash,
    standInVersion,
    writeWrapper,
    type StandIn,
} from "./stand-ins.js";

/** Long enough to hear from a server that is there; a plugin of 50 MB may need more on a slow line. */
const DOWNLOAD_TIMEOUT_MILLISECONDS = 60_000;

/** A machine that reaches no server at all must not wait a minute to learn it. */
const CONNECT_TIMEOUT_MILLISECONDS = 5_000;

export interface PulumiOptions {
    /** PULUMI_HOME; a folder in the cache by default, named after the stand-ins' sources. */
    readonly home?: string;
    /** Where stacks and the passphrase are kept; in the sandbox's state by default. */
    readonly stateDir?: string;
    /**
     * The directory that stands in for Google Cloud (sandbox/cloud). With it Google's provider and
     * login are the stand-ins, whatever else is there: nothing is ever made on Google Cloud by it.
     */
    readonly cloud?: string;
}

export interface PreparedPulumi {
    /** The CLI. */
    readonly pulumi: string;
    /** What must be added to the environment of every call of the CLI. */
    readonly env: Record<string, string>;
    /** One name per stand-in in use, to be shown to the user; empty where everything is Pulumi's own. */
    readonly standIns: string[];
}

function isExecutable(file: string): boolean {
    try {
        accessSync(file, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}

function findOnPath(name: string): string | undefined {
    const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
    return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** Stand-ins only, whatever else is there: for the tests of the stand-ins. */
function standInsAreForced(): boolean {
    return process.env["QUORUM_STANDINS"] === "1";
}

function pluginFolder(home: string, plugin: StandIn): string {
    return join(home, "plugins", `${plugin.name}-v${standInVersion(plugin)}`);
}

/** Pulumi's own plugin of the wanted version in the user's PULUMI_HOME. */
function installedPlugin(plugin: StandIn): string | undefined {
    const userHome = process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi");
    const file = join(pluginFolder(userHome, plugin), plugin.executable);
    return isExecutable(file) ? file : undefined;
}

/** Lets the CLI fetch a plugin, once per cache: a machine without internet is not asked twice. */
async function download(pulumi: string, home: string, plugin: StandIn): Promise<boolean> {
    const version = standInVersion(plugin);
    const failed = cacheDirectory("pulumi-not-downloadable", `${plugin.name}-v${version}`);
    if (existsSync(failed)) return false;
    const started = Date.now();
    const run = execa(
        pulumi,
        ["plugin", "install", "resource", plugin.name.replace("resource-", ""), `v${version}`],
        {
            reject: false,
            all: true,
            stdin: "ignore",
            timeout: DOWNLOAD_TIMEOUT_MILLISECONDS,
            env: { PULUMI_HOME: home, PULUMI_SKIP_UPDATE_CHECK: "true" },
        },
    );
    // The CLI retries for a long time; until something arrives there is nothing worth waiting for.
    const impatience = setInterval(() => {
        const arriving = existsSync(pluginFolder(home, plugin));
        if (!arriving && Date.now() - started > CONNECT_TIMEOUT_MILLISECONDS) run.kill();
    }, 500);
    const result = await run;
    clearInterval(impatience);
    if (result.exitCode === 0) return true;
    mkdirSync(dirname(failed), { recursive: true });
    writeFileSync(failed, `${result.all}\n`);
    return false;
}

/** True when a stand-in had to be used. */
async function provideResourcePlugin(
    pulumi: string,
    home: string,
    plugin: StandIn,
): Promise<boolean> {
    const executable = join(pluginFolder(home, plugin), plugin.executable);
    if (!standInsAreForced()) {
        if (findOnPath(plugin.executable) !== undefined) return false;
        const installed = installedPlugin(plugin);
        if (installed !== undefined) {
            // A script of ours and not a link: the CLI skips links when it lists its plugins.
            if (resolve(installed) !== resolve(executable)) writeWrapper(executable, [installed]);
            return false;
        }
        if (await download(pulumi, home, plugin)) return false;
    }
    await installStandIn(plugin, executable, join(home, "stand-ins"));
    return true;
}

async function provideLanguageHost(pulumi: string, home: string): Promise<boolean> {
    if (!standInsAreForced()) {
        const beside = isAbsolute(pulumi) ? dirname(pulumi) : undefined;
        if (beside !== undefined && isExecutable(join(beside, LANGUAGE_HOST.executable))) {
            return false;
        }
        if (findOnPath(LANGUAGE_HOST.executable) !== undefined) return false;
    }
    // Under plugins/ and not on PATH: for what is on PATH the CLI prints a warning at every run.
    const executable = join(pluginFolder(home, LANGUAGE_HOST), LANGUAGE_HOST.executable);
    await installStandIn(LANGUAGE_HOST, executable, join(home, "stand-ins"));
    return true;
}

const HOME_PREFIX = "pulumi-home-";

/** What is in a home is written down when it is whole, so that the next run has nothing to do. */
const READY = "ready.json";

/** Where what kubeconfigs run is put; first on PATH with the sandbox's cloud. */
function toolsIn(home: string): string {
    return join(home, "bin");
}

async function provideGoogle(home: string): Promise<string[]> {
    const bundles = join(home, "stand-ins");
    await installStandIn(GOOGLE, join(pluginFolder(home, GOOGLE), GOOGLE.executable), bundles);
    await installStandIn(GOOGLE_LOGIN, join(toolsIn(home), GOOGLE_LOGIN.executable), bundles);
    return [GOOGLE.name, GOOGLE_LOGIN.name];
}

async function provideAll(pulumi: string, home: string, google: boolean): Promise<string[]> {
    const ready = join(home, READY);
    const key = JSON.stringify([sourceHash(), standInsAreForced(), pulumi, process.execPath]);
    if (existsSync(ready)) {
        const before = JSON.parse(readFileSync(ready, "utf8")) as {
            key: string;
            standIns: string[];
        };
        if (before.key === key) {
            utimesSync(ready, new Date(), new Date());
            return before.standIns;
        }
    }
    const standIns: string[] = [];
    if (await provideLanguageHost(pulumi, home)) standIns.push(LANGUAGE_HOST.name);
    for (const plugin of RESOURCE_PLUGINS) {
        if (await provideResourcePlugin(pulumi, home, plugin)) standIns.push(plugin.name);
    }
    if (google) standIns.push(...(await provideGoogle(home)));
    writeFileSync(ready, JSON.stringify({ key, standIns }));
    if (dirname(home) === cacheDirectory()) removeOldHomes(home);
    return standIns;
}

/** Homes of older stand-ins are kept for as long as somebody may still be running from them. */
const KEEP_OTHER_HOMES_MILLISECONDS = 2 * 24 * 60 * 60 * 1000;

function removeOldHomes(current: string): void {
    const used = (folder: string) => {
        try {
            return statSync(join(folder, READY)).mtimeMs;
        } catch {
            // Being made right now, or given up half-way: its own age counts.
            return statSync(folder).mtimeMs;
        }
    };
    for (const name of readdirSync(cacheDirectory())) {
        const folder = cacheDirectory(name);
        if (!name.startsWith(HOME_PREFIX) || folder === current) continue;
        if (Date.now() - used(folder) > KEEP_OTHER_HOMES_MILLISECONDS) {
            rmSync(folder, { recursive: true, force: true });
        }
    }
}

/** The sandbox's own passphrase: made once, and readable by its user only. */
function passphraseIn(directory: string): string {
    const file = join(directory, "passphrase");
    if (!existsSync(file)) {
        try {
            // "wx": of two runs that start at once, one makes it and the other reads it.
            writeFileSync(file, randomBytes(32).toString("hex"), { mode: 0o600, flag: "wx" });
        } catch (error) {
            if (!existsSync(file)) throw error;
        }
    }
    return readFileSync(file, "utf8").trim();
}

async function findPulumi(): Promise<string> {
    const pulumi = await pulumiBinary();
    if (isAbsolute(pulumi) && !isExecutable(pulumi)) {
        throw new SandboxError(
            `There is no Pulumi CLI on PATH, and none in the cache at ${pulumi}: build the sandbox's tools first.`,
        );
    }
    return pulumi;
}

/**
 * Prepares everything that the Pulumi CLI needs. The second call finds all of it in the cache.
 *
 * @example
 *   const { pulumi, env, standIns } = await preparePulumi();
 *   for (const name of standIns) console.log(`stand-in: ${name}`);
 *   await execa(pulumi, ["up", "--yes", "--stack", "dev"], { env });
 */
export async function preparePulumi(options: PulumiOptions = {}): Promise<PreparedPulumi> {
    const pulumi = await findPulumi();
    const { cloud } = options;
    // A home of its own: in any other one the stand-in would be taken for Google's provider.
    const suffix = `${standInsAreForced() ? "-stand-ins" : ""}${cloud === undefined ? "" : "-cloud"}`;
    const home = options.home ?? cacheDirectory(`${HOME_PREFIX}${sourceHash()}${suffix}`);
    const state = options.stateDir ?? stateDirectory("pulumi");
    const backend = join(resolve(state), "stacks");
    mkdirSync(home, { recursive: true });
    mkdirSync(backend, { recursive: true });
    const standIns = await withLock(join(home, "prepare.lock"), () =>
        provideAll(pulumi, home, cloud !== undefined),
    );
    const folders = [
        ...(cloud === undefined ? [] : [toolsIn(home)]),
        ...(isAbsolute(pulumi) ? [dirname(pulumi)] : []),
    ];
    return {
        pulumi,
        standIns,
        env: {
            PULUMI_HOME: home,
            PULUMI_BACKEND_URL: `file://${backend}`,
            PULUMI_CONFIG_PASSPHRASE: passphraseIn(state),
            PULUMI_SKIP_UPDATE_CHECK: "true",
            PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
            PULUMI_CREDENTIAL_STORE: "plaintext",
            PATH: [...folders, process.env["PATH"] ?? ""].join(delimiter),
            ...(cloud === undefined ? {} : cloudEnvironment(new Cloud(cloud))),
        },
    };
}
