// The program's process: the SDK's own runner, as the Pulumi CLI starts it. It always ends.

import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { Readable } from "node:stream";
import type { StackIdentity } from "./urn.js";
import type { Project } from "./project.js";

/** How long a program may take to notice that its engine has shut down. */
const NOTICE_MILLISECONDS = 10_000;

export interface ChildOptions {
    project: Project;
    at: StackIdentity;
    address: string;
    preview: boolean;
    config: Readonly<Record<string, string>>;
    secretKeys: readonly string[];
    environment: Readonly<Record<string, string>>;
    timeout: number;
    reportLoaded: boolean;
}

export interface ChildResult {
    exitCode: number;
    stdout: string;
    stderr: string;
    timedOut: boolean;
    /** As JSON; "" where it was not asked for. */
    loadedFiles: string;
}

export const NOTHING_HAPPENED: ChildResult = {
    exitCode: 0,
    stdout: "",
    stderr: "",
    timedOut: false,
    loadedFiles: "",
};

/** Programs that run now. None outlives this process. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
    for (const child of running) {
        child.kill("SIGKILL");
    }
});

/** Runs the program to its end. `engineFailed` tells whether the engine has given up on it. */
export async function runChild(
    options: ChildOptions,
    engineFailed: () => boolean,
): Promise<ChildResult> {
    const child = spawn(process.execPath, argumentsOf(options), {
        cwd: options.project.directory,
        env: environmentOf(options),
        stdio: ["ignore", "pipe", "pipe", options.reportLoaded ? "pipe" : "ignore"],
    });
    running.add(child);
    const result = { ...NOTHING_HAPPENED };
    collect(child.stdout, (text) => (result.stdout += text));
    collect(child.stderr, (text) => (result.stderr += text));
    collect(child.stdio[3], (text) => (result.loadedFiles += text));
    const stop = endInTime(child, options.timeout, engineFailed, () => {
        result.timedOut = true;
    });
    try {
        result.exitCode = await new Promise<number>((resolve, reject) => {
            child.on("error", reject);
            child.on("close", (code) => {
                resolve(code ?? 255);
            });
        });
    } finally {
        stop();
        running.delete(child);
    }
    return result;
}

function collect(stream: unknown, onText: (text: string) => void): void {
    if (stream instanceof Readable) {
        stream.setEncoding("utf8").on("data", onText);
    }
}

function argumentsOf({ project, at, address, preview, reportLoaded }: ChildOptions): string[] {
    const runner = createRequire(import.meta.url).resolve("@pulumi/pulumi/cmd/run");
    const beside = (file: string) => ["--import", new URL(file, import.meta.url).href];
    return [
        ...project.nodeArgs,
        ...(project.typescript ? beside("./load-typescript.mjs") : []),
        ...(reportLoaded ? beside("./report-loaded.mjs") : []),
        runner,
        ...["--monitor", address, "--engine", address],
        ...["--project", at.project, "--stack", at.stack, "--organization", "organization"],
        ...["--root-directory", project.root, "--pwd", project.directory, "--parallel", "16"],
        ...(preview ? ["--dry-run"] : []),
        project.entryPoint,
    ];
}

function environmentOf(options: ChildOptions): NodeJS.ProcessEnv {
    // Not the test runner's environment: a program must not find an ambient kubeconfig or loader.
    return {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        NODE_OPTIONS: `--import ${new URL("./quick-start.mjs", import.meta.url).href}`,
        PULUMI_CONFIG: JSON.stringify(options.config),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(options.secretKeys),
        ...options.environment,
    };
}

/** Kills a program that outlasts its time, or that stays when its engine has shut down. */
function endInTime(
    child: ChildProcess,
    timeout: number,
    engineFailed: () => boolean,
    onTimeout: () => void,
): () => void {
    const started = Date.now();
    let failedAt: number | undefined;
    const watch = setInterval(() => {
        const now = Date.now();
        failedAt ??= engineFailed() ? now : undefined;
        if (now - started > timeout) {
            onTimeout();
            child.kill("SIGKILL");
        } else if (failedAt !== undefined && now - failedAt > NOTICE_MILLISECONDS) {
            child.kill("SIGKILL");
        }
    }, 100);
    return () => {
        clearInterval(watch);
    };
}
