// Raw group replication: a StatefulSet of three mysqld, each with the other pods' DNS names as its seeds. The group is
// started by hand once, and the members find one another again by `start_on_boot`. Time limits, TLS and the hand-over
// before a stop are those of Quorum's members. No Service follows the primary: the client does what MySQL Router does,
// and looks for the member that takes writes each time it connects.
import { randomBytes } from "node:crypto";
import mysql from "mysql2/promise";
import { eventually } from "../test/cluster/kubernetes.js";
import { mysqlClient, sessionOf } from "../test/cluster/mysql-client.js";
import type { EngineClient } from "../test/cluster/workload.js";
import { MEMBERS } from "./cluster.js";
import type { Contender } from "./gaps.js";
import { apply, deleteRawPod, inPod, killRawPod, RAW, rawObjects, rawPods } from "./raw.js";

const IMAGE = "localhost/mysql:9.7";
const DOMAIN = `${RAW}.${RAW}.svc.cluster.local`;
const GROUP = "2b1f5a52-6c6d-4f0e-9d1c-0c6f4a3d9e01";
const USER = "bench";
/** A member that does not answer for so long is passed over, in milliseconds. */
const PATIENCE = 500;

const SEEDS = Array.from({ length: MEMBERS }, (_, index) => `${RAW}-${index}.${DOMAIN}:33061`);

const CONFIGURATION = `[mysqld]
datadir = /data/mysql
socket = /tmp/mysqld.sock
tmpdir = /tmp
mysqlx = OFF
secure_file_priv = NULL
skip_name_resolve = ON
gtid_mode = ON
enforce_gtid_consistency = ON
log_bin = binlog
super_read_only = ON
plugin_load_add = group_replication.so
group_replication_group_name = ${GROUP}
group_replication_group_seeds = ${SEEDS.join(",")}
group_replication_start_on_boot = OFF
group_replication_exit_state_action = OFFLINE_MODE
group_replication_member_expel_timeout = 0
group_replication_unreachable_majority_timeout = 5
group_replication_ssl_mode = REQUIRED
group_replication_recovery_use_ssl = ON
group_replication_ip_allowlist = 0.0.0.0/0
`;

const INIT = `
[[ -d /data/mysql ]] || mysqld --no-defaults --initialize-insecure --datadir=/data/mysql --init-file=/bench/init.sql
`;

// Not as the first process: that one would not be killed with the others.
const RUN = `
trap 'kill -TERM $child' TERM
mysqld --defaults-file=/bench/my.cnf --server-id=$((\${POD##*-} + 1)) --report-host=$POD.${DOMAIN} \\
  --group-replication-local-address=$POD.${DOMAIN}:33061 &
child=$!
wait $child
wait $child
`;

const SQL = "mysql --defaults-extra-file=/bench/client.cnf --batch --skip-column-names";
const OTHER =
    "SELECT member_id FROM performance_schema.replication_group_members " +
    "WHERE member_state='ONLINE' AND member_id <> @@server_uuid AND @@global.super_read_only = 0 LIMIT 1";
const HAND_OVER = `
next=$(${SQL} --execute="${OTHER}")
[[ -z $next ]] || ${SQL} --execute="SELECT group_replication_set_as_primary('$next')"
`;

/** Starts it; resolves when all members are online. */
export async function rawGroupReplication(): Promise<Contender> {
    const password = randomBytes(16).toString("hex");
    await apply(
        rawObjects({
            image: IMAGE,
            files: {
                "my.cnf": CONFIGURATION,
                "client.cnf": `[client]\nuser=${USER}\npassword=${password}\nsocket=/tmp/mysqld.sock\n`,
                "init.sql":
                    `SET sql_log_bin=0; CREATE USER ${USER}@'%' IDENTIFIED BY '${password}' REQUIRE SSL; ` +
                    `GRANT ALL ON *.* TO ${USER}@'%' WITH GRANT OPTION; ` +
                    `CREATE USER ${USER}@localhost IDENTIFIED BY '${password}'; ` +
                    `GRANT ALL ON *.* TO ${USER}@localhost WITH GRANT OPTION;`,
            },
            init: INIT,
            run: RUN,
            preStop: HAND_OVER,
            scratch: ["/tmp"],
        }),
    );
    const healthy = (): Promise<void> =>
        eventually("raw group replication to be online", 300, isHealthy);
    await startGroup(password);
    await healthy();
    const pods = new Map((await addresses()).map(({ name, address }) => [name, address]));
    await createDatabase(password, [...pods.values()]);
    return {
        name: "raw group replication",
        client: async () => {
            const hosts = (await addresses()).map(({ address }) => address);
            return routingClient(password, hosts);
        },
        // The client knows the members by itself.
        hosts: () => Promise.resolve({ write: "", read: "" }),
        leadersNode: async () => (await leader()).spec.nodeName,
        moveLeadership,
        deleteLeadersPod: async () => deleteRawPod((await leader()).metadata.name),
        killLeader: async () => killRawPod((await leader()).metadata.name),
        healthy,
    };
}

