// What MongoDB's jobs decide from the answers of a replica set. The set is a stand-in that does as it is told; codes and names
// of errors are those of the server and of its driver (mongodb/lib/error.js, mongodb/lib/cmap/errors.js).
import { describe, expect, test } from "vitest";
import {
    driverError,
    FakeSet,
    hostOf,
    runScript,
    serverError,
    type Document,
} from "./mongodb-script.js";

const names = ["orders-a-0", "orders-b-0", "orders-c-0"];
const planOf = (members: readonly string[], priority = 1) =>
    JSON.stringify(
        members.map((name) => ({
            name,
            host: hostOf(name),
            zone: name.split("-")[1],
            votes: 1,
            priority: name === "orders-a-0" ? priority : 1,
        })),
    );
const arrange = { VERB: "arrange", REPLICA_SET: planOf(names, 2) };
const stateOf = (set: FakeSet, name: string, change: Document): void => {
    set.status = set.status.map((each) =>
        each["name"] === hostOf(name) ? { ...each, ...change } : each,
    );
};

describe("an error that passes by itself ends no job", () => {
    test.each([
        ["PoolClearedOnNetworkError", "interrupted due to server monitor timeout"],
        ["MongoPoolClearedError", "the pool was cleared"],
        ["MongoTopologyClosedError", "Topology is closed"],
        ["MongoNotConnectedError", "Client must be connected"],
        ["MongoClientClosedError", "Operation interrupted because client was closed"],
        ["MongoNetworkTimeoutError", "connection timed out"],
    ])("%s, of a server that froze or went", (name, message) => {
        const set = new FakeSet(names).once("replSetReconfig", driverError(name, message));
        expect(runScript(set, arrange).end).toBeUndefined();
        expect(set.members[0]!.priority).toBe(2);
    });
    test.each([
        [91, "ShutdownInProgress", "The server is in quiesce mode and will shut down"],
        [11600, "InterruptedAtShutdown", "interrupted at shutdown"],
        [6, "HostUnreachable", ""],
        [7, "HostNotFound", ""],
        [89, "NetworkTimeout", ""],
        [9001, "SocketException", ""],
        [13435, "NotPrimaryNoSecondaryOk", ""],
        [134, "ReadConcernMajorityNotAvailableYet", ""],
        [74, "NodeNotFound", "Quorum check failed because not enough voting nodes responded"],
        [109, "ConfigurationInProgress", ""],
        [117, "ConflictingOperationInProgress", ""],
        [308, "CurrentConfigNotCommittedYet", "New config is rejected"],
        [50, "MaxTimeMSExpired", "operation exceeded time limit"],
        [
            103,
            "NewReplicaSetConfigurationIncompatible",
            "New replica set configuration version and term must be greater than old, but {version: 2, term: 1} is not greater than {version: 2, term: 1} for replica set orders",
        ],
    ])("%i %s", (code, codeName, message) => {
        const set = new FakeSet(names);
        set.once("replSetReconfig", serverError(code, message, codeName));
        expect(runScript(set, arrange).end).toBeUndefined();
        expect(set.members[0]!.priority).toBe(2);
    });
    test("but a mistake of the script does, and what the server refuses", () => {
        for (const error of [
            new TypeError("x is undefined"),
            serverError(13, "not authorized", "Unauthorized"),
            driverError("MongoParseError", "Invalid connection string"),
        ]) {
            const set = new FakeSet(names).once("replSetReconfig", error);
            expect(runScript(set, arrange).end).toBe(error);
        }
    });
});

