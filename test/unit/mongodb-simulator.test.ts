// The rules of the simulated replica set by themselves. That the orchestration meets them is shown in test/cluster.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { answers } from "../../sandbox/simulators/mongodb/commands.js";
import { Member } from "../../sandbox/simulators/mongodb/member.js";
import { findSelf } from "../../sandbox/simulators/mongodb/own-name.js";
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
        expect(change([1], [1, 1], 1)).toThrow("version and term must be greater than old");
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

describe("a simulated mongod finds itself in its configuration", () => {
    const hosts = ["a:27017", "b:27017"];
    const own = ["10.0.0.7", "127.0.0.1"];
    const names = (known: Record<string, string>) => async (host: string) => {
        const address = known[host];
        if (address === undefined) throw Object.assign(new Error(host), { code: "ENOTFOUND" });
        return Promise.resolve([address]);
    };
    test("by an address of its own", async () => {
        expect(await findSelf(hosts, own, names({ a: "10.0.0.6", b: "10.0.0.7" }))).toBe("b:27017");
    });
    test("by any name of 127.0.0.0/8, whatever DNS says", async () => {
        expect(await findSelf(hosts, own, names({ a: "10.0.0.6", b: "127.0.1.1" }))).toBe(
            "b:27017",
        );
    });
    test("but not by the address that it had before, nor by a name that has none", async () => {
        expect(await findSelf(hosts, own, names({ a: "10.0.0.6", b: "10.0.0.5" }))).toBeUndefined();
        expect(await findSelf(hosts, own, names({ a: "10.0.0.6" }))).toBeUndefined();
    });
    test("and asks again only where the resolver said so", async () => {
        let asked = 0;
        const busy = async () => {
            if (++asked === 1) throw Object.assign(new Error("busy"), { code: "EAI_AGAIN" });
            return Promise.resolve(["10.0.0.7"]);
        };
        expect(await findSelf(["b:27017"], own, busy)).toBe("b:27017");
        expect(asked).toBe(2);
    });
});

describe("a simulated primary", () => {
    const folder = mkdtempSync(join(tmpdir(), "quorum-mongod-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    /** One of three voters; the other two answer nobody, or have this version of the configuration. */
    const primary = (version: number) => {
        const member = new Member({ setName: "orders", dataPath: folder, keyfile: "secret" });
        const put = () => Promise.resolve();
        Object.assign(member, {
            state: "PRIMARY",
            self: "m0:27017",
            config: config(5, 1, 1, 1),
            store: { put, members: () => Promise.resolve([]), list: () => Promise.resolve([]) },
            heartbeats: () => Promise.resolve(),
            probe: () => Promise.resolve({ set: "" }),
            beatOf: () => ({ configVersion: version }),
        });
        const next = { ...config(6, 1, 1, 1), term: 1 };
        return { member, next };
    };
    const codeOf = (work: Promise<unknown>) =>
        work.then(
            () => "done",
            (error: unknown) => (error as { code: number }).code,
        );

    test("holds a reconfiguration while no majority has the last one, for as long as it was told", async () => {
        const { member, next } = primary(4);
        const begin = Date.now();
        expect(await codeOf(member.reconfigure(next, 600))).toBe(308);
        expect(Date.now() - begin).toBeGreaterThanOrEqual(600);
        expect(member.config!.version).toBe(5);
    });
    test("or for ever, and does it when a majority is there, whether or not anybody waits", async () => {
        const { member, next } = primary(4);
        let ended = false;
        const work = member.reconfigure(next).finally(() => (ended = true));
        await new Promise((resolve) => setTimeout(resolve, 600));
        expect([ended, member.config!.version]).toEqual([false, 5]);
        Object.assign(member, { beatOf: () => ({ configVersion: 6 }) });
        await work;
        expect(member.config!.version).toBe(6);
    });
    test("says so when the new one is in force and on no majority in time", async () => {
        const { member, next } = primary(5);
        expect(await codeOf(member.reconfigure(next, 600))).toBe(50);
        expect(member.config!.version).toBe(6);
        expect(member.isCommitted()).toBe(false);
    });
    test("that is told to stop says so before it does, and ends what runs", async () => {
        const { member } = primary(5);
        Object.assign(member, {
            stepDown: () => Promise.resolve(),
            compatibility: () => new Promise(() => undefined),
            store: {
                stop: () => Promise.resolve(),
                count: () => Promise.resolve(0),
                status: () => Promise.resolve({}),
            },
        });
        const guest = { isLocal: true, id: 1, user: undefined, login: undefined };
        const admin = { ...guest, user: { name: "quorum", database: "admin", isRoot: true } };
        const ask = answers(member);
        const running = codeOf(
            ask({ getParameter: 1, featureCompatibilityVersion: 1, $db: "admin" }, admin),
        );
        const stopped = member.stop();
        await new Promise((resolve) => setTimeout(resolve, 100));
        expect(await codeOf(ask({ hello: 1, $db: "admin" }, guest))).toBe(91);
        expect(await running).toBe(11600);
        await stopped;
    });
});
