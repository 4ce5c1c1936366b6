// A Pulumi program of a folder, run by the CLI that also runs Quorum's program in the tests.
import { execa } from "execa";
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { preparePulumi } from "../sandbox/index.js";

/** Quorum's program. */
export const QUORUM = resolve(import.meta.dirname, "..");
/** A program without anything in it. */
export const EMPTY = resolve(import.meta.dirname, "empty");

/** Runs the CLI in a program's folder; resolves to the time it took, in milliseconds, and throws what it said. */
export async function pulumi(folder: string, ...args: string[]): Promise<number> {
    const { pulumi: cli, env } = await preparePulumi();
    const started = performance.now();
    const result = await execa(cli, [...args, "--non-interactive", "--color", "never"], {
        cwd: folder,
        env,
        all: true,
        reject: false,
    });
    if (result.failed) {
        throw new Error(`"pulumi ${args.join(" ")}" failed:\n${result.all}`);
    }
    return performance.now() - started;
}

/**
 * Removes the settings that the CLI writes beside a program for a stack. They carry the passphrase's salt, and a sandbox
 * that was made anew has another passphrase: no stack of that name could be made again.
 */
export function forgetSettings(folder: string, stack: string): void {
    rmSync(join(folder, `Pulumi.${stack}.yaml`), { force: true });
}
