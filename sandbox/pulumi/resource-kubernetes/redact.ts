// Messages of the API server quote what it refuses. What is secret in the inputs must not get into
// an error that way.

import {
    isObject,
    isSecret,
    withoutSecretMarks,
    type Tree,
    type TreeObject,
} from "../property-tree.js";
import { toObject } from "./checkpoint.js";
import { isSecretObject } from "./normalize.js";

/** Shorter texts ("a", "on") would be found everywhere, and say nothing. */
const SHORTEST = 4;

function textsIn(tree: Tree): string[] {
    if (typeof tree === "string") return [tree];
    if (Array.isArray(tree)) return tree.flatMap(textsIn);
    return isObject(tree) ? Object.values(tree).flatMap(textsIn) : [];
}

function secretTexts(tree: Tree): string[] {
    if (isSecret(tree)) return textsIn(withoutSecretMarks(tree));
    if (Array.isArray(tree)) return tree.flatMap(secretTexts);
    return isObject(tree) ? Object.values(tree).flatMap(secretTexts) : [];
}

function decoded(text: string): string {
    const plain = Buffer.from(text, "base64").toString("utf8");
    return /^[\x20-\x7e]+$/.test(plain) ? plain : text;
}

/** The message without any secret of the inputs, encoded or not. */
export function redacted(message: string, inputs: TreeObject): string {
    const object = toObject(inputs);
    const data = isSecretObject(object)
        ? textsIn([object["data"] ?? {}, object["stringData"] ?? {}])
        : [];
    const texts = [...secretTexts(inputs), ...data].flatMap((text) => [text, decoded(text)]);
    return texts
        .filter((text) => text.length >= SHORTEST)
        .sort((a, b) => b.length - a.length)
        .reduce((result, text) => result.replaceAll(text, "[secret]"), message);
}
