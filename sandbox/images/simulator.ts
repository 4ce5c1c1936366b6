// The image of a simulated database: its simulator, bundled to one file, and etcd, on a root with Node.js that all
// simulators share. How to write a simulator stands in simulators/shared/index.ts.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { binary } from "../tools.js";
import type { DebianRoot, ImageRecipe } from "./recipe.js";
import { withRebuild } from "./recipe.js";

const SIMULATORS = join(dirname(dirname(fileURLToPath(import.meta.url))), "simulators");

const BUNDLE = "/usr/local/lib/simulator.mjs";

/** The user ids of the vendors' images, with a name each, for shells. */
const USERS = [999, 1000, 10001].map(
    (id) =>
        `echo simulator${id}:x:${id}: >> "$1"/etc/group && ` +
        `echo simulator${id}:x:${id}:${id}::/tmp:/bin/bash >> "$1"/etc/passwd`,
);

/** What every vendor's image has too, and no more: bash and coreutils; no curl, no openssl, no Python, no jq. */
const BASE: DebianRoot = {
    kind: "debian",
    suite: "sid",
    packages: ["nodejs", "openssl"],
    before: USERS,
    after: [
        'rm -rf "$1"/usr/share/{doc,man,info,locale,lintian,bug,i18n,zoneinfo,perl}',
        'rm -rf "$1"/var/lib/apt "$1"/var/cache/* "$1"/var/log/*',
        'rm -rf "$1"/var/lib/dpkg/info',
        // Out of PATH: CockroachDB's simulator makes certificates with it, a script may not count on it.
        'mv "$1"/usr/bin/openssl "$1"/usr/local/lib/openssl',
    ],
};

/** What differs between simulators. */
export interface SimulatorImage {
    /** Folder below simulators/, with a main.ts. */
    readonly engine: string;
    /** Folders of other simulators that it uses. */
    readonly alsoOf?: readonly string[];
    /** Versions that there is a tag of, the engine's default first; that one has a tag `-r1` too, for image upgrades. */
    readonly versions: readonly string[];
    /**
     * Path in the image -> first arguments of main.ts. For example `/cockroach/cockroach` -> `["cockroach"]`: then
     * `/cockroach/cockroach init` runs main.ts with `cockroach init`.
     */
    readonly commands: Readonly<Record<string, readonly string[]>>;
    /** User id of the vendor's image. */
    readonly user: number;
    readonly workingDirectory?: string;
}

/** The recipe of a simulator's image: `localhost/<engine>-simulator:<version>`. */
export function simulatorImage(image: SimulatorImage): ImageRecipe {
    const folders = Object.keys(image.commands).map((path) => dirname(path));
    const config = (version: string) => ({
        User: `${image.user}:${image.user}`,
        Env: [
            `PATH=${[...new Set(folders), "/usr/local/bin", "/usr/bin", "/bin"].join(":")}`,
            "LANG=C.UTF-8",
            // The one thing in which two versions differ.
            `SIMULATED_VERSION=${version}`,
        ],
        ...(image.workingDirectory !== undefined && { WorkingDir: image.workingDirectory }),
        Labels: { "quorum.dev/simulator": image.engine },
    });
    const [first, ...others] = image.versions.map((version) => ({
        reference: `localhost/${image.engine}-simulator:${version}`,
        config: config(version),
    }));
    return {
        name: `${image.engine}-simulator`,
        tags: [...withRebuild(first!.reference, first!.config), ...others],
        root: {
            kind: "program",
            base: BASE,
            entry: join(SIMULATORS, image.engine, "main.ts"),
            sources: sourcesHash(["shared", ...(image.alsoOf ?? []), image.engine]),
            bundle: BUNDLE,
            files: { "/usr/local/bin/etcd": binary("etcd") },
            scripts: Object.fromEntries(
                Object.entries(image.commands).map(([path, words]) => [
                    path,
                    `#!/bin/sh\nexec node ${BUNDLE} ${words.join(" ")} "$@"\n`,
                ]),
            ),
        },
        usually: "10 s, the first of them 90 s",
    };
}

function sourcesHash(folders: readonly string[]): string {
    const hash = createHash("sha256");
    for (const folder of folders) {
        for (const file of readdirSync(join(SIMULATORS, folder)).sort()) {
            hash.update(file).update(readFileSync(join(SIMULATORS, folder, file)));
        }
    }
    return hash.digest("hex").slice(0, 16);
}
