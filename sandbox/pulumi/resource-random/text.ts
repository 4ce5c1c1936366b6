// Random text under rules: RandomPassword and RandomString. Every character is drawn without bias
// from node:crypto; the required characters come first and then all are shuffled.

import { randomInt } from "node:crypto";
import { PluginError } from "../grpc-handler.js";
import type { TreeObject } from "../property-tree.js";

/** The default special characters of the real provider. */
const SPECIAL = "!@#$%&*()-_=+[]{}<>:?";

/** What the real provider's schema says when an argument is left out. */
const DEFAULTS: TreeObject = {
    lower: true,
    minLower: 0,
    minNumeric: 0,
    minSpecial: 0,
    minUpper: 0,
    numeric: true,
    special: true,
    upper: true,
};

/** The arguments of a random text with their defaults; `number` is the old name of `numeric`. */
export function textArguments(inputs: TreeObject): TreeObject {
    const numeric = inputs["numeric"] ?? inputs["number"] ?? true;
    return { ...DEFAULTS, ...inputs, numeric, number: numeric };
}

interface CharacterClass {
    readonly characters: string;
    readonly allowed: boolean;
    readonly least: number;
}

function classesOf(inputs: TreeObject): CharacterClass[] {
    const special = inputs["overrideSpecial"];
    const characterClass = (characters: string, allowed: string, least: string) => ({
        characters,
        allowed: inputs[allowed] === true,
        least: Number(inputs[least]),
    });
    return [
        characterClass(
            typeof special === "string" && special !== "" ? special : SPECIAL,
            "special",
            "minSpecial",
        ),
        characterClass("abcdefghijklmnopqrstuvwxyz", "lower", "minLower"),
        characterClass("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "upper", "minUpper"),
        characterClass("0123456789", "numeric", "minNumeric"),
    ];
}

export function shuffled<T>(items: readonly T[]): T[] {
    const result = [...items];
    for (let last = result.length - 1; last > 0; last--) {
        const other = randomInt(last + 1);
        [result[last], result[other]] = [result[other]!, result[last]!];
    }
    return result;
}

function draw(characters: string, count: number): string[] {
    return Array.from({ length: count }, () => characters[randomInt(characters.length)]!);
}

/** Text of the length and the kinds of characters that the arguments (with defaults) ask for. */
export function randomText(inputs: TreeObject): string {
    const length = Number(inputs["length"]);
    const classes = classesOf(inputs);
    const alphabet = classes
        .filter((item) => item.allowed)
        .map((item) => item.characters)
        .join("");
    if (!Number.isInteger(length) || length < 1) {
        throw new PluginError(`"length" must be a whole number of at least 1.`);
    }
    // As the real provider: a minimum asks for its characters also when their class is not allowed.
    const required = classes.flatMap((item) => draw(item.characters, item.least));
    if (required.length > length) {
        throw new PluginError(
            `"length" is ${length}, but minUpper, minLower, minNumeric and minSpecial together ask for ${required.length} characters.`,
        );
    }
    if (alphabet === "" && required.length < length) {
        throw new PluginError(
            `A random text needs at least one of "upper", "lower", "numeric" and "special".`,
        );
    }
    return shuffled([...required, ...draw(alphabet, length - required.length)]).join("");
}
