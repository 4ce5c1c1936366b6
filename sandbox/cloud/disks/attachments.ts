// Attaches and detaches the cloud's disks as Kubernetes asks for it: VolumeAttachments, answered as external-attacher
// and Google's driver answer them.

import type { V1PersistentVolume, V1VolumeAttachment } from "@kubernetes/client-node";
import type { Sandbox, SandboxNode } from "../../cluster/plan.js";
import { nodesOf } from "../../cluster/registry.js";
import { ApiError, Listing, type Api } from "../../controllers/api.js";
import { log, type Controller } from "../../controllers/controller.js";
import { messageOf } from "../../failure.js";
import { apiOf } from "../control-planes.js";
import type { Cloud } from "../store.js";
import { attachDisk, diskOf, DiskError } from "./disks.js";
import { DRIVER } from "./driver.js";
import { detachDisk } from "./detach.js";

/** external-attacher's, on what must not go before the disk is detached. */
const FINALIZER = "external-attacher/pd-csi-storage-gke-io";

const ATTACHMENTS = "/apis/storage.k8s.io/v1/volumeattachments";

export class AttachmentController implements Controller {
    readonly name: string;
    readonly sources: Controller["sources"];
    readonly #api: Api;
    readonly #attachments: Listing<V1VolumeAttachment>;
    readonly #volumes: Listing<V1PersistentVolume>;

    constructor(
        private readonly cloud: Cloud,
        private readonly sandbox: Sandbox,
        changes: Controller["sources"],
    ) {
        this.name = `attaching disks in ${sandbox.name}`;
        this.#api = apiOf(sandbox);
        this.#attachments = new Listing(this.#api, ATTACHMENTS);
        this.#volumes = new Listing(this.#api, "/api/v1/persistentvolumes");
        this.sources = [...changes, this.#attachments, this.#volumes];
    }

    async reconcile(): Promise<void> {
        for (const attachment of this.#attachments.list()) {
            if (attachment.spec.attacher !== DRIVER) continue;
            const isGoing = attachment.metadata?.deletionTimestamp !== undefined;
            await (isGoing ? this.#detach(attachment) : this.#attach(attachment));
        }
    }

    #handleOf({ spec }: V1VolumeAttachment): string | undefined {
        const name = spec.source.persistentVolumeName;
        const volume = this.#volumes.list().find((one) => one.metadata?.name === name);
        return volume?.spec?.csi?.volumeHandle;
    }

    #nodeOf({ spec }: V1VolumeAttachment): SandboxNode | undefined {
        return nodesOf(this.sandbox).find(({ name }) => name === spec.nodeName);
    }

    /** Looks each time whether the disk is still there: what was detached beside Kubernetes is attached again. */
    async #attach(attachment: V1VolumeAttachment): Promise<void> {
        const handle = this.#handleOf(attachment);
        const node = this.#nodeOf(attachment);
        if (handle === undefined || node === undefined) return;
        try {
            const isAttached = diskOf(this.cloud, handle).status.attachedTo === node.name;
            if (isAttached && attachment.status?.attached === true) return;
            await this.#hold(attachment);
            await attachDisk(this.cloud, handle, node);
        } catch (thrown) {
            if (!(thrown instanceof DiskError)) throw thrown;
            await this.#report(attachment, "attachError", thrown);
            return;
        }
        await this.#patchStatus(attachment, { attached: true, attachError: null });
        log(this.name, `${handle} is attached to ${node.name}`);
    }

    async #hold({ metadata }: V1VolumeAttachment): Promise<void> {
        const finalizers = metadata?.finalizers ?? [];
        if (finalizers.includes(FINALIZER)) return;
        await this.#api.request("PATCH", `${ATTACHMENTS}/${metadata!.name!}`, {
            metadata: { finalizers: [...finalizers, FINALIZER] },
        });
    }

    async #detach(attachment: V1VolumeAttachment): Promise<void> {
        const { metadata, spec } = attachment;
        const handle = this.#handleOf(attachment);
        if (handle !== undefined) {
            try {
                await detachDisk(this.cloud, handle, spec.nodeName);
            } catch (thrown) {
                await this.#report(attachment, "detachError", thrown);
                throw thrown;
            }
            log(this.name, `${handle} is detached from ${spec.nodeName}`);
        }
        const finalizers = (metadata?.finalizers ?? []).filter((one) => one !== FINALIZER);
        await this.#ignoringGone(() =>
            this.#api.request("PATCH", `${ATTACHMENTS}/${metadata!.name!}`, {
                metadata: { finalizers },
            }),
        );
    }

    /** Once for the same words, or the answer to our own writing would never end. */
    async #report(
        attachment: V1VolumeAttachment,
        kind: "attachError" | "detachError",
        thrown: unknown,
    ): Promise<void> {
        const message = messageOf(thrown);
        if (attachment.status?.[kind]?.message === message) return;
        log(this.name, message);
        await this.#patchStatus(attachment, {
            attached: kind === "detachError",
            [kind]: { message, time: new Date().toISOString() },
        });
    }

    async #patchStatus({ metadata }: V1VolumeAttachment, status: object): Promise<void> {
        await this.#ignoringGone(() =>
            this.#api.request("PATCH", `${ATTACHMENTS}/${metadata!.name!}/status`, { status }),
        );
    }

    async #ignoringGone(work: () => Promise<unknown>): Promise<void> {
        try {
            await work();
        } catch (thrown) {
            if (!(thrown instanceof ApiError && thrown.status === 404)) throw thrown;
        }
    }
}
