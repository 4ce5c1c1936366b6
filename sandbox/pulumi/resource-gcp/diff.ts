// Plans an update: the state that the cloud was last seen in against the new inputs, by the rules of
// Terraform's schema (schema.ts) and of what replaces (force-new.ts).

import {
    contains,
    formatPath,
    parsePath,
    touches,
    valueAt,
    type PropertyPath,
} from "../property-path.js";
import type { ChangeKind, Plan, PlannedChange } from "../plan.js";
import { equalTrees, isObject, isUnknown, type Tree, type TreeObject } from "../property-tree.js";
import type { Configuration } from "./configuration.js";
import { FORCE_NEW, FORCE_NEW_BLOCKS, FORCE_NEW_WHEN } from "./force-new.js";
import type { Kind } from "./kind.js";
import { labelsOfChanged } from "./labels.js";
import { isSameReference } from "./references.js";
import { DEFAULTS, isOrdered, isReference, KEPT_WHEN_UNSET } from "./schema.js";

/** Names of inputs that got their value from a default or were made up (Pulumi's bridge). */
export const DEFAULTED = "__defaults";

export interface Change {
    readonly path: PropertyPath;
    readonly kind: ChangeKind;
    /** undefined: it goes. */
    readonly value: Tree | undefined;
}

/** What Terraform's SDK takes for "not set" as well as for this value. */
function isZero(tree: Tree | undefined): boolean {
    if (tree === undefined || tree === null) return true;
    if (Array.isArray(tree)) return tree.length === 0;
    if (isObject(tree)) return Object.values(tree).every(isZero);
    return tree === "" || tree === false || tree === 0;
}

function isEmpty(tree: Tree): boolean {
    return isObject(tree) && Object.keys(tree).length === 0;
}

function isPlainList(tree: Tree): tree is (string | number)[] {
    return Array.isArray(tree) && tree.every((item) => !isObject(item) && !Array.isArray(item));
}

function asSet(list: readonly Tree[]): string[] {
    return list.map((item) => JSON.stringify(item)).sort();
}

function sameList(old: Tree[], wanted: Tree[], ordered: boolean): boolean {
    if (equalTrees(old, wanted)) return true;
    return (
        !ordered && isPlainList(old) && isPlainList(wanted) && equalTrees(asSet(old), asSet(wanted))
    );
}

/** Below the top level: what Google added of its own is no change, what the program took out is. */
function within(
    old: Tree | undefined,
    wanted: Tree | undefined,
    before: Tree | undefined,
    path: PropertyPath,
    type: string,
): Change[] {
    if (wanted === undefined || wanted === null) {
        if (isZero(old) || before === undefined || before === null) return [];
        return [{ path, kind: "delete", value: undefined }];
    }
    if (isUnknown(wanted)) {
        return [{ path, kind: old === undefined ? "add" : "update", value: wanted }];
    }
    if (old === undefined || old === null || isEmpty(old)) {
        return isZero(wanted) ? [] : [{ path, kind: "add", value: wanted }];
    }
    if (isObject(old) && isObject(wanted)) {
        const keys = new Set([...Object.keys(old), ...Object.keys(wanted)]);
        return [...keys].flatMap((key) =>
            within(old[key], wanted[key], valueAt(before, [key]), [...path, key], type),
        );
    }
    if (Array.isArray(old) && Array.isArray(wanted)) {
        if (sameList(old, wanted, isOrdered(type, String(path[0])))) return [];
        if (old.length === wanted.length && !isPlainList(wanted)) {
            return wanted.flatMap((item, index) =>
                within(old[index], item, valueAt(before, [index]), [...path, index], type),
            );
        }
        return [{ path, kind: "update", value: wanted }];
    }
    return old === wanted ? [] : [{ path, kind: "update", value: wanted }];
}

