// The nodes' container stores. Importing images into every node would take most of the start, so
// one store is made per set of images, kept in the cache, and copied by hard links.

import { createHash } from "node:crypto";
import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    renameSync,
    rmSync,
    statSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "../command.js";
import { archiveOf } from "../images.js";
import { PAUSE_IMAGE } from "../images/base.js";
import type { ImageRecipe } from "../images/recipe.js";
import { withLock } from "../lock.js";
import { cacheDirectory } from "../places.js";

/** Sets of images differ by engine; older ones are made again when wanted. */
const STORES_KEPT = 4;

/** Drivers for file systems that no node uses; each costs time at every start. */
const UNUSED_PLUGINS = ["aufs", "btrfs", "devmapper", "native", "zfs"].map(
    (name) => `io.containerd.snapshotter.v1.${name}`,
);

/** Where a containerd keeps its things. */
interface ContainerdPlace {
    readonly root: string;
    readonly state: string;
}

/** Configuration in containerd's own language, of the version that 1.6 to 2 understand. */
export function containerdConfiguration(place: ContainerdPlace): string {
    const text = (value: string) => JSON.stringify(value);
    return `version = 2
root = ${text(place.root)}
state = ${text(place.state)}
# Raising it is refused in a namespace of limited rights.
oom_score = 0
disabled_plugins = ${JSON.stringify([...UNUSED_PLUGINS, "io.containerd.internal.v1.tracing"])}

[grpc]
  address = ${text(join(place.state, "containerd.sock"))}

[plugins."io.containerd.internal.v1.opt"]
  path = ${text(join(place.root, "opt"))}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${text(PAUSE_IMAGE)}
  restrict_oom_score_adj = true
  disable_apparmor = true
  disable_tcp_service = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "/run/quorum/node/conf/cni"
`;
}

function keyOf(recipes: readonly ImageRecipe[]): string {
    const names = recipes.map((recipe) => basename(archiveOf(recipe))).sort();
    return createHash("sha256").update(names.join("\n")).digest("hex").slice(0, 16);
}

function storeOf(recipes: readonly ImageRecipe[]): string {
    return cacheDirectory("stores", keyOf(recipes));
}

async function makeStore(recipes: readonly ImageRecipe[]): Promise<void> {
    const store = storeOf(recipes);
    const work = `${store}.work`;
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    // A socket's path must be short.
    const state = mkdtempSync(join(tmpdir(), "quorum-store-"));
    try {
        const config = join(state, "config.toml");
        writeFileSync(config, containerdConfiguration({ root: work, state }));
        const here = dirname(fileURLToPath(import.meta.url));
        // In namespaces of its own: whatever happens, no process and no mount of it stays.
        await run("unshare", [
            ...["--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"],
            join(here, "fill-store.sh"),
            config,
            join(state, "containerd.sock"),
            ...recipes.map(archiveOf),
        ]);
    } finally {
        rmSync(state, { recursive: true, force: true });
    }
    renameSync(work, store);
}

function dropOldStores(): void {
    const folder = cacheDirectory("stores");
    const byAge = readdirSync(folder)
        .map((name) => join(folder, name))
        .sort((left, right) => statSync(right).mtimeMs - statSync(left).mtimeMs);
    for (const old of byAge.slice(STORES_KEPT)) rmSync(old, { recursive: true, force: true });
}

/** Makes the store of a set of images, unless it is in the cache. */
export async function ensureStore(recipes: readonly ImageRecipe[]): Promise<void> {
    await withLock(cacheDirectory("stores.lock"), async () => {
        const store = storeOf(recipes);
        if (!existsSync(store)) await makeStore(recipes);
        const now = new Date();
        utimesSync(store, now, now);
        dropOldStores();
    });
}

function isOnOneFileSystem(left: string, right: string): boolean {
    return statSync(left).dev === statSync(right).dev;
}

/**
 * Gives a node its own copy. Layers and blobs are never written again, so a hard link does; the
 * databases are, so they are copied.
 */
export async function copyStore(recipes: readonly ImageRecipe[], target: string): Promise<void> {
    const store = storeOf(recipes);
    mkdirSync(dirname(target), { recursive: true });
    const how = isOnOneFileSystem(store, dirname(target)) ? ["-al"] : ["-a", "--reflink=auto"];
    await run("cp", [...how, store, target]);
    await run("find", [
        ...[target, "-path", "*/snapshots", "-prune", "-o", "-name", "*.db", "-type", "f"],
        ...["-exec", "cp", "-a", "{}", "{}.own", ";", "-exec", "mv", "{}.own", "{}", ";"],
    ]);
}
