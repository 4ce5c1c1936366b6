// Whether what a program sends to Google's provider is what @pulumi/gcp declares: names, types, enumerations and required
// inputs, at any depth.
//
//     expect(gcpProblems(await runProgram({ config }))).toEqual([]);
//
// The compiler checks the same where the program is typed, and says nothing of what comes from configuration, casts or
// computed keys. What it does not prove: that Google accepts the values. And the package's constructors hand on only the
// inputs that they know, so a misspelt name at the top of a resource never gets here: that one is for the compiler.

import type { InvokeCall, Registration } from "../engine/registration.js";
import {
    formatPath,
    parsePath,
    valueAt,
    WILDCARD,
    type PathElement,
} from "../engine/property-path.js";
import { isMap, Secret, UNKNOWN, type PropertyMap, type Value } from "../engine/values.js";
import {
    argumentsOf,
    functionArgumentsOf,
    nestedObject,
    stateOf,
    type Declaration,
    type Property,
    type Shape,
} from "./declarations.js";

export interface GcpCheckOptions {
    /**
     * Inputs that the provider requires, by type: the declarations hardly say it. Of a nested one (`management.autoRepair`,
     * `guestAccelerators[*].type`) only where the object around it is given. Default: what the declarations require.
     */
    required?: Readonly<Record<string, readonly string[]>>;
}

/** What a run sent. */
interface Sent {
    resources: readonly Registration[];
    invokes: readonly InvokeCall[];
}

const PROVIDER = "pulumi:providers:gcp";

/**
 * A sentence for every input of a resource, provider or function of gcp that is none, has a wrong type, or is missing.
 * [] where all is well. Values that are known only after the update pass.
 */
export function gcpProblems({ resources, invokes }: Sent, options: GcpCheckOptions = {}): string[] {
    return [
        ...resources.filter(isOfGcp).flatMap((resource) => problemsOf(resource, options)),
        ...invokes
            .filter(({ token }) => token.startsWith("gcp:"))
            .flatMap(({ token, args }) =>
                sentences(token, objectProblems([], args, functionArgumentsOf(token))),
            ),
    ];
}

/** The same for what a provider's stand-in answers: every output is one that the package declares. */
export function gcpOutputProblems({ type, name, outputs }: Registration): string[] {
    return sentences(`${type} ${name}`, objectProblems([], outputs, stateOf(type)));
}

function isOfGcp({ type, custom, managed }: Registration): boolean {
    return custom && managed && (type.startsWith("gcp:") || type === PROVIDER);
}

function problemsOf({ type, name, inputs }: Registration, options: GcpCheckOptions): string[] {
    const declared = argumentsOf(type);
    const given = type === PROVIDER ? fromJson(inputs, declared) : inputs;
    const required = options.required?.[type] ?? [];
    return sentences(`${type} ${name}`, [
        ...objectProblems([], given, declared),
        ...required.flatMap((path) => missing(given, path)),
    ]);
}

/** A problem may be found in two ways: as declared, and as the table of required inputs says. */
function sentences(subject: string, problems: readonly string[]): string[] {
    return [...new Set(problems)].map((problem) => `${subject}: ${problem}`);
}

/** The SDK hands a provider's arguments over as JSON text where they are not strings. */
function fromJson(inputs: PropertyMap, declared: Declaration): PropertyMap {
    const entries = Object.entries(inputs).map(([key, value]): [string, Value] => {
        const isText = typeof value === "string" && declared.get(key)?.shape.kind !== "string";
        return [key, isText ? (JSON.parse(value) as Value) : value];
    });
    return Object.fromEntries(entries);
}

function objectProblems(path: PathElement[], given: PropertyMap, declared: Declaration): string[] {
    const absent = [...declared]
        .filter(([key, { required }]) => required && isAbsent(given[key]))
        .map(([key]) => `${formatPath([...path, key])} is missing, and is required`);
    const wrong = Object.entries(given).flatMap(([key, value]) => {
        const property = declared.get(key);
        const at = [...path, key];
        return property === undefined
            ? [noInput(at, key, [...declared.keys()])]
            : propertyProblems(at, value, property);
    });
    return [...absent, ...wrong];
}

