// YugabyteDB: masters keep the catalogue and place the data, tservers hold it in tablets with three copies each and
// speak PostgreSQL's protocol (YSQL). Facts are from YugabyteDB's documentation (docs.yugabyte.com/stable) unless said.

import * as path from "path";
import { GIB, parseQuantity } from "../../quantity";
import type { Problem } from "../../problems";
import { compareSeries, seriesOf } from "../../series";
import type { CompleteSpec } from "../../spec";
import { MAIN_ROLE, type Member, type Role } from "../../topology";
import {
    KINE_DATABASE,
    KINE_USER,
    script,
    type ContainerPlan,
    type Engine,
    type JobFacts,
    type PodFacts,
    type KinePart,
    type MemberPlan,
    type Port,
    type Probe,
} from "../engine";
import { deletesClaims, recordAccess, SHARED_SCRIPTS } from "../shared";
import { sqlKeywords } from "../sql-keywords";

const YSQL: Port = { name: "ysql", port: 5433, scope: "client" };
const MASTER_RPC: Port = { name: "master-rpc", port: 7100, scope: "peer" };
const TSERVER_RPC: Port = { name: "tserver-rpc", port: 9100, scope: "peer" };
/** The consoles show the cluster's state and metrics, and take no password. */
const MASTER_WEB: Port = { name: "master-http", port: 7000, scope: "peer" };
const TSERVER_WEB: Port = { name: "tserver-http", port: 9000, scope: "peer" };
const YSQL_METRICS: Port = { name: "ysql-metrics", port: 13000, scope: "peer" };
const MASTER_PORTS = [MASTER_RPC, MASTER_WEB];
const TSERVER_PORTS = [YSQL, TSERVER_RPC, TSERVER_WEB, YSQL_METRICS];

/** The user of YugabyteDB's chart. The vendor's image starts as root, and runs as anybody. */
const YUGABYTE_USER = 10001;

const DISK = "/quorum/data";
/** Certificates under the names that YugabyteDB looks for, and password files: in memory. */
const PRIVATE = "/run/quorum";

const MASTER = "master";

/** Copies of each tablet, and number of masters: survives the loss of any one, and is what the documents start with. */
const REPLICATION_FACTOR = 3;

/** The members' place in YugabyteDB's words: cloud, region, zone. Zones are all that Kubernetes tells. */
const CLOUD = "quorum";
const REGION = "region";

/** YugabyteDB's chart gives a process 85 % of its container's limit (templates: memory_limit_hard_bytes). */
const MASTER_SHARE = 0.85;
/** The chart's own limits: 2 GiB for a master beside 4 GiB for a tserver. */
const MASTER_TO_TSERVER = 0.5;
/**
 * A tserver's container also runs PostgreSQL's backends, which are outside of the tserver's own limit. The documents
 * divide a node (yb-tserver, use_memory_defaults_optimized_for_ysql): tserver 45, 48, 57, 60 %, PostgreSQL 25 to 28 %,
 * a master 20 to 10 %. Without the master, which has a container of its own, the tserver's part is this.
 */
const TSERVER_SHARES: readonly { readonly upTo: number; readonly share: number }[] = [
    { upTo: 4 * GIB, share: 0.45 / 0.8 },
    { upTo: 8 * GIB, share: 0.48 / 0.85 },
    { upTo: 16 * GIB, share: 0.57 / 0.9 },
    { upTo: Infinity, share: 0.6 / 0.9 },
];
/** Below that neither process starts with room for a single client. The documents want 2 GB for a node. */
const MIN_MEMORY = GIB;

/** The chart's grace period (terminationGracePeriodSeconds). */
const GRACE_SECONDS = 300;
/** A tserver replays its log before it listens. */
const STARTUP_SECONDS = 600;
/** As long as masters that restart one after the other leave a tserver without one to ask. */
const READINESS_SECONDS = 30;

