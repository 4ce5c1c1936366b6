// The arguments of the provider itself.

import { isUnknown, plainObject, type Tree, type TreeObject } from "../property-tree.js";

export interface Configuration {
    /** For resources that name none; "" where there is none. */
    readonly project: string;
    readonly region: string;
    readonly zone: string;
    /** On every resource that has labels. */
    readonly defaultLabels: Readonly<Record<string, string>>;
    readonly attributionLabel: boolean;
    /** For resources that name none: DELETE, PREVENT or ABANDON. */
    readonly deletionPolicy: string;
}

function text(value: Tree | undefined): string {
    return typeof value === "string" && !isUnknown(value) ? value : "";
}

/** What is no text travels as JSON. */
function parsed(value: Tree | undefined): unknown {
    if (typeof value !== "string" || value === "" || isUnknown(value)) return value;
    try {
        return JSON.parse(value) as unknown;
    } catch {
        return value;
    }
}

function labelsIn(value: Tree | undefined): Record<string, string> {
    const labels = parsed(value);
    if (typeof labels !== "object" || labels === null) return {};
    return Object.fromEntries(Object.entries(labels).map(([key, each]) => [key, String(each)]));
}

export function readConfiguration(properties: TreeObject): Configuration {
    const inputs = plainObject(properties);
    const policy = text(inputs["deletionPolicy"]);
    return {
        project: text(inputs["project"]),
        region: text(inputs["region"]),
        zone: text(inputs["zone"]),
        defaultLabels: labelsIn(inputs["defaultLabels"]),
        attributionLabel: parsed(inputs["addPulumiAttributionLabel"]) !== false,
        deletionPolicy: policy === "" ? "DELETE" : policy,
    };
}
