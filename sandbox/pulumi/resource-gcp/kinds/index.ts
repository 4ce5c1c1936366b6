// Every type that the stand-in has.

import type { TreeObject } from "../../property-tree.js";
import { fill, variablesOf } from "../identity.js";
import { notHere } from "../refusal.js";
import { textAt } from "../values.js";
import type { Kind } from "../kind.js";
import { ACCOUNTS } from "./accounts.js";
import { ADDRESSES } from "./addresses.js";
import { CLUSTERS } from "./clusters.js";
import { DISKS } from "./disks.js";
import { DNS } from "./dns.js";
import { NETWORKS } from "./networks.js";
import { NODE_POOLS } from "./node-pools.js";
import { SECRETS } from "./secrets.js";
import { SNAPSHOTS } from "./snapshots.js";

const KINDS = new Map(
    [
        ...NETWORKS,
        ...ADDRESSES,
        ...DISKS,
        ...SNAPSHOTS,
        ...CLUSTERS,
        ...NODE_POOLS,
        ...ACCOUNTS,
        ...DNS,
        ...SECRETS,
    ].map((kind) => [kind.type, kind]),
);

export const TYPES: readonly string[] = [...KINDS.keys()];

export function kindOf(type: string): Kind {
    const kind = KINDS.get(type);
    if (kind === undefined) throw notHere(type);
    return kind;
}

/** The id that a resource with these inputs has or would have; undefined when they do not say it. */
export function idFromInputs(type: string, inputs: TreeObject): string | undefined {
    const kind = KINDS.get(type);
    if (kind === undefined) return undefined;
    const variables = { ...inputs, ...kind.variables?.(inputs) };
    const isWhole = variablesOf(kind.id).every((name) => textAt(variables, name) !== "");
    return isWhole ? fill(kind.id, variables) : undefined;
}
