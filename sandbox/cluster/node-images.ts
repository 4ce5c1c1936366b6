// Which images nodes have, and bringing them more.

import { createReadStream, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../command.js";
import { archiveOf } from "../images.js";
import { hashOf, type ImageRecipe } from "../images/recipe.js";
import type { Sandbox, SandboxNode } from "./plan.js";
import { firstProcessOf, isRunning } from "./processes.js";
import { nodesOf } from "./registry.js";
import type { Step } from "./turn.js";

function imagesFile(node: SandboxNode): string {
    return join(node.directory, "images.json");
}

function imagesOn(node: SandboxNode): string[] {
    try {
        return JSON.parse(readFileSync(imagesFile(node), "utf8")) as string[];
    } catch {
        return [];
    }
}

/** Writes down that a node has these, too. */
export function noteImages(node: SandboxNode, recipes: readonly ImageRecipe[]): void {
    const all = new Set([...imagesOn(node), ...recipes.map(hashOf)]);
    writeFileSync(imagesFile(node), JSON.stringify([...all]));
}

/** True when the node has not got all of these. */
function lacksImages(node: SandboxNode, recipes: readonly ImageRecipe[]): boolean {
    const present = imagesOn(node);
    return recipes.some((recipe) => !present.includes(hashOf(recipe)));
}

/** Imports into a running node what it does not have yet. */
async function addImages(node: SandboxNode, recipes: readonly ImageRecipe[]): Promise<void> {
    const present = imagesOn(node);
    for (const recipe of recipes.filter((one) => !present.includes(hashOf(one)))) {
        const first = firstProcessOf(node);
        if (first === undefined) return;
        await run(
            "nsenter",
            [
                ...["--target", String(first), "--mount", "--pid", "--net"],
                ...["ctr", "--namespace", "k8s.io", "images", "import", "-"],
            ],
            { input: createReadStream(archiveOf(recipe)) },
        );
        noteImages(node, [recipe]);
    }
}

/** Brings all nodes that have power the images that they have not got. */
export async function bringImages(
    sandbox: Sandbox,
    recipes: readonly ImageRecipe[],
    step: Step,
): Promise<void> {
    const lacking = nodesOf(sandbox).filter(
        (node) => isRunning(node) && lacksImages(node, recipes),
    );
    if (lacking.length === 0) return;
    step(`bring images to the nodes: ${recipes.map((recipe) => recipe.name).join(", ")}`);
    await Promise.all(lacking.map((node) => addImages(node, recipes)));
}
