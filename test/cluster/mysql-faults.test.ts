// MySQL in a group: faults of seconds three times over, as much writing as the default memory must hold, and a record that was
// deleted by hand.
import mysql from "mysql2/promise";
import { expect, test } from "vitest";
import { kubectl } from "../../sandbox/index.js";
import { faults, type FaultStory } from "./faults.js";
import { eventually, type Namespace } from "./kubernetes.js";
import { primaryOfRecord } from "./mysql-client.js";
import { mysqlGroup } from "./subjects.js";
import { compare, Workload } from "./workload.js";

const ROUNDS = Number(process.env["QUORUM_FAULT_ROUNDS"] ?? 3);
/** MiB of small transactions, of 2.6 MB each. */
const SMALL_LOAD = Number(process.env["QUORUM_FAULT_LOAD"] ?? 1024);

const status = (namespace: Namespace, member: string): Promise<string> =>
    kubectl([
        ...["-n", namespace.name, "exec", `${member}-0`, "-c", "agent", "--"],
        ...["bash", "/quorum/scripts/status.sh"],
    ]);

faults(
    {
        ...mysqlGroup,
        leader: (namespace) => primaryOfRecord(namespace.name)(namespace),
        process: "mysqld",
        allIn: async (namespace, members) =>
            (await status(namespace, `${namespace.name}-a-0`)).match(/ ONLINE /g)?.length ===
            members,
    },
    ROUNDS,
    (story) => {
        test("a record that was deleted is filled again by the next update, and writes go on", async () => {
            const { namespace } = story;
            await kubectl([
                "-n",
                namespace.name,
                "delete",
                "endpointslice",
                `${namespace.name}-write`,
            ]);
            await story.refreshed();
            const report = await Workload.during(story.client(), story.hosts(), () =>
                story.up().then(() => undefined),
            );
            expect(report.acknowledged).toBeGreaterThan(0);
            const pod = (await namespace.members()).get(await story.leading())!;
            expect((await compare(story.client(), pod.status.podIP!, report.ids)).lost).toEqual([]);
        });

        test(`${SMALL_LOAD} MiB in small transactions, larger ones and an index fit into the default memory`, async () => {
            await load(story);
        });
    },
);

/** One statement that writes `rows` rows of about 330 bytes. */
const insert = (rows: number): string =>
    `INSERT INTO big (k, pad) WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < ${rows}) ` +
    "SELECT SHA2(CONCAT(i, RAND()), 256), LEFT(REPEAT(SHA2(RAND(), 256), 4), 255) FROM s";

async function load({ namespace, hosts, leading, password }: FaultStory): Promise<void> {
    const before = await restarts(namespace);
    const connection = await mysql.createConnection({
        host: hosts().write,
        user: "app",
        password: password(),
        database: "app",
        ssl: { rejectUnauthorized: false },
    });
    const refused: string[] = [];
    await connection.query("SET SESSION cte_max_recursion_depth = 1000000");
    await connection.query(
        "CREATE TABLE big (n BIGINT AUTO_INCREMENT PRIMARY KEY, k CHAR(64), pad VARCHAR(255))",
    );
    for (let written = 0; written < SMALL_LOAD; written += 2.6)
        await connection.query(insert(8000));
    console.log(`small transactions: ${await memory(namespace)}`);
    for (let count = 0; count < 8; count++) await connection.query(insert(30_000));
    console.log(`10 MB transactions: ${await memory(namespace)}`);
    for (let count = 0; count < 4; count++) {
        // Too large for the default memory: the server says so, and lives.
        await connection
            .query(insert(150_000))
            .catch((error: unknown) => refused.push(String(error)));
    }
    console.log(`50 MB transactions: ${await memory(namespace)}; ${refused[0] ?? "not refused"}`);
    await connection.query("ALTER TABLE big ADD INDEX (k)");
    await connection.end();
    await namespace.ready(3);
    console.log(`index: ${await memory(namespace)}`);
    expect(refused).toHaveLength(4);
    expect(await restarts(namespace)).toEqual(before);
    await eventually("every member to be in", 120, async () => {
        const text = await status(namespace, await leading());
        return text.match(/ ONLINE /g)?.length === 3;
    });
}

/** How often each member's containers were started again. */
async function restarts(namespace: Namespace): Promise<readonly string[]> {
    return [...(await namespace.members())].map(
        ([
            name,
            {
                status: { containerStatuses = [] },
            },
        ]) => `${name} ${containerStatuses.map(({ restartCount }) => restartCount).join(" ")}`,
    );
}

/** What each member's server holds. */
async function memory(namespace: Namespace): Promise<string> {
    const lines: string[] = [];
    for (const member of (await namespace.members()).keys()) {
        const text = await kubectl([
            ...["-n", namespace.name, "exec", `${member}-0`, "-c", "mysql", "--"],
            ...["bash", "-c", "grep -h VmRSS /proc/$(</run/mysqld/mysqld.pid)/status"],
        ]);
        lines.push(`${member} ${text.replace(/\s+/g, " ").trim()}`);
    }
    return lines.join(", ");
}
