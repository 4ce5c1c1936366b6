// CockroachDB and KaiwuDB: what is decided before anything runs.
import { describe, expect, test } from "vitest";
import { findChanges, refusals } from "../../components/changes.js";
import { cockroachdb } from "../../components/engines/cockroachdb/cockroachdb.js";
import { memoryFlags } from "../../components/engines/cockroachdb/family.js";
import { kaiwudb } from "../../components/engines/kaiwudb/kaiwudb.js";
import { acceptSpec } from "../../components/validation.js";
import { cockroach } from "../../sandbox/simulators/cockroachdb/dialect.js";

const spec = (over: object = {}) =>
    acceptSpec({ name: "orders", engine: "cockroachdb", zones: ["a", "b", "c"], ...over }).spec;

test.each([
    ["512Mi", "128MiB"],
    ["1Gi", "256MiB"],
    ["8Gi", "2048MiB"],
    ["1000Mi", "250MiB"],
])("a limit of %s gives the cache and SQL %s each", (limit, share) => {
    expect(memoryFlags(limit)).toEqual({ CACHE: share, SQL_MEMORY: share });
});

describe("upgrades", () => {
    test.each([
        ["26.2.1", "26.2.2"],
        ["25.4.9", "26.2.2"],
        ["25.4.9", "26.1.0"],
        ["26.1.0", "26.2.2"],
    ])("CockroachDB goes from %s to %s", (from, to) => {
        expect(cockroachdb.upgradeRefusal(from, to)).toBeUndefined();
        // The simulator has the rule from the documents on its own.
        const { series, upgradeRefusal } = cockroach(to);
        expect(upgradeRefusal(series(from), series(to))).toBeUndefined();
    });
    test("CockroachDB skips no regular release", () => {
        expect(cockroachdb.upgradeRefusal("25.2.19", "26.2.2")).toBe(
            "an upgrade from 25.2.19 to 26.2.2 skips the regular release 25.4: upgrade to that first, and finalise it",
        );
        expect(cockroach("26.2.2").upgradeRefusal("25.2", "26.2")).toBe(
            "cockroach version v26.2 is too new for data of v25.2: upgrade to v25.4 first",
        );
    });
    test("KaiwuDB goes forward within 3.x only", () => {
        expect(kaiwudb.upgradeRefusal("3.1.0", "3.2.2")).toBeUndefined();
        expect(kaiwudb.upgradeRefusal("3.2.2", "3.1.0")).toBe(
            "KaiwuDB cannot go back from 3.2.2 to 3.1.0",
        );
        expect(kaiwudb.upgradeRefusal("2.2.0", "3.2.2")).toContain("EXPORT and IMPORT");
    });
});

test("there is no primary to choose", () => {
    expect(() => spec({ primary: "orders-a-0" })).toThrow(
        "CockroachDB has no primary, every member takes writes: remove the key",
    );
});

test("fewer members than replicas of a range are refused", () => {
    expect(() => spec({ replicas: 2 })).toThrow("CockroachDB needs at least 3 members");
});

test("an even number of members is fine: ranges vote, not members", () => {
    expect(spec({ replicas: 4 }).replicas).toBe(4);
});

test("KaiwuDB's members join one at a time", () => {
    expect(() => spec({ engine: "kaiwudb", maxUnavailable: 2, replicas: 5 })).toThrow(
        "must be 1: KaiwuDB lets one node join or upgrade at a time",
    );
});

test("privileges are KaiwuDB's exception, and a licence CockroachDB's", () => {
    const licence = { organization: "Example", secret: "licence" };
    expect(() => spec({ privileged: true })).toThrow("CockroachDB needs no privileges");
    expect(() => spec({ engine: "kaiwudb", licence })).toThrow("KaiwuDB takes no licence");
    expect(spec({ licence }).licence).toEqual(licence);
    expect(spec({ engine: "kaiwudb" }).privileged).toBe(false);
    expect(spec({ engine: "kaiwudb", privileged: true }).privileged).toBe(true);
});

test("an upgrade and its finalising are two updates", () => {
    const old = spec({ version: "25.4.9" });
    const wanted = spec({ version: "26.2.2", finalizeUpgrade: "26.2" });
    expect(refusals(findChanges(old, wanted), []).map(({ reason }) => reason)).toEqual([
        "image or version and finalizeUpgrade change at once: make them one update each.",
    ]);
});
