// The pulumi.com/ annotations by which a program steers the provider.

import { annotationOf, isKind, type KubernetesObject } from "./kubernetes-object.js";

/** On objects whose name the provider made up. */
export const AUTONAMED = "pulumi.com/autonamed";
const SKIP_AWAIT = "pulumi.com/skipAwait";
const TIMEOUT_SECONDS = "pulumi.com/timeoutSeconds";
const DELETION_PROPAGATION = "pulumi.com/deletionPropagationPolicy";
const PATCH_FORCE = "pulumi.com/patchForce";
const PATCH_FIELD_MANAGER = "pulumi.com/patchFieldManager";
const REPLACE_UNREADY = "pulumi.com/replaceUnready";
export const WAIT_FOR = "pulumi.com/waitFor";

function isTrue(object: KubernetesObject, name: string): boolean {
    return annotationOf(object, name) === "true";
}

export const isAutonamed = (object: KubernetesObject): boolean => isTrue(object, AUTONAMED);
export const skipsAwait = (object: KubernetesObject): boolean => isTrue(object, SKIP_AWAIT);
export const forcesPatch = (object: KubernetesObject): boolean => isTrue(object, PATCH_FORCE);
export const replacesUnready = (object: KubernetesObject): boolean =>
    isTrue(object, REPLACE_UNREADY);

export const fieldManagerIn = (object: KubernetesObject): string =>
    annotationOf(object, PATCH_FIELD_MANAGER);

/**
 * How long to wait for an object: customTimeouts of the program first, then the annotation.
 *
 * @param customSeconds 0 when the program sets none
 */
export function timeoutSeconds(
    customSeconds: number,
    object: KubernetesObject,
): number | undefined {
    if (customSeconds !== 0) return customSeconds;
    const annotation = annotationOf(object, TIMEOUT_SECONDS);
    return /^\d+$/.test(annotation) ? Number(annotation) : undefined;
}

export type Propagation = "Foreground" | "Background" | "Orphan";

export function deletionPropagation(object: KubernetesObject): Propagation {
    switch (annotationOf(object, DELETION_PROPAGATION).toLowerCase()) {
        case "orphan":
            return "Orphan";
        case "background":
            return "Background";
        default:
            return "Foreground";
    }
}

/** The kinds for which skipAwait also means: do not wait until a deleted object is gone. */
const SKIP_AWAIT_ON_DELETE: readonly (readonly [string, string])[] = [
    ["v1", "Namespace"],
    ["v1", "Pod"],
    ["v1", "ReplicationController"],
    ["apps/v1", "DaemonSet"],
    ["apps/v1", "Deployment"],
    ["apps/v1", "StatefulSet"],
    ["batch/v1", "Job"],
];

export function skipsAwaitOnDelete(object: KubernetesObject): boolean {
    return (
        skipsAwait(object) &&
        SKIP_AWAIT_ON_DELETE.some(([apiVersion, kind]) => isKind(object, apiVersion, kind))
    );
}
