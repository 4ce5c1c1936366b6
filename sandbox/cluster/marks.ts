// What is written down of a sandbox that was started: its form, its images, and whether somebody cut its power.

import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { RECIPES } from "../images/index.js";
import { hashOf, type ImageRecipe } from "../images/recipe.js";
import { FIRST, SANDBOXES, type Form, type Sandbox } from "./plan.js";

/** How sandboxes are laid out on this machine; one of another layout is replaced, not healed. */
const LAYOUT = 4;

interface Mark {
    readonly layout: number;
    readonly form: Form;
    /** Hashes of the recipes whose images nodes are to have, also those that are to come. */
    readonly images: readonly string[];
    /** The boot in which it was started: a reboot leaves files but nothing that runs. */
    readonly boot: string;
}

function markFile(sandbox: Sandbox): string {
    return join(sandbox.directory, "started.json");
}

function bootId(): string {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}

/** Written when a start has come to its end, so whatever lacks it is a ruin. */
export function writeMark(sandbox: Sandbox, form: Form, recipes: readonly ImageRecipe[]): void {
    const mark: Mark = { layout: LAYOUT, form, images: recipes.map(hashOf), boot: bootId() };
    writeFileSync(markFile(sandbox), JSON.stringify(mark));
}

function readMark(sandbox: Sandbox): Mark | undefined {
    try {
        const mark = JSON.parse(readFileSync(markFile(sandbox), "utf8")) as Mark;
        return mark.layout === LAYOUT && mark.boot === bootId() ? mark : undefined;
    } catch {
        return undefined;
    }
}

/** The form in which a sandbox runs; undefined when it does not. */
export function runningForm(sandbox: Sandbox = FIRST): Form | undefined {
    return readMark(sandbox)?.form;
}

/** The images that a sandbox's nodes are to have. */
export function imagesOf(sandbox: Sandbox): ImageRecipe[] {
    const hashes = readMark(sandbox)?.images ?? [];
    return RECIPES.filter((recipe) => hashes.includes(hashOf(recipe)));
}

/** The running sandboxes whose machines are the cloud's. */
export function sandboxesOnCloud(): Sandbox[] {
    return SANDBOXES.filter((sandbox) => runningForm(sandbox)?.machines === "cloud");
}

export function isStarted(sandbox: Sandbox): boolean {
    return runningForm(sandbox) !== undefined;
}

/** The sandboxes that have been started and not stopped, also those without power. */
export function startedSandboxes(): Sandbox[] {
    return SANDBOXES.filter(isStarted);
}

function darkMark(sandbox: Sandbox): string {
    return join(sandbox.directory, "dark");
}

/** True when somebody cut the power of a whole sandbox, its control plane too, on purpose. */
export function isDark(sandbox: Sandbox): boolean {
    return existsSync(darkMark(sandbox));
}

/** Writes down that the power was cut, or given back. */
export function setDark(sandbox: Sandbox, isDarkNow: boolean): void {
    if (isDarkNow) writeFileSync(darkMark(sandbox), "");
    else rmSync(darkMark(sandbox), { force: true });
}
