// What the pods read at their start: the engine's configuration and its scripts.

import { createHash } from "crypto";
import { readdirSync, readFileSync } from "fs";
import * as path from "path";
import type { Engine, PodFacts } from "./engines/engine";
import type { PodSpec } from "./spec";

/** What the pods read at their start, by file name. */
export interface Files {
    readonly configuration: Record<string, string>;
    readonly scripts: Record<string, string>;
    /** Restarts the members when any of it changes. */
    readonly checksum: string;
}

export function filesOf(engine: Engine, facts: PodFacts): Files {
    const configuration = { ...engine.configuration(facts) };
    const scripts = scriptsOf(engine, facts.spec);
    const checksum = createHash("sha256")
        .update(JSON.stringify([configuration, scripts]))
        .digest("hex");
    return { configuration, scripts, checksum };
}

/** The scripts of an engine by file name; later folders win. */
export function scriptsOf(engine: Engine, spec: PodSpec): Record<string, string> {
    return Object.fromEntries(
        engine.scripts(spec).flatMap((folder) =>
            readdirSync(folder)
                // In the built package a folder's own module stands beside its scripts.
                .filter((file) => /\.(sh|js)$/.test(file) && file !== "index.js")
                .sort()
                .map((file) => [file, readFileSync(path.join(folder, file), "utf8")]),
        ),
    );
}
