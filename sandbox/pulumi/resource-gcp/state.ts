// From a resource in the cloud to Pulumi's state and inputs, and back.

import type { CloudResource } from "../../cloud/store.js";
import { setAt, valueAt } from "../property-path.js";
import { isObject, secret, withSecretsLike, type Tree, type TreeObject } from "../property-tree.js";
import type { Change } from "./diff.js";
import type { Google, Kind } from "./kind.js";
import { EFFECTIVE_LABELS, labelsAsRead, PULUMI_LABELS } from "./labels.js";
import { isSameReference } from "./references.js";
import { DEFAULTS, isReference, stateOnly } from "./schema.js";

/** What the state has that Google does not; with its defaults where the state is new. */
export function stateOnlyOf(type: string, from: TreeObject, deletionPolicy: string): TreeObject {
    const defaults: TreeObject = { ...DEFAULTS[type], deletionPolicy };
    return Object.fromEntries(
        stateOnly(type).flatMap((name) => {
            const value = from[name] ?? defaults[name];
            return value === undefined ? [] : [[name, value]];
        }),
    );
}

/** Inputs that are Google's business. */
export function sentToGoogle(type: string, inputs: TreeObject): TreeObject {
    const kept = new Set(stateOnly(type));
    return Object.fromEntries(
        Object.entries(inputs).filter(([name]) => !kept.has(name) && !name.startsWith("__")),
    );
}

/**
 * The state of a resource as it is now.
 *
 * @param known state or inputs that tell which labels are the program's
 */
export function stateOf(
    kind: Kind,
    resource: CloudResource,
    known: TreeObject,
    google: Google,
): TreeObject {
    const live = { ...resource.properties, ...kind.live?.(resource, google) };
    return {
        ...live,
        ...(kind.labels === undefined ? {} : labelsAsRead(live, known, kind.labels)),
        ...stateOnlyOf(kind.type, known, google.configuration.deletionPolicy),
    };
}

/** Marks what is secret: what came from a secret, and what always is. */
export function withSecrets(kind: Kind, state: TreeObject, like: TreeObject): TreeObject {
    const marked = withSecretsLike(state, like) as TreeObject;
    const always = [
        ...(kind.secrets ?? []),
        ...(kind.labels === undefined ? [] : [PULUMI_LABELS, EFFECTIVE_LABELS]),
    ];
    for (const name of always) {
        if (marked[name] !== undefined) marked[name] = secret(marked[name]);
    }
    return marked;
}

/** Of `live` what `like` has, to the depth that it has it. */
function narrowed(live: Tree | undefined, like: Tree): Tree | undefined {
    if (!isObject(live) || !isObject(like)) return live;
    return Object.fromEntries(
        Object.keys(like).flatMap((key) => {
            const value = narrowed(live[key], like[key]!);
            return value === undefined ? [] : [[key, value]];
        }),
    );
}

/** The program's inputs with the values that are there now: what a refresh writes down. */
export function refreshedInputs(kind: Kind, oldInputs: TreeObject, state: TreeObject): TreeObject {
    const entries = Object.entries(oldInputs).flatMap(([name, old]) => {
        if (name.startsWith("__")) return [[name, old] as const];
        const live = state[name];
        const isSame =
            isReference(kind.type, name) &&
            typeof old === "string" &&
            typeof live === "string" &&
            isSameReference(old, live);
        const value = isSame ? old : narrowed(live, old);
        return value === undefined ? [] : [[name, value] as const];
    });
    return Object.fromEntries(entries);
}

/** Inputs of what is imported: everything that is an input of the type. */
export function importedInputs(inputs: readonly string[], state: TreeObject): TreeObject {
    return Object.fromEntries(
        inputs.flatMap((name) => (state[name] === undefined ? [] : [[name, state[name]]])),
    );
}

/** The properties with changes in them; lists change as a whole. */
export function applied(
    properties: TreeObject,
    changes: readonly Change[],
    news: TreeObject,
): TreeObject {
    const result = structuredClone(properties);
    for (const { path } of changes) {
        const index = path.findIndex((part) => typeof part === "number");
        const at = index === -1 ? path : path.slice(0, index);
        const value = valueAt(news, at);
        if (value === undefined) {
            const parent = valueAt(result, at.slice(0, -1));
            if (isObject(parent)) Reflect.deleteProperty(parent, String(at.at(-1)));
        } else {
            setAt(result, at, value);
        }
    }
    return result;
}
