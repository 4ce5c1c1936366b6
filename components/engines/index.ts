// The registry of engines: adding one is a folder and a line here.

import type { EngineName } from "../spec";
import type { Engine } from "./engine";
import { cockroachdb } from "./cockroachdb/cockroachdb";
import { kaiwudb } from "./kaiwudb/kaiwudb";
import { mongodb } from "./mongodb/mongodb";
import { mysql } from "./mysql/mysql";
import { postgresql } from "./postgresql/postgresql";
import { yugabytedb } from "./yugabytedb/yugabytedb";

const ENGINES: Readonly<Record<EngineName, Engine>> = {
    kaiwudb,
    cockroachdb,
    mongodb,
    mysql,
    postgresql,
    yugabytedb,
};

/** The engine of a name. */
export function engineOf(name: EngineName): Engine {
    return ENGINES[name];
}
