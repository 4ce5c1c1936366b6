// The change rules as a pure function. That the hook applies them is shown in test/program.
import { describe, expect, test } from "vitest";
import { ChangeRefusedError, findChanges, refusals } from "../../components/changes.js";
import type { ClusterSpecInput } from "../../components/spec.js";
import { acceptSpec } from "../../components/validation.js";

const base: ClusterSpecInput = {
    name: "orders",
    engine: "mysql",
    replication: "async",
    zones: ["a", "b", "c"],
    version: "9.7.1",
};
const spec = (over: Partial<ClusterSpecInput> = {}) => acceptSpec({ ...base, ...over }).spec;

const refused = (old: Partial<ClusterSpecInput>, wanted: Partial<ClusterSpecInput>) =>
    new ChangeRefusedError(
        refusals(findChanges(spec(old), spec(wanted)), wanted.allowChanges ?? []),
    ).message;

const announced = (old: Partial<ClusterSpecInput>, wanted: Partial<ClusterSpecInput>) =>
    findChanges(spec(old), spec(wanted)).map(({ severity, reason }) => `${severity}: ${reason}`);

describe("an update that would harm the data is refused", () => {
    test("another layout", () => {
        expect(refused({ zones: ["a"] }, { zones: ["a", "b"] })).toContain(
            'quorum:layout "single-zone" -> "multi-zone": cannot change in a running cluster',
        );
    });
    test("another namespace", () => {
        expect(refused({}, { namespace: "other" })).toBe(
            'quorum:namespace "orders" -> "other": cannot change in a running cluster: make a second cluster in a stack of its own and move the data.',
        );
    });
    test("another storage driver", () => {
        const local = { driver: "local" as const, nodes: { a: ["1"], b: ["2"], c: ["3"] } };
        expect(refused({}, { storage: local })).toContain(
            'quorum:storage.driver "dynamic" -> "local"',
        );
    });
    test("a smaller disk", () => {
        expect(refused({}, { storage: { size: "5Gi" } })).toBe(
            'quorum:storage.size "10Gi" -> "5Gi": a disk cannot shrink.',
        );
    });
    test("an older version, unless allowed", () => {
        expect(refused({ version: "9.7.1" }, { version: "8.4.10" })).toBe(
            'quorum:version "9.7.1" -> "8.4.10": MySQL cannot go back from 9.7.1 to 8.4.10: the data dictionary was upgraded. To do it all the same: quorum:allowChanges ["version"].',
        );
        expect(
            refused({ version: "9.7.1" }, { version: "8.4.10", allowChanges: ["version"] }),
        ).toBe("");
    });
    test("a majority that leaves at once, unless allowed", () => {
        expect(refused({ replicas: 5 }, { replicas: 2 })).toContain(
            "3 of 5 members would leave at once (orders-a-1, orders-b-1, orders-c-0): fewer than a majority would stay. Go in steps of at most 2.",
        );
        expect(refused({ replicas: 5 }, { replicas: 2, allowChanges: ["majorityLeaves"] })).toBe(
            "",
        );
    });
    test("several risky changes at once, unless allowed", () => {
        expect(refused({}, { replicas: 5, image: "mirror/mysql:9.7.1" })).toBe(
            'this update: image or version and replicas or zones change at once: make them one update each. To do it all the same: quorum:allowChanges ["combination"].',
        );
    });
    test("a local disk of a member that moves to another node", () => {
        const on = (a: string[]) => ({
            storage: { driver: "local" as const, nodes: { a, b: ["2"], c: ["3"] } },
        });
        expect(refused(on(["1"]), on(["9", "1"]))).toContain(
            "orders-a-0 would lose its disk: it lives on 1",
        );
        expect(refused(on(["1"]), on(["1", "9"]))).toBe("");
    });
});

describe("an update that weighs is announced", () => {
    test("nothing changed, nothing said", () => expect(announced({}, {})).toEqual([]));
    test("members that join", () =>
        expect(announced({}, { replicas: 4 })).toEqual([
            "announced: orders-a-1 joins in zone a, empty, and is seeded from the members there are.",
        ]));
    test("a member that leaves", () =>
        expect(announced({ replicas: 4 }, {})).toEqual([
            "announced: orders-a-1 leaves: its data is on orders-a-0, orders-b-0, orders-c-0; its disk is deleted after that.",
        ]));
    test("a disk that grows", () =>
        expect(announced({}, { storage: { size: "20Gi" } })).toEqual([
            "announced: every member's disk grows in place; nothing is restarted, and it cannot shrink again.",
        ]));
    test("an upgrade", () =>
        expect(announced({}, { version: "9.7.2" })).toEqual([
            "announced: members are restarted one after the other, orders-a-0 last.",
        ]));
    test("a switchover", () =>
        expect(announced({}, { primary: "orders-c-0" })).toEqual([
            "announced: leadership moves: writes are refused for about a second, none is lost.",
        ]));
});
