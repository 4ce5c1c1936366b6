import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { findChanges } from "../../components/rules/changes.js";
import {
    clusterSettings,
    memorySettings,
    postgresql,
    walSettings,
} from "../../components/engines/postgresql/postgresql.js";
import { factsOf } from "../../components/facts.js";
import { SpecError } from "../../components/problems.js";
import type { CompleteSpec } from "../../components/spec.js";
import { planOf } from "../../components/topology.js";
import { acceptSpec } from "../../components/rules/accept.js";

const good = { name: "orders", engine: "postgresql", zones: ["a", "b", "c"] };
const spec = (changes: object = {}): CompleteSpec => acceptSpec({ ...good, ...changes }).spec;

const facts = (of: CompleteSpec) => factsOf(of, planOf(of, postgresql.roles));
const problemsOf = (input: object) => {
    try {
        acceptSpec({ ...good, ...input });
        return [];
    } catch (error) {
        return (error as SpecError).problems;
    }
};

describe("memory settings follow the limit", () => {
    test("a quarter for shared buffers, half as the estimate of what is cached", () => {
        expect(memorySettings("2Gi")).toEqual({
            shared_buffers: "512MB",
            effective_cache_size: "1024MB",
            maintenance_work_mem: "128MB",
        });
    });

    test("maintenance stays below 2 GiB on large members", () => {
        expect(memorySettings("256Gi")).toEqual({
            shared_buffers: "65536MB",
            effective_cache_size: "131072MB",
            maintenance_work_mem: "2048MB",
        });
    });

    test("/dev/shm is sized with them", () => {
        const of = facts(spec({ resources: { memory: "512Mi" } }));
        const [container] = postgresql.member(of, of.first).containers;
        expect(container!.scratch!["shm"]).toEqual({ path: "/dev/shm", size: "128Mi" });
    });
});

describe("WAL is bounded by the disk", () => {
    test("on a large one by PostgreSQL's default, on a small one by its size", () => {
        expect(walSettings("100Gi")).toEqual({
            max_wal_size: "1024MB",
            max_slot_wal_keep_size: "25600MB",
        });
        expect(walSettings("2Gi")).toEqual({
            max_wal_size: "204MB",
            max_slot_wal_keep_size: "512MB",
        });
    });
});

describe("durability", () => {
    test.each([
        [1, "off", 1],
        [2, "off", 1],
        [3, "quorum", 1],
        [5, "quorum", 2],
        [7, "quorum", 3],
    ])("of %i members is %s by default, with %i replicas in a commit", (replicas, mode, count) => {
        expect(clusterSettings(spec({ replicas }))).toMatchObject({
            synchronous_mode: mode,
            synchronous_node_count: count,
        });
    });

    test("is the user's choice", () => {
        expect(clusterSettings(spec({ durability: "async" }))["synchronous_mode"]).toBe("off");
        expect(
            clusterSettings(spec({ replicas: 2, durability: "quorum" }))["synchronous_mode"],
        ).toBe("quorum");
    });

    test("quorum of one member is refused", () => {
        expect(problemsOf({ replicas: 1, durability: "quorum" })).toEqual([
            {
                path: "durability",
                value: "quorum",
                reason: "a write that waits for a second member needs one: use async, or more replicas",
            },
        ]);
    });

    test("is refused for an engine that has one way only", () => {
        expect(problemsOf({ engine: "mysql", durability: "quorum" })).toEqual([
            {
                path: "durability",
                value: "quorum",
                reason: "MySQL leaves no choice here: remove the key",
            },
        ]);
    });

    test("that falls to async because members leave is announced", () => {
        const findings = findChanges(spec(), spec({ replicas: 2 }));
        expect(findings).toContainEqual({
            severity: "announced",
            path: "durability",
            old: "quorum",
            new: "async",
            reason: "writes are acknowledged by the primary alone from now on: its loss can lose the last of them.",
        });
    });
});

