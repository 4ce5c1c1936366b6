// Grows the cloud's disks for claims that ask for more, with the words and in the order of external-resizer
// (kubernetes-csi/external-resizer, expand_and_recover.go and resize_status.go, commit beef24d). The file system is
// grown by kubelet, through the driver on the node, which then writes the claim's new capacity.

import type { V1PersistentVolume, V1PersistentVolumeClaim } from "@kubernetes/client-node";
import type { Sandbox } from "../../cluster/plan.js";
import { ApiError, Listing, type Api } from "../../controllers/api.js";
import { log, type Controller } from "../../controllers/controller.js";
import { quantityToBytes } from "../../controllers/quantity.js";
import { messageOf } from "../../failure.js";
import { apiOf } from "../control-planes.js";
import type { Cloud } from "../store.js";
import { DiskError, growDisk } from "./disks.js";
import { DRIVER, GIB } from "./driver.js";

/** The status of a change to an object that is another one by now. */
const CONFLICT = 409;

/** Conditions that belong to a growth; others of a claim stay as they are. */
const OURS = ["Resizing", "FileSystemResizePending", "ControllerResizeError", "NodeResizeError"];

const AT_THE_NODE = ["NodeResizePending", "NodeResizeInProgress"];

function requestOf(claim: V1PersistentVolumeClaim): string {
    return claim.spec?.resources?.requests?.["storage"] ?? "0";
}

function sizeOf(quantities: Record<string, string> | undefined): number {
    return quantityToBytes(quantities?.["storage"] ?? "0");
}

function isBoundTo(claim: V1PersistentVolumeClaim, volume: V1PersistentVolume): boolean {
    return volume.spec?.claimRef?.uid === claim.metadata?.uid;
}

/** Whether a claim's growth is the controller's turn, and not done or the node's. */
export function wantsGrowth(claim: V1PersistentVolumeClaim, volume: V1PersistentVolume): boolean {
    const { status } = claim;
    if (status?.phase !== "Bound" || !isBoundTo(claim, volume)) return false;
    const wanted = quantityToBytes(requestOf(claim));
    if (wanted <= sizeOf(status.capacity)) return false;
    const isAtTheNode = AT_THE_NODE.includes(status.allocatedResourceStatuses?.["storage"] ?? "");
    return !(isAtTheNode && sizeOf(volume.spec?.capacity) >= wanted);
}

/** `keep`: of the conditions of a growth. */
function conditionsWith(
    claim: V1PersistentVolumeClaim,
    keep: readonly string[],
    type: string,
    message?: string,
): object[] {
    const others = (claim.status?.conditions ?? []).filter(
        (one) => one.type !== type && (!OURS.includes(one.type) || keep.includes(one.type)),
    );
    const lastTransitionTime = new Date().toISOString();
    const added = { type, status: "True", lastTransitionTime, ...(message && { message }) };
    return [...others, added];
}

export class GrowthController implements Controller {
    readonly name: string;
    readonly sources: Controller["sources"];
    readonly #api: Api;
    readonly #claims: Listing<V1PersistentVolumeClaim>;
    readonly #volumes: Listing<V1PersistentVolume>;

    constructor(
        private readonly cloud: Cloud,
        sandbox: Sandbox,
    ) {
        this.name = `growing disks in ${sandbox.name}`;
        this.#api = apiOf(sandbox);
        this.#claims = new Listing(this.#api, "/api/v1/persistentvolumeclaims");
        this.#volumes = new Listing(this.#api, "/api/v1/persistentvolumes");
        this.sources = [this.#claims, this.#volumes];
    }

    async reconcile(): Promise<void> {
        for (const claim of this.#claims.list()) {
            const volume = this.#volumes
                .list()
                .find(({ metadata }) => metadata?.name === claim.spec?.volumeName);
            if (volume?.spec?.csi?.driver !== DRIVER || !wantsGrowth(claim, volume)) continue;
            try {
                await this.#grow(claim, volume);
            } catch (thrown) {
                // The claim has changed since we were told of it, by kubelet or by us: we are told again.
                if (!(thrown instanceof ApiError && thrown.status === CONFLICT)) throw thrown;
            }
        }
    }

    async #grow(claim: V1PersistentVolumeClaim, volume: V1PersistentVolume): Promise<void> {
        const handle = volume.spec!.csi!.volumeHandle;
        const storage = requestOf(claim);
        const begun = await this.#patchStatus(claim, {
            conditions: conditionsWith(claim, [], "Resizing"),
            allocatedResources: { storage },
            allocatedResourceStatuses: { storage: "ControllerResizeInProgress" },
        });
        let bytes: number;
        try {
            bytes = await growDisk(this.cloud, handle, quantityToBytes(storage));
        } catch (thrown) {
            if (!(thrown instanceof DiskError)) throw thrown;
            const message = `failed to expand pvc with ${messageOf(thrown)}`;
            const conditions = conditionsWith(begun, OURS, "ControllerResizeError", message);
            await this.#patchStatus(begun, { conditions });
            throw thrown;
        }
        await this.#api.request("PATCH", `/api/v1/persistentvolumes/${volume.metadata!.name!}`, {
            spec: { capacity: { storage: `${bytes / GIB}Gi` } },
        });
        log(this.name, `${handle} has ${bytes / GIB} GiB`);
        const message =
            "Waiting for user to (re-)start a pod to finish file system resize of volume on node.";
        await this.#patchStatus(begun, {
            conditions: conditionsWith(begun, OURS, "FileSystemResizePending", message),
            allocatedResourceStatuses: { storage: "NodeResizePending" },
        });
    }

    /** Of the claim as we know it, and of no later one. */
    async #patchStatus(
        { metadata }: V1PersistentVolumeClaim,
        status: object,
    ): Promise<V1PersistentVolumeClaim> {
        const { name, namespace, resourceVersion } = metadata!;
        const path = `/api/v1/namespaces/${namespace!}/persistentvolumeclaims/${name!}/status`;
        return this.#api.request("PATCH", path, { metadata: { resourceVersion }, status });
    }
}
