// MySQL 8.4 and 9.x, one primary and read-only replicas: a replication group that elects its primary (`group`), or
// asynchronous replication with GTIDs and a primary by configuration (`async`).

import * as path from "path";
import { MIB, parseQuantity } from "../../quantity";
import type { Problem } from "../../problems";
import { replicationOf, type CompleteSpec } from "../../spec";
import { SINGLE_ROLE, type Member } from "../../topology";
import {
    KINE_DATABASE,
    KINE_USER,
    PATHS,
    script,
    type ContainerPlan,
    type Engine,
    type JobFacts,
    type PodFacts,
    type KinePart,
    type MemberPlan,
    type Port,
} from "../engine";
import { deletesClaims, recordAccess, SHARED_SCRIPTS } from "../shared";

const SQL: Port = { name: "mysql", port: 3306, scope: "client" };
/** The group's own protocol (XCom). */
const GROUP: Port = { name: "group", port: 33061, scope: "peer" };

/** Below the member's claim, emptied by each start (serve.sh): sorts, index builds and large transactions spill there. */
const TEMPORARY = "/var/lib/mysql/tmp";

/** The official image's user; the members' disks belong to it. */
const MYSQL_USER = 999;

/**
 * Below this the server would live at its limit with the smallest pool. Measured for a group: 520 MiB of ordinary writes
 * bring each member to 750 MiB, with a pool of 192 MiB.
 */
const LEAST_MEMORY = { group: "1Gi", async: "640Mi" } as const;
/** InnoDB's smallest useful pool; also its unit here (innodb_buffer_pool_chunk_size). */
const POOL_UNIT = 64 * MIB;

/**
 * Where a server's memory goes, in bytes; the sum is at most the limit. Measured on 9.7.4, three members in a group, each
 * below a limit of 1 GiB: docs/engines/mysql.md has the figures.
 */
export interface MemoryPlan {
    /** What an idle server holds beside its pool, with performance_schema as {@link SMALL_SCHEMA} has it: 155 MiB. */
    readonly idle: number;
    readonly pool: number;
    /** group_replication_message_cache_size: messages kept for members that are away. The manual's least is 128 MiB. */
    readonly messages: number;
    /** Write sets of what was written since the last clean-up, which is each minute: 76 MiB after 8000-row inserts. */
    readonly certification: number;
    /** Largest transaction of a group, row and packet: a larger one is refused by the server. */
    readonly transaction: number;
    /** What one such transaction takes at its peak, with its copies in the session, the message and the applier. */
    readonly transactionPeak: number;
    /** Sessions, sorts, joins, temporary tables, and what the allocator does not give back: 200 MiB after small writes. */
    readonly sessions: number;
}

const IDLE = 160 * MIB;
const LEAST_MESSAGES = 128 * MIB;
/** A single row of 33 MB raised a member by 425 MiB, one of 50 MB by 600. */
const TRANSACTION_COPIES = 13;
/** Group replication's own default (150,000,000 bytes), below the server's default for packets of a client's two. */
const MOST_TRANSACTION = 128 * MIB;

/** The memory of a server below a limit. */
export function memoryPlan(memoryLimit: string, group: boolean): MemoryPlan {
    const limit = parseQuantity(memoryLimit);
    const share = (part: number, least: number, most: number): number =>
        Math.floor(Math.min(most, Math.max(least, limit * part)) / MIB) * MIB;
    const transaction = share(1 / 80, 8 * MIB, MOST_TRANSACTION);
    const messages = group ? share(1 / 16, LEAST_MESSAGES, 1024 * MIB) : 0;
    const certification = group ? share(1 / 12, 48 * MIB, 512 * MIB) : 0;
    const sessions = share(1 / 3, 160 * MIB, 256 * MIB + limit / 16);
    const transactionPeak = TRANSACTION_COPIES * transaction;
    const beside = IDLE + messages + certification + transactionPeak + sessions;
    const pool = Math.max(1, Math.floor((limit - beside) / POOL_UNIT)) * POOL_UNIT;
    return { idle: IDLE, pool, messages, certification, transaction, transactionPeak, sessions };
}

/**
 * performance_schema keeps 230 MiB by default, most of it for histories and digests that nobody here reads; so it takes 106
 * [measured, 9.7.4].
 */
