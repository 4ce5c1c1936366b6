// Plans an update: which fields change, whether the object must be replaced, and whether the old
// one must go first.

import { contains, formatPath, parsePath, touches } from "../property-path.js";
import type { Plan, PlannedChange } from "../plan.js";
import type { Tree } from "../property-tree.js";
import { isAutonamed, replacesUnready } from "./annotations.js";
import type { Checkpoint } from "./checkpoint.js";
import { changesBetween, type Change } from "./compare.js";
import { forceNewPaths, type Mutability } from "./force-new.js";
import {
    isKind,
    nameOf,
    namespaceOf,
    setName,
    setNamespace,
    type KubernetesObject,
} from "./kubernetes-object.js";
import { isNamed } from "./naming.js";
import { normalized, prunedObject } from "./normalize.js";

/** For a namespaced object "no namespace" means "default". */
function namespaceEqually(old: KubernetesObject, wanted: KubernetesObject, namespaced: boolean) {
    for (const object of [old, wanted]) {
        const metadata = object["metadata"] as Record<string, Tree> | undefined;
        if (metadata === undefined || typeof metadata !== "object") continue;
        if (!namespaced) Reflect.deleteProperty(metadata, "namespace");
        else if (metadata["namespace"] === undefined) setNamespace(object, "default");
    }
}

function replacesObject(change: Change, forceNew: readonly (readonly (string | number)[])[]) {
    const losesIdentity = change.kind === "delete" && formatPath(change.path) === "metadata";
    return losesIdentity || touches(forceNew, change.path, change.value);
}

/** @param unready tells whether a Job with the replaceUnready annotation has not completed */
export async function diffObject(
    state: Checkpoint,
    newInputs: KubernetesObject,
    ignoreChanges: readonly string[],
    mutable: Mutability,
    unready: () => Promise<boolean>,
): Promise<Plan> {
    const wanted = normalized(newInputs);
    const old = prunedObject(state.live, normalized(state.inputs));
    namespaceEqually(old, wanted, namespaceOf(state.live) !== "");
    // Writing the name that the server or the provider has made up into the program is no change.
    if (nameOf(wanted) !== "") setName(old, nameOf(state.live));
    const ignored = ignoreChanges.map(parsePath);
    const forceNew = forceNewPaths(wanted, mutable);
    const changes = new Map<string, PlannedChange>();
    for (const change of changesBetween(old, wanted, state.live)) {
        if (ignored.some((path) => contains(path, change.path))) continue;
        changes.set(formatPath(change.path), {
            kind: change.kind,
            replace: replacesObject(change, forceNew),
        });
    }
    const replaces = [...changes].filter(([, change]) => change.replace).map(([path]) => path);
    const isUnreadyJob =
        replacesUnready(wanted) && isKind(wanted, "batch/v1", "Job") && (await unready());
    if (isUnreadyJob) replaces.push('metadata.annotations["pulumi.com/replaceUnready"]');
    const deleteBeforeReplace =
        replaces.length > 0 &&
        isNamed(wanted) &&
        !isAutonamed(wanted) &&
        nameOf(wanted) === nameOf(state.live) &&
        namespaceOf(wanted) === namespaceOf(state.live);
    return { changes, replaces, deleteBeforeReplace };
}