const DEFAULT_VERSION = "2026.1.0.1-b1";
/** The first series with PostgreSQL 15: older data needs a procedure of its own (YSQL major upgrade). */
const FIRST_SERIES = "2025.1";

const ROLES: readonly Role[] = [
    { name: MASTER, count: () => REPLICATION_FACTOR, pinned: true },
    { name: MAIN_ROLE, count: (spec) => spec.replicas },
];

const mebibytes = (bytes: number): number => Math.floor(bytes / 2 ** 20);

/** A master's request and limit, as a share of a tserver's. */
export function masterMemory(tserverLimit: string): string {
    return `${mebibytes(parseQuantity(tserverLimit) * MASTER_TO_TSERVER)}Mi`;
}

/** `--memory_limit_hard_bytes` of a process of this role, for the limit of its own container. */
export function memoryLimit(role: string, containerLimit: string): number {
    const limit = parseQuantity(containerLimit);
    const share =
        role === MASTER ? MASTER_SHARE : TSERVER_SHARES.find(({ upTo }) => limit <= upTo)!.share;
    return Math.floor(limit * share);
}

/**
 * A version without its build. Each upgrade has a second step, also one inside a series (upgrade guide, "Finalize"), so
 * this is what `finalizeUpgrade` names; processes say it as `version_number`.
 */
export const releaseOf = (version: string): string => version.split("-")[0]!;

const addresses = (facts: PodFacts): string =>
    facts.pinned.map((master) => `${facts.address(master)}:${MASTER_RPC.port}`).join(",");

const environment = (facts: PodFacts): Record<string, string> => ({
    QUORUM_CLUSTER: facts.spec.name,
    QUORUM_NAMESPACE: facts.spec.namespace,
    QUORUM_CLUSTER_DOMAIN: facts.spec.clusterDomain,
    QUORUM_MEMBER_DOMAIN: facts.memberDomain,
    QUORUM_RECORD: facts.record,
    QUORUM_DATABASE: facts.spec.database,
    MASTERS: addresses(facts),
});

/** The flags of both kinds of processes; serve.sh adds the address, and what the record decides. */
function flagsOf(facts: PodFacts, self: Member, memory: string): string[] {
    const common = {
        fs_data_dirs: DISK,
        webserver_interface: "0.0.0.0",
        placement_cloud: CLOUD,
        placement_region: REGION,
        placement_zone: self.zone,
        memory_limit_hard_bytes: memoryLimit(self.role, memory),
        certs_dir: `${PRIVATE}/certificates`,
        use_node_to_node_encryption: true,
        use_client_to_server_encryption: true,
        allow_insecure_connections: false,
        // PostgreSQL's backends go to their tserver by its name: they would take its IP, which no certificate has, and
        // every SQL connection would end with "Endpoint does not match". The chart sets it for both kinds too.
        use_node_hostname_for_local_tserver: true,
        // What is in the log goes to the container's log; files would fill the disk.
        logtostderr: true,
    };
    const own =
        self.role === MASTER
            ? { master_addresses: addresses(facts), replication_factor: REPLICATION_FACTOR }
            : {
                  tserver_master_addrs: addresses(facts),
                  pgsql_proxy_bind_address: `0.0.0.0:${YSQL.port}`,
                  ysql_enable_auth: true,
                  // Nobody here speaks Cassandra's protocol.
                  start_cql_proxy: false,
                  // Off in YugabyteDB for old applications' sake: without it READ COMMITTED means SNAPSHOT, and
                  // applications written for PostgreSQL see serialisation errors.
                  yb_enable_read_committed_isolation: true,
                  // Otherwise each connection takes 100 numbers of a sequence at once: Kine's revisions would jump back.
                  ysql_sequence_cache_minval: 1,
              };
    return Object.entries({ ...common, ...own }).map(([name, value]) => `--${name}=${value}`);
}

