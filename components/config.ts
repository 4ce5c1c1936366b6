// Stack configuration -> unchecked specification. Pulumi hands every value over as text.

import * as pulumi from "@pulumi/pulumi";
import { SPEC_KEYS } from "./spec";

/** Keys whose values stay text even when they look like numbers, for example a version `18`. */
const TEXT_KEYS: ReadonlySet<string> = new Set([
    "name",
    "engine",
    "version",
    "finalizeUpgrade",
    "image",
    "toolsImage",
    "imagePullPolicy",
    "layout",
    "platform",
    "namespace",
    "clusterDomain",
    "primary",
    "database",
    "durability",
    "replication",
]);

/** Keys of the program that are not part of a cluster's specification. */
export const PROGRAM_KEYS: ReadonlySet<string> = new Set(["kubeconfig", "context", "clusters"]);

/**
 * Reads all keys of one configuration namespace. What is not text in {@link SPEC_KEYS} is read as JSON where it
 * is JSON; whatever is wrong with a value is left to the specification's validation, which reports all at once.
 */
export function readConfig(values: Readonly<Record<string, string>>): Record<string, unknown> {
    const input: Record<string, unknown> = {};
    for (const [key, text] of Object.entries(values)) {
        if (!PROGRAM_KEYS.has(key)) {
            input[key] = TEXT_KEYS.has(key) || !SPEC_KEYS.includes(key) ? text : fromJson(text);
        }
    }
    return input;
}

/** Where a stack names the project of Google Cloud for every program; `quorum:gke.project` goes before it. */
const GOOGLE_PROJECT = "gcp:project";

/**
 * Fills in what the configuration of Pulumi's own packages says.
 */
export function withPackageConfig(
    input: Readonly<Record<string, unknown>>,
    all: Readonly<Record<string, string>> = pulumi.runtime.allConfig(),
): Record<string, unknown> {
    const project = all[GOOGLE_PROJECT];
    const gke = input.gke ?? {};
    return input.platform === "gke" && project !== undefined && typeof gke === "object"
        ? { ...input, gke: { project, ...gke } }
        : { ...input };
}

/** The keys of this project's namespace in the stack's configuration, without the namespace. */
export function stackConfig(project: string): Record<string, string> {
    const prefix = `${project}:`;
    return Object.fromEntries(
        Object.entries(pulumi.runtime.allConfig())
            .filter(([key]) => key.startsWith(prefix))
            .map(([key, value]) => [key.slice(prefix.length), value]),
    );
}

function fromJson(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        return text;
    }
}
