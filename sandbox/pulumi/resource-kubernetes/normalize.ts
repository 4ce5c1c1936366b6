// Makes what the program says comparable with what the API server gives back: the server encodes
// stringData, rewrites quantities, drops empty values, and adds metadata and defaults of its own.

import { containsUnknown, isObject, type Tree, type TreeObject } from "../property-tree.js";
import { objectAt, isKind, type KubernetesObject } from "./kubernetes-object.js";

const READ_ONLY_METADATA = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
] as const;

export function isSecretObject(object: KubernetesObject): boolean {
    return isKind(object, "v1", "Secret");
}

export function isCustomResourceDefinition(object: KubernetesObject): boolean {
    return isKind(object, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
}

function reencoded(value: Tree): Tree {
    // The server decodes and encodes, so line breaks and spaces in the text do not come back.
    return typeof value === "string" ? Buffer.from(value, "base64").toString("base64") : value;
}

/** The data of a Secret as the server keeps it: stringData wins over data and is encoded. */
function encodeSecret(object: KubernetesObject): void {
    const data = objectAt(object, "data");
    const text = objectAt(object, "stringData");
    if (Object.keys(data).length + Object.keys(text).length === 0) return;
    const encoded = Object.entries(data).map(([key, value]) => [key, reencoded(value)]);
    const encodedText = Object.entries(text).map(([key, value]) => [
        key,
        Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64"),
    ]);
    object["data"] = Object.fromEntries([...encoded, ...encodedText]) as TreeObject;
    Reflect.deleteProperty(object, "stringData");
}

/** A copy in the form in which inputs are kept and compared. */
export function normalized(object: KubernetesObject): KubernetesObject {
    const copy = structuredClone(object);
    if (isSecretObject(copy) && !containsUnknown(copy)) encodeSecret(copy);
    if (isCustomResourceDefinition(copy)) {
        Reflect.deleteProperty(copy, "status");
        const spec = objectAt(copy, "spec");
        if (spec["preserveUnknownFields"] === false) {
            Reflect.deleteProperty(spec, "preserveUnknownFields");
        }
    }
    const metadata = copy["metadata"];
    if (isObject(metadata)) {
        for (const name of READ_ONLY_METADATA) Reflect.deleteProperty(metadata, name);
    }
    return copy;
}

/**
 * The live values of the fields that the inputs name: what the server, its controllers and other
 * clients have added is left out, what they have changed stays. List items are paired by index.
 */
export function pruned(live: Tree, inputs: Tree): Tree {
    if (isObject(live) && isObject(inputs)) {
        const shared = Object.entries(live).filter(([key]) => key in inputs);
        return Object.fromEntries(shared.map(([key, value]) => [key, pruned(value, inputs[key]!)]));
    }
    if (Array.isArray(live) && Array.isArray(inputs)) {
        return live.slice(0, inputs.length).map((item, index) => pruned(item, inputs[index]!));
    }
    return live;
}

export function prunedObject(live: KubernetesObject, inputs: KubernetesObject): KubernetesObject {
    return pruned(live, inputs) as KubernetesObject;
}

/** What the server leaves out of its answers, because it means the same as nothing. */
export function isEmptyValue(value: Tree): boolean {
    if (value === null || value === "" || value === false || value === 0) return true;
    if (Array.isArray(value)) return value.length === 0;
    return isObject(value) && Object.keys(value).length === 0;
}
