// Writes objects: the first time by a plain create, so that an object that is already there is an
// error and not taken over; from then on by server-side apply under the resource's field manager.

import { PluginError } from "../grpc-handler.js";
import { forcesPatch } from "./annotations.js";
import { ApiError, isAlreadyExists, isApplyConflict, isNotFound, isStale } from "./api-error.js";
import { UnknownKindError, type Cluster, type WriteOptions, type Written } from "./cluster.js";
import type { Configuration } from "./configuration.js";
import {
    nameOf,
    objectsAt,
    setName,
    setNamespace,
    namespaceOf,
    textAt,
    titleOf,
    type KubernetesObject,
} from "./kubernetes-object.js";
import { CREATE_MANAGER, takenOver, withoutIgnored } from "./managed-fields.js";
import { isCustomResourceDefinition } from "./normalize.js";

/** Pauses before a create is tried again because its namespace or its kind is not there yet. */
const CREATE_PAUSES_MILLISECONDS = [500, 1000, 2000, 4000, 8000];

/** Writing an object that controllers are writing too: somebody else was quicker, read it again. */
const STALE_ATTEMPTS = 5;

export interface WriteRequest {
    readonly cluster: Cluster;
    readonly configuration: Configuration;
    readonly inputs: KubernetesObject;
    readonly fieldManager: string;
    readonly preview: boolean;
    status(message: string): void;
}

/** The apply conflict of the API server in one sentence that says what to do. */
function explainConflict(error: unknown, request: WriteRequest): unknown {
    if (!isApplyConflict(error)) return error;
    const message = (error as ApiError).message.replace(/\s*\n\s*/g, " ");
    return new PluginError(
        `${titleOf(request.inputs)} was not changed, because another field manager owns what would change (field manager "${request.fieldManager}": ${message}); to take the fields over, set the annotation pulumi.com/patchForce: "true", to leave them to it, list them in ignoreChanges.`,
    );
}

function isForced(request: WriteRequest, live: KubernetesObject | undefined): boolean {
    if (forcesPatch(request.inputs) || request.configuration.patchForce) return true;
    const managers = objectsAt(live, "metadata", "managedFields");
    // From before there were field managers: nobody to ask.
    if (live !== undefined && managers.length === 0) return true;
    // A preview does not take over the fields of the create, the update does (see `claim`).
    return (
        request.preview &&
        (live === undefined ||
            managers.some(
                (entry) => entry["manager"] === CREATE_MANAGER && entry["operation"] === "Update",
            ))
    );
}

function alreadyExists(error: unknown): PluginError {
    return new PluginError(
        `${(error as ApiError).message}: the object is in the cluster but not in this stack's state. ` +
            `If a resource was renamed in the program, give it an alias (or deleteBeforeReplace); ` +
            `to adopt the object use "pulumi import"; to take it over silently set upsertExistingObjects on the provider.`,
    );
}

async function createOnce(request: WriteRequest): Promise<Written> {
    const options: WriteOptions = { fieldManager: request.fieldManager, dryRun: request.preview };
    if (request.configuration.upsertExistingObjects && request.configuration.serverSideApply) {
        return request.cluster.apply(request.inputs, {
            ...options,
            force: isForced(request, undefined),
        });
    }
    return request.cluster.create(request.inputs, { ...options, fieldManager: CREATE_MANAGER });
}

/** Creates an object; its namespace or its kind's definition may be on the way, so those are waited for. */
export async function createObject(request: WriteRequest): Promise<Written> {
    for (let attempt = 0; ; attempt++) {
        try {
            return await createOnce(request);
        } catch (error) {
            if (isAlreadyExists(error)) throw alreadyExists(error);
            const isMisordered = isNotFound(error) || error instanceof UnknownKindError;
            const pause = CREATE_PAUSES_MILLISECONDS[attempt];
            const { client } = request.cluster;
            if (!isMisordered || request.preview || pause === undefined || client.cancelled.aborted)
                throw explainConflict(error, request);
            request.status(`try ${attempt + 2}: ${(error as Error).message}`);
            await client.pause(pause);
        }
    }
}