describe("a reconfiguration", () => {
    test("has a time limit on the server, shorter than the client waits for its answer", () => {
        const set = new FakeSet(names);
        const { uris } = runScript(set, arrange);
        const asked = set.asked.filter((each) => "replSetReconfig" in each);
        expect(asked.map((each) => each["maxTimeMS"])).toEqual([15_000]);
        expect(uris.every((uri) => uri.includes("socketTimeoutMS=20000"))).toBe(true);
    });
    test("waits until a majority has the last one, also when that is what was wanted", () => {
        const set = new FakeSet(names);
        let asked = 0;
        // The first answer is late, and the change is in force without a majority.
        set.always("replSetReconfig", ({ replSetReconfig }) => {
            Object.assign(set, replSetReconfig);
            set.committed = false;
            return serverError(50, "Reconfig finished but failed to propagate to a majority");
        });
        set.always("replSetGetConfig", () => {
            if (++asked === 20) set.committed = true;
            return {
                config: { version: set.version, members: set.members, settings: {} },
                commitmentStatus: set.committed,
            };
        });
        const { end, took } = runScript(set, arrange);
        expect(end).toBeUndefined();
        expect(took).toBeGreaterThan(8);
        expect(set.asked.filter((each) => "replSetReconfig" in each)).toHaveLength(1);
    });
});

describe("a retirement that cannot go on gives the vote back", () => {
    const four = [...names, "orders-a-1"];
    const retire = { VERB: "retire", MEMBER: "orders-a-1", REPLICA_SET: planOf(names) };
    const steps = (set: FakeSet) =>
        set.asked
            .filter((each) => "replSetReconfig" in each)
            .map(({ replSetReconfig }) =>
                (replSetReconfig as FakeSet).members.map(({ votes }) => votes).join(""),
            );

    test("when a server refuses something in between", () => {
        const set = new FakeSet(four);
        const refused = serverError(13, "not authorized", "Unauthorized");
        set.always("replSetGetStatus", () =>
            set.votes()["orders-a-1"] === 0 ? refused : { members: set.status },
        );
        const { end, output } = runScript(set, retire);
        expect(end).toBe(refused);
        expect(output).toContain("orders-a-1 has its vote again");
        expect(steps(set)).toEqual(["1110", "1111"]);
    });
    test("when the time is up while nobody leads", () => {
        const set = new FakeSet(four);
        const leader = set.primary;
        set.always("replSetGetStatus", () => {
            if (set.votes()["orders-a-1"] === 0) set.primary = "";
            return { members: set.status };
        });
        let asked = 0;
        set.always("hello", () => {
            if (set.primary === "" && ++asked > 600) set.primary = leader;
            return { isWritablePrimary: set.primary !== "" };
        });
        // Whoever leads again does so after the job's own time.
        const { end, output } = runScript(set, retire, { seconds: 60 });
        expect(end).toBe(1);
        expect(output).toContain("orders-a-1 has its vote again");
        expect(set.votes()["orders-a-1"]).toBe(1);
    });
    test("when the others do not catch up", () => {
        const set = new FakeSet(four);
        stateOf(set, "orders-b-0", { optimeDate: new Date(-5000) });
        const { end, output } = runScript(set, retire);
        expect(end).toBe(1);
        expect(output).toContain(
            "REFUSED: the members that stay have not caught up (orders-b-0 5 s), so orders-a-1 stays",
        );
        expect(steps(set)).toEqual(["1110", "1111"]);
    });
});

