// One run of a program: a node process that is driven by the SDK's own cmd/run.

import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { PluginError } from "../grpc-handler.js";
import type { RuntimeOptions } from "./options.js";

/** How the SDK says "I have told the user what is wrong already". */
const EXIT_ALREADY_REPORTED = 32;

/** As long as the real language host waits between asking and killing. */
const KILL_AFTER_MILLISECONDS = 5000;

export interface ProgramRun {
    readonly programDirectory: string;
    readonly rootDirectory: string;
    readonly entryPoint: string;
    readonly monitor: string;
    readonly engine: string;
    readonly organization: string;
    readonly project: string;
    readonly stack: string;
    readonly parallel: number;
    readonly dryRun: boolean;
    readonly config: Readonly<Record<string, string>>;
    readonly configSecretKeys: readonly string[];
    readonly arguments: readonly string[];
    readonly options: RuntimeOptions;
}

export interface ProgramEnd {
    /** Empty when the program ended well, or when it has told the user itself. */
    readonly error: string;
    readonly bail: boolean;
}

/** The SDK that the program uses, not the one beside this script. */
function sdkRunner(programDirectory: string): string {
    try {
        return createRequire(join(programDirectory, "noop.js")).resolve("@pulumi/pulumi/cmd/run");
    } catch {
        throw new PluginError(
            `It looks like the Pulumi SDK has not been installed: @pulumi/pulumi was not found from ${programDirectory}. Have you run "npm install"?`,
        );
    }
}

function argumentsOf(run: ProgramRun): string[] {
    const named: Record<string, string> = {
        monitor: run.monitor,
        engine: run.engine,
        organization: run.organization,
        project: run.project,
        "root-directory": run.rootDirectory,
        stack: run.stack,
        pwd: run.programDirectory,
        parallel: String(run.parallel),
    };
    const flags = Object.entries(named).flatMap(([name, value]) =>
        value === "" ? [] : [`--${name}`, value],
    );
    if (run.dryRun) flags.push("--dry-run");
    return [...flags, run.entryPoint === "" ? "." : run.entryPoint, ...run.arguments];
}

function environmentOf(run: ProgramRun): NodeJS.ProcessEnv {
    // The engine writes NAMESPACE:NAME or NAMESPACE:config:NAME, the SDK reads the second form.
    const config = Object.entries(run.config).map(([key, value]) => {
        const parts = key.split(":");
        return [parts.length === 2 ? `${parts[0]}:config:${parts[1]}` : key, value];
    });
    const env: NodeJS.ProcessEnv = {
        ...process.env,
        PULUMI_CONFIG: JSON.stringify(Object.fromEntries(config)),
        PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(run.configSecretKeys),
    };
    if (run.options.typescript) env["PULUMI_NODEJS_TYPESCRIPT"] = "true";
    if (run.options.tsconfig !== undefined) {
        env["PULUMI_NODEJS_TSCONFIG_PATH"] = run.options.tsconfig;
    }
    return env;
}

function endOf(code: number | null, signal: NodeJS.Signals | null): ProgramEnd {
    if (code === 0) return { error: "", bail: false };
    if (code === EXIT_ALREADY_REPORTED) return { error: "", bail: true };
    const how = signal === null ? `with non-zero exit code: ${code}` : `on signal ${signal}`;
    const memory =
        signal === "SIGABRT" || code === 134
            ? " Node.js may have run out of memory: set nodeargs: --max-old-space-size=... under runtime.options in Pulumi.yaml."
            : "";
    return { error: `Program exited ${how}.${memory}`, bail: false };
}

/** The programs that run now, so that a cancel or the end of the CLI leaves none behind. */
export class ProgramRunner {
    readonly #children = new Set<ChildProcess>();

    async run(run: ProgramRun): Promise<ProgramEnd> {
        const runner = sdkRunner(run.programDirectory);
        const child = spawn(
            process.execPath,
            [...run.options.nodeArguments, runner, ...argumentsOf(run)],
            { env: environmentOf(run), stdio: ["ignore", "pipe", "pipe"] },
        );
        this.#children.add(child);
        child.stdout.pipe(process.stdout, { end: false });
        child.stderr.pipe(process.stderr, { end: false });
        try {
            return await new Promise<ProgramEnd>((resolve, reject) => {
                child.on("error", reject);
                // "close", not "exit": everything the program has printed comes before its result.
                child.on("close", (code, signal) => resolve(endOf(code, signal)));
            });
        } finally {
            this.#children.delete(child);
        }
    }

    /** Asks every running program to stop and kills those that do not. */
    cancel(): void {
        for (const child of this.#children) {
            child.kill("SIGINT");
            setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MILLISECONDS).unref();
        }
    }

    /** For the end of this process: there is no time left to ask. */
    kill(): void {
        for (const child of this.#children) child.kill("SIGKILL");
    }
}
