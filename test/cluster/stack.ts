// A stack of a test: the real program, the real CLI and the sandbox's Kubernetes, with a configuration of its own that
// never touches the checked-in files.
import { execa } from "execa";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { stringify } from "yaml";
import { TOOLS_IMAGE } from "../../sandbox/images/tools.js";
import { preparePulumi, type PreparedPulumi } from "../../sandbox/pulumi/home.js";
import { eventually, type Namespace } from "./kubernetes.js";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** Configuration of a cluster, below the namespace `quorum`. */
export type Config = Record<string, unknown>;

/** Local disks on the sandbox's nodes. */
export const LOCAL_STORAGE = {
    driver: "local",
    nodes: { a: ["a1", "a2"], b: ["b1", "b2"], c: ["c1", "c2"] },
} as const;

/** What a Pulumi command printed, and how it ended. */
export interface Result {
    readonly exitCode: number;
    readonly output: string;
    /** In milliseconds. */
    readonly duration: number;
}

/** One stack. */
export class Stack {
    private constructor(
        private readonly name: string,
        private readonly folder: string,
        private readonly pulumi: PreparedPulumi,
        private readonly kubeconfig: string,
    ) {}

    /** Opens a stack, whether it exists or not. With the directory of the cloud's stand-in, it may be on platform gke. */
    public static async open(name: string, kubeconfig: string, cloud?: string): Promise<Stack> {
        const folder = mkdtempSync(path.join(tmpdir(), "quorum-test-"));
        const pulumi = await preparePulumi({ ...(cloud !== undefined && { cloud }) });
        const stack = new Stack(name, folder, pulumi, kubeconfig);
        stack.configure({});
        // The CLI keeps the stack's salt beside the program. That of an interrupted run is of no use: the stack it
        // belonged to may be gone with its sandbox.
        rmSync(path.join(ROOT, `Pulumi.${name}.yaml`), { force: true });
        await stack.select();
        // Nobody else works on a test's stack: a lock is left over from a run that was killed.
        await stack.run(["cancel", "--yes"]);
        return stack;
    }

    private async select(): Promise<void> {
        const selected = await this.run(["stack", "select", "--create", this.name]);
        if (selected.exitCode !== 0) {
            throw new Error(`the stack ${this.name} cannot be opened\n${selected.output}`);
        }
    }

    /** Forgets all resources, whether they are gone or not, and starts anew. */
    public async reset(): Promise<void> {
        await this.run(["stack", "rm", "--yes", "--force", this.name]);
        await this.select();
    }

    /** Applies a configuration. */
    public async up(config: Config, ...options: string[]): Promise<Result> {
        this.configure(config);
        return this.run(["up", "--yes", "--skip-preview", ...options]);
    }

    /**
     * Begins an update and kills it, with every process of it, as a machine that dies would: when `isSo`. The stack is
     * unlocked after that; what the update had made is left as it is.
     */
    public async killedUp(config: Config, isSo: () => Promise<boolean>): Promise<void> {
        this.configure(config);
        const { command, options } = this.command(["up", "--yes", "--skip-preview"]);
        const update = execa(this.pulumi.pulumi, command, { ...options, detached: true });
        try {
            await eventually("the update to come so far", 120, isSo);
        } finally {
            for (const pid of processesOfSession(update.pid!)) {
                process.kill(pid, "SIGKILL");
            }
            await update;
        }
        await this.run(["cancel", "--yes"]);
    }

    /** Previews a configuration. */
    public async preview(config: Config, ...options: string[]): Promise<Result> {
        this.configure(config);
        return this.run(["preview", ...options]);
    }

    /** Compares the state with what is there. */
    public async refresh(...options: string[]): Promise<Result> {
        return this.run(["refresh", "--yes", "--skip-preview", ...options]);
    }

    public async destroy(): Promise<Result> {
        return this.run(["destroy", "--yes", "--skip-preview"]);
    }

    /** Forgets the stack; its resources must be gone. */
    public async remove(): Promise<void> {
        await this.run(["stack", "rm", "--yes", "--force", this.name]);
        rmSync(this.folder, { recursive: true, force: true });
    }

    /** The outputs, secrets readable. */
    public async outputs(): Promise<Record<string, unknown>> {
        const { stdout } = await execa(
            this.pulumi.pulumi,
            ["stack", "output", "--json", "--show-secrets", ...this.selection()],
            {
                cwd: ROOT,
                env: this.environment(),
            },
        );
        return JSON.parse(stdout) as Record<string, unknown>;
    }

    private configure(config: Config): void {
        const keyed = Object.fromEntries(
            Object.entries({ toolsImage: TOOLS_IMAGE, ...config }).map(([key, value]) => [
                `quorum:${key}`,
                value,
            ]),
        );
        writeFileSync(
            this.configFile(),
            stringify({ config: { "pulumi:disable-default-providers": ["kubernetes"], ...keyed } }),
        );
    }

    private configFile(): string {
        return path.join(this.folder, "Pulumi.test.yaml");
    }

    private selection(): string[] {
        return ["--stack", this.name, "--non-interactive"];
    }

    private environment(): Record<string, string> {
        return { ...this.pulumi.env, KUBECONFIG: this.kubeconfig };
    }

    private async run(args: string[]): Promise<Result> {
        const started = performance.now();
        const { command, options } = this.command(args);
        const result = await execa(this.pulumi.pulumi, command, options);
        return {
            exitCode: result.exitCode ?? 1,
            output: result.all,
            duration: performance.now() - started,
        };
    }

    private command(args: string[]) {
        const own =
            args[0] === "stack" ? ["--non-interactive"] : [...this.selection(), "--color", "never"];
        const file = ["up", "preview", "refresh", "destroy"].includes(args[0]!)
            ? ["--config-file", this.configFile()]
            : [];
        const options = { cwd: ROOT, env: this.environment(), all: true, reject: false } as const;
        return { command: [...args, ...own, ...file], options };
    }
}

/** A process that was started detached and all that came of it: the CLI's plugins have process groups of their own. */
function processesOfSession(leader: number): number[] {
    return readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map(Number)
        .filter((pid) => {
            try {
                // proc(5): after the name in brackets come state, parent, process group and session.
                const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
                return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]) === leader;
            } catch {
                return false;
            }
        });
}

/** Throws with all that was printed when an update failed. */
export function succeeded(result: Result): void {
    if (result.exitCode !== 0) {
        throw new Error(`exit code ${result.exitCode}\n${result.output}`);
    }
}

/** Removes everything of a test's cluster, kept data included. */
export async function clear(stack: Stack, namespace: Namespace): Promise<void> {
    await namespace.removeMembers();
    const destroyed = await stack.destroy();
    await namespace.remove();
    if (destroyed.exitCode !== 0) {
        await stack.reset();
    }
}