const SMALL_SCHEMA = `performance_schema_digests_size = 1000
performance_schema_events_statements_history_long_size = 100
performance_schema_events_transactions_history_long_size = 100
performance_schema_events_stages_history_long_size = 100
performance_schema_events_waits_history_long_size = 100
performance_schema_error_size = 0
`;

/** A replica further behind than this leaves the read Service, in seconds. */
const MAX_LAG_SECONDS = 30;
/** How often an agent looks at the cluster record, in seconds. */
const AGENT_INTERVAL_SECONDS = 1;
/** InnoDB flushes its pool on shutdown; operators' defaults range from 60 s to 600 s (Percona). */
const GRACE_SECONDS = 120;
function configuration({ spec }: PodFacts): Record<string, string> {
    const memory = memoryPlan(spec.resources.memory, isGroup(spec));
    // Every server starts as a read-only replica; the agent opens the one that the cluster record names.
    const common = `[mysqld]
datadir = /var/lib/mysql/data
socket = /run/mysqld/mysqld.sock
pid_file = /run/mysqld/mysqld.pid
tmpdir = ${TEMPORARY}
innodb_tmpdir = ${TEMPORARY}
replica_load_tmpdir = ${TEMPORARY}
bind_address = 0.0.0.0
mysqlx = OFF
secure_file_priv = NULL
skip_name_resolve = ON
log_error_verbosity = 2

gtid_mode = ON
enforce_gtid_consistency = ON
log_bin = binlog
log_replica_updates = ON
relay_log = relay
binlog_expire_logs_seconds = 604800
sync_binlog = 1
innodb_flush_log_at_trx_commit = 1
plugin_load_add = mysql_clone.so

max_allowed_packet = ${memory.transaction}
replica_pending_jobs_size_max = ${memory.transaction}
innodb_log_buffer_size = ${16 * MIB}
innodb_ddl_buffer_size = ${8 * MIB}
temptable_max_ram = ${16 * MIB}
temptable_max_mmap = 0
tmp_table_size = ${16 * MIB}
key_buffer_size = ${MIB}
table_open_cache = 1000
${SMALL_SCHEMA}
innodb_buffer_pool_size = ${memory.pool}
innodb_buffer_pool_chunk_size = ${POOL_UNIT}
innodb_flush_method = O_DIRECT
`;
    const replica = `[mysqld]
super_read_only = ON
skip_replica_start = OFF
replica_net_timeout = 10
`;
    const files: Record<string, string> = {
        "primary.cnf": common,
        "replica.cnf": replica,
        ...(isGroup(spec) && { "group.cnf": groupConfiguration(memory) }),
    };
    const includes = Object.keys(files).map((name) => `!include ${PATHS.configuration}/${name}\n`);
    return { "my.cnf": includes.join(""), ...files };
}

/**
 * Group replication. The agent names the group, its seeds and the moment to start.
 *
 * `expel_timeout` 0: a member that is silent for 5 s (the detector's own period) is expelled at once. Expelling a
 * healthy member by mistake costs little here, because its agent joins it again and it fetches only what it missed;
 * waiting longer would block writes for that long when the primary is really gone. A member that sees no majority is started
 * again by its agent after some seconds; `unreachable_majority_timeout` 20 is for one whose agent does not run. Until then
 * it commits nothing, and what its clients write hangs.
 */
const groupConfiguration = (memory: MemoryPlan): string => `[mysqld]
plugin_load_add = group_replication.so
disabled_storage_engines = MyISAM,BLACKHOLE,FEDERATED,ARCHIVE,MEMORY
group_replication_start_on_boot = OFF
group_replication_bootstrap_group = OFF
group_replication_single_primary_mode = ON
group_replication_exit_state_action = OFFLINE_MODE
group_replication_member_expel_timeout = 0
group_replication_unreachable_majority_timeout = 20
group_replication_autorejoin_tries = 0
group_replication_ssl_mode = REQUIRED
group_replication_recovery_use_ssl = ON
group_replication_ip_allowlist = 0.0.0.0/0,::/0
group_replication_message_cache_size = ${memory.messages}
group_replication_transaction_size_limit = ${memory.transaction}
`;

const isGroup = (spec: Pick<CompleteSpec, "replication">): boolean =>
    replicationOf(spec) === "group";

