import { BSON } from "bson";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import {
    cacheSize,
    mongodb,
    replicaSetOf,
    votersOf,
} from "../../components/engines/mongodb/mongodb.js";
import { podTemplate } from "../../components/member.js";
import { factsOf } from "../../components/facts.js";
import { SpecError } from "../../components/problems.js";
import type { CompleteSpec } from "../../components/spec.js";
import { planOf } from "../../components/topology.js";
import { acceptSpec } from "../../components/rules/accept.js";

const good = { name: "orders", engine: "mongodb", zones: ["a", "b", "c"] };
const spec = (changes: object = {}): CompleteSpec => acceptSpec({ ...good, ...changes }).spec;

const facts = (of: CompleteSpec) => factsOf(of, planOf(of, mongodb.roles));
const problemsOf = (input: object) => {
    try {
        acceptSpec({ ...good, ...input });
        return [];
    } catch (error) {
        return (error as SpecError).problems;
    }
};

describe("WiredTiger's cache follows the memory limit", () => {
    test.each([
        ["1Gi", 0.25],
        ["1536Mi", 0.25],
        ["2Gi", 0.5],
        ["4Gi", 1.5],
        ["16Gi", 7.5],
    ])("%s: %d GiB", (limit, cache) => expect(cacheSize(limit)).toBe(cache));

    test("less memory than MongoDB needs is refused", () => {
        expect(problemsOf({ resources: { memory: "512Mi" } })).toEqual([
            { path: "resources.memory", value: "512Mi", reason: "MongoDB needs at least 1Gi" },
        ]);
    });
});

describe("votes", () => {
    const voters = (changes: object) => {
        const { members, primary } = facts(spec(changes));
        return votersOf(members, primary)
            .map(({ name }) => name.slice("orders-".length))
            .sort();
    };
    test.each([
        [1, ["a-0"]],
        [2, ["a-0"]],
        [3, ["a-0", "b-0", "c-0"]],
        [4, ["a-0", "b-0", "c-0"]],
        [5, ["a-0", "a-1", "b-0", "b-1", "c-0"]],
        [9, ["a-0", "a-1", "a-2", "b-0", "b-1", "c-0", "c-1"]],
    ])("of %i members are odd, and seven at most", (replicas, expected) => {
        expect(voters({ replicas })).toEqual(expected);
    });

    test("the preferred primary votes, and the voters stay spread over the zones", () => {
        expect(voters({ replicas: 4, primary: "orders-a-1" })).toEqual(["a-1", "b-0", "c-0"]);
    });

    test("the set's configuration has zones as tags, and a priority for the primary", () => {
        expect(replicaSetOf(facts(spec({ replicas: 4 })))).toEqual(
            [
                ["a", 0, 1, 2],
                ["a", 1, 0, 0],
                ["b", 0, 1, 1],
                ["c", 0, 1, 1],
            ].map(([zone, index, votes, priority]) => ({
                name: `orders-${zone!}-${index!}`,
                host: `orders-${zone!}-${index!}.orders.svc.cluster.local:27017`,
                zone,
                votes,
                priority,
            })),
        );
    });
});

describe("versions", () => {
    test("one series after the other", () => {
        expect(mongodb.upgradeRefusal("8.0.20", "8.0.26")).toBeUndefined();
        expect(mongodb.upgradeRefusal("7.0.37", "8.0.26")).toBeUndefined();
        expect(mongodb.upgradeRefusal("8.0.26", "8.3.4")).toBeUndefined();
        expect(mongodb.upgradeRefusal("7.0.37", "8.2.11")).toBe(
            "MongoDB cannot go from 7.0.37 to 8.2.11: a server of 8.2 takes over data of 8.0 only, so go there first",
        );
        expect(mongodb.upgradeRefusal("8.0.26", "7.0.37")).toMatch(/^MongoDB cannot go back/);
    });

    test("an unknown series is refused", () => {
        expect(problemsOf({ version: "6.0.1" })).toEqual([
            {
                path: "version",
                value: "6.0.1",
                reason: "must be MongoDB 7.0, 8.0, 8.2, 8.3, for example 8.0.26",
            },
        ]);
    });

    test("finalising is handed to the job", () => {
        const of = facts(spec({ finalizeUpgrade: "8.0" }));
        expect(mongodb.membership(of).env!["FINALIZE"]).toBe("8.0");
        expect(mongodb.membership(facts(spec())).env!["FINALIZE"]).toBe("");
    });
});

describe("a member that stays", () => {
    const podOf = (of: CompleteSpec) => {
        const known = facts(of);
        const member = known.members.find(({ name }) => name === "orders-a-0")!;
        return [mongodb.member(known, member), mongodb.configuration(known)];
    };
    test.each<[string, object]>([
        ["scaling", { replicas: 5 }],
        ["another primary", { primary: "orders-b-0" }],
        ["a version to finalise", { finalizeUpgrade: "8.0" }],
        [
            "a way in from outside",
            {
                access: {
                    members: {
                        type: "LoadBalancer",
                        sourceRanges: ["192.0.2.0/24"],
                        addresses: { "orders-a-0": "192.0.2.1" },
                    },
                },
                names: { domain: "db.example.com" },
            },
        ],
        ["another version", { version: "8.3.4" }],
    ])("has the same pod after %s", (_, changes) => {
        expect(podOf(spec(changes))).toEqual(podOf(spec()));
    });
});

test("a member's name is its own within its pod, whatever DNS says", () => {
    const known = facts(spec());
    const member = known.members.find(({ name }) => name === "orders-b-0")!;
    const args = { engine: mongodb, facts: known, member, checksum: "", claim: "", account: "" };
    expect(podTemplate(args).spec).toMatchObject({
        hostAliases: [{ ip: "127.0.0.1", hostnames: ["orders-b-0.orders.svc.cluster.local"] }],
    });
});

test("no configuration file has a secret, and no option that mongod finds too open", () => {
    expect(mongodb.configuration(facts(spec()))["mongod.conf"]).toBe(`{
  "net": {
    "port": 27017,
    "bindIpAll": true,
    "unixDomainSocket": {
      "enabled": false
    }
  },
  "security": {
    "keyFile": "/run/quorum/keyfile"
  },
  "replication": {
    "replSetName": "orders"
  },
  "storage": {
    "dbPath": "/quorum/data/db",
    "wiredTiger": {
      "engineConfig": {
        "cacheSizeGB": 0.25
      }
    }
  }
}
`);
});

test("the connection string leaves it to the driver to find the primary", () => {
    expect(mongodb.connection(facts(spec()), { "app-password": "secret" })).toBe(
        "mongodb://app:secret@orders.orders.svc.cluster.local:27017/app?replicaSet=orders&authSource=app",
    );
});

test("the bytes of the probe are the command hello, as the vendor's library writes it", () => {
    const file = path.resolve(
        import.meta.dirname,
        "../../components/engines/mongodb/scripts/health.sh",
    );
    const [, text] = /^readonly HELLO='(.*)'$/m.exec(readFileSync(file, "utf8"))!;
    const bytes = text!.replace(/\\x([0-9a-f]{2})|\\0/g, (_, hex?: string) =>
        String.fromCharCode(parseInt(hex ?? "0", 16)),
    );
    const message = Buffer.from(bytes, "latin1");
    expect(message.readInt32LE(0)).toBe(message.length);
    expect(message.readInt32LE(12)).toBe(2013);
    expect(message.subarray(16, 21)).toEqual(Buffer.alloc(5));
    expect(message.subarray(21)).toEqual(Buffer.from(BSON.serialize({ hello: 1, $db: "admin" })));
});
