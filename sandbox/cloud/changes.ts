// Tells when JSON files, or those in a folder, may have changed. They are few and small, so they are looked at twice a
// second: a watch would have to be laid on every new folder.

import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const POLL_MILLISECONDS = 500;

/** One text for names and times of all files; another one when any of them is written, made or removed. */
function signatureOf(roots: readonly string[]): string {
    const hash = createHash("sha256");
    const look = (path: string): void => {
        const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
        if (stat === undefined) return;
        if (stat.isDirectory()) {
            for (const name of readdirSync(path)) look(join(path, name));
        } else if (path.endsWith(".json")) {
            hash.update(`${path} ${stat.ino} ${stat.mtimeNs}\n`);
        }
    };
    try {
        roots.forEach(look);
    } catch {
        // A folder went away while we looked: something changed.
        return "";
    }
    return hash.digest("hex");
}

/** JSON files, and folders of them, as something that a controller follows. */
export class FileChanges {
    readonly #listeners: (() => void)[] = [];
    #last = "";

    constructor(...roots: readonly string[]) {
        setInterval(() => {
            const now = signatureOf(roots);
            if (now === this.#last && now !== "") return;
            this.#last = now;
            for (const listener of this.#listeners) listener();
        }, POLL_MILLISECONDS);
    }

    follow(changed: () => void): Promise<void> {
        this.#listeners.push(changed);
        changed();
        return Promise.resolve();
    }
}
