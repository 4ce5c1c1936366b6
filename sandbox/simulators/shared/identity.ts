// Who a simulated member is, on its own disk: files of JSON that appear whole or not at all.

import {
    closeSync,
    existsSync,
    fsyncSync,
    openSync,
    readFileSync,
    renameSync,
    writeSync,
} from "node:fs";

/** The content of a file; `undefined`: it is not there. */
export function readJson(file: string): unknown {
    return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as unknown) : undefined;
}

/** Writes a file that survives a loss of power at any point. */
export function atomicJson(file: string, value: unknown): void {
    const handle = openSync(`${file}.new`, "w", 0o600);
    writeSync(handle, JSON.stringify(value));
    fsyncSync(handle);
    closeSync(handle);
    renameSync(`${file}.new`, file);
}
