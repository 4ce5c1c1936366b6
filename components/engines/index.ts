// The registry of engines: adding one is a folder and a line here.

import type { EngineName } from "../spec";
import type { Engine } from "./engine";
import { cockroachdb } from "./cockroachdb/cockroachdb";
import { kaiwudb } from "./kaiwudb/kaiwudb";
import { mongodb } from "./mongodb/mongodb";
import { mysql } from "./mysql/mysql";
import { postgresql } from "./postgresql/postgresql";
import { yugabytedb } from "./yugabytedb/yugabytedb";

const ENGINES: Partial<Record<EngineName, Engine>> = {
    kaiwudb,
    cockroachdb,
    mongodb,
    mysql,
    postgresql,
    yugabytedb,
};

/** The engines that can be used, by name. */
export function availableEngines(): EngineName[] {
    return Object.keys(ENGINES) as EngineName[];
}

/** The engine of a name; `undefined` when Quorum knows the name but cannot run it yet. */
export function findEngine(name: EngineName): Engine | undefined {
    return ENGINES[name];
}
