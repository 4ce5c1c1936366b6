// A folder with a Pulumi program of one file, for tests that run it through the real CLI.

import { mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { programDirectory } from "../../sandbox/places.js";

/** Makes the folder, with a folder `state` for the CLI; whoever made it removes it. */
export function writeTinyProgram(source: string): string {
    const folder = mkdtempSync(join(tmpdir(), "quorum-program-"));
    symlinkSync(join(programDirectory, "node_modules"), join(folder, "node_modules"));
    writeFileSync(join(folder, "Pulumi.yaml"), "name: tiny\nruntime: nodejs\nmain: index.ts\n");
    writeFileSync(join(folder, "package.json"), `{"name":"tiny"}`);
    writeFileSync(
        join(folder, "tsconfig.json"),
        `{"compilerOptions":{"noCheck":true,"target":"es2022"}}`,
    );
    writeFileSync(join(folder, "index.ts"), source);
    mkdirSync(join(folder, "state"));
    return folder;
}
