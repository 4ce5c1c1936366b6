// Every type that the stand-in has.

import { notHere } from "../refusal.js";
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
