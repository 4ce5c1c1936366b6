// Deletes an object and waits until it is gone, with everything that it owns.

import { deletionPropagation, skipsAwaitOnDelete, timeoutSeconds } from "./annotations.js";
import { isNotFound, isTransient } from "./api-error.js";
import { kindOfObject, UnknownKindError, type Cluster } from "./cluster.js";
import {
    idOf,
    namespaceOf,
    objectsAt,
    parseId,
    textAt,
    titleOf,
    uidOf,
    type KindOfObject,
    type KubernetesObject,
} from "./kubernetes-object.js";
import { DEFAULT_TIMEOUT_SECONDS, NotReadyError } from "./readiness/await-ready.js";

const POLL_MILLISECONDS = 500;
const STATUS_EVERY_MILLISECONDS = 10_000;

export interface DeleteRequest {
    readonly cluster: Cluster;
    readonly id: string;
    readonly inputs: KubernetesObject;
    readonly live: KubernetesObject;
    /** customTimeouts.delete, or 0. */
    readonly customSeconds: number;
    status(message: string): void;
}

function explain(live: KubernetesObject): string[] {
    const finalizers = live["metadata"] as { finalizers?: string[] } | undefined;
    const names = finalizers?.finalizers ?? [];
    const conditions = objectsAt(live, "status", "conditions")
        .filter((condition) => condition["status"] === "True")
        // A namespace says in its conditions what is still in it.
        .map((condition) => textAt(condition, "message"))
        .filter((message) => message !== "" && textAt(live, "kind") === "Namespace");
    return [
        ...(names.length === 0 ? [] : [`finalizers that have not ended: ${names.join(", ")}`]),
        ...conditions,
    ];
}

/** The object while it is being deleted; undefined when it is gone (or another has its name). */
async function remains(
    request: DeleteRequest,
    of: KindOfObject,
    namespace: string,
    name: string,
    uid: string,
): Promise<KubernetesObject | undefined> {
    try {
        const found = await request.cluster.find(of, namespace, name);
        return found !== undefined && uidOf(found) === uid ? found : undefined;
    } catch (error) {
        if (error instanceof UnknownKindError) return undefined;
        throw error;
    }
}

export async function deleteObject(request: DeleteRequest): Promise<void> {
    const { cluster, inputs, live } = request;
    const of = kindOfObject(live);
    const { name } = parseId(request.id);
    const namespace = namespaceOf(live);
    let current: KubernetesObject;
    try {
        current = await cluster.get(of, namespace, name);
        await cluster.delete(of, namespace, name, deletionPropagation(inputs));
    } catch (error) {
        // Gone already, or its definition is gone and with it the object.
        if (isNotFound(error) || error instanceof UnknownKindError) return;
        throw error;
    }
    if (skipsAwaitOnDelete(inputs)) return;
    const seconds = timeoutSeconds(request.customSeconds, inputs) ?? DEFAULT_TIMEOUT_SECONDS;
    const started = Date.now();
    let told = started;
    while (!cluster.client.cancelled.aborted) {
        try {
            const left = await remains(request, of, namespace, name, uidOf(current));
            if (left === undefined) return;
            current = left;
        } catch (error) {
            if (!isTransient(error)) throw error;
        }
        const now = Date.now();
        if (now - started >= seconds * 1000) {
            throw new NotReadyError(
                `timed out after ${seconds} s waiting for ${titleOf(current)} to be deleted`,
                explain(current),
                current,
            );
        }
        if (now - told >= STATUS_EVERY_MILLISECONDS) {
            told = now;
            request.status(`${idOf(current)}: being deleted; ${explain(current).join("; ")}`);
        }
        await cluster.client.pause(Math.min(POLL_MILLISECONDS, started + seconds * 1000 - now));
    }
    throw new NotReadyError(
        `waiting for ${titleOf(current)} to be deleted was cancelled`,
        explain(current),
        current,
    );
}
