// Which address each pod has, as the nodes' container runtimes write it down the moment that they have given it: before
// any container of the pod starts, and a second or more before Kubernetes hears of it.

import { readdirSync, readFileSync, watch } from "node:fs";
import { join } from "node:path";
import { attachmentsDirectory, POD_NETWORK_NAME, type SandboxNode } from "../cluster/plan.js";

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
    constructor(private readonly nodes: readonly SandboxNode[]) {}

    list(): PodAddress[] {
        return this.nodes.flatMap((node) => {
            const directory = attachmentsDirectory(node);
            return readdirSync(directory).flatMap(
                (name) => addressIn(read(join(directory, name)), node) ?? [],
            );
        });
    }

    /** `changed` is called at every change from now on. */
    follow(changed: () => void): Promise<void> {
        for (const node of this.nodes) watch(attachmentsDirectory(node), changed);
        return Promise.resolve();
    }
}
