// Runs a program of the machine and turns its failure into a sentence.

import { execa, type Options } from "execa";
import { SandboxError } from "./failure.js";

/** Standard output of a program that must succeed. */
export async function run(
    program: string,
    args: readonly string[],
    options: Options = {},
): Promise<string> {
    const done = await execa(program, args, { ...options, reject: false, all: true });
    if (done.failed) {
        const said = String(done.all ?? "").trim();
        const last = said === "" ? (done.shortMessage ?? "it said nothing") : tail(said);
        throw new SandboxError(`"${[program, ...args].join(" ").slice(0, 200)}" failed: ${last}`);
    }
    return String(done.stdout ?? "");
}

/** True when the program ended with exit code 0. */
export async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
    const done = await execa(program, args, { reject: false, stdio: "ignore" });
    return !done.failed;
}

function tail(text: string): string {
    return text.split("\n").slice(-4).join(" | ");
}