function ofInput(
    name: string,
    state: TreeObject,
    news: TreeObject,
    oldInputs: TreeObject,
    type: string,
): Change[] {
    const [old, wanted] = [state[name], news[name] ?? DEFAULTS[type]?.[name]];
    if (wanted === undefined) {
        if (KEPT_WHEN_UNSET[type]!.includes(name) || isZero(old)) return [];
        return [{ path: [name], kind: "delete", value: undefined }];
    }
    if (typeof old === "string" && typeof wanted === "string" && isReference(type, name)) {
        if (isSameReference(old, wanted)) return [];
    }
    return within(old, wanted, oldInputs[name], [name], type);
}

/** Changes of inputs between what is there and what is wanted. */
export function changesOf(
    type: string,
    inputs: readonly string[],
    state: TreeObject,
    news: TreeObject,
    oldInputs: TreeObject,
    ignoreChanges: readonly string[],
): Change[] {
    const ignored = ignoreChanges.map(parsePath);
    return inputs
        .filter((name) => name !== "deletionPolicy" || news[name] !== undefined)
        .flatMap((name) => ofInput(name, state, news, oldInputs, type))
        .filter(({ path }) => !ignored.some((each) => contains(each, path)));
}

function replaces(type: string, change: Change, state: TreeObject, news: TreeObject): boolean {
    const [top] = change.path;
    const when = FORCE_NEW_WHEN[type]?.[String(top)];
    if (when?.(state[String(top)], news[String(top)], news) === true) return true;
    const isBlock = FORCE_NEW_BLOCKS[type]?.includes(formatPath(change.path)) ?? false;
    if (isBlock && change.kind !== "update") return true;
    // A list of blocks has indexes in its paths, and the tables have none.
    const path = change.path.filter((part) => typeof part === "string");
    return touches(FORCE_NEW[type]!.map(parsePath), path, change.value);
}

/** Labels that Pulumi computes differ by themselves after an import. */
function labelChanges(
    kind: Kind,
    state: TreeObject,
    news: TreeObject,
    configuration: Configuration,
    ignored: readonly string[],
): (readonly [string, PlannedChange])[] {
    if (kind.labels === undefined || isUnknown(news[kind.labels])) return [];
    const wanted = labelsOfChanged(state, news, kind.labels, configuration);
    return Object.entries(wanted)
        .filter(([name, labels]) => !ignored.includes(name) && !equalTrees(state[name], labels))
        .map(([name]) => [name, { kind: "update", replace: false }] as const);
}

/** BR pkg/tfbridge/schema.go, nameRequiresDeleteBeforeReplace: a name that the program gave. */
function isNamedByProgram({ naming }: Kind, news: TreeObject): boolean {
    if (naming === undefined || news[naming.property] === undefined) return false;
    const defaulted = news[DEFAULTED];
    return !(Array.isArray(defaulted) && defaulted.includes(naming.property));
}

export interface DiffRequest {
    readonly kind: Kind;
    readonly inputs: readonly string[];
    /** All of these without marks of secrets. */
    readonly state: TreeObject;
    readonly news: TreeObject;
    readonly oldInputs: TreeObject;
    readonly ignoreChanges: readonly string[];
    readonly configuration: Configuration;
}

export function planOf(request: DiffRequest): Plan {
    const { kind, inputs, state, news, oldInputs, ignoreChanges, configuration } = request;
    const found = changesOf(kind.type, inputs, state, news, oldInputs, ignoreChanges);
    const changes = new Map<string, PlannedChange>(
        found.map((change) => [
            formatPath(change.path),
            { kind: change.kind, replace: replaces(kind.type, change, state, news) },
        ]),
    );
    for (const [name, change] of labelChanges(kind, state, news, configuration, ignoreChanges)) {
        changes.set(name, change);
    }
    const replacing = [...changes].filter(([, { replace }]) => replace).map(([path]) => path);
    return {
        changes,
        replaces: replacing,
        deleteBeforeReplace:
            replacing.length > 0 &&
            (kind.deleteBeforeReplace === true || isNamedByProgram(kind, news)),
    };
}
