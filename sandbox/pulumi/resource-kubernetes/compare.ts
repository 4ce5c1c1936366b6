// The difference between what is there and what the program wants now, field by field.

import type { ChangeKind } from "../plan.js";
import { valueAt, type PropertyPath } from "../property-path.js";
import { isObject, isUnknown, type Tree } from "../property-tree.js";
import { isEmptyValue } from "./normalize.js";
import { isSameQuantity } from "./quantity.js";

export interface Change {
    readonly path: PropertyPath;
    readonly kind: ChangeKind;
    /** What the field is to be; undefined when it goes. */
    readonly value: Tree | undefined;
}

function same(path: PropertyPath, old: Tree, wanted: Tree): boolean {
    return old === wanted || isSameQuantity(path, old, wanted);
}

/**
 * @param old the live values of the fields that the program named before
 * @param live the whole live object: what the server left out because it is empty is no addition
 */
export function changesBetween(
    old: Tree | undefined,
    wanted: Tree | undefined,
    live: Tree,
    path: PropertyPath = [],
): Change[] {
    if (wanted === undefined || wanted === null) {
        return old === undefined || old === null
            ? []
            : [{ path, kind: "delete", value: undefined }];
    }
    if (old === undefined) {
        const missing = valueAt(live, path) === undefined;
        return missing && isEmptyValue(wanted) ? [] : [{ path, kind: "add", value: wanted }];
    }
    if (!isUnknown(wanted) && isObject(old) && isObject(wanted)) {
        const keys = new Set([...Object.keys(old), ...Object.keys(wanted)]);
        return [...keys].flatMap((key) =>
            changesBetween(old[key], wanted[key], live, [...path, key]),
        );
    }
    if (Array.isArray(old) && Array.isArray(wanted)) {
        const length = Math.max(old.length, wanted.length);
        return Array.from({ length }, (_, index) => index).flatMap((index) =>
            changesBetween(old[index], wanted[index], live, [...path, index]),
        );
    }
    return same(path, old, wanted) ? [] : [{ path, kind: "update", value: wanted }];
}
