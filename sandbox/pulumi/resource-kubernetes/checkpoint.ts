// What of an object is kept in Pulumi's state: the live object, beside it the inputs it came from
// and the field manager that owns them, and everything secret marked as such.

import { randomBytes } from "node:crypto";
import {
    isObject,
    plainObject,
    secret,
    withSecretsLike,
    type Tree,
    type TreeObject,
} from "../property-tree.js";
import { fieldManagerIn } from "./annotations.js";
import { textAt, type KubernetesObject } from "./kubernetes-object.js";
import { isSecretObject } from "./normalize.js";

const INPUTS = "__inputs";
const API_VERSION = "__initialApiVersion";
const FIELD_MANAGER = "__fieldManager";

/** kubectl keeps a copy of the whole object here, of a Secret too. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

export interface Checkpoint {
    readonly inputs: KubernetesObject;
    readonly live: KubernetesObject;
    /** Owner of the fields in server-side apply; "" before there was one. */
    readonly fieldManager: string;
    readonly apiVersion: string;
}

/** Keys of CustomResourceDefinitions cannot be property names of Pulumi with their dashes. */
const EXTENSION_KEY = /^x([-_])kubernetes\1/;

function renameExtensionKeys(tree: Tree, from: string, to: string): Tree {
    if (Array.isArray(tree)) return tree.map((item) => renameExtensionKeys(item, from, to));
    if (!isObject(tree)) return tree;
    return Object.fromEntries(
        Object.entries(tree).map(([key, value]) => [
            EXTENSION_KEY.test(key) ? key.replaceAll(from, to) : key,
            renameExtensionKeys(value, from, to),
        ]),
    );
}

/** The engine's properties as a Kubernetes object. */
export function toObject(properties: TreeObject): KubernetesObject {
    return renameExtensionKeys(plainObject(properties), "_", "-") as KubernetesObject;
}

/** A Kubernetes object as properties, with everything secret that is secret in `like`. */
export function toProperties(object: KubernetesObject, like: TreeObject): TreeObject {
    const properties = renameExtensionKeys(object, "-", "_") as TreeObject;
    const marked = withSecretsLike(properties, like);
    if (!isObject(marked)) return {};
    if (isSecretObject(object)) markSecretObject(marked);
    return marked;
}

/** Of a Secret all data is secret, whether the program said so or not. */
function markSecretObject(properties: TreeObject): void {
    for (const name of ["data", "stringData"]) {
        if (properties[name] !== undefined) properties[name] = secret(properties[name]);
    }
    const metadata = properties["metadata"];
    const annotations = isObject(metadata) ? metadata["annotations"] : undefined;
    if (isObject(annotations) && annotations[LAST_APPLIED] !== undefined) {
        annotations[LAST_APPLIED] = secret(annotations[LAST_APPLIED]);
    }
}

export function toState(
    checkpoint: Checkpoint,
    /** The inputs with their marks. */
    like: TreeObject,
): TreeObject {
    return {
        ...toProperties(checkpoint.live, like),
        [INPUTS]: toProperties(checkpoint.inputs, like),
        [API_VERSION]: checkpoint.apiVersion,
        [FIELD_MANAGER]: checkpoint.fieldManager,
    };
}

export function fromState(state: TreeObject): Checkpoint {
    const object = toObject(state);
    const inputs = object[INPUTS];
    const live = Object.fromEntries(
        Object.entries(object).filter(([key]) => !key.startsWith("__")),
    );
    return {
        inputs: isObject(inputs) ? inputs : {},
        live,
        fieldManager: textAt(object, FIELD_MANAGER),
        apiVersion: textAt(object, API_VERSION),
    };
}

/** The annotation of the program first, then what the object has had so far, then a new name. */
export function fieldManagerFor(inputs: KubernetesObject, before: string): string {
    const named = fieldManagerIn(inputs);
    if (named !== "") return named;
    return before === "" ? `pulumi-kubernetes-${randomBytes(4).toString("hex")}` : before;
}
