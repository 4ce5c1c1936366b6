// Where the sandbox keeps things outside the checkout: what is dear to make (the cache) and what
// belongs to the running sandbox (the state).

import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder of the Pulumi program: the root of the checkout. */
export const programDirectory = dirname(dirname(fileURLToPath(import.meta.url)));

/** Built tools, images and container stores; survives `make clean`. Set by QUORUM_CACHE. */
export function cacheDirectory(...below: string[]): string {
    const root = process.env["QUORUM_CACHE"] ?? join(homedir(), ".cache", "quorum");
    return join(resolve(root), ...below);
}

/** Everything of the running sandbox; gone after `make clean`. Set by QUORUM_STATE. */
export function stateDirectory(...below: string[]): string {
    const root = process.env["QUORUM_STATE"] ?? "/var/lib/quorum-sandbox";
    return join(resolve(root), ...below);
}
