// Makes, grows and removes disks for claims of the sandbox's storage class. A disk is a folder on
// the node that the scheduler chose, and a volume of type `local` that says so.

import {
    CoreV1Api,
    makeInformer,
    PatchStrategy,
    setHeaderOptions,
    StorageV1Api,
    type Informer,
    type KubeConfig,
    type KubernetesObject,
    type ObjectCache,
    type V1PersistentVolume,
    type V1PersistentVolumeClaim,
    type V1StorageClass,
} from "@kubernetes/client-node";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DISK_DIRECTORY_ON_NODE, diskDirectory, NODES } from "../cluster/plan.js";
import { log, type Controller } from "./controller.js";
import { quantityToBytes } from "./quantity.js";

export const PROVISIONER = "sandbox.quorum.dev/disk";

/** Keeps a volume until its folder is gone. */
const FINALIZER = "sandbox.quorum.dev/disk";
/** Kubernetes' own: the scheduler's choice for a claim that waits for its first consumer. */
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";

const mergePatch = setHeaderOptions("Content-Type", PatchStrategy.MergePatch);

function requestOf(claim: V1PersistentVolumeClaim): string {
    return claim.spec?.resources?.requests?.["storage"] ?? "1Gi";
}

function nodeOf(volume: V1PersistentVolume): string | undefined {
    return volume.spec?.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions?.[0]
        ?.values?.[0];
}

/** Where a volume's folder is, seen from this machine. */
function folderOf(nodeName: string, volumeName: string): string | undefined {
    const node = NODES.find((one) => one.name === nodeName);
    return node === undefined ? undefined : join(diskDirectory(node), volumeName);
}

/** The volume for a claim on a node, as it is created. */
export function volumeFor(
    claim: V1PersistentVolumeClaim,
    storageClass: V1StorageClass,
    node: string,
): V1PersistentVolume {
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
    readonly sources: readonly Informer<KubernetesObject>[];
    readonly #api: CoreV1Api;
    readonly #claims: ObjectCache<V1PersistentVolumeClaim>;
    readonly #volumes: ObjectCache<V1PersistentVolume>;
    readonly #classes: ObjectCache<V1StorageClass>;

    constructor(config: KubeConfig) {
        this.#api = config.makeApiClient(CoreV1Api);
        const storage = config.makeApiClient(StorageV1Api);
        const claims = makeInformer<V1PersistentVolumeClaim>(
            config,
            "/api/v1/persistentvolumeclaims",
            () => this.#api.listPersistentVolumeClaimForAllNamespaces(),
        );
        const volumes = makeInformer<V1PersistentVolume>(config, "/api/v1/persistentvolumes", () =>
            this.#api.listPersistentVolume(),
        );
        const classes = makeInformer<V1StorageClass>(
            config,
            "/apis/storage.k8s.io/v1/storageclasses",
            () => storage.listStorageClass(),
        );
        this.#claims = claims;
        this.#volumes = volumes;
        this.#classes = classes;
        this.sources = [claims, volumes, classes] as Informer<KubernetesObject>[];
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
            (immediate ? NODES[0]!.name : undefined);
        if (node === undefined) return;
        const volume = volumeFor(claim, storageClass, node);
        const name = volume.metadata!.name!;
        if (volumes.some((one) => one.metadata?.name === name)) return;
        const folder = folderOf(node, name);
        if (folder === undefined) return;
        // As a new disk's file system: root's, until kubelet gives it to the pod's fsGroup.
        mkdirSync(folder, { recursive: true, mode: 0o755 });
        await this.#api.createPersistentVolume({ body: volume });
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
            await this.#api.patchPersistentVolume(
                { name: volume.metadata!.name!, body: { spec: { capacity: { storage: wanted } } } },
                mergePatch,
            );
            log(this.name, `${volume.metadata!.name!} grows to ${wanted}`);
        }
        if (size > quantityToBytes(claim.status.capacity?.["storage"] ?? "0")) {
            await this.#api.patchNamespacedPersistentVolumeClaimStatus(
                {
                    name: claim.metadata!.name!,
                    namespace: claim.metadata!.namespace!,
                    body: { status: { capacity: { storage: wanted }, conditions: null } },
                },
                mergePatch,
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
        const folder = folderOf(nodeOf(volume) ?? "", name);
        if (deletes && folder !== undefined) {
            rmSync(folder, { recursive: true, force: true });
            log(this.name, `${name} is removed`);
        }
        if (!isGoing) await this.#api.deletePersistentVolume({ name });
        const left = (volume.metadata?.finalizers ?? []).filter((one) => one !== FINALIZER);
        await this.#api
            .patchPersistentVolume({ name, body: { metadata: { finalizers: left } } }, mergePatch)
            .catch((thrown: unknown) => {
                if ((thrown as { code?: number }).code !== 404) throw thrown;
            });
    }
}
