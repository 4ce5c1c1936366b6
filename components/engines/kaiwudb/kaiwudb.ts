// KaiwuDB (KWDB): what differs from CockroachDB's family.

import * as path from "path";
import { MIB, parseQuantity } from "../../quantity";
import type { Problem } from "../../problems";
import { compareSeries } from "../../series";
import type { CompleteSpec } from "../../spec";
import { familyEngine, memoryFlags } from "../cockroachdb/family";
import type { Port } from "../engine";

/** Newest image of the vendor's playground of 2026-08-11. */
const DEFAULT_VERSION = "3.2.2";

/** Time series between the nodes. TLS does not cover it; it asks for the cluster's id only. */
const BRPC: Port = { name: "brpc", port: 27257, scope: "peer" };

/**
 * Measured on 3.2.1: about 240 MiB before its caches and with a small pool, 200 MiB more after a million rows of time
 * series. With less it starts and is killed as soon as data comes. The vendor asks for 8 GB.
 */
const LEAST_MEMORY = "1Gi";
/** Less than CockroachDB's quarter for the cache and for SQL: time series have memory of their own. */
const MEMORY_SHARE = 1 / 8;
/** Blocks of 64 KiB, made at the start: a sixteenth of the memory, up to the program's own default. */
const POOL = { share: 1 / 16, block: MIB / 16, most: 4096 };

/** The memory flags for a memory limit. */
export function kaiwudbMemory(limit: string): Readonly<Record<string, string>> {
    const blocks = Math.floor((parseQuantity(limit) * POOL.share) / POOL.block);
    return {
        ...memoryFlags(limit, MEMORY_SHARE),
        BUFFER_POOL: `${Math.min(POOL.most, blocks)}`,
    };
}

const major = (version: string): string => version.split(".")[0]!;

/** Node by node within 3.x; there is no way back, and none from 2.x but export and import. */
function upgradeRefusal(from: string, to: string): string | undefined {
    if (major(from) !== major(to)) {
        return `KaiwuDB ${to} cannot open the data of ${from}: make a second cluster and move the data by EXPORT and IMPORT`;
    }
    // No binary refuses the data of a newer 3.x: also of a patch release, only the plan does.
    return compareSeries(to, from) < 0 ? `KaiwuDB cannot go back from ${from} to ${to}` : undefined;
}

function validate({ version, maxUnavailable, resources }: CompleteSpec): Problem[] {
    const problems: Problem[] = [];
    if (parseQuantity(resources.memory) < parseQuantity(LEAST_MEMORY)) {
        const reason = `must be at least ${LEAST_MEMORY}: KaiwuDB with less is killed as soon as it has data`;
        problems.push({ path: "resources.memory", value: resources.memory, reason });
    }
    if (major(version) !== major(DEFAULT_VERSION)) {
        const reason = `must be KaiwuDB ${major(DEFAULT_VERSION)}, for example ${DEFAULT_VERSION}`;
        problems.push({ path: "version", value: version, reason });
    }
    if (maxUnavailable > 1) {
        const reason =
            "must be 1: KaiwuDB lets one node join or upgrade at a time, and only while all others are healthy";
        problems.push({ path: "maxUnavailable", value: maxUnavailable, reason });
    }
    return problems;
}

/** KaiwuDB. */
export const kaiwudb = familyEngine({
    name: "kaiwudb",
    title: "KaiwuDB",
    defaultVersion: DEFAULT_VERSION,
    image: (version) => `kwdb/kwdb:${version}`,
    container: "kwbase",
    hasConsole: false,
    ports: [BRPC],
    dialect: path.join(__dirname, "dialect"),
    memory: kaiwudbMemory,
    choices: {
        privileged:
            "the vendor runs its image as root and privileged, to raise the limits of locked memory and open files",
    },
    upgradeRefusal,
    validate,
});
