// Makes the container images of the sandbox: an OCI archive per recipe, kept in the cache by the
// recipe's hash. No registry, no daemon.

import { build as bundle } from "esbuild";
import { execa } from "execa";
import { createHash } from "node:crypto";
import {
    chmodSync,
    copyFileSync,
    createReadStream,
    existsSync,
    linkSync,
    mkdirSync,
    readdirSync,
    renameSync,
    rmSync,
    statSync,
    symlinkSync,
    writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { run } from "./command.js";
import type { DebianRoot, FilesRoot, ImageRecipe, ProgramRoot } from "./images/recipe.js";
import { hashOf, hashOfData } from "./images/recipe.js";
import { withLock } from "./lock.js";
import { cacheDirectory } from "./places.js";
import type { Report } from "./tools.js";

/** The same content must give the same digest whenever it is built. */
const CREATED = "2026-01-01T00:00:00Z";

/** Documentation is a third of a small root; not unpacked at all. */
const LEFT_OUT = ["man", "doc", "info", "locale", "lintian", "bug"].map(
    (name) => `path-exclude=/usr/share/${name}/*`,
);

/** Where the archive of a recipe is (or will be). */
export function archiveOf(recipe: ImageRecipe): string {
    return cacheDirectory("images", `${recipe.name}-${hashOf(recipe)}.tar`);
}

async function makeDebianRoot(root: DebianRoot, layer: string): Promise<void> {
    const hook = (lines: readonly string[]) => `set -eu; ${lines.join("; ")}`;
    await run("mmdebstrap", [
        "--mode=root",
        "--variant=essential",
        // Hooks use braces; mmdebstrap runs them with sh.
        "--format=tar",
        '--aptopt=Acquire::Check-Valid-Until "false"',
        '--aptopt=APT::Install-Recommends "false"',
        ...LEFT_OUT.map((option) => `--dpkgopt=${option}`),
        `--include=${root.packages.join(",")}`,
        ...root.before.map((line) => `--essential-hook=${line}`),
        `--customize-hook=bash -c '${hook(root.after).replaceAll("'", "'\\''")}' hook "$1"`,
        root.suite,
        layer,
    ]);
}

/** A program of this machine and every library that its loader names: path -> path. */
async function withLibraries(program: string): Promise<Record<string, string>> {
    const found = await run("sh", ["-c", 'command -v "$1"', "sh", program]);
    // Fails for a statically linked program, which needs no library.
    const loaded = await execa("ldd", [found], { reject: false });
    const libraries = loaded.exitCode === 0 ? (loaded.stdout.match(/\/\S+/g) ?? []) : [];
    const files = libraries.map((library) => [library, library] as const);
    return { ...Object.fromEntries(files), [`/bin/${program}`]: found };
}

async function makeFilesRoot(root: FilesRoot, layer: string): Promise<void> {
    const folder = `${layer}.root`;
    const programs = await Promise.all(root.programs.map(withLibraries));
    const files = Object.fromEntries([root.files, ...programs].flatMap(Object.entries<string>));
    for (const name of root.folders) mkdirSync(join(folder, name), { recursive: true });
    for (const [name, source] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        copyFileSync(source, join(folder, name));
        chmodSync(join(folder, name), 0o755);
    }
    for (const [name, target] of Object.entries(root.links)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        symlinkSync(target, join(folder, name));
    }
    for (const name of ["/tmp", "/run", "/var"]) {
        if (root.folders.includes(name)) chmodSync(join(folder, name), 0o1777);
    }
    await packLayer(folder, layer);
}

async function makeProgramLayer(root: ProgramRoot, layer: string): Promise<void> {
    const folder = `${layer}.root`;
    const place = (name: string): string => {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        return join(folder, name);
    };
    for (const [name, source] of Object.entries(root.files)) {
        copyFileSync(source, place(name));
        chmodSync(join(folder, name), 0o755);
    }
    for (const [name, text] of Object.entries(root.scripts)) {
        writeFileSync(place(name), text, { mode: 0o755 });
    }
    await bundle({
        entryPoints: [root.entry],
        outfile: place(root.bundle),
        bundle: true,
        platform: "node",
        format: "esm",
        target: "node20",
        // Libraries in CommonJS ask for Node.js' own modules by `require`.
        banner: {
            js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
        },
        logLevel: "error",
    });
    await packLayer(folder, layer);
}

/** The layer of a root that several images share, made once. */
async function sharedLayer(root: DebianRoot): Promise<string> {
    const layer = cacheDirectory("layers", `${hashOfData(root)}.tar`);
    if (!existsSync(layer)) {
        mkdirSync(dirname(layer), { recursive: true });
        await makeDebianRoot(root, `${layer}.work`);
        renameSync(`${layer}.work`, layer);
    }
    return layer;
}

/** Packs a folder so that the same content is the same layer, and removes it. */
async function packLayer(folder: string, layer: string): Promise<void> {
    await run("tar", [
        "--create",
        `--file=${layer}`,
        `--directory=${folder}`,
        "--sort=name",
        `--mtime=${CREATED}`,
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        ".",
    ]);
    rmSync(folder, { recursive: true });
}

async function digestOf(file: string): Promise<string> {
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
    return hash.digest("hex");
}

/** A blob's place in an OCI layout, as other blobs refer to it. */
interface Descriptor {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
}

function writeBlob(blobs: string, mediaType: string, value: unknown): Descriptor {
    const text = JSON.stringify(value);
    const digest = createHash("sha256").update(text).digest("hex");
    writeFileSync(join(blobs, digest), text);
    return { mediaType, digest: `sha256:${digest}`, size: Buffer.byteLength(text) };
}

/** A layer's blob. It is linked, not moved: another image may share it. */
async function addLayer(blobs: string, layer: string): Promise<Descriptor> {
    const digest = await digestOf(layer);
    linkSync(layer, join(blobs, digest));
    return {
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: `sha256:${digest}`,
        size: statSync(layer).size,
    };
}

/** The OCI image layout: the layers, lowest first, and one configuration and manifest per tag. */
async function writeLayout(
    recipe: ImageRecipe,
    files: readonly string[],
    folder: string,
): Promise<void> {
    const blobs = join(folder, "blobs", "sha256");
    mkdirSync(blobs, { recursive: true });
    const layers: Descriptor[] = [];
    for (const file of files) layers.push(await addLayer(blobs, file));
    const manifests = recipe.tags.map(({ reference, config }) => {
        const configuration = writeBlob(blobs, "application/vnd.oci.image.config.v1+json", {
            created: CREATED,
            architecture: process.arch === "arm64" ? "arm64" : "amd64",
            os: "linux",
            config,
            // Uncompressed, so a layer's digest is also its diff id and no node has to inflate it.
            rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
            history: layers.map(() => ({ created: CREATED, created_by: "Quorum sandbox" })),
        });
        const manifest = writeBlob(blobs, "application/vnd.oci.image.manifest.v1+json", {
            schemaVersion: 2,
            mediaType: "application/vnd.oci.image.manifest.v1+json",
            config: configuration,
            layers,
        });
        return { ...manifest, annotations: { "io.containerd.image.name": reference } };
    });
    writeFileSync(join(folder, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
    writeFileSync(join(folder, "index.json"), JSON.stringify({ schemaVersion: 2, manifests }));
}

async function buildImage(recipe: ImageRecipe): Promise<void> {
    const archive = archiveOf(recipe);
    const work = `${archive}.work`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    const layer = join(work, "layer.tar");
    const layout = join(work, "layout");
    const layers = [layer];
    if (recipe.root.kind === "debian") {
        await makeDebianRoot(recipe.root, layer);
    } else if (recipe.root.kind === "files") {
        await makeFilesRoot(recipe.root, layer);
    } else {
        layers.unshift(await sharedLayer(recipe.root.base));
        await makeProgramLayer(recipe.root, layer);
    }
    await writeLayout(recipe, layers, layout);
    const finished = join(work, "image.tar");
    await run("tar", ["--create", `--file=${finished}`, `--directory=${layout}`, "."]);
    renameSync(finished, archive);
    rmSync(work, { recursive: true, force: true });
    dropOlder(recipe);
}

/** What earlier versions of the recipe made. */
function dropOlder(recipe: ImageRecipe): void {
    const folder = dirname(archiveOf(recipe));
    for (const name of readdirSync(folder)) {
        const isOfRecipe = /^(.*)-[0-9a-f]{16}\.tar$/.exec(name)?.[1] === recipe.name;
        if (isOfRecipe && name !== basename(archiveOf(recipe))) rmSync(join(folder, name));
    }
}

/** True when a recipe's image needs no build. */
export function isMade(recipe: ImageRecipe): boolean {
    return existsSync(archiveOf(recipe));
}

/** Makes the archives that are missing; each appears in the cache whole or not at all. */
export async function ensureImages(recipes: readonly ImageRecipe[], report: Report): Promise<void> {
    if (recipes.every((recipe) => existsSync(archiveOf(recipe)))) return;
    await withLock(
        cacheDirectory("images.lock"),
        async () => {
            for (const recipe of recipes) {
                if (existsSync(archiveOf(recipe))) continue;
                report(`build image ${recipe.tags[0]!.reference} (usually ${recipe.usually})`);
                await buildImage(recipe);
            }
        },
        (pid) => report(`wait for another build of images (pid ${pid})`),
    );
}
