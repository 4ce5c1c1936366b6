// The stand-ins as executables: which there are, and how one is put where the CLI looks for it.

import { createHash } from "node:crypto";
import {
    chmodSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    renameSync,
    writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const sources = dirname(fileURLToPath(import.meta.url));
/** What the stand-ins for Google's share with the sandbox. */
const cloudSources = join(dirname(sources), "cloud");
const requireHere = createRequire(import.meta.url);

export interface StandIn {
    /** Folder of the source, and the name in messages. */
    readonly name:
        | "language-nodejs"
        | "resource-gcp"
        | "resource-kubernetes"
        | "resource-random"
        | "gke-gcloud-auth-plugin";
    /** What the CLI, or a kubeconfig, runs. */
    readonly executable: string;
    /** The SDK package beside which it stands; it has the same version. */
    readonly sdk: string;
}

export const LANGUAGE_HOST: StandIn = {
    name: "language-nodejs",
    executable: "pulumi-language-nodejs",
    sdk: "@pulumi/pulumi",
};

export const RESOURCE_PLUGINS: readonly StandIn[] = [
    {
        name: "resource-kubernetes",
        executable: "pulumi-resource-kubernetes",
        sdk: "@pulumi/kubernetes",
    },
    { name: "resource-random", executable: "pulumi-resource-random", sdk: "@pulumi/random" },
];

/** What stands in for Google's: used with the sandbox's own cloud, and then whatever else is there. */
export const GOOGLE: StandIn = {
    name: "resource-gcp",
    executable: "pulumi-resource-gcp",
    sdk: "@pulumi/gcp",
};
export const GOOGLE_LOGIN: StandIn = {
    name: "gke-gcloud-auth-plugin",
    executable: "gke-gcloud-auth-plugin",
    sdk: "@pulumi/gcp",
};

function packageFile(packageName: string): string {
    return requireHere.resolve(`${packageName}/package.json`);
}

function versionOf(packageName: string): string {
    const file = packageFile(packageName);
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

/** The version of a stand-in: that of its SDK package, without "v". */
export function standInVersion(standIn: StandIn): string {
    return versionOf(standIn.sdk);
}

function sourceFiles(folder: string): string[] {
    return readdirSync(folder, { withFileTypes: true })
        .flatMap((entry) => {
            const path = join(folder, entry.name);
            if (entry.isDirectory()) return sourceFiles(path);
            return entry.name.endsWith(".ts") ? [path] : [];
        })
        .sort();
}

/** Changes with every source of a stand-in and with every package that is bundled into one. */
export function sourceHash(): string {
    const hash = createHash("sha256");
    for (const file of [...sourceFiles(sources), ...sourceFiles(cloudSources)])
        hash.update(file).update(readFileSync(file));
    for (const standIn of [LANGUAGE_HOST, ...RESOURCE_PLUGINS, GOOGLE])
        hash.update(standInVersion(standIn));
    for (const packageName of ["@grpc/grpc-js", "google-protobuf", "yaml"]) {
        hash.update(versionOf(packageName));
    }
    return hash.digest("hex").slice(0, 12);
}

/** As much of esbuild as is used here. */
interface Esbuild {
    build(options: Readonly<Record<string, unknown>>): Promise<unknown>;
}

/**
 * The bundler that tsx brings with it, found from where tsx is, because only tsx declares it. A
 * bundle starts in a third of the time that it takes to compile the sources at every start.
 */
async function findEsbuild(): Promise<Esbuild | undefined> {
    try {
        const file = createRequire(requireHere.resolve("tsx/package.json")).resolve("esbuild");
        const module = (await import(pathToFileURL(file).href)) as Esbuild & { default?: Esbuild };
        return module.default ?? module;
    } catch {
        return undefined;
    }
}

/** One file that node runs as it is; undefined where there is no bundler. */
async function bundle(standIn: StandIn, file: string): Promise<boolean> {
    const esbuild = await findEsbuild();
    if (esbuild === undefined) return false;
    const unfinished = `${file}.${process.pid}`;
    await esbuild.build({
        entryPoints: [join(sources, standIn.name, "main.ts")],
        outfile: unfinished,
        bundle: true,
        platform: "node",
        target: "node20",
        format: "cjs",
        minifySyntax: true,
        legalComments: "none",
        logLevel: "silent",
        tsconfigRaw: "{}",
    });
    // Renamed when it is whole: another run may be starting plugins from the same cache right now.
    renameSync(unfinished, file);
    return true;
}

function quoted(word: string): string {
    return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A script at `file` that becomes `command` with the arguments it is given. */
export function writeWrapper(
    file: string,
    command: readonly string[],
    environment: Readonly<Record<string, string>> = {},
): void {
    mkdirSync(dirname(file), { recursive: true });
    const variables = Object.entries(environment).map(
        ([name, value]) => `${name}=${quoted(value)}`,
    );
    const text = [
        "#!/bin/sh",
        ...variables.map((variable) => `export ${variable}`),
        // exec: the process that the CLI started, and will kill, is the plugin itself.
        `exec ${command.map(quoted).join(" ")} "$@"`,
        "",
    ].join("\n");
    const unfinished = `${file}.${process.pid}`;
    writeFileSync(unfinished, text);
    chmodSync(unfinished, 0o755);
    renameSync(unfinished, file);
}

/** Makes `executable` start the stand-in; bundles it into `bundles` unless that was done before. */
export async function installStandIn(
    standIn: StandIn,
    executable: string,
    bundles: string,
): Promise<void> {
    mkdirSync(bundles, { recursive: true });
    const file = join(bundles, `${standIn.name}.cjs`);
    const start = (await bundle(standIn, file))
        ? [process.execPath, file]
        : [
              process.execPath,
              "--import",
              pathToFileURL(requireHere.resolve("tsx")).href,
              join(sources, standIn.name, "main.ts"),
          ];
    writeWrapper(executable, start, {
        QUORUM_STANDIN_VERSION: standInVersion(standIn),
        QUORUM_STANDIN_SDK: dirname(packageFile(standIn.sdk)),
    });
}
