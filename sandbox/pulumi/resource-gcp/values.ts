// Reading values out of properties.

import { isObject, type Tree, type TreeObject } from "../property-tree.js";
import { valueAt } from "../property-path.js";

export function textAt(
    properties: Tree | undefined,
    ...path: readonly (string | number)[]
): string {
    const value = valueAt(properties, path);
    return typeof value === "string" ? value : "";
}

export function numberAt(
    properties: Tree | undefined,
    ...path: readonly (string | number)[]
): number | undefined {
    const value = valueAt(properties, path);
    return typeof value === "number" ? value : undefined;
}

export function textsAt(
    properties: Tree | undefined,
    ...path: readonly (string | number)[]
): string[] {
    const value = valueAt(properties, path);
    return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}

export function objectsAt(
    properties: Tree | undefined,
    ...path: readonly (string | number)[]
): TreeObject[] {
    const value = valueAt(properties, path);
    return Array.isArray(value) ? value.filter(isObject) : [];
}

export function objectAt(
    properties: Tree | undefined,
    ...path: readonly (string | number)[]
): TreeObject {
    const value = valueAt(properties, path);
    return isObject(value) ? value : {};
}

/** A copy that does not have one of the properties. */
export function without(properties: TreeObject, name: string): TreeObject {
    return Object.fromEntries(Object.entries(properties).filter(([key]) => key !== name));
}
