// Ids of Google's resources, as templates: `projects/{project}/zones/{zone}/disks/{name}`.

import { pathOf } from "../../cloud/store.js";
import type { Tree, TreeObject } from "../property-tree.js";

const VARIABLE = /\{(\w+)\}/g;

export function variablesOf(template: string): string[] {
    return [...template.matchAll(VARIABLE)].map(([, name]) => name!);
}

function text(value: Tree | undefined): string {
    return typeof value === "string" ? value : "";
}

export function fill(template: string, properties: TreeObject): string {
    return template.replace(VARIABLE, (_all, name: string) => text(properties[name]));
}

/** {@link fill} for the cloud's files: a value with a slash in it stays one name. */
export function fillPath(template: string, properties: TreeObject): string {
    return pathOf(...template.split("/").map((part) => fill(part, properties)));
}

/** The values in an id that has the form of the template. */
function match(template: string, id: string): TreeObject | undefined {
    const pattern = template.replace(VARIABLE, "(?<$1>[^/]+)");
    const groups = new RegExp(`^${pattern}$`).exec(id)?.groups;
    return groups === undefined ? undefined : { ...groups };
}

/**
 * The values in what a user gives to import: the id itself, or its variables with slashes between
 * them. What comes first may be left out when the provider's configuration says it.
 */
export function parseImport(
    template: string,
    id: string,
    defaults: TreeObject,
): TreeObject | undefined {
    const whole = match(template, id);
    if (whole !== undefined) return whole;
    const variables = variablesOf(template);
    for (let left = 0; left < variables.length; left++) {
        const short = variables
            .slice(left)
            .map((name) => `{${name}}`)
            .join("/");
        const found = match(short, id);
        const missing = variables.slice(0, left);
        if (found !== undefined && missing.every((name) => text(defaults[name]) !== "")) {
            return {
                ...Object.fromEntries(missing.map((name) => [name, defaults[name]!])),
                ...found,
            };
        }
    }
    return undefined;
}