describe("versions", () => {
    test("17 and 18 have an image, others are refused", () => {
        expect(postgresql.image("18")).toBe("ghcr.io/zalando/spilo-18:4.1-p2");
        expect(postgresql.image("17.6")).toBe("ghcr.io/zalando/spilo-17:4.0-p3");
        expect(problemsOf({ version: "16.2" })).toEqual([
            {
                path: "version",
                value: "16.2",
                reason: "must be PostgreSQL 17 or 18, for example 18",
            },
        ]);
    });

    test("a major upgrade in place is refused with the reason", () => {
        expect(postgresql.upgradeRefusal("17.6", "18.1")).toBe(
            "PostgreSQL 18 cannot read the data directory of PostgreSQL 17, and replicas cannot follow a primary of " +
                "another major version: make a second cluster of version 18.1 and move the data there",
        );
    });

    test("going back is refused, by a major version and by a minor one", () => {
        expect(postgresql.upgradeRefusal("18", "17")).toMatch(
            /^PostgreSQL cannot go back from 18 to 17/,
        );
        expect(postgresql.upgradeRefusal("18.6", "18.5")).toMatch(
            /^PostgreSQL goes back from 18.6 to 18.5/,
        );
    });

    test("a minor upgrade is allowed", () => {
        expect(postgresql.upgradeRefusal("18.5", "18.6")).toBeUndefined();
        expect(postgresql.upgradeRefusal("18", "18.6")).toBeUndefined();
    });
});

describe("a member that stays", () => {
    const podOf = (of: CompleteSpec) => {
        const known = facts(of);
        const member = known.members.find(({ name }) => name === "orders-a-0")!;
        return {
            plan: postgresql.member(known, member),
            configuration: postgresql.configuration(known),
        };
    };

    test.each<[string, object]>([
        ["scaling", { replicas: 5 }],
        ["scaling to where the durability changes", { replicas: 2 }],
        ["another durability", { durability: "async" }],
        ["another primary", { primary: "orders-b-0" }],
        ["a larger disk", { storage: { size: "20Gi" } }],
        ["a minor version", { version: "18.6", image: postgresql.image("18") }],
    ])("is not restarted by %s", (_, changes) => {
        expect(podOf(spec(changes))).toEqual(podOf(spec()));
    });
});

describe("access", () => {
    test("a member may write the record, Patroni's objects and its own pod, each by name, and no more", () => {
        const of = facts(spec());
        expect(postgresql.memberAccess(of, of.first)).toEqual([
            {
                apiGroup: "discovery.k8s.io",
                resource: "endpointslices",
                names: ["orders-write"],
                verbs: ["get", "patch"],
            },
            {
                apiGroup: "",
                resource: "configmaps",
                names: ["orders-config", "orders-leader"],
                verbs: ["get", "patch"],
            },
            {
                apiGroup: "",
                resource: "configmaps",
                names: ["orders-failover", "orders-sync"],
                verbs: ["patch"],
            },
            { apiGroup: "", resource: "configmaps", verbs: ["create", "list", "watch"] },
            { apiGroup: "", resource: "pods", verbs: ["list", "watch"] },
            {
                apiGroup: "",
                resource: "pods",
                names: [`${of.first.name}-0`],
                verbs: ["patch"],
            },
        ]);
    });

    test("the connection string is encrypted, binds the password to the connection, and goes to the write Service", () => {
        expect(postgresql.connection(facts(spec()), { "app-password": "secret" })).toBe(
            "postgresql://app:secret@orders.orders.svc.cluster.local:5432/app?sslmode=require&channel_binding=require",
        );
    });

    test("Patroni's own account goes by the socket only, and no other does: there is no channel to bind to", () => {
        const { postgresql: settings } = JSON.parse(
            postgresql.configuration(facts(spec()))["patroni.yml"]!,
        ) as { postgresql: Record<string, unknown> };
        expect(settings).toMatchObject({ use_unix_socket: true });
        expect(settings).not.toHaveProperty("use_unix_socket_repl");
        expect(settings["pg_hba"]).toEqual([
            "local all all scram-sha-256",
            "hostssl replication replication all scram-sha-256",
            "hostssl all postgres all reject",
            "hostssl all all all scram-sha-256",
        ]);
    });

    test("every connection of the scripts that leaves the pod binds the password to it", () => {
        const folder = path.resolve(import.meta.dirname, "../../components/engines/postgresql");
        const lines = readdirSync(folder, { recursive: true, encoding: "utf8" })
            .filter((file) => file.endsWith(".sh"))
            .flatMap((file) => readFileSync(path.join(folder, file), "utf8").split("\n"));
        const leaving = lines.filter((line) => /"host=\$|sslmode/.test(line));
        expect(leaving.length).toBeGreaterThan(4);
        for (const line of leaving) {
            expect(line).toMatch(
                /\$ENCRYPTED|sslmode=require channel_binding=require|sslmode: require, channel_binding: require/,
            );
        }
    });

    test("connections are kept for the membership job, beside those for superusers", () => {
        expect(postgresql.configuration(facts(spec()))["patroni.yml"]).toContain(
            '"reserved_connections": "3"',
        );
    });

    test("no configuration file has a password", () => {
        const files = Object.values(postgresql.configuration(facts(spec()))).join("\n");
        expect(files).not.toMatch(/"password"/);
    });
});
