// Paths into property trees, as the engine writes them: spec.template, metadata.labels["a.b/c"],
// spec.containers[0].image, spec.containers[*].image.

import { isObject, type Tree, type TreeObject } from "./property-tree.js";

export type PropertyPath = readonly (string | number)[];

/** Reads a path; "*" stands for any key or index. */
export function parsePath(text: string): PropertyPath {
    const part = /\.?([^.[\]"]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]/gy;
    const path: (string | number)[] = [];
    while (part.lastIndex < text.length) {
        const at = part.lastIndex;
        const found = part.exec(text);
        if (found === null)
            throw new Error(`"${text}" is not a property path (at character ${at}).`);
        const [, name, quoted, index] = found;
        if (name !== undefined) path.push(name);
        else if (quoted !== undefined) path.push(quoted.replaceAll('\\"', '"'));
        else path.push(index === "*" ? "*" : Number(index));
    }
    return path;
}

/** Writes a path so that the engine and {@link parsePath} read it back. */
export function formatPath(path: PropertyPath): string {
    return path.reduce<string>((text, part) => {
        if (typeof part === "number") return `${text}[${part}]`;
        if (/[."[\]]/.test(part)) return `${text}["${part.replaceAll('"', '\\"')}"]`;
        return text === "" ? part : `${text}.${part}`;
    }, "");
}

/** True when `inner` is `outer` or lies below it. */
export function contains(outer: PropertyPath, inner: PropertyPath): boolean {
    return (
        outer.length <= inner.length &&
        outer.every((part, index) => part === "*" || part === inner[index])
    );
}

export function valueAt(tree: Tree | undefined, path: PropertyPath): Tree | undefined {
    return path.reduce<Tree | undefined>((value, part) => {
        if (Array.isArray(value)) return value[Number(part)];
        return isObject(value) ? value[part] : undefined;
    }, tree);
}

/** Sets a value below existing or new objects; does nothing where a list or a scalar is in the way. */
export function setAt(tree: TreeObject, path: PropertyPath, value: Tree): void {
    const last = path.at(-1);
    if (last === undefined) return;
    let parent: Tree = tree;
    for (const part of path.slice(0, -1)) {
        if (Array.isArray(parent)) parent = parent[Number(part)] ?? null;
        else if (isObject(parent)) parent = parent[part] ??= {};
    }
    if (Array.isArray(parent)) parent[Number(last)] = value;
    else if (isObject(parent)) parent[last] = value;
}

export function removeAt(tree: TreeObject, path: PropertyPath): void {
    const parent = valueAt(tree, path.slice(0, -1));
    const last = path.at(-1);
    if (isObject(parent) && last !== undefined) Reflect.deleteProperty(parent, last);
}

/** True when the subtree `value` holds something at `path`; "*" is any item. */
function holds(value: Tree, path: PropertyPath): boolean {
    const [first, ...rest] = path;
    if (first === undefined) return true;
    if (Array.isArray(value)) return first === "*" && value.some((item) => holds(item, rest));
    return isObject(value) && first in value && holds(value[first]!, rest);
}

/** True when a change at `path` to `value` touches one of the fields, or something below one. */
export function touches(
    fields: readonly PropertyPath[],
    path: PropertyPath,
    value: Tree | undefined,
): boolean {
    return fields.some((field) => {
        const common = Math.min(field.length, path.length);
        const same = field
            .slice(0, common)
            .every((part, index) => part === "*" || part === path[index]);
        if (!same) return false;
        // The change lies at the field or below it, or it brings the field along.
        return path.length >= field.length || holds(value ?? null, field.slice(common));
    });
}
