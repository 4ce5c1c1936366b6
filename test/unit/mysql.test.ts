import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { memoryPlan, mysql } from "../../components/engines/mysql/mysql.js";
import { factsOf } from "../../components/facts.js";
import { MIB, parseQuantity } from "../../components/quantity.js";
import { planOf } from "../../components/topology.js";
import { acceptSpec } from "../../components/rules/accept.js";
import { play, type Answers, type Scene } from "./mysql-scripts.js";

const specOf = (changes: object = {}) =>
    acceptSpec({ name: "my", engine: "mysql", zones: ["a", "b", "c"], ...changes }).spec;
const configurationOf = (changes: object = {}): string =>
    Object.values(
        mysql.configuration(factsOf(specOf(changes), planOf(specOf(changes), mysql.roles))),
    ).join("\n");

describe("memory", () => {
    const sizes = ["1Gi", "1536Mi", "2Gi", "4Gi", "16Gi", "64Gi"];

    test.each([
        ...["640Mi", "768Mi", ...sizes].map((size) => [size, false] as const),
        ...sizes.map((size) => [size, true] as const),
    ])("of %s holds everything that a server keeps (group: %s)", (size, group) => {
        const { transaction, ...shares } = memoryPlan(size, group);
        const sum = Object.values(shares).reduce((total, share) => total + share, 0);
        expect(sum).toBeLessThanOrEqual(parseQuantity(size));
        expect(transaction).toBeLessThanOrEqual(150_000_000);
        // A pool is worth most: a large server gives it the larger part.
        if (parseQuantity(size) >= parseQuantity("16Gi")) {
            expect(shares.pool).toBeGreaterThan(parseQuantity(size) / 2);
        }
    });

    test.each([
        ["1Gi", 128],
        ["2Gi", 832],
        ["8Gi", 4864],
    ])("of %s leaves a group's server this many MiB for its pool: %i", (size, pool) => {
        expect(memoryPlan(size, true).pool / MIB).toBe(pool);
    });

    test("too large a transaction is refused by the server, and the group's messages are bounded", () => {
        const { transaction, messages } = memoryPlan("1Gi", true);
        expect(messages).toBe(128 * MIB);
        const text = configurationOf({ resources: { memory: "1Gi" } });
        expect(text).toContain(`group_replication_transaction_size_limit = ${transaction}\n`);
        expect(text).toContain(`group_replication_message_cache_size = ${messages}\n`);
        expect(text).toContain(`max_allowed_packet = ${transaction}\n`);
    });
});

describe("disk", () => {
    test("temporary files are on it, and none in memory", () => {
        const text = configurationOf();
        for (const key of ["tmpdir", "innodb_tmpdir", "replica_load_tmpdir"]) {
            expect(text).toMatch(new RegExp(`^${key} = /var/lib/mysql/tmp$`, "m"));
        }
    });
});

describe("binary logs", () => {
    const DISK = path.resolve(
        import.meta.dirname,
        "../../components/engines/mysql/scripts/disk.sh",
    );

    test.each([
        ["1Gi", 16],
        ["10Gi", 102],
        ["1Ti", 256],
    ])("come in pieces of a hundredth of a disk of %s: %i MiB", async (size, expected) => {
        const script = `source ${DISK}; space() { echo "1 ${parseQuantity(size)}"; }; binlog_bytes`;
        const { stdout } = await execa("bash", ["-c", script]);
        expect(Number(stdout)).toBe(expected * MIB);
    });

    test("leave the configuration alone when a disk is to grow: nobody is restarted", () => {
        expect(configurationOf({ storage: { size: "20Gi" } })).toBe(configurationOf());
    });
});

const ID = "0d2f4fc6-0000-0000-0000-000000000000";
const RECORD = { "cluster-id": ID, primary: "my-b-0", members: "my-a-0,my-b-0,my-c-0" };
const OWN = "RIGHT JOIN";
const PEER = "SELECT COALESCE\\(\\(SELECT NULLIF\\(member_state";
const CLUSTER: Answers[number] = ["*", "table_comment", ID];