/** Makes the resource's field manager the owner of what the create has written. */
async function claim(request: WriteRequest, live: KubernetesObject): Promise<KubernetesObject> {
    if (request.preview) return live;
    const managedFields = takenOver(live, request.fieldManager);
    if (managedFields === undefined) return live;
    const { object } = await request.cluster.patch(
        live,
        "json",
        [
            {
                op: "test",
                path: "/metadata/resourceVersion",
                value: textAt(live, "metadata", "resourceVersion"),
            },
            { op: "replace", path: "/metadata/managedFields", value: managedFields },
        ],
        { fieldManager: request.fieldManager, dryRun: false },
    );
    return object;
}

export interface Applied extends Written {
    /** What was sent: the inputs without what is ignored. */
    readonly inputs: KubernetesObject;
}

async function applyOnce(
    request: WriteRequest,
    ignoreChanges: readonly string[],
): Promise<Applied> {
    const { cluster, fieldManager, preview } = request;
    const found = await cluster.getLike(request.inputs);
    if (isCustomResourceDefinition(request.inputs)) {
        const metadata = { ...(request.inputs["metadata"] as KubernetesObject) };
        metadata["resourceVersion"] = textAt(found, "metadata", "resourceVersion");
        const replacement = { ...request.inputs, metadata };
        const answer = await cluster.replace(replacement, { fieldManager, dryRun: preview });
        return { ...answer, inputs: request.inputs };
    }
    const live = await claim(request, found);
    const inputs = withoutIgnored(request.inputs, live, fieldManager, ignoreChanges);
    const answer = await cluster.apply(inputs, {
        fieldManager,
        dryRun: preview,
        force: isForced(request, live),
    });
    return { ...answer, inputs };
}

/** Without server-side apply: what is no longer wanted goes, what is wanted is set. */
async function mergeOnce(
    request: WriteRequest,
    old: KubernetesObject,
    ignoreChanges: readonly string[],
): Promise<Applied> {
    const live = await request.cluster.getLike(request.inputs);
    const inputs = withoutIgnored(request.inputs, live, CREATE_MANAGER, ignoreChanges);
    const answer = await request.cluster.patch(live, "merge", mergePatch(old, inputs), {
        fieldManager: CREATE_MANAGER,
        dryRun: request.preview,
    });
    return { ...answer, inputs };
}

function mergePatch(old: KubernetesObject, wanted: KubernetesObject): KubernetesObject {
    const removed = Object.keys(old).filter((key) => !(key in wanted));
    const patch: KubernetesObject = Object.fromEntries(removed.map((key) => [key, null]));
    for (const [key, value] of Object.entries(wanted)) {
        const before = old[key];
        const both =
            typeof value === "object" &&
            typeof before === "object" &&
            value !== null &&
            before !== null &&
            !Array.isArray(value) &&
            !Array.isArray(before);
        patch[key] = both ? mergePatch(before, value) : value;
    }
    return patch;
}

/** Updates the object in place. */
export async function updateObject(
    request: WriteRequest,
    old: KubernetesObject,
    live: KubernetesObject,
    ignoreChanges: readonly string[],
): Promise<Applied> {
    const inputs = structuredClone(request.inputs);
    // A name that Kubernetes made up (generateName) is not among the inputs.
    if (nameOf(inputs) === "") setName(inputs, nameOf(live));
    if (namespaceOf(inputs) === "" && namespaceOf(live) !== "") {
        setNamespace(inputs, namespaceOf(live));
    }
    const complete = { ...request, inputs };
    for (let attempt = 1; ; attempt++) {
        try {
            return request.configuration.serverSideApply
                ? await applyOnce(complete, ignoreChanges)
                : await mergeOnce(complete, old, ignoreChanges);
        } catch (error) {
            const wasStale =
                isStale(error) ||
                // The "test" of the JSON patch above: HTTP 422, not a conflict.
                (error instanceof ApiError && error.status === 422 && /test/.test(error.message));
            if (!wasStale || attempt === STALE_ATTEMPTS) throw explainConflict(error, request);
        }
    }
}
