// The steps from a bare machine to a running sandbox, in the order in which they are needed.

import { startSandbox } from "./cluster/cluster.js";
import type { Form } from "./cluster/plan.js";
import { SandboxError } from "./failure.js";
import { ensureImages } from "./images.js";
import { IN_EVERY_SANDBOX, recipeFor, recipeOfImage, RECIPES, toolsFor } from "./images/index.js";
import type { ImageRecipe } from "./images/recipe.js";
import { ensurePackages, requireRoot } from "./packages.js";
import type { ProgressStep } from "./progress.js";
import { CLUSTER_TOOLS, ensureTools, type ToolName } from "./tools.js";

/** The recipes for these engines, add-ons and images; names that have none are refused. */
export function recipesFor(names: readonly string[]): ImageRecipe[] {
    const found = names.map((name) => {
        const recipe = recipeFor(name) ?? recipeOfImage(name);
        if (recipe === undefined) {
            const known = RECIPES.flatMap(({ tags }) => tags.map(({ reference }) => reference));
            throw new SandboxError(
                `The sandbox has no image for "${name}". It reaches no container registry; ` +
                    `what it can make is ${known.join(", ")}. ` +
                    `With a cluster of your own (QUORUM_KUBECONFIG=FILE) any image will do.`,
            );
        }
        return recipe;
    });
    return [...new Set([...IN_EVERY_SANDBOX, ...found])];
}

/** Everything up to running sandboxes of these forms with the images of these recipes. */
export function sandboxSteps(
    forms: readonly Form[],
    recipes: readonly ImageRecipe[],
    extraTools: readonly ToolName[] = [],
): ProgressStep[] {
    return [
        { title: "Debian packages", work: ensurePackages },
        {
            title: "Tools",
            work: (report) =>
                ensureTools([...CLUSTER_TOOLS, ...extraTools, ...toolsFor(recipes)], report),
        },
        { title: "Images", work: (report) => ensureImages(recipes, report) },
        {
            title: "Sandbox",
            work: async (report) => {
                requireRoot();
                for (const form of forms) await startSandbox(recipes, report, form);
            },
        },
    ];
}
