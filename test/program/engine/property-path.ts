// Paths into property values, as Pulumi writes them: `spec.ports[0].port`, `metadata.annotations["a.b/c"]`,
// `spec.*`, `[*].name`.

import { isMap, Secret, type PropertyMap, type Value } from "./values.js";

export type PathElement = string | number;
export const WILDCARD = "*";

export function parsePath(path: string): PathElement[] {
    const elements: PathElement[] = [];
    const pattern = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g;
    for (const [, quoted, index, key] of path.matchAll(pattern)) {
        if (quoted !== undefined) {
            elements.push(quoted.replaceAll('\\"', '"'));
        } else if (index !== undefined) {
            elements.push(index === WILDCARD ? WILDCARD : Number(index));
        } else if (key !== undefined) {
            elements.push(key);
        }
    }
    return elements;
}

export function formatPath(path: readonly PathElement[]): string {
    let text = "";
    for (const element of path) {
        if (typeof element === "number") {
            text += `[${element}]`;
        } else if (/[."[\]]/.test(element)) {
            text += `["${element.replaceAll('"', '\\"')}"]`;
        } else {
            text += text === "" ? element : `.${element}`;
        }
    }
    return text;
}

/** Whether `path` is at or below `pattern`. */
export function contains(pattern: readonly PathElement[], path: readonly PathElement[]): boolean {
    return (
        pattern.length <= path.length &&
        pattern.every((element, index) => element === WILDCARD || element === path[index])
    );
}

/** The value at a path, taken out of secret envelopes on the way; undefined where there is none. */
export function valueAt(value: Value | undefined, path: string | PathElement[]): Value | undefined {
    let current = opened(value);
    for (const element of typeof path === "string" ? parsePath(path) : path) {
        if (Array.isArray(current)) {
            current = opened(typeof element === "number" ? current[element] : undefined);
        } else {
            current = opened(isMap(current) ? current[element] : undefined);
        }
    }
    return current;
}

/** The text, number or truth value at a path, as text; throws where there is none. */
export function textAt(value: Value | undefined, path: string | PathElement[]): string {
    const found = valueAt(value, path);
    if (typeof found === "string" || typeof found === "number" || typeof found === "boolean") {
        return String(found);
    }
    const place = typeof path === "string" ? path : formatPath(path);
    throw new Error(`${place}: ${found === undefined ? "there is nothing" : "there is no text"}`);
}

/**
 * A copy of `next` in which what is at the given paths is as in `previous`: what the engine does for
 * `ignoreChanges` (PropertyPath.Reset in pulumi/pulumi sdk/go/common/resource/properties_path.go, 3.248). A key that only
 * one side has is taken over, or left out; no object is made on the way, and no list becomes longer or shorter.
 */
export function resetAt(
    next: PropertyMap,
    previous: PropertyMap,
    paths: readonly string[],
): PropertyMap {
    let result: Value = next;
    for (const path of paths) {
        result = reset(result, previous, parsePath(path)) ?? {};
    }
    return isMap(result) ? result : next;
}

function reset(
    next: Value | undefined,
    previous: Value | undefined,
    path: readonly PathElement[],
): Value | undefined {
    const [head, ...rest] = path;
    if (head === undefined) {
        return previous;
    }
    if (next instanceof Secret || previous instanceof Secret) {
        const inner = reset(opened(next), opened(previous), path);
        return inner === undefined ? undefined : new Secret(inner);
    }
    if (Array.isArray(next) && Array.isArray(previous)) {
        return next.map((element, index) =>
            (head === WILDCARD || head === index) && index < previous.length
                ? (reset(element, previous[index], rest) ?? null)
                : element,
        );
    }
    if (!isMap(next) || !isMap(previous)) {
        // What is only on the new side goes, but the object around it stays: there may be more in it.
        return isMap(next) && rest.length === 0 && head !== WILDCARD ? reset(next, {}, path) : next;
    }
    const keys = head === WILDCARD ? Object.keys({ ...next, ...previous }) : [String(head)];
    const result = { ...next };
    for (const key of keys) {
        const value = reset(next[key], previous[key], rest);
        if (value === undefined) {
            Reflect.deleteProperty(result, key);
        } else {
            result[key] = value;
        }
    }
    return result;
}

function opened(value: Value | undefined): Value | undefined {
    return value instanceof Secret ? opened(value.value) : value;
}
