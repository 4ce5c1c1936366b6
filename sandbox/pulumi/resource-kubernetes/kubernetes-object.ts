// What is read and changed of an object, whatever its kind: identity, labels, annotations.

import { isObject, type Tree, type TreeObject } from "../property-tree.js";
import { setAt, valueAt } from "../property-path.js";

/** An object as the API server takes and gives it, without marks of secrets. */
export type KubernetesObject = TreeObject;

export interface KindOfObject {
    readonly apiVersion: string;
    readonly kind: string;
}

export function textAt(object: Tree | undefined, ...path: readonly string[]): string {
    const value = valueAt(object, path);
    return typeof value === "string" ? value : "";
}

export function numberAt(object: Tree | undefined, ...path: readonly string[]): number | undefined {
    const value = valueAt(object, path);
    return typeof value === "number" ? value : undefined;
}

export function objectAt(object: Tree | undefined, ...path: readonly string[]): TreeObject {
    const value = valueAt(object, path);
    return isObject(value) ? value : {};
}

/** The objects of a list; what is no object is left out. */
export function objectsAt(object: Tree | undefined, ...path: readonly string[]): TreeObject[] {
    const value = valueAt(object, path);
    return Array.isArray(value) ? value.filter((item) => isObject(item)) : [];
}

export const nameOf = (object: KubernetesObject): string => textAt(object, "metadata", "name");
export const namespaceOf = (object: KubernetesObject): string =>
    textAt(object, "metadata", "namespace");
export const uidOf = (object: KubernetesObject): string => textAt(object, "metadata", "uid");

export function setName(object: KubernetesObject, name: string): void {
    setAt(object, ["metadata", "name"], name);
}

export function setNamespace(object: KubernetesObject, namespace: string): void {
    setAt(object, ["metadata", "namespace"], namespace);
}

export function annotationOf(object: KubernetesObject, name: string): string {
    return textAt(object, "metadata", "annotations", name);
}

export function setAnnotation(object: KubernetesObject, name: string, value: string): void {
    setAt(object, ["metadata", "annotations", name], value);
}

/** NAMESPACE/NAME, or NAME for what has no namespace: the resource's id in Pulumi's state. */
export function idOf(object: KubernetesObject): string {
    const namespace = namespaceOf(object);
    return namespace === "" ? nameOf(object) : `${namespace}/${nameOf(object)}`;
}

export function parseId(id: string): { readonly namespace: string; readonly name: string } {
    const [first, second] = id.split("/");
    return second === undefined
        ? { namespace: "", name: first ?? "" }
        : { namespace: first ?? "", name: second };
}

/** How an object is called in messages. */
export function titleOf(object: KubernetesObject): string {
    return `${textAt(object, "kind")} ${idOf(object)}`;
}

export function isKind(object: KubernetesObject, apiVersion: string, kind: string): boolean {
    return object["apiVersion"] === apiVersion && object["kind"] === kind;
}

/** The kind that a type token names: kubernetes:core/v1:Pod, kubernetes:apps/v1:StatefulSet. */
export function kindOfType(type: string): KindOfObject {
    const [, groupVersion = "", kind = ""] = type.split(":");
    return { apiVersion: groupVersion.replace(/^core\//, ""), kind };
}

/** The conditions of a status by their type. */
export function conditionOf(object: KubernetesObject, type: string): TreeObject | undefined {
    return objectsAt(object, "status", "conditions").find(
        (condition) => textAt(condition, "type").toLowerCase() === type.toLowerCase(),
    );
}
