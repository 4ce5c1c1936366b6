// Makes, grows and removes disks for claims of the sandbox's storage class. A disk is a folder on
// the node that the scheduler chose, and a volume of type `local` that says so.

import type {
    V1PersistentVolume,
    V1PersistentVolumeClaim,
    V1StorageClass,
} from "@kubernetes/client-node";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DISK_DIRECTORY_ON_NODE, diskDirectory, type Sandbox } from "../cluster/plan.js";
import { nodesOf } from "../cluster/registry.js";
import { ApiError, Listing, type Api } from "./api.js";
import { log, type Controller } from "./controller.js";
import { quantityToBytes } from "./quantity.js";

export const PROVISIONER = "sandbox.quorum.dev/disk";

/** Keeps a volume until its folder is gone. */
const FINALIZER = "sandbox.quorum.dev/disk";
/** Kubernetes' own: the scheduler's choice for a claim that waits for its first consumer. */
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";

const VOLUMES = "/api/v1/persistentvolumes";

function requestOf(claim: V1PersistentVolumeClaim): string {
    return claim.spec?.resources?.requests?.["storage"] ?? "1Gi";
}

function nodeOf(volume: V1PersistentVolume): string | undefined {
    return volume.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]
        ?.values?.[0];
}

/** Where a volume's folder is, seen from this machine. */
function folderOf(sandbox: Sandbox, nodeName: string, volumeName: string): string | undefined {
    const node = nodesOf(sandbox).find((one) => one.name === nodeName);
    return node === undefined ? undefined : join(diskDirectory(node), volumeName);
}

/** The volume for a claim on a node, as it is created. */
export function volumeFor(
    claim: V1PersistentVolumeClaim,
    storageClass: V1StorageClass,
    node: string,
) {
    const name = `pvc-${claim.metadata!.uid!}`;
    return {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name, annotations: { [PROVISIONED_BY]: PROVISIONER }, finalizers: [FINALIZER] },
        spec: {
            capacity: { storage: requestOf(claim) },
            accessModes: claim.spec?.accessModes ?? ["ReadWriteOnce"],
            persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
            storageClassName: storageClass.metadata!.name!,
            volumeMode: "Filesystem",
            local: { path: join(DISK_DIRECTORY_ON_NODE, name) },
            claimRef: {
                apiVersion: "v1",
                kind: "PersistentVolumeClaim",
                name: claim.metadata!.name!,
                namespace: claim.metadata!.namespace!,
                uid: claim.metadata!.uid!,
            },
            nodeAffinity: {
                required: {
                    nodeSelectorTerms: [
                        {
                            matchExpressions: [
                                { key: "kubernetes.io/hostname", operator: "In", values: [node] },
                            ],
                        },
                    ],
                },
            },
        },
    };
}

export class DiskController implements Controller {
    readonly name = "the cloud's disks";
    readonly sources: Controller["sources"];
    readonly #claims: Listing<V1PersistentVolumeClaim>;
    readonly #volumes: Listing<V1PersistentVolume>;
    readonly #classes: Listing<V1StorageClass>;