describe("before members are restarted", () => {
    const check = {
        VERB: "upgradable",
        SERIES: "8.0",
        SOURCES: "8.0,7.0",
        FIRST: "orders-a-0",
        AWAY_ALLOWED: "false",
    };
    const away = { health: 0, stateStr: "(not reachable/healthy)" };

    test("all others are there and have caught up", () => {
        expect(runScript(new FakeSet(names), check).end).toBeUndefined();
    });
    test("the first one to be restarted may be away", () => {
        const set = new FakeSet(names);
        set.primary = hostOf("orders-b-0");
        stateOf(set, "orders-a-0", away);
        stateOf(set, "orders-b-0", { stateStr: "PRIMARY" });
        expect(runScript(set, check).end).toBeUndefined();
    });
    test("another one that is away is waited for, and named", () => {
        const set = new FakeSet(names);
        stateOf(set, "orders-b-0", away);
        const { end, output, took } = runScript(set, check, { seconds: 120 });
        expect(end).toBe(1);
        expect(took).toBeGreaterThan(115);
        expect(output).toContain(
            'REFUSED: orders-b-0 is not PRIMARY or SECONDARY, and the update takes the next one away. No member was touched. To go on all the same: quorum:allowChanges ["membersAway"].',
        );
    });
    test("one that is back in between is no reason", () => {
        const set = new FakeSet(names);
        const there = set.status;
        stateOf(set, "orders-b-0", away);
        let asked = 0;
        set.always("replSetGetStatus", () => ({ members: ++asked > 10 ? there : set.status }));
        expect(runScript(set, check).end).toBeUndefined();
    });
    test("a secondary that is far behind is named", () => {
        const set = new FakeSet(names);
        stateOf(set, "orders-c-0", { optimeDate: new Date(-90_000) });
        const { end, output } = runScript(set, check);
        expect(end).toBe(1);
        expect(output).toContain("REFUSED: orders-c-0 is 90 s behind the primary");
    });
    test("allowed, it goes on and says so", () => {
        const set = new FakeSet(names);
        stateOf(set, "orders-b-0", away);
        const { end, output } = runScript(set, { ...check, AWAY_ALLOWED: "true" });
        expect(end).toBeUndefined();
        expect(output).toContain("quorum:allowChanges lets the update go on");
    });
});

describe("a member that was away for longer than the oplog reaches", () => {
    const stale = (): FakeSet => {
        const set = new FakeSet(names);
        stateOf(set, "orders-c-0", { stateStr: "RECOVERING" });
        // The primary's answer, and the member's own.
        return set.always("replSetGetStatus", () => ({ members: set.status, tooStale: true }));
    };
    test("is not waited for, and the job says how it comes back", () => {
        const { end, output, took } = runScript(
            stale(),
            { VERB: "join", MEMBER: "orders-c-0", REPLICA_SET: planOf(names) },
            { seconds: 1800 },
        );
        expect(end).toBe(1);
        expect(took).toBeLessThan(5);
        expect(output).toContain(
            "REFUSED: orders-c-0 was away for longer than the oplog reaches and cannot catch up by itself: delete its claim and its pod",
        );
    });
});

describe("an empty record", () => {
    const find = { VERB: "find" };
    test("of a set that runs is filled with its id and the members that are up", () => {
        const set = new FakeSet(names);
        stateOf(set, "orders-c-0", { health: 0, stateStr: "(not reachable/healthy)" });
        expect(runScript(set, find).files).toEqual({
            output: "0123456789abcdef01234567:orders-a-0,orders-b-0",
        });
    });
    test("stays empty where nothing runs", () => {
        const set = new FakeSet(names).always("hello", () => driverError("MongoNetworkError"));
        expect(runScript(set, find).files).toEqual({ output: "" });
    });
    test("is not filled by a minority", () => {
        const set = new FakeSet(names);
        for (const name of ["orders-b-0", "orders-c-0"]) stateOf(set, name, { health: 0 });
        const { end, files } = runScript(set, find);
        expect([end, files]).toEqual([1, {}]);
    });
    const denied = () => serverError(18, "Authentication failed.", "AuthenticationFailed");
    test("is not filled by a set of another stack", () => {
        const set = new FakeSet(names).once("replSetGetConfig", denied());
        const { end, output } = runScript(set, find);
        expect(end).toBe(1);
        expect(output).toContain("it does not take this stack's password");
    });
    test("stays empty while the first member is forming the set", () => {
        const set = new FakeSet(names).once("replSetGetConfig", denied());
        expect(runScript(set, { ...find, FORMING: "orders-a-0" }).files).toEqual({ output: "" });
    });
});

test("a password with characters of a connection string breaks none, and is in no message", () => {
    const password = "p@ss/w:rd%";
    const set = new FakeSet(names).once("createUser", serverError(8000, "refused"));
    const { end, output, uris } = runScript(set, { VERB: "database" }, { password });
    expect(uris.filter((uri) => uri.includes("quorum:"))).not.toEqual([]);
    for (const uri of uris) expect(new URL(uri).host).toMatch(/^orders-.-0\./);
    expect(`${String(end)}${output}`).not.toContain(password);
});
