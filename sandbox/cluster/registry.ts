// Which nodes a sandbox has: a file of its directory says, so that nodes can come and go while it runs.

import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nodeOf, type NodeRecord, type Sandbox, type SandboxNode } from "./plan.js";

/** Replaced whole at every change. */
export function registryFile(sandbox: Sandbox): string {
    return join(sandbox.directory, "nodes.json");
}

/** What is written down of a sandbox's nodes, in the order of their addresses; none before it was ever started. */
export function recordsOf(sandbox: Sandbox): NodeRecord[] {
    let text: string;
    try {
        text = readFileSync(registryFile(sandbox), "utf8");
    } catch {
        return [];
    }
    return (JSON.parse(text) as NodeRecord[]).sort((left, right) => left.number - right.number);
}

/** A sandbox's nodes, in the order of their addresses. */
export function nodesOf(sandbox: Sandbox): SandboxNode[] {
    return recordsOf(sandbox).map((record) => nodeOf(sandbox, record));
}

/** Whole or not at all, for others read it at any time. Whoever writes holds the sandbox's lock. */
export function writeRecords(sandbox: Sandbox, records: readonly NodeRecord[]): void {
    const file = registryFile(sandbox);
    writeFileSync(`${file}.new`, JSON.stringify(records, undefined, 2));
    renameSync(`${file}.new`, file);
}
