// CockroachDB: what differs from the family.

import * as path from "path";
import type { Problem } from "../../problems";
import { compareSeries, seriesOf } from "../../series";
import type { CompleteSpec } from "../../spec";
import { familyEngine, memoryFlags } from "./family";

/** Newest regular release of the documents of 2026-06-12. */
const DEFAULT_VERSION = "26.2.2";
/** Since then a session can open the internals that the jobs ask (dialect.sh, `UNLOCK`); older ones are out of support. */
const OLDEST = "25.4";
/** The documents: a quarter each for the cache and for SQL. */
const MEMORY_SHARE = 0.25;

/** Four releases a year; those with an even number are regular and may not be skipped. */
function nextRegular(from: string): string {
    const [year, number] = from.split(".").map(Number) as [number, number];
    const next = number + 2 - (number % 2);
    return next > 4 ? `${year + 1}.${next - 4}` : `${year}.${next}`;
}

/** https://www.cockroachlabs.com/docs/stable/upgrade-cockroach-version */
function upgradeRefusal(from: string, to: string): string | undefined {
    const [old, wanted] = [seriesOf(from), seriesOf(to)];
    if (compareSeries(wanted, old) < 0) {
        return `CockroachDB goes back from ${from} to ${to} only while the upgrade to ${old} is not finalised, which the plan cannot know`;
    }
    const next = nextRegular(old);
    return compareSeries(wanted, next) > 0
        ? `an upgrade from ${from} to ${to} skips the regular release ${next}: upgrade to that first, and finalise it`
        : undefined;
}

function validate({ version }: CompleteSpec): Problem[] {
    if (compareSeries(seriesOf(version), OLDEST) < 0) {
        const reason = `must be CockroachDB ${OLDEST} or newer`;
        return [{ path: "version", value: version, reason }];
    }
    const number = Number(version.split(".")[1]);
    const reason = "is of no release: a year has four series, .1 to .4";
    return number < 1 || number > 4 ? [{ path: "version", value: version, reason }] : [];
}

/** CockroachDB. */
export const cockroachdb = familyEngine({
    name: "cockroachdb",
    title: "CockroachDB",
    defaultVersion: DEFAULT_VERSION,
    image: (version) => `cockroachdb/cockroach:v${version}`,
    container: "cockroach",
    hasConsole: true,
    ports: [],
    memory: (limit) => memoryFlags(limit, MEMORY_SHARE),
    dialect: path.join(__dirname, "dialect"),
    choices: {
        licence: true,
        finalizeUpgrade: { series: seriesOf, effect: "its features are switched on" },
    },
    upgradeRefusal,
    validate,
});
