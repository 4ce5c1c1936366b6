// Where the sandbox keeps things outside the checkout: what is dear to make (the cache) and what
// belongs to the running sandbox (the state).

import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the Pulumi program: the root of the checkout. */
export const programDirectory = dirname(dirname(fileURLToPath(import.meta.url)));

/** Built tools, images and container stores; survives `make clean`. Set by QUORUM_CACHE. */
export function cacheDirectory(...below: string[]): string {
    return join(resolve(given("QUORUM_CACHE") ?? join(homedir(), ".cache", "quorum")), ...below);
}

/** Everything of the running sandbox; gone after `make clean`. Set by QUORUM_STATE. */
export function stateDirectory(...below: string[]): string {
    return join(resolve(given("QUORUM_STATE") ?? defaultState()), ...below);
}

/** The files of the cloud's stand-in (sandbox/cloud); they outlive `pulumi destroy`, not `make stop`. */
export function cloudDirectory(): string {
    return stateDirectory("cloud");
}

/** With a cluster of one's own nobody needs to be root, and then /var/lib is not ours to write to. */
function defaultState(): string {
    return process.getuid?.() === 0
        ? "/var/lib/quorum-sandbox"
        : join(homedir(), ".local", "state", "quorum");
}

/** Make exports what was not given as empty text. */
function given(variable: string): string | undefined {
    const value = process.env[variable];
    return value === "" ? undefined : value;
}
