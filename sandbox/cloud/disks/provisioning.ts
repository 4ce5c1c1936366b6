// Makes and deletes disks for claims of storage classes with Google's driver, as external-provisioner does.

import type {
    V1PersistentVolume,
    V1PersistentVolumeClaim,
    V1StorageClass,
    V1VolumeAttachment,
} from "@kubernetes/client-node";
import { closeSync, mkdirSync, openSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import type { Sandbox } from "../../cluster/plan.js";
import { nodesOf } from "../../cluster/registry.js";
import { ApiError, Listing, type Api } from "../../controllers/api.js";
import { log, type Controller } from "../../controllers/controller.js";
import { quantityToBytes } from "../../controllers/quantity.js";
import { apiOf } from "../control-planes.js";
import { EVERY_CLUSTER, zonalDiskPath } from "../paths.js";
import type { ClusterStatus, DiskStatus } from "../status.js";
import type { Cloud } from "../store.js";
import { DRIVER, GIB, TOPOLOGY_KEY } from "./driver.js";

/** external-provisioner's: keeps a volume until its disk is deleted. */
const FINALIZER = "external-provisioner.volume.kubernetes.io/finalizer";
/** Kubernetes' own: the scheduler's choice for a claim that waits for its first consumer. */
const SELECTED_NODE = "volume.kubernetes.io/selected-node";
const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";

/** The driver's, when a class names no type. */
const DEFAULT_TYPE = "pd-standard";

const VOLUMES = "/api/v1/persistentvolumes";

/** The zones that a class allows; undefined: any. */
function allowedZones({ allowedTopologies }: V1StorageClass): string[] | undefined {
    return allowedTopologies?.flatMap(({ matchLabelExpressions = [] }) =>
        matchLabelExpressions.flatMap(({ key, values }) => (key === TOPOLOGY_KEY ? values : [])),
    );
}

/** The volume of a disk, for a claim, as it is created. Pure. */
export function volumeFor(
    claim: V1PersistentVolumeClaim,
    storageClass: V1StorageClass,
    disk: { readonly handle: string; readonly zone: string; readonly size: number },
) {
    const { name, namespace, uid } = claim.metadata!;
    return {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: {
            name: `pvc-${uid!}`,
            annotations: { [PROVISIONED_BY]: DRIVER },
            finalizers: [FINALIZER],
        },
        spec: {
            capacity: { storage: `${disk.size}Gi` },
            accessModes: claim.spec?.accessModes ?? ["ReadWriteOnce"],
            persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
            storageClassName: storageClass.metadata!.name!,
            volumeMode: "Filesystem",
            csi: { driver: DRIVER, volumeHandle: disk.handle, fsType: "ext4" },
            claimRef: { apiVersion: "v1", kind: "PersistentVolumeClaim", name, namespace, uid },
            nodeAffinity: {
                required: {
                    nodeSelectorTerms: [
                        {
                            matchExpressions: [
                                { key: TOPOLOGY_KEY, operator: "In", values: [disk.zone] },
                            ],
                        },
                    ],
                },
            },
        },
    };
}

export class ProvisioningController implements Controller {
    readonly name: string;
    readonly sources: Controller["sources"];
    readonly #api: Api;
    readonly #claims: Listing<V1PersistentVolumeClaim>;
    readonly #volumes: Listing<V1PersistentVolume>;
    readonly #classes: Listing<V1StorageClass>;
    readonly #attachments: Listing<V1VolumeAttachment>;

    constructor(
        private readonly cloud: Cloud,
        private readonly sandbox: Sandbox,
    ) {
        this.name = `provisioning disks in ${sandbox.name}`;
        this.#api = apiOf(sandbox);
        this.#claims = new Listing(this.#api, "/api/v1/persistentvolumeclaims");
        this.#volumes = new Listing(this.#api, VOLUMES);
        this.#classes = new Listing(this.#api, "/apis/storage.k8s.io/v1/storageclasses");
        this.#attachments = new Listing(this.#api, "/apis/storage.k8s.io/v1/volumeattachments");
        this.sources = [this.#claims, this.#volumes, this.#classes, this.#attachments];
    }

    async reconcile(): Promise<void> {
        for (const claim of this.#claims.list()) {
            const { metadata, spec } = claim;
            if (metadata?.deletionTimestamp !== undefined || spec?.volumeName !== undefined)
                continue;
            const storageClass = this.#classes
                .list()
                .find((one) => one.metadata?.name === spec?.storageClassName);
            if (storageClass?.provisioner === DRIVER) await this.#provision(claim, storageClass);
        }
        for (const volume of this.#volumes.list()) {
            if (volume.metadata?.annotations?.[PROVISIONED_BY] === DRIVER) {
                await this.#reclaim(volume);
            }
        }
    }

    /** Where the disk is made: with the first consumer's node, or else in the first zone that will do. */
    #zoneFor(claim: V1PersistentVolumeClaim, storageClass: V1StorageClass): string | undefined {
        const nodes = nodesOf(this.sandbox);
        if (storageClass.volumeBindingMode === "WaitForFirstConsumer") {
            const selected = claim.metadata?.annotations?.[SELECTED_NODE];
            return nodes.find(({ name }) => name === selected)?.zone;
        }
        const allowed = allowedZones(storageClass) ?? nodes.map(({ zone }) => zone);
        return allowed[0];
    }

    /** The project of the cluster that this sandbox plays. */
    #project(): string | undefined {
        return this.cloud
            .find<ClusterStatus>(EVERY_CLUSTER)
            .find(({ resource }) => resource.status.controlPlane === this.sandbox.name)
            ?.path.split("/")[1];
    }

    async #provision(claim: V1PersistentVolumeClaim, storageClass: V1StorageClass): Promise<void> {
        const zone = this.#zoneFor(claim, storageClass);
        const project = this.#project();
        if (zone === undefined || project === undefined) return;
        const name = `pvc-${claim.metadata!.uid!}`;
        const handle = zonalDiskPath(project, zone, name);
        const request = claim.spec?.resources?.requests?.["storage"] ?? "1Gi";
        const size = Math.ceil(quantityToBytes(request) / GIB);
        const type = storageClass.parameters?.["type"] ?? DEFAULT_TYPE;
        await this.#makeDisk(handle, { name, project, zone, size, type });
        try {
            await this.#api.request(
                "POST",
                VOLUMES,
                volumeFor(claim, storageClass, { handle, zone, size }),
            );
        } catch (thrown) {
            // We were here before, and our listing has not heard of it yet.
            if (thrown instanceof ApiError && thrown.status === 409) return;
            throw thrown;
        }
        log(this.name, `${handle} of ${size} GiB`);
    }

    async #makeDisk(handle: string, properties: Record<string, string | number>): Promise<void> {
        await this.cloud.change((writer) => {
            if (this.cloud.read(handle) !== undefined) return;
            const file = this.cloud.bytesOf(handle);
            mkdirSync(dirname(file), { recursive: true });
            closeSync(openSync(file, "w", 0o600));
            truncateSync(file, Number(properties["size"]) * GIB);
            writer.write<DiskStatus>(handle, {
                type: "gcp:compute/disk:Disk",
                id: handle,
                properties,
                status: { attachedTo: null },
            });
        });
    }

    async #reclaim(volume: V1PersistentVolume): Promise<void> {
        const name = volume.metadata!.name!;
        const handle = volume.spec!.csi!.volumeHandle;
        const isGoing = volume.metadata?.deletionTimestamp !== undefined;
        const deletes = volume.spec?.persistentVolumeReclaimPolicy === "Delete";
        if (volume.status?.phase !== "Released" || !(deletes || isGoing)) return;
        // Still attached: it is detached first, and then we are asked again.
        const isAttached = this.#attachments
            .list()
            .some(({ spec }) => spec.source.persistentVolumeName === name);
        if (isAttached) return;
        if (deletes) {
            await this.cloud.change((writer) => writer.remove(handle));
            log(this.name, `${handle} is deleted`);
        }
        try {
            if (!isGoing) await this.#api.request("DELETE", `${VOLUMES}/${name}`);
            const finalizers = (volume.metadata?.finalizers ?? []).filter(
                (one) => one !== FINALIZER,
            );
            await this.#api.request("PATCH", `${VOLUMES}/${name}`, { metadata: { finalizers } });
        } catch (thrown) {
            // Gone already, which is what we want.
            if (!(thrown instanceof ApiError && thrown.status === 404)) throw thrown;
        }
    }
}