describe("the agent of a group's member", () => {
    const run = (own: string, peers: string, more: Answers = [], over: Partial<Scene> = {}) =>
        play({
            script: "agent.sh",
            replication: "group",
            record: RECORD,
            seconds: 15,
            ...over,
            answers: [
                ...more,
                ["local", OWN, own],
                ["*", PEER, peers],
                CLUSTER,
                ["*", "clone_status WHERE", "0"],
                ["*", "clone_status", "-\\t-"],
                ["*", "^SELECT CONCAT_WS", `${ID}:1-9`],
                ["*", "GTID_SUBSET", "1"],
                ["*", "SHOW BINARY LOGS", "binlog.000001\\t100\\tNo"],
            ],
        });

    const JOINS = /local: STOP GROUP_REPLICATION;(?!.*bootstrap_group=ON).*START GROUP_REPLICATION/;
    const BRINGS_BACK =
        /local: STOP GROUP_REPLICATION;.*bootstrap_group=ON; START GROUP_REPLICATION/;

    test.concurrent.each([
        ["ERROR\\t-\\t1\\t1", "ONLINE"],
        ["ERROR\\t-\\t0\\t3", "ONLINE"],
        ["OFFLINE\\t-\\tNULL\\t0", "ONLINE"],
    ])("that is %s joins a group that is there", async (own, peers) => {
        const { statements } = await run(own, peers);
        expect(statements).toMatch(JOINS);
        expect(statements).not.toMatch(BRINGS_BACK);
    });

    test.concurrent("brings the group back when all are in ERROR after a cut", async () => {
        const { statements, patches } = await run("ERROR\\t-\\t1\\t1", "ERROR");
        expect(patches).toContain('"quorum.dev/bootstrap":"my-a-0"');
        expect(statements).toMatch(BRINGS_BACK);
    });

    test.concurrent.each([
        ["no answer", ""],
        ["an error", "ERROR 2013 (HY000): Lost connection to MySQL server during query"],
        ["denied", "ERROR 1045 (28000): Access denied for user 'root'@'localhost'"],
    ])("does nothing on %s", async (_, own) => {
        const { statements, patches } = await run(own, "ONLINE");
        expect(statements).not.toContain("GROUP_REPLICATION;");
        expect(patches).toBe("");
    });

    test.concurrent.each(["ONLINE\\tSECONDARY\\t1\\t3", "RECOVERING\\tSECONDARY\\t1\\t3"])(
        "that is %s is left alone",
        async (own) => {
            const { statements, patches } = await run(own, "ONLINE");
            expect(statements).not.toContain("START GROUP_REPLICATION");
            expect(patches).toBe("");
        },
    );

    test.concurrent.each([
        ["ONLINE\\tPRIMARY\\t0\\t3", 9, "it could not reach a majority of its group\n"],
        ["ONLINE\\tSECONDARY\\t0\\t3", 9, "it could not reach a majority of its group\n"],
        ["ONLINE\\tPRIMARY\\t0\\t3", 2, ""],
        ["ONLINE\\tPRIMARY\\t1\\t3", 9, ""],
    ])("that is %s for %i s asks for a restart: '%s'", async (own, seconds, expected) => {
        const asked = path.join(mkdtempSync(path.join(tmpdir(), "quorum-restart-")), "restart");
        writeFileSync(asked, "");
        await run(own, "ONLINE", [], { seconds, env: { QUORUM_RESTART: asked } });
        expect(readFileSync(asked, "utf8")).toBe(expected);
        rmSync(path.dirname(asked), { recursive: true });
    });

    test.concurrent("brings nothing back while a member does not say what it has", async () => {
        const { statements, log } = await run("ERROR\\t-\\t1\\t1", "ERROR", [
            ["my-c-0", "^SELECT CONCAT_WS", "ERROR 2003 (HY000): Can't connect"],
        ]);
        expect(statements).not.toContain("bootstrap_group=ON");
        expect(log).toContain("waits for my-c-0");
    });

    test.concurrent("says of a failure what went wrong, and not the statement", async () => {
        const { log } = await run("OFFLINE\\t-\\tNULL\\t0", "ONLINE", [
            [
                "local",
                "START GROUP_REPLICATION",
                "ERROR 1064 (42000) at line 1: You have an error near 'PASSWORD='hunter2'' at line 1",
            ],
        ]);
        expect(log).toContain("ERROR 1064 (42000) at line 1: You have an error");
        expect(log).not.toContain("hunter2");
    });

    test.concurrent(
        "starts the group anew when it is alone and the others are refused for long",
        async () => {
            const { statements, log } = await play({
                script: "agent.sh",
                replication: "group",
                record: { ...RECORD, primary: "my-a-0" },
                seconds: 22,
                answers: [
                    ["local", OWN, "ONLINE\\tPRIMARY\\t1\\t1"],
                    ["*", PEER, "OFFLINE"],
                    CLUSTER,
                    ["*", "clone_status", "0"],
                    ["*", "^SELECT CONCAT_WS", `${ID}:1-9`],
                    ["*", "GTID_SUBSET", "1"],
                ],
                env: { QUORUM_ALONE_ROUNDS: "3" },
            });
            expect(log).toContain("starts its group anew");
            expect(statements).toMatch(BRINGS_BACK);
        },
    );
});

