// Names: what Google takes, and what Pulumi makes up.

import { createHash, randomBytes } from "node:crypto";
import { PluginError } from "../grpc-handler.js";
import { isUnknown, type Tree, type TreeObject } from "../property-tree.js";
import type { EngineNaming } from "../requests.js";
import type { Naming, Problem } from "./kind.js";

/** Compute Engine's rule (RFC 1035), which its API quotes in every refusal. */
const COMPUTE = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** validateFunc of resource_container_cluster.go: at most 40 characters. */
const CLUSTER = /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/;
/** resource_google_service_account.go. */
const ACCOUNT = /^[a-z]([-a-z0-9]{4,28}[a-z0-9])$/;
/** Secret Manager's API. */
const SECRET = /^[a-zA-Z0-9_-]{1,255}$/;

type Rule = readonly [RegExp, string];

export const COMPUTE_NAME: Rule = [
    COMPUTE,
    "1 to 63 lower-case letters, digits and dashes, beginning with a letter and not ending with a dash",
];
export const CLUSTER_NAME: Rule = [
    CLUSTER,
    "1 to 40 lower-case letters, digits and dashes, beginning with a letter and not ending with a dash",
];
export const ACCOUNT_ID: Rule = [
    ACCOUNT,
    "6 to 30 lower-case letters, digits and dashes, beginning with a letter and not ending with a dash",
];
export const SECRET_ID: Rule = [SECRET, "1 to 255 letters, digits, dashes and underscores"];

/** A known value that does not keep the rule. */
export function nameProblems(inputs: TreeObject, property: string, [rule, words]: Rule): Problem[] {
    const value: Tree | undefined = inputs[property];
    if (typeof value !== "string" || isUnknown(value) || rule.test(value)) return [];
    return [
        {
            property,
            reason: `"${value}" is no ${property} that Google takes: ${words} (${rule.source}).`,
        },
    ];
}

const SUFFIX_HEX_DIGITS = 7;

function suffix(resourceName: string, seed: Uint8Array): string {
    const bytes =
        seed.length > 0
            ? createHash("sha256").update(seed).update(resourceName).digest()
            : randomBytes(SUFFIX_HEX_DIGITS);
    return bytes.toString("hex").slice(0, SUFFIX_HEX_DIGITS);
}

/** A name for a resource that has none: its name in the program and seven hex digits. */
export function madeUpName(
    resourceName: string,
    naming: Naming,
    seed: Uint8Array,
    engine: EngineNaming | undefined,
): string {
    if (engine?.disabled === true) {
        throw new PluginError(
            `Autonaming is disabled in the stack's configuration (pulumi:autonaming), so the resource needs "${naming.property}".`,
        );
    }
    if (engine !== undefined) return engine.proposedName;
    const name = `${resourceName}-${suffix(resourceName, seed)}`;
    if (name.length <= naming.longest) return name;
    throw new PluginError(
        `"${resourceName}" is too long for a made-up name of at most ${naming.longest} characters: give "${naming.property}".`,
    );
}
