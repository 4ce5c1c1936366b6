// KaiwuDB (KWDB): what differs from CockroachDB's family.

import * as path from "path";
import { compareSeries, seriesOf, type CompleteSpec, type Problem } from "../../spec";
import { familyEngine, HTTP } from "../cockroachdb/family";
import type { Port } from "../engine";

/** Newest image of the vendor's playground of 2026-08-11. */
const DEFAULT_VERSION = "3.2.2";

/** Time series between the nodes. TLS does not cover it; it asks for the cluster's id only. */
const BRPC: Port = { name: "brpc", port: 27257, scope: "peer" };

const major = (version: string): string => version.split(".")[0]!;

/** Node by node within 3.x; there is no way back, and none from 2.x but export and import. */
function upgradeRefusal(from: string, to: string): string | undefined {
    if (major(from) !== major(to)) {
        return `KaiwuDB ${to} cannot open the data of ${from}: make a second cluster and move the data by EXPORT and IMPORT`;
    }
    return compareSeries(seriesOf(to), seriesOf(from)) < 0
        ? `KaiwuDB cannot go back from ${from} to ${to}`
        : undefined;
}

function validate({ version, maxUnavailable }: CompleteSpec): Problem[] {
    const problems: Problem[] = [];
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
    ports: [BRPC],
    services: [{ suffix: "-console", ports: [HTTP], type: "NodePort", target: { kind: "ready" } }],
    dialect: path.join(__dirname, "dialect"),
    finalizeEffect: "the new release's formats are written from now on",
    privilegedReason:
        "the vendor runs its image as root and privileged, to raise the limits of locked memory and open files",
    upgradeRefusal,
    validate,
});
