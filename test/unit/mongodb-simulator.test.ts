// The rules of the simulated replica set by themselves. That the orchestration meets them is shown in test/cluster.
import { describe, expect, test } from "vitest";
import {
    checkChange,
    checkMembers,
    completeMembers,
    type SetConfig,
} from "../../sandbox/simulators/mongodb/set-config.js";

const members = (...votes: number[]) =>
    completeMembers(
        votes.map((vote, _id) => ({ _id, host: `m${_id}:27017`, votes: vote, priority: vote })),
    );
const config = (version: number, ...votes: number[]): SetConfig => ({
    _id: "orders",
    version,
    term: 1,
    members: members(...votes),
    settings: { replicaSetId: "" },
});

describe("a simulated replica set refuses", () => {
    const change =
        (from: number[], to: number[], version = 2) =>
        () =>
            checkChange(config(1, ...from), config(version, ...to), "m0:27017");
    test("two votes more in one reconfiguration", () => {
        expect(change([1], [1, 1, 1])).toThrow("can only add or remove at most 1 voting member");
    });
    test("two votes fewer", () => {
        expect(change([1, 1, 1], [1])).toThrow("can only add or remove at most 1 voting member");
    });
    test("one vote that moves from one member to another", () => {
        expect(change([1, 1, 0], [1, 0, 1])).toThrow(
            "can only add or remove at most 1 voting member",
        );
    });
    test("an old version", () => {
        expect(change([1], [1, 1], 1)).toThrow("version must be greater than old");
    });
    test("a primary that could not lead", () => {
        expect(change([1, 1], [0, 1])).toThrow("is not electable under the new configuration");
    });
    test("eight voters", () => {
        expect(() => checkMembers(members(1, 1, 1, 1, 1, 1, 1, 1))).toThrow(
            "contains 8 voting members, but must be at least 1 and no more than 7",
        );
    });
    test("a priority without a vote", () => {
        const odd = completeMembers([
            { _id: 0, host: "a" },
            { _id: 1, host: "b", votes: 0 },
        ]);
        expect(() => checkMembers(odd)).toThrow("priority must be 0 when non-voting");
    });
});

test("one vote at a time, and any number of members without one, are fine", () => {
    checkChange(config(1, 1), config(2, 1, 1, 0, 0), "m0:27017");
    checkChange(config(1, 1, 1, 1), config(2, 1, 1, 0), "m0:27017");
});