/** By hand, once: the first member begins the group, the others join it. */
async function startGroup(password: string): Promise<void> {
    for (let index = 0; index < MEMBERS; index++) {
        const pod = `${RAW}-${index}`;
        await eventually(`${pod} to answer`, 300, async () => (await sql(pod, "SELECT 1")) === "1");
        const start = `START GROUP_REPLICATION USER='${USER}', PASSWORD='${password}'`;
        const bootstrap = "SET GLOBAL group_replication_bootstrap_group";
        await sql(pod, index === 0 ? `${bootstrap}=ON; ${start}; ${bootstrap}=OFF` : start);
        await sql(
            pod,
            `SET PERSIST_ONLY group_replication_start_on_boot=ON; CHANGE REPLICATION SOURCE TO ` +
                `SOURCE_USER='${USER}', SOURCE_PASSWORD='${password}' FOR CHANNEL 'group_replication_recovery'`,
        );
    }
}

async function createDatabase(password: string, hosts: readonly string[]): Promise<void> {
    const connection = await writable(password, hosts, "mysql");
    await connection.query("CREATE DATABASE IF NOT EXISTS app");
    connection.destroy();
    await routingClient(password, hosts).prepare("");
}

/** Statements come by standard input: none is an argument. */
async function sql(pod: string, statements: string): Promise<string> {
    return (await inPod(pod, `${SQL} <<'END'\n${statements};\nEND`)).trim();
}

async function addresses(): Promise<{ name: string; address: string }[]> {
    return (await rawPods()).map(({ metadata, status }) => ({
        name: metadata.name,
        address: status.podIP!,
    }));
}

async function view(pod: string): Promise<{ host: string; role: string; state: string }[]> {
    const rows = await sql(
        pod,
        "SELECT member_host, member_role, member_state FROM performance_schema.replication_group_members",
    );
    return rows.split("\n").map((row) => {
        const [host, role, state] = row.split("\t");
        return { host: host!.split(".")[0]!, role: role!, state: state! };
    });
}

async function leader() {
    const pods = await rawPods();
    const primary = (await view(pods[0]!.metadata.name)).find(({ role }) => role === "PRIMARY")!;
    return pods.find(({ metadata }) => metadata.name === primary.host)!;
}

async function moveLeadership(): Promise<void> {
    const primary = (await leader()).metadata.name;
    const next = await sql(primary, OTHER);
    await sql(primary, `SELECT group_replication_set_as_primary('${next}')`);
}

async function isHealthy(): Promise<boolean> {
    const pods = await rawPods();
    if (pods.length !== MEMBERS || pods.some(({ metadata }) => metadata.deletionTimestamp)) {
        return false;
    }
    for (const { metadata } of pods) {
        const online = (await view(metadata.name)).filter(({ state }) => state === "ONLINE");
        if (online.length !== MEMBERS) {
            return false;
        }
    }
    return true;
}

/** Connects to the member that takes writes; a session there is like any other client's. */
function routingClient(password: string, hosts: readonly string[]): EngineClient {
    return {
        connect: async () => sessionOf(await writable(password, hosts, "app")),
        prepare: async () => {
            const connection = await writable(password, hosts, "mysql");
            const host = connection.config.host!;
            connection.destroy();
            await mysqlClient(password, USER, "app").prepare(host);
        },
    };
}

/** A connection to the member that takes writes, asked of all at once. */
async function writable(
    password: string,
    hosts: readonly string[],
    database: string,
): Promise<mysql.Connection> {
    const asked = hosts.map(async (host) => {
        const connection = await mysql.createConnection({
            ...{ host, user: USER, password, database },
            connectTimeout: PATIENCE,
            ssl: { rejectUnauthorized: false },
        });
        connection.on("error", () => undefined);
        try {
            const [rows] = await connection.query({
                sql: "SELECT @@global.super_read_only AS closed",
                timeout: PATIENCE,
            });
            if ((rows as { closed: number }[])[0]!.closed === 0) {
                return connection;
            }
        } catch (error) {
            connection.destroy();
            throw error;
        }
        connection.destroy();
        throw new Error(`${host} takes no writes`);
    });
    return Promise.any(asked);
}