function propertyProblems(path: PathElement[], value: Value, property: Property): string[] {
    const problems = valueProblems(path, value, property.shape);
    return problems.length > 0 || property.values.length === 0
        ? problems
        : textsIn(value)
              .filter((text) => !property.values.includes(text))
              .map(
                  (text) =>
                      `${formatPath(path)} is "${text}", which is none of ${property.values.join(", ")}`,
              );
}

function textsIn(value: Value): string[] {
    return (Array.isArray(value) ? value : [value]).filter((entry) => typeof entry === "string");
}

function valueProblems(path: PathElement[], given: Value, shape: Shape): string[] {
    const value = opened(given);
    if (value === UNKNOWN || value === null) {
        return [];
    }
    if (shape.kind === "list" && Array.isArray(value)) {
        return value.flatMap((entry, index) => valueProblems([...path, index], entry, shape.of));
    }
    if (shape.kind === "map" && isMap(value)) {
        return Object.entries(value).flatMap(([key, entry]) =>
            valueProblems([...path, key], entry, shape.of),
        );
    }
    if (shape.kind === "object" && isMap(value)) {
        return objectProblems(path, value, nestedObject(shape.name));
    }
    const isPlain = typeof value !== "object" && typeof value === shape.kind;
    return isPlain
        ? []
        : [`${formatPath(path)} is ${kindOf(value)}, where ${expected(shape)} belongs`];
}

function opened(value: Value): Value {
    return value instanceof Secret ? opened(value.value) : value;
}

/** Not the value itself: it may be a secret. */
function kindOf(value: Value): string {
    if (Array.isArray(value)) {
        return "a list";
    }
    return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function expected(shape: Shape): string {
    switch (shape.kind) {
        case "list":
            return `a list of ${shape.of.kind}s`;
        case "map":
        case "object":
            return "an object";
        default:
            return `a ${shape.kind}`;
    }
}

function isAbsent(value: Value | undefined): boolean {
    return value === undefined || value === null;
}

/** Where a required input is not, though what it belongs to is there. */
function missing(inputs: PropertyMap, path: string): string[] {
    const around = parsePath(path);
    const key = String(around.pop());
    return placesOf(inputs, around)
        .filter(({ value }) => isMap(value) && isAbsent(value[key]))
        .map(({ at }) => `${formatPath([...at, key])} is missing, and is required`);
}

interface Place {
    at: PathElement[];
    value: Value | undefined;
}

/** The places at a path in which `[*]` stands for each element. */
function placesOf(value: Value | undefined, path: PathElement[], at: PathElement[] = []): Place[] {
    const [head, ...rest] = path;
    if (head === undefined) {
        return [{ at, value }];
    }
    if (head === WILDCARD) {
        return Array.isArray(value)
            ? value.flatMap((entry, index) => placesOf(opened(entry), rest, [...at, index]))
            : [];
    }
    return placesOf(valueAt(value, [head]), rest, [...at, head]);
}

function noInput(path: PathElement[], key: string, known: readonly string[]): string {
    const [nearest] = known
        .map((name) => ({ name, distance: distanceBetween(key.toLowerCase(), name.toLowerCase()) }))
        .filter(({ name, distance }) => distance <= Math.max(2, name.length / 4))
        .sort((a, b) => a.distance - b.distance);
    const hint = nearest === undefined ? "" : `; did you mean ${nearest.name}`;
    return `${formatPath(path)} is no input${hint}`;
}

/** How many letters to add, take away or change to make one word of another (Levenshtein). */
function distanceBetween(one: string, other: string): number {
    let row = Array.from({ length: other.length + 1 }, (_, index) => index);
    for (const [i, letter] of Array.from(one).entries()) {
        const next = [i + 1];
        for (let j = 0; j < other.length; j++) {
            const change = row[j]! + (letter === other[j] ? 0 : 1);
            next.push(Math.min(change, row[j + 1]! + 1, next[j]! + 1));
        }
        row = next;
    }
    return row[other.length]!;
}
