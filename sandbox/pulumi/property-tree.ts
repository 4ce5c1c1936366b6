// Property values as they travel between the engine and a plugin: plain JSON in which secrets are
// marked objects and values that are not known yet are marked strings. The marks are those of
// Pulumi's protocol (sdk/go/common/resource/properties.go, sdk/nodejs/runtime/rpc.ts).

import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";

export type Tree = null | boolean | number | string | Tree[] | TreeObject;
export interface TreeObject {
    [key: string]: Tree;
}

const SIGNATURE_KEY = "4dabf18193072939515e22adb298388d";
const SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270";

/** One mark per type of the unknown value; the first, "string or any", is the usual one. */
const UNKNOWN_MARKS: ReadonlySet<Tree> = new Set([
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);

/** A value that the engine will know only when what it comes from has been made. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

export function isObject(tree: Tree | undefined): tree is TreeObject {
    return typeof tree === "object" && tree !== null && !Array.isArray(tree);
}

export function isUnknown(tree: Tree | undefined): boolean {
    return tree !== undefined && UNKNOWN_MARKS.has(tree);
}

export function isSecret(tree: Tree | undefined): boolean {
    return isObject(tree) && tree[SIGNATURE_KEY] === SECRET_SIGNATURE;
}

/** Marks a value as secret; a secret stays as it is. */
export function secret(tree: Tree): Tree {
    return isSecret(tree) ? tree : { [SIGNATURE_KEY]: SECRET_SIGNATURE, value: tree };
}

function some(tree: Tree | undefined, test: (tree: Tree) => boolean): boolean {
    if (tree === undefined) return false;
    if (test(tree)) return true;
    if (Array.isArray(tree)) return tree.some((item) => some(item, test));
    if (isObject(tree)) return Object.values(tree).some((item) => some(item, test));
    return false;
}

export function containsUnknown(tree: Tree | undefined): boolean {
    return some(tree, isUnknown);
}

export function containsSecret(tree: Tree | undefined): boolean {
    return some(tree, isSecret);
}

/** A deep copy without the marks of secrets; unknown values stay marked. */
export function withoutSecretMarks(tree: Tree): Tree {
    if (Array.isArray(tree)) return tree.map(withoutSecretMarks);
    if (!isObject(tree)) return tree;
    if (isSecret(tree)) return withoutSecretMarks(tree["value"] ?? null);
    return Object.fromEntries(
        Object.entries(tree).map(([key, value]) => [key, withoutSecretMarks(value)]),
    );
}

/** {@link withoutSecretMarks} of a property bag. */
export function plainObject(tree: Tree): TreeObject {
    const plain = withoutSecretMarks(tree);
    return isObject(plain) ? plain : {};
}

/** A deep copy of `outputs` in which every value whose counterpart in `inputs` is secret is secret. */
export function withSecretsLike(outputs: Tree, inputs: Tree | undefined): Tree {
    if (isObject(outputs) && isObject(inputs) && !isSecret(inputs) && !isSecret(outputs)) {
        return Object.fromEntries(
            Object.entries(outputs).map(([key, value]) => [
                key,
                withSecretsLike(value, inputs[key]),
            ]),
        );
    }
    return containsSecret(inputs) ? secret(outputs) : outputs;
}

export function equalTrees(a: Tree | undefined, b: Tree | undefined): boolean {
    if (Array.isArray(a) && Array.isArray(b)) {
        return a.length === b.length && a.every((item, index) => equalTrees(item, b[index]));
    }
    if (isObject(a) && isObject(b)) {
        const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
        return [...keys].every((key) => equalTrees(a[key], b[key]));
    }
    return a === b;
}

export function fromStruct(struct: Struct | undefined): TreeObject {
    return struct?.toJavaScript() ?? {};
}

export function toStruct(tree: TreeObject): Struct {
    return structPb.Struct.fromJavaScript(tree);
}