function member(facts: PodFacts, self: Member): MemberPlan {
    const { cpu, memory } = facts.spec.resources;
    const isMaster = self.role === MASTER;
    const limit = isMaster ? masterMemory(memory) : memory;
    const probe = (name: string, periodSeconds: number, seconds: number): Probe => ({
        command: script(name),
        periodSeconds,
        timeoutSeconds: 10,
        failureThreshold: Math.ceil(seconds / periodSeconds),
    });
    return {
        graceSeconds: GRACE_SECONDS,
        init: [],
        containers: [
            {
                name: "yugabytedb",
                command: script("serve.sh", ...flagsOf(facts, self, limit)),
                env: {
                    ...environment(facts),
                    QUORUM_MEMBER: self.name,
                    QUORUM_ADDRESS: facts.address(self),
                    ROLE: isMaster ? MASTER : "tserver",
                    RPC_PORT: `${isMaster ? MASTER_RPC.port : TSERVER_RPC.port}`,
                    HOME: PRIVATE,
                },
                ports: isMaster ? MASTER_PORTS : TSERVER_PORTS,
                credentials: !isMaster,
                certificates: true,
                api: true,
                data: DISK,
                scratch: { private: PRIVATE, tmp: "/tmp" },
                resources: { cpu, memory: limit },
                startup: probe("listens.sh", 2, STARTUP_SECONDS),
                readiness: probe("ready.sh", 5, READINESS_SECONDS),
                // As in YugabyteDB's chart: a disk that takes no writes is all that a restart could mend.
                liveness: probe("writable.sh", 10, 30),
            },
        ],
    };
}

/** What both jobs that ask the cluster are given. */
const job = (facts: PodFacts, file: string, env: Record<string, string>): ContainerPlan => ({
    name: "membership",
    command: script(file),
    api: true,
    credentials: true,
    certificates: true,
    scratch: { private: PRIVATE, tmp: "/tmp" },
    resources: { cpu: "50m", memory: "256Mi" },
    env: { ...environment(facts), HOME: "/tmp", ...env },
});

function membership(facts: JobFacts): ContainerPlan {
    const { spec } = facts;
    const names = (members: readonly Member[]) => members.map(({ name }) => name).join(",");
    return job(facts, "membership.sh", {
        MEMBERS: names(facts.ofRole(MAIN_ROLE)),
        MASTER_MEMBERS: names(facts.ofRole(MASTER)),
        PLACEMENT: [...spec.zones]
            .sort()
            .map((zone) => `${CLOUD}.${REGION}.${zone}:1`)
            .join(","),
        REPLICATION_FACTOR: `${REPLICATION_FACTOR}`,
        TIMEOUT: `${spec.membershipTimeout}`,
        FINALIZE: spec.finalizeUpgrade ?? "",
        ADOPT: `${spec.adopt}`,
        DELETE_CLAIMS: `${deletesClaims(spec)}`,
    });
}

function validate(spec: CompleteSpec): Problem[] {
    const problems: Problem[] = [];
    const version = spec.version;
    if (compareSeries(seriesOf(version), FIRST_SERIES) < 0 || !/^\d{4}\.\d/.test(version)) {
        const reason = `must be a stable release from ${FIRST_SERIES} on, for example ${DEFAULT_VERSION}`;
        problems.push({ path: "version", value: version, reason });
    }
    if (spec.zones.length > REPLICATION_FACTOR) {
        const reason = `each of the ${REPLICATION_FACTOR} copies has a zone of its own: name at most ${REPLICATION_FACTOR} zones`;
        problems.push({ path: "zones", value: spec.zones, reason });
    }
    if (parseQuantity(spec.resources.memory) < MIN_MEMORY) {
        const reason = "must be at least 1Gi: a tserver and its PostgreSQL backends share it";
        problems.push({ path: "resources.memory", value: spec.resources.memory, reason });
    }
    return problems;
}

