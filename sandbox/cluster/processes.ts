// Starts, finds and ends the parts of the sandbox: the hub, the nodes, the cloud. Each part is one process; hub and nodes
// hold a pid namespace, so everything in them ends with it.

import { openSync, closeSync, readFileSync, rmSync } from "node:fs";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { SandboxError } from "../failure.js";
import { childrenOf, identify, isAlive, type ProcessIdentity } from "../process-identity.js";
import { systemGroupFolders } from "./cgroups.js";
import type { Sandbox } from "./plan.js";

const START_PATIENCE_MILLISECONDS = 10_000;
const END_PATIENCE_MILLISECONDS = 20_000;
const POLL_MILLISECONDS = 20;

const scripts = dirname(fileURLToPath(import.meta.url));

/** A part: where it lives and what it runs. */
export interface Part {
    readonly name: string;
    /** The one that it belongs to. */
    readonly sandbox: Sandbox;
    /** The network namespace that it enters; undefined: it stays in the namespaces of this machine, all of them. */
    readonly namespace?: string;
    readonly directory: string;
    /** A script beside this file. */
    readonly script: string;
    readonly env: Readonly<Record<string, string>>;
}

type PartPlace = Pick<Part, "directory">;

function recordFile(part: PartPlace): string {
    return join(part.directory, "process");
}

function recordOf(part: PartPlace): ProcessIdentity | undefined {
    const [boot, stat] = powerOnOf(part)?.split("\n") ?? [];
    if (stat === undefined) return undefined;
    const startTicks = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    if (startTicks === undefined) return undefined;
    return { boot: boot!, pid: Number.parseInt(stat, 10), startTicks };
}

/** True while the part has power. */
export function isRunning(part: PartPlace): boolean {
    const record = recordOf(part);
    return record !== undefined && isAlive(record) && childrenOf(record.pid).length > 0;
}

/** The first process inside the part's namespaces, to enter them; undefined without power. */
export function firstProcessOf(part: PartPlace): number | undefined {
    const record = recordOf(part);
    if (record === undefined || !isAlive(record)) return undefined;
    return childrenOf(record.pid)[0];
}

/** By this one power-on of the part is told from another, also where its processes are not seen; undefined without power. */
export function powerOnOf(part: PartPlace): string | undefined {
    try {
        return readFileSync(recordFile(part), "utf8");
    } catch {
        return undefined;
    }
}

/** The pid of a program of a part, as the part's own namespace numbers it. */
export function innerPidOf(part: PartPlace, program: string): number {
    return Number(readFileSync(join(part.directory, "pids", program), "utf8"));
}

/** The command by which a part comes to its namespaces. */
function namespacesOf({ namespace }: Part): string[] {
    if (namespace === undefined) return ["unshare", "--fork", "--kill-child"];
    return [
        // Not `ip netns exec`, which would hide the control groups.
        ...["nsenter", `--net=/run/netns/${namespace}`],
        // The hub is to see also network namespaces that are made (and mounted) after it.
        ...["unshare", "--mount", "--propagation", "slave", "--uts", "--ipc", "--pid"],
        ...["--fork", "--kill-child", "--mount-proc"],
    ];
}

/** Powers the part on. Its output goes to `log/init.log`. */
export async function powerOnPart(part: Part): Promise<void> {
    rmSync(recordFile(part), { force: true });
    const log = openSync(join(part.directory, "log", "init.log"), "a");
    try {
        spawn(
            join(scripts, "launch.sh"),
            [
                ...[recordFile(part), systemGroupFolders(part.sandbox).join(":")],
                ...namespacesOf(part),
                join(scripts, part.script),
            ],
            {
                detached: true,
                stdio: ["ignore", log, log],
                cwd: "/",
                env: {
                    PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`,
                    HOME: "/root",
                    LANG: "C.UTF-8",
                    RUN_DIRECTORY: part.directory,
                    ...part.env,
                },
            },
        ).unref();
    } finally {
        closeSync(log);
    }
    const end = Date.now() + START_PATIENCE_MILLISECONDS;
    while (!isRunning(part)) {
        if (Date.now() > end) {
            throw new SandboxError(
                `The ${part.name} of ${part.sandbox.name} did not start; see ${join(part.directory, "log")}.`,
            );
        }
        await sleep(POLL_MILLISECONDS);
    }
}

/** Cuts the part's power: every process in it dies at once. Waits until they are gone. */
export async function powerOffPart(part: PartPlace): Promise<void> {
    const record = recordOf(part);
    const first = firstProcessOf(part);
    const inside = first === undefined ? undefined : identify(first);
    if (record !== undefined && isAlive(record)) process.kill(record.pid, "SIGKILL");
    const end = Date.now() + END_PATIENCE_MILLISECONDS;
    for (const one of [record, inside]) {
        while (one !== undefined && isAlive(one)) {
            if (Date.now() > end) {
                throw new SandboxError(`Process ${one.pid} of the sandbox does not end.`);
            }
            await sleep(POLL_MILLISECONDS);
        }
    }
    rmSync(recordFile(part), { force: true });
}