    constructor(
        private readonly api: Api,
        private readonly sandbox: Sandbox,
    ) {
        this.#claims = new Listing(api, "/api/v1/persistentvolumeclaims");
        this.#volumes = new Listing(api, VOLUMES);
        this.#classes = new Listing(api, "/apis/storage.k8s.io/v1/storageclasses");
        this.sources = [this.#claims, this.#volumes, this.#classes];
    }

    async reconcile(): Promise<void> {
        const volumes = this.#volumes
            .list()
            .filter((one) => one.metadata?.annotations?.[PROVISIONED_BY] === PROVISIONER);
        for (const claim of this.#claims.list()) {
            if (claim.metadata?.deletionTimestamp !== undefined) continue;
            if (claim.spec?.volumeName === undefined) await this.#provision(claim, volumes);
            else await this.#expand(claim, volumes);
        }
        for (const volume of volumes) await this.#reclaim(volume);
    }

    async #provision(
        claim: V1PersistentVolumeClaim,
        volumes: readonly V1PersistentVolume[],
    ): Promise<void> {
        const storageClass = this.#classes
            .list()
            .find((one) => one.metadata?.name === claim.spec?.storageClassName);
        if (storageClass?.provisioner !== PROVISIONER) return;
        const immediate = storageClass.volumeBindingMode !== "WaitForFirstConsumer";
        const node =
            claim.metadata?.annotations?.[SELECTED_NODE] ??
            (immediate ? nodesOf(this.sandbox)[0]?.name : undefined);
        if (node === undefined) return;
        const volume = volumeFor(claim, storageClass, node);
        const { name } = volume.metadata;
        if (volumes.some((one) => one.metadata?.name === name)) return;
        const folder = folderOf(this.sandbox, node, name);
        if (folder === undefined) return;
        // As a new disk's file system: root's, until kubelet gives it to the pod's fsGroup.
        mkdirSync(folder, { recursive: true, mode: 0o755 });
        try {
            await this.api.request("POST", VOLUMES, volume);
        } catch (thrown) {
            // We were here before, and our listing has not heard of it yet.
            if (thrown instanceof ApiError && thrown.status === 409) return;
            throw thrown;
        }
        log(
            this.name,
            `${name} of ${requestOf(claim)} on ${node} for ${claim.metadata!.namespace!}/${claim.metadata!.name!}`,
        );
    }

    /** The size is a number only: a folder has no limit of its own. */
    async #expand(
        claim: V1PersistentVolumeClaim,
        volumes: readonly V1PersistentVolume[],
    ): Promise<void> {
        const volume = volumes.find((one) => one.metadata?.name === claim.spec?.volumeName);
        if (volume === undefined || claim.status?.phase !== "Bound") return;
        const wanted = requestOf(claim);
        const size = quantityToBytes(wanted);
        if (size > quantityToBytes(volume.spec?.capacity?.["storage"] ?? "0")) {
            await this.api.request("PATCH", `${VOLUMES}/${volume.metadata!.name!}`, {
                spec: { capacity: { storage: wanted } },
            });
            log(this.name, `${volume.metadata!.name!} grows to ${wanted}`);
        }
        if (size > quantityToBytes(claim.status.capacity?.["storage"] ?? "0")) {
            const { name, namespace } = claim.metadata!;
            await this.api.request(
                "PATCH",
                `/api/v1/namespaces/${namespace!}/persistentvolumeclaims/${name!}/status`,
                { status: { capacity: { storage: wanted }, conditions: null } },
            );
        }
    }

    async #reclaim(volume: V1PersistentVolume): Promise<void> {
        const name = volume.metadata!.name!;
        const deletes = volume.spec?.persistentVolumeReclaimPolicy === "Delete";
        const released = volume.status?.phase === "Released";
        const isGoing = volume.metadata?.deletionTimestamp !== undefined;
        if (!(isGoing || (released && deletes))) return;
        // One that is in use waits for Kubernetes' own protection to let go.
        if (volume.status?.phase === "Bound") return;
        const folder = folderOf(this.sandbox, nodeOf(volume) ?? "", name);
        if (deletes && folder !== undefined) {
            rmSync(folder, { recursive: true, force: true });
            log(this.name, `${name} is removed`);
        }
        const left = (volume.metadata?.finalizers ?? []).filter((one) => one !== FINALIZER);
        try {
            if (!isGoing) await this.api.request("DELETE", `${VOLUMES}/${name}`);
            await this.api.request("PATCH", `${VOLUMES}/${name}`, {
                metadata: { finalizers: left },
            });
        } catch (thrown) {
            // Gone already, which is what we want.
            if (!(thrown instanceof ApiError && thrown.status === 404)) throw thrown;
        }
    }
}