/** Upgrades may pass over series; what is between two steps is `finalizeUpgrade` (upgrade-check.sh). */
function upgradeRefusal(from: string, to: string): string | undefined {
    const numbers = (version: string) => version.split(/[.-]b?/).join(".");
    return compareSeries(numbers(to), numbers(from)) < 0
        ? `YugabyteDB goes back from ${from} to ${to} only while the upgrade is not finalised, and then the tservers must go first: read "Rollback phase" of its upgrade guide`
        : undefined;
}

const kine: KinePart = {
    validate: () => [],
    // Any tserver takes writes.
    endpoint: ({ service }, password) =>
        `postgres://${KINE_USER}:${password}@${service("")}:${YSQL.port}/${KINE_DATABASE}?sslmode=require`,
    scripts: path.join(__dirname, "kine"),
    database: (facts) => ({
        credentials: true,
        certificates: true,
        scratch: { private: PRIVATE, tmp: "/tmp" },
        env: { ...environment(facts), HOME: "/tmp" },
    }),
};

/** YugabyteDB. */
export const yugabytedb: Engine = {
    name: "yugabytedb",
    title: "YugabyteDB",
    defaultVersion: DEFAULT_VERSION,
    image: (version) => `yugabytedb/yugabyte:${version}`,
    container: "yugabytedb",
    user: YUGABYTE_USER,
    roles: ROLES,
    ports: () => [...MASTER_PORTS, ...TSERVER_PORTS],
    services: [{ suffix: "", ports: [YSQL], target: { kind: "ready" } }],
    leaderless: true,
    credentials: [
        {
            key: "superuser-password",
            purpose: "yugabyte: the membership job, and operators",
            length: 32,
        },
        { key: "app-password", purpose: "the application's user", length: 32 },
    ],
    reservedNames: [
        {
            names: ["yugabyte", "postgres", "template0", "template1", "system_platform"],
            reason: "is a database or an account of YugabyteDB's own",
        },
        {
            // https://docs.yugabyte.com/stable/secure/authorization/rbac-model/, and PostgreSQL's own rule.
            names: /^(pg_.*|yb_.*|public|none)$/,
            reason: "is a name of YugabyteDB's own roles",
        },
        sqlKeywords(),
    ],
    // A tag of the vendor's names the build too.
    versionForm: /^\d+(\.\d+){3}-b\d+$/,
    copies: REPLICATION_FACTOR,
    minimumReplicas: REPLICATION_FACTOR,
    // Each tablet's copies vote, always three of them; the number of tservers does not matter.
    votes: () => false,
    validate,
    clusterPerZoneRefusal: () =>
        "YugabyteDB's processes listen on what their own name stands for, which is a load balancer there, and nobody has built another way yet: use layout multi-zone",
    upgradeRefusal,
    choices: {
        finalizeUpgrade: {
            series: releaseOf,
            effect: "its AutoFlags are promoted and the YSQL catalogue is upgraded",
        },
    },
    certificates: {
        mounted: ["ca.crt", "node.crt", "node.key"],
        job: (facts, secret) => ({
            name: "certificates",
            command: script("certificates.sh"),
            api: true,
            scratch: { tmp: "/tmp" },
            env: { ...environment(facts), SECRET: secret },
        }),
    },
    upgradeCheck: (facts) =>
        job(facts, "upgrade-check.sh", {
            SERIES: releaseOf(facts.spec.version),
        }),
    configuration: () => ({}),
    scripts: () => [SHARED_SCRIPTS, path.join(__dirname, "scripts")],
    member,
    memberAccess: (facts) => [recordAccess(facts)],
    membership,
    jobAccess: () => [
        // A leaver's pod is started anew, closed; which members leave is not in the plan.
        { apiGroup: "", resource: "pods", verbs: ["delete"] },
    ],
    connection: ({ spec, service }, credentials) =>
        `postgresql://${spec.database}:${credentials["app-password"]!}@${service("")}:${YSQL.port}/${spec.database}?sslmode=require`,
    kine,
};
