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
