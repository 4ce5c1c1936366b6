// The kinds of random resource: their defaults, what is made from the arguments, what of it is secret.

import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { PluginError } from "../grpc-handler.js";
import type { Tree, TreeObject } from "../property-tree.js";
import { ADJECTIVES, ADVERBS, NAMES } from "./pet-words.js";
import { randomText, shuffled, textArguments } from "./text.js";

interface Made {
    readonly id: string;
    readonly outputs: TreeObject;
}

export interface RandomKind {
    readonly required: readonly string[];
    withDefaults(inputs: TreeObject): TreeObject;
    make(inputs: TreeObject): Made;
    /** Output names, so that a preview can say that they are not known yet. */
    readonly outputs: readonly string[];
    readonly secrets: readonly string[];
}

/** Resources whose value is no name of anything have this id in the real provider. */
const NO_ID = "none";

function wholeNumber(inputs: TreeObject, name: string, least: number): number {
    const value = inputs[name];
    if (typeof value !== "number" || !Number.isInteger(value) || value < least) {
        throw new PluginError(`"${name}" must be a whole number of at least ${least}.`);
    }
    return value;
}

function text(value: Tree | undefined): string {
    return typeof value === "string" ? value : "";
}

function pick(words: readonly string[]): string {
    return words[randomInt(words.length)]!;
}

function refuseSeed(inputs: TreeObject): void {
    if (inputs["seed"] !== undefined) {
        // The real provider repeats a value for a seed; a stand-in could only repeat another one.
        throw new PluginError(
            `"seed" is not supported by the sandbox's stand-in for Pulumi's random provider: use the real one, or leave it out.`,
        );
    }
}

const unchanged = (inputs: TreeObject): TreeObject => ({ ...inputs });

function makeId(inputs: TreeObject): Made {
    const bytes = randomBytes(wholeNumber(inputs, "byteLength", 1));
    const prefix = text(inputs["prefix"]);
    const id = bytes.toString("base64url");
    return {
        id,
        outputs: {
            b64Url: prefix + id,
            b64Std: prefix + bytes.toString("base64"),
            hex: prefix + bytes.toString("hex"),
            dec: prefix + BigInt(`0x${bytes.toString("hex")}`).toString(),
        },
    };
}

function makePet(inputs: TreeObject): Made {
    const length = wholeNumber(inputs, "length", 1);
    const prefix = text(inputs["prefix"]);
    const words = [pick(NAMES)];
    if (length > 1) words.unshift(pick(ADJECTIVES));
    while (words.length < length) words.unshift(pick(ADVERBS));
    if (prefix !== "") words.unshift(prefix);
    return { id: words.join(text(inputs["separator"])), outputs: {} };
}

function makeInteger(inputs: TreeObject): Made {
    refuseSeed(inputs);
    const [least, most] = [inputs["min"], inputs["max"]];
    if (
        !Number.isSafeInteger(least) ||
        !Number.isSafeInteger(most) ||
        Number(most) < Number(least)
    ) {
        throw new PluginError(`"min" and "max" must be whole numbers, and "max" not below "min".`);
    }
    const span = BigInt(Number(most)) - BigInt(Number(least)) + 1n;
    // 128 bits over at most 2^54 values: the bias of the remainder is far below one in 2^70.
    const drawn = BigInt(`0x${randomBytes(16).toString("hex")}`) % span;
    const result = Number(drawn) + Number(least);
    return { id: String(result), outputs: { result } };
}

function makeShuffle(inputs: TreeObject): Made {
    refuseSeed(inputs);
    const source = inputs["inputs"];
    if (!Array.isArray(source)) throw new PluginError(`"inputs" must be a list.`);
    const count =
        inputs["resultCount"] === undefined ? source.length : Number(inputs["resultCount"]);
    // More results than inputs: the list is shuffled again and again, as the real provider does.
    const results: Tree[] = [];
    while (results.length < count && source.length > 0) results.push(...shuffled(source));
    return { id: "-", outputs: { results: results.slice(0, count) } };
}

function makeUuid(): Made {
    const result = randomUUID();
    return { id: result, outputs: { result } };
}

const uuid: RandomKind = {
    required: [],
    withDefaults: unchanged,
    make: makeUuid,
    outputs: ["result"],
    secrets: [],
};

const KINDS: Readonly<Record<string, RandomKind>> = {
    "random:index/randomPassword:RandomPassword": {
        required: ["length"],
        withDefaults: textArguments,
        make: (inputs) => ({ id: NO_ID, outputs: { result: randomText(inputs) } }),
        outputs: ["result"],
        secrets: ["result"],
    },
    "random:index/randomString:RandomString": {
        required: ["length"],
        withDefaults: textArguments,
        make: (inputs) => {
            const result = randomText(inputs);
            return { id: result, outputs: { result } };
        },
        outputs: ["result"],
        secrets: [],
    },
    "random:index/randomId:RandomId": {
        required: ["byteLength"],
        withDefaults: unchanged,
        make: makeId,
        outputs: ["b64Url", "b64Std", "hex", "dec"],
        secrets: [],
    },
    "random:index/randomPet:RandomPet": {
        required: [],
        withDefaults: (inputs) => ({ length: 2, separator: "-", ...inputs }),
        make: makePet,
        outputs: [],
        secrets: [],
    },
    "random:index/randomUuid:RandomUuid": uuid,
    "random:index/randomUuid4:RandomUuid4": uuid,
    "random:index/randomInteger:RandomInteger": {
        required: ["min", "max"],
        withDefaults: unchanged,
        make: makeInteger,
        outputs: ["result"],
        secrets: [],
    },
    "random:index/randomShuffle:RandomShuffle": {
        required: ["inputs"],
        withDefaults: unchanged,
        make: makeShuffle,
        outputs: ["results"],
        secrets: [],
    },
    "random:index/randomBytes:RandomBytes": {
        required: ["length"],
        withDefaults: unchanged,
        make: (inputs) => {
            const bytes = randomBytes(wholeNumber(inputs, "length", 1));
            return {
                id: NO_ID,
                outputs: { base64: bytes.toString("base64"), hex: bytes.toString("hex") },
            };
        },
        outputs: ["base64", "hex"],
        secrets: ["base64", "hex"],
    },
};

export function kindOf(type: string): RandomKind {
    const kind = KINDS[type];
    if (kind === undefined) {
        throw new PluginError(
            `${type} is not supported by the sandbox's stand-in for Pulumi's random provider, which has ${Object.keys(KINDS).join(", ")}.`,
        );
    }
    return kind;
}
