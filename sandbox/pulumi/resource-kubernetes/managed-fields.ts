// Who owns which field of an object (metadata.managedFields), and what follows from it: fields that
// the program has told Pulumi to ignore and that somebody else owns are left to their owner.

import { parsePath, removeAt, setAt, valueAt, type PropertyPath } from "../property-path.js";
import { isObject, type Tree, type TreeObject } from "../property-tree.js";
import { objectAt, objectsAt, textAt, type KubernetesObject } from "./kubernetes-object.js";

/** The manager of everything that is created: a plain create, not an apply. */
export const CREATE_MANAGER = "pulumi-kubernetes";

interface Owner {
    readonly manager: string;
    readonly operation: string;
}

/** Those whose fields the provider takes over at its first apply: kubectl's and its own create's. */
const TAKEN_OVER: readonly Owner[] = [
    { manager: "kubectl", operation: "Apply" },
    { manager: "kubectl", operation: "Update" },
    { manager: "before-first-apply", operation: "Update" },
    { manager: CREATE_MANAGER, operation: "Update" },
    { manager: "pulumi-resource-kubernetes", operation: "Update" },
];

function isTakenOver(entry: TreeObject): boolean {
    return (
        textAt(entry, "subresource") === "" &&
        TAKEN_OVER.some(
            (owner) => owner.manager === entry["manager"] && owner.operation === entry["operation"],
        )
    );
}

function mergeFields(a: Tree | undefined, b: Tree | undefined): Tree {
    if (!isObject(a)) return b ?? {};
    if (!isObject(b)) return a;
    const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
    return Object.fromEntries([...keys].map((key) => [key, mergeFields(a[key], b[key])]));
}

/** The managed fields after `manager` has taken over those of the list; undefined: nothing to take. */
export function takenOver(live: KubernetesObject, manager: string): TreeObject[] | undefined {
    const entries = objectsAt(live, "metadata", "managedFields");
    const theirs = entries.filter(isTakenOver);
    if (theirs.length === 0) return undefined;
    const isOurs = (entry: TreeObject) =>
        entry["manager"] === manager &&
        entry["operation"] === "Apply" &&
        textAt(entry, "subresource") === "";
    const taken = [...entries.filter(isOurs), ...theirs];
    const fieldsV1 = taken.reduce<Tree>(
        (fields, entry) => mergeFields(fields, entry["fieldsV1"]),
        {},
    );
    const ours = { ...taken[0]!, manager, operation: "Apply", fieldsV1 };
    return [ours, ...entries.filter((entry) => !isOurs(entry) && !isTakenOver(entry))];
}

/** True when the manager's fields have something at or below the path (keys only, no list items). */
function owns(fields: TreeObject, path: PropertyPath): boolean {
    const found = path.reduce<Tree | undefined>(
        (value, part) => (isObject(value) ? value[`f:${part}`] : undefined),
        fields,
    );
    return found !== undefined;
}

/**
 * The inputs of an apply without the changes that are to be ignored: a field of another manager is
 * left out, so that it stays with its owner; any other keeps the value that it has in the cluster.
 */
export function withoutIgnored(
    inputs: KubernetesObject,
    live: KubernetesObject,
    manager: string,
    ignoreChanges: readonly string[],
): KubernetesObject {
    const result = structuredClone(inputs);
    const entries = objectsAt(live, "metadata", "managedFields");
    const fieldsOf = (ours: boolean) =>
        entries
            .filter((entry) => (entry["manager"] === manager) === ours)
            .map((entry) => objectAt(entry, "fieldsV1"));
    for (const path of ignoreChanges.map(parsePath)) {
        const ours = fieldsOf(true).some((fields) => owns(fields, path));
        const theirs = fieldsOf(false).some((fields) => owns(fields, path));
        if (theirs && !ours) {
            removeAt(result, path);
            continue;
        }
        const value = valueAt(live, path);
        if (value !== undefined && !path.includes("*")) setAt(result, path, value);
    }
    return result;
}
