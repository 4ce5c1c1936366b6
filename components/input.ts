// What can be done with an input that nobody has checked yet: anything may be in it.

import type { Problem } from "./problems";

/** The value at a path of an unchecked input; `undefined` when there is none. */
export function at(input: unknown, path: readonly PropertyKey[]): unknown {
    return path.reduce<unknown>(
        (value, key) =>
            typeof value === "object" && value !== null && Object.hasOwn(value, key)
                ? (value as Record<PropertyKey, unknown>)[key]
                : undefined,
        input,
    );
}

/** A copy without the values at these paths; of a list that has one of them, the whole list goes. */
export function without(input: unknown, paths: readonly (readonly PropertyKey[])[]): unknown {
    const rest = structuredClone(input);
    for (const path of paths) {
        const whole = untilList(rest, path);
        const holder = at(rest, whole.slice(0, -1));
        if (typeof holder === "object" && holder !== null) {
            Reflect.deleteProperty(holder, whole.at(-1)!);
        }
    }
    return rest;
}

/** The values at these paths as they were in the original. */
export function putBack<T>(
    into: T,
    original: unknown,
    paths: readonly (readonly PropertyKey[])[],
): T {
    for (const path of paths) {
        const whole = untilList(original, path);
        const holder = at(into, whole.slice(0, -1));
        if (typeof holder === "object" && holder !== null) {
            Reflect.set(holder, whole.at(-1)!, at(original, whole));
        }
    }
    return into;
}

/** A path down to the first list on its way. */
function untilList(input: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] {
    const list = path.findIndex((_, position) => Array.isArray(at(input, path.slice(0, position))));
    return list === -1 ? path : path.slice(0, list);
}

/** What is no plain data: nothing else can be said of a specification that has such values. */
export function plainProblems(
    value: unknown,
    path: readonly string[] = [],
    above: readonly unknown[] = [],
): Problem[] {
    const refuse = (reason: string): Problem[] => [{ path: path.join("."), value, reason }];
    if (["bigint", "function", "symbol"].includes(typeof value)) {
        return refuse("must be plain data: text, numbers, true or false, lists and objects");
    }
    if (typeof value !== "object" || value === null) {
        return [];
    }
    if (above.includes(value)) {
        return refuse("contains itself");
    }
    const kind: unknown = Object.getPrototypeOf(value);
    if (!Array.isArray(value) && kind !== Object.prototype && kind !== null) {
        return refuse(
            "must be plain data, known before anything runs: an output of a resource is known too late",
        );
    }
    if (Object.hasOwn(value, "__proto__")) {
        return refuse("has a key __proto__: there is no such key");
    }
    return Object.entries(value).flatMap(([key, part]) =>
        plainProblems(part, [...path, key], [...above, value]),
    );
}