const environment = (facts: PodFacts, member?: Member): Record<string, string> => ({
    QUORUM_CLUSTER: facts.spec.name,
    QUORUM_NAMESPACE: facts.spec.namespace,
    QUORUM_CLUSTER_DOMAIN: facts.spec.clusterDomain,
    QUORUM_MEMBER_DOMAIN: facts.memberDomain,
    QUORUM_RECORD: facts.record,
    QUORUM_DATABASE: facts.spec.database,
    QUORUM_AGENT_INTERVAL: `${AGENT_INTERVAL_SECONDS}`,
    QUORUM_MAX_LAG: `${MAX_LAG_SECONDS}`,
    ...(member && {
        QUORUM_MEMBER: member.name,
        QUORUM_ADDRESS: facts.address(member),
        QUORUM_SERVER_ID: `${member.id}`,
    }),
});

function member(facts: PodFacts, self: Member): MemberPlan {
    const env = environment(facts, self);
    const group = isGroup(facts.spec);
    const shared: Pick<ContainerPlan, "env" | "credentials" | "data" | "scratch"> = {
        env,
        credentials: true,
        data: "/var/lib/mysql",
        scratch: { run: "/run/mysqld", tmp: "/tmp" },
    };
    return {
        graceSeconds: GRACE_SECONDS,
        init: [
            { name: "initialise", command: script("initialise.sh"), resources: "spec", ...shared },
        ],
        containers: [
            {
                name: "mysql",
                command: script("serve.sh"),
                ports: portsOf(facts.spec),
                resources: "spec",
                // A primary hands over before it stops, and writes the cluster record.
                ...(group && { preStop: script("handover.sh"), api: true }),
                // No startup probe: a start may take as long as it progresses, also the one after a copy (health.sh).
                readiness: {
                    command: script("health.sh", "ready"),
                    periodSeconds: 3,
                    timeoutSeconds: 10,
                    failureThreshold: 2,
                },
                liveness: {
                    command: script("health.sh", "alive"),
                    periodSeconds: 10,
                    timeoutSeconds: 5,
                    failureThreshold: 6,
                },
                ...shared,
            },
            {
                name: "agent",
                command: script("agent.sh"),
                api: true,
                resources: { cpu: "10m", memory: "64Mi" },
                ...shared,
            },
        ],
    };
}

function upgradeCheck(facts: JobFacts): ContainerPlan {
    return {
        name: "upgrade-check",
        command: script("upgrade-check.sh"),
        api: true,
        credentials: true,
        scratch: { tmp: "/tmp" },
        resources: { cpu: "50m", memory: "128Mi" },
        env: environment(facts),
    };
}

const portsOf = (spec: Pick<CompleteSpec, "replication">): Port[] =>
    isGroup(spec) ? [SQL, GROUP] : [SQL];

function membership(facts: JobFacts): ContainerPlan {
    const { spec } = facts;
    return {
        name: "membership",
        command: script("membership.sh"),
        api: true,
        credentials: true,
        scratch: { tmp: "/tmp" },
        resources: { cpu: "50m", memory: "128Mi" },
        env: {
            ...environment(facts),
            MEMBERS: facts.members.map(({ name }) => name).join(","),
            FIRST: facts.first.name,
            PRIMARY: facts.primary.name,
            DATABASE: spec.database,
            TIMEOUT: `${spec.membershipTimeout}`,
            ADOPT: `${spec.adopt}`,
            ALLOW_FAILOVER: `${spec.allowChanges.includes("failover")}`,
            DELETE_CLAIMS: `${deletesClaims(spec)}`,
        },
    };
}

function validate(spec: CompleteSpec): Problem[] {
    const problems: Problem[] = [];
    const { version } = spec;
    if (series(version) === undefined) {
        problems.push({
            path: "version",
            value: version,
            reason: "must be MySQL 8.4 or 9.x, for example 9.7.1",
        });
    }
    const { memory } = spec.resources;
    const least = isGroup(spec) ? LEAST_MEMORY.group : LEAST_MEMORY.async;
    if (parseQuantity(memory) < parseQuantity(least)) {
        problems.push({
            path: "resources.memory",
            value: memory,
            reason: `MySQL needs at least ${least}`,
        });
    }
    return problems;
}

const DEFAULT_VERSION = "9.7.1";