describe("the membership job of a group", () => {
    const job = (
        record: Record<string, string>,
        answers: Answers,
        env: Record<string, string> = {},
    ) =>
        play({
            script: "membership.sh",
            replication: "group",
            record,
            answers,
            env: {
                MEMBERS: "my-a-0,my-b-0,my-c-0",
                FIRST: "my-b-0",
                PRIMARY: "my-a-0",
                DATABASE: "app_db",
                TIMEOUT: "20",
                ...env,
            },
        });
    const HEALTHY: Answers = [
        ["my-a-0", OWN, "ONLINE\\tPRIMARY\\t1\\t3"],
        ["*", OWN, "ONLINE\\tSECONDARY\\t1\\t3"],
        ["*", PEER, "ONLINE"],
        CLUSTER,
        ["*", "^SELECT member_host", "my-a-0.my.svc\\nmy-b-0.my.svc\\nmy-c-0.my.svc"],
        ["*", "^SELECT 1", "1"],
    ];

    test.concurrent("fills a record that was deleted from the group that runs", async () => {
        const { exitCode, patches, statements, log } = await job({}, HEALTHY);
        expect(log).toContain("the record says so again");
        expect(patches).toContain(
            `"quorum.dev/cluster-id":"${ID}","quorum.dev/primary":"my-a-0","quorum.dev/members":"my-a-0,my-b-0,my-c-0"`,
        );
        expect(statements).not.toContain("bootstrap_group");
        expect(exitCode).toBe(0);
    });

    test.concurrent("takes the group that runs also while a member is away", async () => {
        const { patches } = await job({}, [
            ["my-b-0", ".", "ERROR 2003 (HY000): Can't connect"],
            ...HEALTHY.filter(([, pattern]) => !pattern.startsWith("^SELECT member_host")),
            ["*", "^SELECT member_host", "my-a-0.my.svc\\nmy-c-0.my.svc"],
        ]);
        expect(patches).toContain('"quorum.dev/members":"my-a-0,my-c-0"');
    });

    test.concurrent("asks before half of the members leave", async () => {
        const { exitCode, log, patches } = await job(RECORD, HEALTHY, { MEMBERS: "my-a-0" });
        expect(exitCode).toBe(1);
        expect(log).toContain('quorum:allowChanges ["majorityLeaves"]');
        expect(patches).toBe("");
    });

    test.concurrent(
        "names the open transactions that hold up a move, and moves nothing",
        async () => {
            const { exitCode, log, statements } = await job(
                RECORD,
                [
                    ["my-b-0", "innodb_trx", "app@10.1.1.1:5 (connection 77, open for 400 s)"],
                    ...HEALTHY,
                ],
                { QUORUM_OPEN_SECONDS: "1" },
            );
            expect(exitCode).toBe(1);
            expect(log).toMatch(
                /REFUSED: leadership stays with my-b-0.*connection 77, open for 400 s/,
            );
            expect(statements).not.toContain("set_as_primary");
        },
    );

    test.concurrent("moves leadership within a bound of the server's own", async () => {
        const { exitCode, statements } = await job(RECORD, [
            ["*", "server_uuid'?$", "uuid-of-a"],
            ...HEALTHY,
        ]);
        expect(exitCode).toBe(0);
        expect(statements).toMatch(/group_replication_set_as_primary\('[^']*', 10\)/);
    });

    const LOST: Answers = [
        ["my-c-0", ".", "ERROR 2003 (HY000): Can't connect"],
        ["*", PEER, "OFFLINE"],
        ...HEALTHY.filter(([, pattern]) => pattern !== PEER),
    ];
    test.concurrent(
        "waits for a lost member after an outage of all, and says how to go on",
        async () => {
            const { exitCode, log, patches } = await job(RECORD, LOST, {
                QUORUM_LOST_SECONDS: "1",
            });
            expect(exitCode).toBe(1);
            expect(log).toMatch(/my-c-0 does not answer.*quorum:allowChanges \["failover"\]/);
            expect(patches).toBe("");
        },
    );

    test.concurrent("goes on without a lost member when that is allowed", async () => {
        const { log, patches } = await job(RECORD, LOST, {
            QUORUM_LOST_SECONDS: "1",
            ALLOW_FAILOVER: "true",
            TIMEOUT: "5",
        });
        expect(log).toContain("go on without my-c-0: what only it had is lost");
        expect(patches).toContain('"quorum.dev/members":"my-a-0,my-b-0"');
    });

    test.concurrent("forms nothing while a member with data does not say so", async () => {
        const { exitCode, statements } = await job(
            {},
            [
                ["*", OWN, "OFFLINE\\t-\\tNULL\\t0"],
                ["*", PEER, "OFFLINE"],
                ["*", "^SELECT 1", "1"],
                ["*", "table_comment", "ERROR 1040 (HY000): Too many connections"],
            ],
            { TIMEOUT: "3" },
        );
        expect(exitCode).toBe(1);
        expect(statements).not.toContain("bootstrap_group=ON");
    });

    test.concurrent(
        "grants the application its own database and none whose name is alike",
        async () => {
            const { statements } = await job(
                {},
                [
                    ["*", OWN, "OFFLINE\\t-\\tNULL\\t0"],
                    ["*", PEER, "OFFLINE"],
                    ["*", "^SELECT 1", "1"],
                    ["*", "table_comment", "-"],
                    ["*", "UUID\\(\\)", ID],
                    ["*", "super_read_only", "0"],
                ],
                { TIMEOUT: "3" },
            );
            expect(statements).toContain("GRANT ALL ON `app\\_db`.* TO 'app_db'@'%'");
        },
    );
});

describe("the check before a restart", () => {
    const check = (
        replication: "group" | "async",
        answers: Answers,
        env: Record<string, string> = {},
    ) =>
        play({
            script: "upgrade-check.sh",
            replication,
            record: RECORD,
            answers,
            env: { TIMEOUT: "300", FIRST: "my-b-0", QUORUM_MEMBERS_SECONDS: "2", ...env },
        });

    test.concurrent.each(["group", "async"] as const)(
        "passes when all are in (%s)",
        async (replication) => {
            expect((await check(replication, [["*", ".", "in"]])).exitCode).toBe(0);
        },
    );

    test.concurrent.each(["group", "async"] as const)(
        "names the member that is out (%s)",
        async (replication) => {
            const { exitCode, log } = await check(replication, [
                ["my-c-0", ".", "ERROR"],
                ["*", ".", "in"],
            ]);
            expect(exitCode).toBe(1);
            expect(log).toMatch(/REFUSED.*my-c-0 \(ERROR\).*quorum:allowChanges \["membersAway"\]/);
        },
    );

    test.concurrent("lets the first one be away, which the update may mend", async () => {
        const answers: Answers = [
            ["my-b-0", ".", "ERROR 2003 (HY000): Can't connect"],
            ["*", ".", "in"],
        ];
        expect((await check("group", answers)).exitCode).toBe(0);
    });

    test.concurrent("goes on without members when that is allowed", async () => {
        const answers: Answers = [
            ["my-c-0", ".", "OFFLINE"],
            ["*", ".", "in"],
        ];
        expect((await check("group", answers, { AWAY_ALLOWED: "true" })).exitCode).toBe(0);
    });
});
