// CockroachDB and KaiwuDB: what is decided before anything runs.
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { findChanges, refusals } from "../../components/rules/changes.js";
import { cockroachdb } from "../../components/engines/cockroachdb/cockroachdb.js";
import { memoryFlags } from "../../components/engines/cockroachdb/family.js";
import { kaiwudb, kaiwudbMemory } from "../../components/engines/kaiwudb/kaiwudb.js";
import { acceptSpec } from "../../components/rules/accept.js";
import { Cluster } from "../../sandbox/simulators/cockroachdb/cluster.js";
import { cockroach } from "../../sandbox/simulators/cockroachdb/dialect.js";
import { execute } from "../../sandbox/simulators/cockroachdb/sql.js";
import type { Store } from "../../sandbox/simulators/shared/index.js";

const spec = (over: object = {}) =>
    acceptSpec({ name: "orders", engine: "cockroachdb", zones: ["a", "b", "c"], ...over }).spec;

test.each([
    ["512Mi", "128MiB"],
    ["1Gi", "256MiB"],
    ["8Gi", "2048MiB"],
    ["1000Mi", "250MiB"],
])("a limit of %s gives CockroachDB's cache and SQL %s each", (limit, share) => {
    expect(memoryFlags(limit, 1 / 4)).toEqual({ CACHE: share, SQL_MEMORY: share });
});

test.each([
    ["1Gi", "128MiB", "1024"],
    ["2Gi", "256MiB", "2048"],
    ["16Gi", "2048MiB", "4096"],
])("a limit of %s gives KaiwuDB's cache and SQL %s each, and %s blocks", (limit, share, pool) => {
    expect(kaiwudbMemory(limit)).toEqual({
        CACHE: share,
        SQL_MEMORY: share,
        BUFFER_POOL: pool,
    });
});

test("KaiwuDB with less memory than it needs is refused", () => {
    const resources = { memory: "512Mi" };
    expect(() => spec({ engine: "kaiwudb", resources })).toThrow("must be at least 1Gi");
    expect(spec({ engine: "kaiwudb" }).resources.memory).toBe("1Gi");
});

test("CockroachDB before 25.4 is refused", () => {
    expect(() => spec({ version: "25.3.9" })).toThrow("must be CockroachDB 25.4 or newer");
    expect(spec({ version: "25.4.0" }).version).toBe("25.4.0");
});

test("KaiwuDB has no console, and nothing to finalise", () => {
    const scopes = (engine: typeof kaiwudb) =>
        engine.ports(spec()).map(({ name, scope }) => `${name} ${scope}`);
    expect(scopes(kaiwudb)).toEqual(["sql client", "http peer", "brpc peer"]);
    expect(scopes(cockroachdb)).toEqual(["sql client", "http console"]);
    expect(kaiwudb.services.map(({ suffix }) => suffix)).toEqual([""]);
    expect(() => spec({ engine: "kaiwudb", version: "3.2.2", finalizeUpgrade: "3.2" })).toThrow(
        "an upgrade of KaiwuDB is one step",
    );
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
        expect(cockroachdb.upgradeRefusal("25.4.9", "26.4.0")).toBe(
            "an upgrade from 25.4.9 to 26.4.0 skips the regular release 26.2: upgrade to that first, and finalise it",
        );
        expect(cockroach("26.4.0").upgradeRefusal("25.4", "26.4")).toBe(
            "cockroach version v26.4 is too new for data of v25.4: upgrade to v26.2 first",
        );
    });
    test("KaiwuDB goes forward within 3.x only", () => {
        expect(kaiwudb.upgradeRefusal("3.1.0", "3.2.2")).toBeUndefined();
        expect(kaiwudb.upgradeRefusal("3.2.2", "3.1.0")).toBe(
            "KaiwuDB cannot go back from 3.2.2 to 3.1.0",
        );
        expect(kaiwudb.upgradeRefusal("3.2.2", "3.2.1")).toBe(
            "KaiwuDB cannot go back from 3.2.2 to 3.2.1",
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

describe("the simulators", () => {
    const cluster = (nodes: readonly object[], liveness: Record<string, object>) => ({
        list: (prefix: string) =>
            Promise.resolve(
                prefix === "nodes/"
                    ? nodes.map((node) => ({ key: "", value: JSON.stringify(node) }))
                    : Object.entries(liveness).map(([id, said]) => ({
                          key: `liveness/${id}`,
                          value: JSON.stringify(said),
                      })),
            ),
    });
    const ask = (version: string, statement: string, unsafe?: boolean) => {
        const dialect = cockroach(version);
        const store = cluster([], {}) as unknown as Store;
        const session = { store, dialect, cluster: new Cluster(store, dialect), user: "root" };
        return execute(
            { ...session, clusterId: "this-one", ...(unsafe !== undefined && { unsafe }) },
            statement,
        );
    };
    const ID = "SELECT crdb_internal.cluster_id();";
    const transcript = (name: string) =>
        readFileSync(
            path.join(import.meta.dirname, "../transcripts/cockroachdb", `${name}.txt`),
            "utf8",
        );
    test("refuse CockroachDB's internals from 26.1 on, as it does", async () => {
        const message = await ask("26.2.2", ID).catch((error: unknown) => (error as Error).message);
        expect(transcript("sql-cluster-id--refused")).toContain(`ERROR: ${message as string}\n`);
        expect(await ask("26.2.2", ID, true)).toMatchObject({ rows: [["this-one"]] });
        expect(await ask("25.4.9", ID)).toMatchObject({ rows: [["this-one"]] });
    });
    test("know the variable that opens them since 25.4", async () => {
        const set = "SET allow_unsafe_internals = on;";
        expect(await ask("25.4.9", set)).toMatchObject({ tag: "SET" });
        await expect(ask("25.3.0", set)).rejects.toThrow("unrecognized configuration parameter");
    });
    test("forget the address of a node that is dead for long, or when all others restart", async () => {
        const [now, hour] = [Date.now(), 3600_000];
        const said = (ago: number, startedAgo: number) => ({
            updatedAt: now - ago,
            startedAt: new Date(now - startedAgo).toISOString(),
        });
        const forgotten = async (ago: number, othersStartedAgo: number) => {
            const store = cluster([{ id: 1 }, { id: 2 }], {
                1: said(0, othersStartedAgo),
                2: said(ago, hour),
            }) as unknown as Store;
            const nodes = await new Cluster(store, cockroach("26.2.2")).nodes();
            return nodes.map(({ isForgotten }) => isForgotten);
        };
        expect(await forgotten(10_000, hour)).toEqual([false, false]);
        expect(await forgotten(60_000, hour)).toEqual([false, true]);
        expect(await forgotten(10_000, 5_000)).toEqual([false, true]);
    });
});