/** Release series in upgrade order: 8.4 and 9.7 are the long-term ones, the 9.x between are innovation releases. */
function series(version: string): number | undefined {
    const [major, minor] = version.split(".").map(Number);
    return (major === 8 && minor === 4) || (major === 9 && minor !== undefined)
        ? major * 100 + minor
        : undefined;
}

function upgradeRefusal(from: string, to: string): string | undefined {
    const [old, wanted] = [series(from), series(to)];
    if (old === undefined || wanted === undefined) {
        return undefined;
    }
    // https://dev.mysql.com/doc/refman/9.7/en/upgrade-paths.html and downgrade notes: the data dictionary is upgraded
    // when a newer server first starts, and an older series cannot read it afterwards.
    return wanted < old
        ? `MySQL cannot go back from ${from} to ${to}: the data dictionary was upgraded`
        : undefined;
}

/**
 * Parameters of Kine's connections (github.com/go-sql-driver/mysql). `rejectReadOnly`: a connection to a member that
 * leads no more is closed when it refuses a write, and the next one goes to the primary. `readTimeout`: an answer that
 * a lost machine owes is waited for no longer; Kine's watch has no bound of its own. `transaction_isolation`: with
 * MySQL's own default, inserting locks the rows that it reads.
 */
const KINE_PARAMETERS = [
    "tls=skip-verify",
    "rejectReadOnly=true",
    "timeout=5s",
    "readTimeout=30s",
    "writeTimeout=30s",
    "transaction_isolation=%27READ-COMMITTED%27",
].join("&");

const kine: KinePart = {
    validate: () => [],
    endpoint: ({ service }, password) =>
        `mysql://${KINE_USER}:${password}@tcp(${service("")}:${SQL.port})/${KINE_DATABASE}?${KINE_PARAMETERS}`,
    scripts: path.join(__dirname, "kine"),
    database: (facts) => ({
        credentials: true,
        scratch: { tmp: "/tmp" },
        env: environment(facts),
    }),
};

/** MySQL. */
export const mysql: Engine = {
    name: "mysql",
    title: "MySQL",
    defaultVersion: DEFAULT_VERSION,
    image: (version) => `mysql:${version}`,
    container: "mysql",
    statusContainer: "agent",
    user: MYSQL_USER,
    roles: SINGLE_ROLE,
    ports: portsOf,
    choices: { replication: ["group", "async"] },
    services: [
        { suffix: "", ports: [SQL], target: { kind: "leader" } },
        { suffix: "-read", ports: [SQL], target: { kind: "ready" } },
    ],
    credentials: [
        { key: "root-password", purpose: "root@localhost on every member", length: 32 },
        { key: "admin-password", purpose: "quorum@%: the membership job", length: 32 },
        {
            key: "replication-password",
            purpose: "replication@%: the replicas' channel",
            length: 32,
        },
        { key: "clone-password", purpose: "clone@%: seeding new members", length: 32 },
        { key: "app-password", purpose: "the application's user", length: 32 },
    ],
    reservedNames: [
        {
            // https://dev.mysql.com/doc/refman/9.7/en/system-schema.html; ndbinfo: MySQL Cluster.
            names: ["mysql", "sys", "information_schema", "performance_schema", "ndbinfo"],
            reason: "is a schema of MySQL's own: whoever may write there is its administrator",
        },
        {
            names: ["root", "quorum", "replication", "clone"],
            reason: "is an account that Quorum works with, and whose password is another",
        },
    ],
    versionForm: /^\d+\.\d+(\.\d+)?$/,
    minimumReplicas: 1,
    votes: isGroup,
    validate,
    // The group's members see one another by the address that a connection comes from, which is a node's there.
    clusterPerZoneRefusal: (spec) =>
        isGroup(spec)
            ? "a replication group needs one network in which members see one another's own addresses: use quorum:replication async, or layout multi-zone"
            : undefined,
    upgradeRefusal,
    upgradeCheck,
    configuration,
    scripts: (spec) =>
        [SHARED_SCRIPTS, "scripts", `scripts/${replicationOf(spec)}`].map((folder) =>
            path.resolve(__dirname, folder),
        ),
    member,
    memberAccess: (facts) => [recordAccess(facts)],
    membership,
    connection: ({ spec, service }, credentials) =>
        `mysql://${spec.database}:${credentials["app-password"]!}@${service("")}:${SQL.port}/${spec.database}`,
    kine,
};
