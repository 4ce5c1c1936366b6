// What the contract adds for engines that upgrade in two steps and for those with several kinds of processes, shown on
// an engine that has both: MySQL's definition with a `finalize` and a pinned role. It proves nothing about a database.
import { describe, expect, test, vi } from "vitest";
import type * as Registry from "../../components/engines/index.js";
import { ChangeRefusedError, findChanges, refusals } from "../../components/rules/changes.js";
import type { Engine } from "../../components/engines/engine.js";
import type { ClusterSpecInput, EngineName } from "../../components/spec.js";
import { planOf, type Role } from "../../components/topology.js";
import { acceptSpec } from "../../components/rules/accept.js";

const ROLES: readonly Role[] = [
    { name: "master", count: () => 3, pinned: true },
    { name: "member", count: (spec) => spec.replicas },
];

vi.mock("../../components/engines/index.js", async (original) => {
    const registry = await original<typeof Registry>();
    const twoSteps = (engine: Engine): Engine => ({
        ...engine,
        roles: ROLES,
        choices: {
            ...engine.choices,
            finalizeUpgrade: {
                series: (version) => version.split(".").slice(0, 2).join("."),
                effect: "its flags are promoted",
            },
        },
    });
    return {
        ...registry,
        engineOf: (name: EngineName) => {
            const engine = registry.engineOf(name);
            return name === "mysql" ? twoSteps(engine) : engine;
        },
    };
});

const base: ClusterSpecInput = {
    name: "orders",
    engine: "mysql",
    replication: "async",
    zones: ["a", "b", "c"],
    version: "9.7.1",
};
const accept = (over: Partial<ClusterSpecInput>) => acceptSpec({ ...base, ...over }).spec;
const refused = (old: Partial<ClusterSpecInput>, wanted: Partial<ClusterSpecInput>) =>
    new ChangeRefusedError(
        refusals(findChanges(accept(old), accept(wanted)), wanted.allowChanges ?? []),
    ).message;
const announced = (old: Partial<ClusterSpecInput>, wanted: Partial<ClusterSpecInput>) =>
    findChanges(accept(old), accept(wanted)).map(
        ({ severity, reason }) => `${severity}: ${reason}`,
    );

describe("finalizeUpgrade", () => {
    test("is refused for an engine whose upgrades are one step", () => {
        expect(() =>
            accept({
                engine: "postgresql",
                replication: undefined,
                version: "18",
                finalizeUpgrade: "18",
            }),
        ).toThrow(
            'quorum:finalizeUpgrade = "18": an upgrade of PostgreSQL is one step: remove the key',
        );
    });
    test("is refused when it is newer than the version", () => {
        expect(() => accept({ finalizeUpgrade: "9.10" })).toThrow(
            'quorum:finalizeUpgrade = "9.10": is newer than quorum:version 9.7.1, whose series is 9.7',
        );
    });
    test("is refused when it is no series", () => {
        expect(() => accept({ finalizeUpgrade: "9.7.1" })).toThrow(
            'quorum:finalizeUpgrade = "9.7.1": must be a release series of MySQL, such as 9.7',
        );
        expect(() => accept({ finalizeUpgrade: "newest" })).toThrow(
            'quorum:finalizeUpgrade = "newest": must be a release series such as 26.2',
        );
    });
    test("is accepted for the running series and for older ones", () => {
        expect(accept({ finalizeUpgrade: "9.7" }).finalizeUpgrade).toBe("9.7");
        expect(accept({ finalizeUpgrade: "8.4" }).finalizeUpgrade).toBe("8.4");
    });
    test("is announced with what it does", () => {
        expect(announced({}, { finalizeUpgrade: "9.7" })).toEqual([
            "announced: the upgrade to 9.7 is finalised: its flags are promoted. The members cannot go back to an older series.",
        ]);
    });
    test("cannot be taken back", () => {
        const message = "cannot be taken back: the features of 9.7 are switched on for good.";
        expect(refused({ finalizeUpgrade: "9.7" }, {})).toBe(
            `quorum:finalizeUpgrade "9.7" -> undefined: ${message}`,
        );
        expect(refused({ finalizeUpgrade: "9.7" }, { finalizeUpgrade: "9.6" })).toBe(
            `quorum:finalizeUpgrade "9.7" -> "9.6": ${message}`,
        );
    });
    test("does not change together with another risky thing", () => {
        const changes: Partial<ClusterSpecInput>[] = [
            { version: "9.8.0" },
            { image: "mysql:other" },
            { replicas: 4 },
            { zones: ["a", "b", "c", "d"], replicas: 4 },
            { storage: { size: "20Gi" } },
            { resources: { memory: "2Gi" } },
        ];
        for (const change of changes) {
            expect(refused({}, { ...change, finalizeUpgrade: "9.7" })).toMatch(
                /^this update: .*finalizeUpgrade.* change at once: make them one update each/,
            );
        }
    });
    test("that does not name the running series is spoken of before the next upgrade", () => {
        const said =
            "announced: quorum:finalizeUpgrade does not name 9.7. A cluster that was made with 9.7 needs no such step; " +
            "one that was upgraded to it must be finalised first, and otherwise refuses 9.8.";
        expect(announced({}, { version: "9.8.0" })).toContain(said);
        const done = { finalizeUpgrade: "9.7" };
        expect(announced(done, { ...done, version: "9.8.0" })).not.toContain(said);
        expect(announced({}, { version: "9.7.2" })).not.toContain(said);
    });
});

describe("a pinned role", () => {
    test("is not changed by scaling, and its members do not count as the others' majority", () => {
        expect(refused({ replicas: 3 }, { replicas: 5 })).toBe("");
        expect(refused({ replicas: 5 }, { replicas: 2 })).toContain("3 of 5 members would leave");
    });
    test("refuses zones that would move one of its members", () => {
        expect(refused({}, { zones: ["a", "b", "d"] })).toContain(
            "orders-master-a-0, orders-master-b-0, orders-master-c-0 would become orders-master-a-0, orders-master-b-0, " +
                "orders-master-d-0: which they are is decided when the cluster is made",
        );
        expect(refused({}, { zones: ["a", "b", "c", "d"], replicas: 4 })).toBe("");
    });
    test("is counted for local disks", () => {
        const nodes = { a: ["1", "2"] };
        expect(() =>
            accept({ zones: ["a"], replicas: 2, storage: { driver: "local", nodes } }),
        ).toThrow(
            'quorum:storage.nodes.a = ["1","2"]: 3 members are planned for this zone, each on a node of its own, but it names 2',
        );
        // Two members share a node when they are of different roles.
        expect(() =>
            accept({ zones: ["a"], storage: { driver: "local", nodes: { a: ["1", "2", "3"] } } }),
        ).not.toThrow();
    });
    test("goes one by one and before the others, whatever maxUnavailable says", () => {
        const spec = accept({ replicas: 5, maxUnavailable: 2 });
        const { members, before } = planOf(spec, ROLES);
        const waits = Object.fromEntries(
            members.map((each) => [each.name, before(each).map(({ name }) => name)]),
        );
        const masters = ["orders-master-a-0", "orders-master-b-0", "orders-master-c-0"];
        expect(waits).toEqual({
            "orders-master-a-0": [],
            "orders-master-b-0": ["orders-master-a-0"],
            "orders-master-c-0": ["orders-master-b-0"],
            "orders-b-0": masters,
            "orders-c-0": masters,
            "orders-a-1": ["orders-b-0"],
            "orders-b-1": ["orders-c-0"],
            "orders-a-0": ["orders-a-1"],
        });
    });
});
