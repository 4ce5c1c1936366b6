// The command-line side of a simulated database: flags as the real commands take them, and how a command ends.

import { parseArgs } from "node:util";

/** `string`: takes a value. `boolean`: `--flag`, `--flag=true` or `--flag=false`. */
export type Flags = Readonly<Record<string, "string" | "boolean">>;

/** What a command line gave; a flag that may be given more often is joined by commas. */
export interface CommandLine {
    readonly words: readonly string[];
    readonly flags: Readonly<Record<string, string | undefined>>;
    readonly has: (flag: string) => boolean;
}

/** A command that cannot be run as it was given, or that failed; the message is all that is printed. */
export class CommandError extends Error {
    public constructor(
        message: string,
        public readonly exitCode: number = 1,
    ) {
        super(message);
    }
}

/**
 * Reads `--flag=value`, `--flag value` and, with `short`, `-s value`. Unknown flags are refused, as the real commands
 * refuse them: a flag that the real database does not have must not pass here.
 */
export function commandLine(
    args: readonly string[],
    flags: Flags,
    short: Readonly<Record<string, string>> = {},
): CommandLine {
    const letters = Object.fromEntries(
        Object.entries(short).map(([letter, name]) => [name, letter]),
    );
    const plain = args.map((arg) => {
        const [, name, value] = /^--([^=]+)=(true|false)$/.exec(arg) ?? [];
        if (name === undefined || flags[name] !== "boolean") return arg;
        return value === "true" ? `--${name}` : `--no-${name}`;
    });
    const options = Object.fromEntries(
        Object.entries(flags).map(([name, type]) => [
            name,
            { type, multiple: type === "string", ...(letters[name] && { short: letters[name] }) },
        ]),
    );
    try {
        const { values, positionals } = parseArgs({
            args: plain,
            options,
            allowPositionals: true,
            allowNegative: true,
        });
        const given = Object.fromEntries(
            Object.entries(values).map(([name, value]) => [
                name,
                Array.isArray(value)
                    ? value.join(",")
                    : value === false
                      ? undefined
                      : String(value),
            ]),
        );
        return { words: positionals, flags: given, has: (flag) => given[flag] !== undefined };
    } catch (error) {
        throw new CommandError(error instanceof Error ? error.message : String(error));
    }
}

/** A log line of a member, on standard error. */
export function log(line: string): void {
    process.stderr.write(`${new Date().toISOString()} simulator: ${line}\n`);
}

/** Runs a command and ends the process as the command ended. A server's `main` never returns. */
export async function run(main: (args: readonly string[]) => Promise<void>): Promise<never> {
    try {
        await main(process.argv.slice(2));
    } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        process.stderr.write(`ERROR: ${message}\n`);
        process.exit(error instanceof CommandError ? error.exitCode : 1);
    }
    process.exit(0);
}

/** Everything on standard input. */
export async function standardInput(): Promise<string> {
    const chunks: Buffer[] = [];
    for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString();
}
