// The images that the sandbox can make, and which of them an engine or an add-on needs.

import type { ToolName } from "../tools.js";
import { base } from "./base.js";
import { cockroachdb } from "./cockroachdb.js";
import { kaiwudb } from "./kaiwudb.js";
import { kine } from "./kine.js";
import { mongodb } from "./mongodb.js";
import { mysql } from "./mysql.js";
import { postgresql } from "./postgresql.js";
import type { ImageRecipe } from "./recipe.js";
import { tools } from "./tools.js";
import { yugabytedb } from "./yugabytedb.js";

export const RECIPES: readonly ImageRecipe[] = [
    base,
    tools,
    mysql,
    postgresql,
    cockroachdb,
    kaiwudb,
    kine,
    mongodb,
    yugabytedb,
];

/** What every sandbox has: what its own pods run, and what the pods of every cluster take their tools from. */
export const IN_EVERY_SANDBOX: readonly ImageRecipe[] = [base, tools];

/** Engine or add-on -> the recipe it runs on. Names not listed here have no sandbox image. */
const RECIPE_OF: Readonly<Record<string, ImageRecipe>> = {
    mysql,
    postgresql,
    cockroachdb,
    kaiwudb,
    kine,
    mongodb,
    yugabytedb,
};

/** The tools whose binaries a recipe copies. */
export function toolsFor(recipes: readonly ImageRecipe[]): ToolName[] {
    return [
        ...(recipes.includes(kine) ? (["kine"] as const) : []),
        // Simulators have etcd inside.
        ...(recipes.some(({ root }) => root.kind === "program") ? (["etcd"] as const) : []),
    ];
}

/** The recipe of an engine or add-on, or undefined. */
export function recipeFor(name: string): ImageRecipe | undefined {
    return RECIPE_OF[name];
}

/** The image that an engine runs in the sandbox unless told otherwise, or undefined. */
export function imageFor(name: string): string | undefined {
    return RECIPE_OF[name]?.tags[0]?.reference;
}

/** The recipe that makes this image, or undefined. */
export function recipeOfImage(reference: string): ImageRecipe | undefined {
    return RECIPES.find((recipe) => recipe.tags.some((tag) => tag.reference === reference));
}

/** Whether an image has a simulator in place of a database; never outside of the sandbox. */
export function isSimulator(reference: string): boolean {
    return recipeOfImage(reference)?.root.kind === "program";
}
