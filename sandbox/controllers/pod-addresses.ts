// Which address each pod has, as the nodes' container runtimes write it down the moment that they have given it: before
// any container of the pod starts, and a second or more before Kubernetes hears of it.

import { existsSync, readdirSync, readFileSync, watch, type FSWatcher } from "node:fs";
import { basename, join } from "node:path";
import {
    attachmentsDirectory,
    POD_NETWORK_NAME,
    type Sandbox,
    type SandboxNode,
} from "../cluster/plan.js";
import { nodesOf, registryFile } from "../cluster/registry.js";

export interface PodAddress {
    readonly uid: string;
    readonly address: string;
    /** The name of its node. */
    readonly node: string;
}

/** What libcni keeps of a network that it has put a pod on (libcni/api.go, `cachedInfo`). */
interface Attachment {
    readonly networkName: string;
    readonly cniArgs: readonly (readonly [string, string])[];
    readonly result: { readonly ips?: readonly { readonly address: string }[] };
}

function read(file: string): Attachment | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as Attachment;
    } catch {
        // Gone meanwhile, or only half written: then we are told again.
        return undefined;
    }
}

function addressIn(attachment: Attachment | undefined, node: SandboxNode): PodAddress | undefined {
    if (attachment?.networkName !== POD_NETWORK_NAME) return undefined;
    const uid = new Map(attachment.cniArgs).get("K8S_POD_UID");
    const address = attachment.result.ips?.[0]?.address.split("/")[0];
    return uid === undefined || address === undefined
        ? undefined
        : { uid, address, node: node.name };
}

export class PodAddresses {
    /** By node's directory. */
    readonly #watched = new Map<string, FSWatcher>();

    constructor(private readonly sandbox: Sandbox) {}

    list(): PodAddress[] {
        return nodesOf(this.sandbox).flatMap((node) => {
            const directory = attachmentsDirectory(node);
            // A node that is just being removed has none.
            if (!existsSync(directory)) return [];
            return readdirSync(directory).flatMap(
                (name) => addressIn(read(join(directory, name)), node) ?? [],
            );
        });
    }

    /** `changed` is called at every change from now on, on nodes that are to come, too. */
    follow(changed: () => void): Promise<void> {
        const watchNodes = (): void => {
            const present = new Set(nodesOf(this.sandbox).map(attachmentsDirectory));
            for (const [directory, watcher] of this.#watched) {
                if (present.has(directory)) continue;
                watcher.close();
                this.#watched.delete(directory);
            }
            for (const directory of present) {
                if (this.#watched.has(directory) || !existsSync(directory)) continue;
                this.#watched.set(directory, watch(directory, changed));
            }
        };
        watchNodes();
        // The file is replaced whole, so its folder is watched.
        watch(this.sandbox.directory, (_, name) => {
            if (name !== basename(registryFile(this.sandbox))) return;
            watchNodes();
            changed();
        });
        return Promise.resolve();
    }
}
