// PostgreSQL 17 and 18 with Patroni: one primary, streaming replicas, and automatic failover by a lock in Kubernetes.

import * as path from "path";
import { clusterLabels } from "../../names";
import { GIB, MIB, parseQuantity } from "../../quantity";
import type { Problem } from "../../problems";
import { durabilityOf, type ClusterSpec, type CompleteSpec } from "../../spec";
import { SINGLE_ROLE, type Member } from "../../topology";
import {
    KINE_DATABASE,
    KINE_USER,
    script,
    type AccessRule,
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

const SQL: Port = { name: "postgresql", port: 5432, scope: "client" };
/** Patroni's REST API: probes, the members among themselves, the membership job, metrics. */
const REST: Port = { name: "patroni", port: 8008, scope: "peer" };

/**
 * The user id in Spilo's image. PostgreSQL itself wants any id but root's; a name for it comes from {@link PASSWD},
 * so the members run the same in an image that has another id, or none.
 */
const POSTGRES_USER = 101;

const DISK = "/quorum/data";
/** Not the disk's root: PostgreSQL wants a directory of its own with mode 0700, and Patroni renames it. */
const PGDATA = `${DISK}/pgdata`;
/** Patroni's configuration, certificate and password files: in memory, of the database container only. */
const PRIVATE = "/run/quorum";
const SOCKETS = "/run/postgresql";

// Patroni's clock. Its rule is loop_wait + 2 * retry_timeout <= ttl (docs/dynamic_configuration.rst), and 20 s is the
// shortest lock it takes (patroni/validator.py). A primary that vanishes is replaced after the lock has run out.
const TTL_SECONDS = 20;
/** A server that crashed is noticed by the next turn of its Patroni's loop. */
const LOOP_WAIT_SECONDS = 3;
/** How long Patroni goes on asking an API server that does not answer: as long as the rule allows. */
const RETRY_TIMEOUT_SECONDS = 8;

/** A crashed primary may start again in place for this long; then a replica takes over. Patroni's default is 300 s. */
const PRIMARY_START_SECONDS = 30;
/** A replica further behind than this is no candidate in async mode: Patroni's default. */
const MAX_LAG_ON_FAILOVER = MIB;
/** A replica further behind than this leaves the read Service: one WAL segment. */
const MAX_LAG_READY_MB = 16;
/** How long the WAL of a member that is away is kept, at most: Patroni's default. Afterwards it is copied anew. */
const MEMBER_SLOTS_TTL = "30min";
/** ... and how much of the disk that may take: a member that is away must not fill the disks of the others. */
const SLOT_WAL_SHARE = 0.25;
/** Share of the disk for WAL between checkpoints, below PostgreSQL's own default of 1 GB on small disks. */
const WAL_SHARE = 0.1;
const WAL_DEFAULT = GIB;
/** A peer that does not answer is let go after this long: no longer than the lock lives. PostgreSQL's default is 60 s. */
const PEER_TIMEOUT = `${TTL_SECONDS}s`;

/** "A reasonable starting value": https://www.postgresql.org/docs/18/runtime-config-resource.html, shared_buffers. */
const SHARED_BUFFERS_SHARE = 0.25;
/** What the kernel caches is within the container's limit too: half of the memory is the documents' estimate. */
const CACHE_SHARE = 0.5;
/** One VACUUM or CREATE INDEX at a time may take this share; pgtune's rule, bounded as there. */
const MAINTENANCE_SHARE = 1 / 16;
const MAINTENANCE_MAX = 2 * GIB;
/** Shared memory of parallel queries, in /dev/shm; the container runtimes' own is 64 MiB whatever the limit. */
const SHM_SHARE = 0.25;
/** PostgreSQL's default, kept: each idle connection costs memory, and a pooler serves more clients better. */
const MAX_CONNECTIONS = 100;
/** Of these, for the membership job and that of Kine's database, one each; one to spare, as for superusers. */
const RESERVED_CONNECTIONS = 3;
/** Replicas of the largest cluster (spec.ts: 50), their copies and backups. They cost a few kilobytes each. */
const MAX_WAL_SENDERS = 64;

/** The grace period of Zalando's operator (pod_terminate_grace_period: 5m): a last checkpoint, then handing over. */
const GRACE_SECONDS = 300;
/** Waiting to be formed, and crash recovery: the start is bounded generously and looked at often. */
const STARTUP_SECONDS = 600;
/** Longer than a failover takes, so that replicas go on answering reads while there is no primary. */
const READINESS_SECONDS = TTL_SECONDS + 10;

const DEFAULT_VERSION = "18";

/** Spilo's releases by major version; the tag counts Spilo's own releases (Patroni 4.1). */
const IMAGES: Readonly<Record<number, string>> = {
    17: "ghcr.io/zalando/spilo-17:4.0-p3",
    18: "ghcr.io/zalando/spilo-18:4.1-p2",
};
/** From 17 on there is a collation that is part of PostgreSQL, not of the image (initdb --locale-provider). */
const MAJORS = Object.keys(IMAGES).map(Number);

/** initdb asks for the name of its user id, and no image is sure to have one for ours. */
const PASSWD = `root:x:0:0:root:/root:/bin/bash
postgres:x:${POSTGRES_USER}:${POSTGRES_USER}:PostgreSQL:${PRIVATE}:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
`;

const inMegabytes = (bytes: number): string => `${Math.floor(bytes / MIB)}MB`;

/** PostgreSQL's memory settings for a memory limit. */
export function memorySettings(memoryLimit: string): Record<string, string> {
    const limit = parseQuantity(memoryLimit);
    return {
        shared_buffers: inMegabytes(limit * SHARED_BUFFERS_SHARE),
        effective_cache_size: inMegabytes(limit * CACHE_SHARE),
        maintenance_work_mem: inMegabytes(Math.min(limit * MAINTENANCE_SHARE, MAINTENANCE_MAX)),
    };
}

/** PostgreSQL's bounds on WAL for a disk's size. They are reloaded, so a disk grows without a restart. */
export function walSettings(diskSize: string): Record<string, string> {
    const disk = parseQuantity(diskSize);
    return {
        max_wal_size: inMegabytes(Math.min(disk * WAL_SHARE, WAL_DEFAULT)),
        max_slot_wal_keep_size: inMegabytes(disk * SLOT_WAL_SHARE),
    };
}

/** Patroni's settings which are the same for every specification. */
const FIXED_SETTINGS = {
    ttl: TTL_SECONDS,
    loop_wait: LOOP_WAIT_SECONDS,
    retry_timeout: RETRY_TIMEOUT_SECONDS,
    primary_start_timeout: PRIMARY_START_SECONDS,
    maximum_lag_on_failover: MAX_LAG_ON_FAILOVER,
    member_slots_ttl: MEMBER_SLOTS_TTL,
    // Without it the primary closes itself whenever the API server is away, for example while it is upgraded.
    failsafe_mode: true,
};

/**
 * Patroni's settings of the whole cluster. The membership job applies them to the running cluster; what follows the
 * specification stands in no pod template and no configuration file, so scaling restarts nobody.
 */
export function clusterSettings(spec: ClusterSpec): Record<string, unknown> {
    const quorum = durabilityOf(spec) === "quorum";
    return {
        ...FIXED_SETTINGS,
        synchronous_mode: quorum ? "quorum" : "off",
        // With the primary itself that is a majority. It is not strict: when no replica is left, the primary goes on
        // alone, and no other member is promoted without its last writes.
        synchronous_node_count: Math.max(1, Math.floor(spec.replicas / 2)),
        postgresql: { parameters: walSettings(spec.storage.size) },
    };
}

/** What a new cluster starts with. The parameters are the operator's from then on (docs/engines/postgresql.md). */
const FIRST_SETTINGS = {
    ...FIXED_SETTINGS,
    postgresql: {
        use_slots: true,
        use_pg_rewind: true,
        parameters: {
            max_connections: MAX_CONNECTIONS,
            max_wal_senders: MAX_WAL_SENDERS,
            max_replication_slots: MAX_WAL_SENDERS,
        },
    },
};

/** Patroni's configuration, without what differs between members and without passwords: serve.sh adds those. */
function configuration({ spec }: PodFacts): Record<string, string> {
    // Patroni finds members and its own objects by these labels, and puts them on the objects it makes.
    const labels = Object.fromEntries(
        Object.entries(clusterLabels(spec)).filter(([name]) => !name.endsWith("/managed-by")),
    );
    const patroni = {
        scope: spec.name,
        kubernetes: { namespace: spec.namespace, labels, use_endpoints: false },
        restapi: {
            listen: `0.0.0.0:${REST.port}`,
            certfile: `${PRIVATE}/tls.crt`,
            keyfile: `${PRIVATE}/tls.key`,
        },
        ctl: { insecure: true },
        watchdog: { mode: "off" },
        postgresql: {
            listen: `0.0.0.0:${SQL.port}`,
            data_dir: PGDATA,
            pgpass: `${PRIVATE}/pgpass`,
            // Patroni asks its own server for the timeline with the account of the replicas, whose password is sent with
            // channel binding only (serve.sh): by TLS, not by the socket.
            use_unix_socket: true,
            // Certificates are made at each start by each member for itself: the connections are encrypted, and
            // nobody's name is proven. Who may come in is proven by passwords.
            pg_hba: [
                "local all all scram-sha-256",
                "hostssl replication replication all scram-sha-256",
                "hostssl all postgres all reject",
                "hostssl all all all scram-sha-256",
            ],
            callbacks: {
                on_start: script("lead.sh").join(" "),
                on_role_change: script("lead.sh").join(" "),
            },
            basebackup: { checkpoint: "fast" },
            // A member whose history has parted from the primary's, and that pg_rewind cannot bring back, is copied
            // anew: it has nothing that the cluster acknowledged and still lacks.
            remove_data_directory_on_rewind_failure: true,
            remove_data_directory_on_diverged_timelines: true,
            parameters: {
                ...memorySettings(spec.resources.memory),
                unix_socket_directories: SOCKETS,
                ssl: "on",
                ssl_cert_file: `${PRIVATE}/tls.crt`,
                ssl_key_file: `${PRIVATE}/tls.key`,
                password_encryption: "scram-sha-256",
                // For the membership job (accounts.sh), whose questions must be answered when all others are taken.
                reserved_connections: `${RESERVED_CONNECTIONS}`,
                wal_sender_timeout: PEER_TIMEOUT,
                wal_receiver_timeout: PEER_TIMEOUT,
                // A client whose machine is gone must not hold its locks for the two hours of Linux's default.
                tcp_keepalives_idle: "60",
                tcp_keepalives_interval: "10",
                tcp_keepalives_count: "6",
                log_line_prefix: "%m [%p] %q%u@%d ",
                log_checkpoints: "off",
            },
        },
    };
    // Only a member that is told to form the cluster gets this part: without it Patroni never runs initdb.
    const form = {
        bootstrap: {
            dcs: FIRST_SETTINGS,
            // Sorting that is part of PostgreSQL itself: with the C library's, an image with another C library
            // would silently break every index on text.
            initdb: [
                "data-checksums",
                { encoding: "UTF8" },
                { "locale-provider": "builtin" },
                { locale: "C.UTF-8" },
            ],
            post_bootstrap: script("accounts.sh").join(" "),
        },
    };
    const file = (content: object) => `${JSON.stringify(content, undefined, 2)}\n`;
    return { "patroni.yml": file(patroni), "form.yml": file(form), passwd: PASSWD };
}

const environment = (facts: PodFacts): Record<string, string> => ({
    QUORUM_CLUSTER: facts.spec.name,
    QUORUM_NAMESPACE: facts.spec.namespace,
    QUORUM_CLUSTER_DOMAIN: facts.spec.clusterDomain,
    QUORUM_RECORD: facts.record,
    QUORUM_DATABASE: facts.spec.database,
    // No image's own locale: C.UTF-8 is part of every C library that these images have.
    LC_ALL: "C.UTF-8",
});

const https = (request: string): Probe["http"] => ({
    path: request,
    port: REST.port,
    scheme: "HTTPS",
});

function member(facts: PodFacts, self: Member): MemberPlan {
    const { spec } = facts;
    const limit = parseQuantity(spec.resources.memory);
    return {
        graceSeconds: GRACE_SECONDS,
        labels: { "cluster-name": spec.name },
        init: [],
        containers: [
            {
                name: "postgresql",
                command: script("serve.sh"),
                env: {
                    ...environment(facts),
                    QUORUM_MEMBER: self.name,
                    QUORUM_ADDRESS: facts.address(self),
                    QUORUM_MAJOR: `${majorOf(spec.version)}`,
                    HOME: PRIVATE,
                },
                ports: [SQL, REST],
                credentials: true,
                api: true,
                data: DISK,
                scratch: {
                    private: PRIVATE,
                    sockets: SOCKETS,
                    tmp: "/tmp",
                    shm: { path: "/dev/shm", size: `${Math.floor((limit * SHM_SHARE) / MIB)}Mi` },
                },
                files: { "/etc/passwd": "passwd" },
                resources: "spec",
                startup: {
                    http: https("/liveness"),
                    periodSeconds: 2,
                    timeoutSeconds: 5,
                    failureThreshold: STARTUP_SECONDS / 2,
                },
                readiness: {
                    http: https(`/readiness?lag=${MAX_LAG_READY_MB}MB`),
                    periodSeconds: 2,
                    timeoutSeconds: 5,
                    failureThreshold: READINESS_SECONDS / 2,
                },
                // Says whether Patroni's loop turns, whatever the member's role and the state of the API server.
                liveness: {
                    http: https("/liveness"),
                    periodSeconds: 10,
                    timeoutSeconds: 5,
                    failureThreshold: 3,
                },
                preStop: script("before-stop.sh"),
            },
        ],
    };
}

/** Kubernetes cannot bind create, list and watch to names; what can be bound to names is. */
function memberAccess(facts: PodFacts, self: Member): AccessRule[] {
    // Patroni names its objects after the scope. It watches them all, and reads the leader's again after a conflict.
    const object = (name: string): string => `${facts.spec.name}-${name}`;
    const configMaps = { apiGroup: "", resource: "configmaps" };
    return [
        recordAccess(facts),
        {
            ...configMaps,
            names: ["config", "leader"].map(object),
            verbs: ["get", "patch"],
        },
        { ...configMaps, names: ["failover", "sync"].map(object), verbs: ["patch"] },
        { ...configMaps, verbs: ["create", "list", "watch"] },
        { apiGroup: "", resource: "pods", verbs: ["list", "watch"] },
        { apiGroup: "", resource: "pods", names: [`${self.name}-0`], verbs: ["patch"] },
    ];
}

function membership(facts: JobFacts): ContainerPlan {
    const { spec } = facts;
    return {
        name: "membership",
        command: script("membership.sh"),
        api: true,
        credentials: true,
        scratch: { tmp: "/tmp" },
        files: { "/etc/passwd": "passwd" },
        resources: { cpu: "50m", memory: "128Mi" },
        env: {
            ...environment(facts),
            HOME: "/tmp",
            MEMBERS: facts.members.map(({ name }) => name).join(","),
            FIRST: facts.first.name,
            PRIMARY: facts.primary.name,
            DATABASE: spec.database,
            TIMEOUT: `${spec.membershipTimeout}`,
            SETTINGS: JSON.stringify(clusterSettings(spec)),
            ADOPT: `${spec.adopt}`,
            DELETE_CLAIMS: `${deletesClaims(spec)}`,
            ALLOW_FAILOVER: `${spec.allowChanges.includes("failover")}`,
        },
    };
}

function upgradeCheck(facts: JobFacts): ContainerPlan {
    return {
        name: "upgrade-check",
        command: script("upgrade-check.sh"),
        api: true,
        scratch: { tmp: "/tmp" },
        resources: { cpu: "50m", memory: "128Mi" },
        env: {
            ...environment(facts),
            HOME: "/tmp",
            MAX_LAG: `${MAX_LAG_READY_MB * MIB}`,
        },
    };
}

const majorOf = (version: string): number => Number(version.split(".")[0]);

function validate({ version }: CompleteSpec): Problem[] {
    const known = MAJORS.includes(majorOf(version));
    const reason = `must be PostgreSQL ${MAJORS.join(" or ")}, for example ${DEFAULT_VERSION}`;
    return known ? [] : [{ path: "version", value: version, reason }];
}

/** https://www.postgresql.org/docs/18/upgrading.html: a major version reads no other one's data directory. */
function upgradeRefusal(from: string, to: string): string | undefined {
    const [old, wanted] = [majorOf(from), majorOf(to)];
    if (wanted > old) {
        return (
            `PostgreSQL ${wanted} cannot read the data directory of PostgreSQL ${old}, and replicas cannot follow a ` +
            `primary of another major version: make a second cluster of version ${to} and move the data there`
        );
    }
    if (wanted < old) {
        return `PostgreSQL cannot go back from ${from} to ${to}: an older major version cannot read a newer data directory`;
    }
    const [minor, wantedMinor] = [from, to].map((version) => Number(version.split(".")[1]));
    return wantedMinor !== undefined && minor !== undefined && wantedMinor < minor
        ? `PostgreSQL goes back from ${from} to ${to}: faults that ${from} mended come back, and the release notes of both must be read first`
        : undefined;
}

/**
 * Certificates are signed by nobody. With channel binding a client gives its password to no one but a server that has it
 * too, and at the other end of its own connection. Kine's driver has it from 0.16.3 on (pgx 5.9).
 */
const ENCRYPTED = "sslmode=require&channel_binding=require";

const kine: KinePart = {
    validate: (spec) =>
        durabilityOf(spec) === "async" && spec.replicas > 1
            ? [
                  {
                      path: "durability",
                      value: durabilityOf(spec),
                      reason:
                          "Kine needs quorum: a failover may lose writes with async, and a control plane cannot bear " +
                          "that revisions it has acted on are gone and their numbers are given out again",
                  },
              ]
            : [],
    // After a failover the old primary may still be behind the write Service for a moment: a session there is refused.
    endpoint: ({ service }, password) =>
        `postgres://${KINE_USER}:${password}@${service("")}:${SQL.port}/${KINE_DATABASE}?${ENCRYPTED}&target_session_attrs=read-write`,
    scripts: path.join(__dirname, "kine"),
    database: (facts) => ({
        credentials: true,
        scratch: { tmp: "/tmp" },
        files: { "/etc/passwd": "passwd" },
        env: { ...environment(facts), HOME: "/tmp" },
    }),
};

/** PostgreSQL with Patroni. */
export const postgresql: Engine = {
    name: "postgresql",
    title: "PostgreSQL",
    defaultVersion: DEFAULT_VERSION,
    image: (version) => IMAGES[majorOf(version)] ?? IMAGES[majorOf(DEFAULT_VERSION)]!,
    versionOfRepository: (repository) => /^spilo-(\d+)$/.exec(repository)?.[1],
    container: "postgresql",
    user: POSTGRES_USER,
    roles: SINGLE_ROLE,
    ports: () => [SQL, REST],
    services: [
        { suffix: "", ports: [SQL], target: { kind: "leader" } },
        { suffix: "-read", ports: [SQL], target: { kind: "ready" } },
    ],
    credentials: [
        {
            key: "superuser-password",
            purpose: "postgres: Patroni, and operators inside a member's pod",
            length: 32,
        },
        { key: "replication-password", purpose: "replication: the replicas' streams", length: 32 },
        { key: "rewind-password", purpose: "rewind: pg_rewind of a former primary", length: 32 },
        {
            key: "admin-password",
            purpose: "quorum: the membership job, no superuser",
            length: 32,
        },
        { key: "patroni-password", purpose: "quorum: changes by Patroni's REST API", length: 32 },
        { key: "app-password", purpose: "the application's user", length: 32 },
    ],
    reservedNames: [
        {
            names: ["postgres", "template0", "template1"],
            reason: "is a database or an account of PostgreSQL's own",
        },
        {
            names: ["quorum", "replication", "rewind"],
            reason: "is an account that Quorum works with, and whose password is another",
        },
        {
            // https://www.postgresql.org/docs/18/sql-createrole.html, and check_rolespec_name in its source.
            names: /^(pg_.*|public|none)$/,
            reason: "is a name that PostgreSQL lets no role have",
        },
        sqlKeywords(),
    ],
    // Spilo has one image for a major version.
    versionForm: /^\d+$/,
    minimumReplicas: 1,
    // The lock in Kubernetes elects the primary, not the members: two members fail over as well as three.
    votes: () => false,
    choices: { durability: ["quorum", "async"] },
    validate,
    clusterPerZoneRefusal: () =>
        "Patroni elects the leader by a lock in one Kubernetes cluster, which the members of the others do not have: use layout multi-zone",
    upgradeRefusal,
    upgradeCheck,
    configuration,
    scripts: () => [SHARED_SCRIPTS, path.join(__dirname, "scripts")],
    member,
    memberAccess,
    membership,
    jobAccess: (facts) => [
        // A leaver's pod is started anew, closed; which members leave is not in the plan.
        { apiGroup: "", resource: "pods", verbs: ["delete"] },
        // Who may lead after the last leader is lost for good.
        {
            apiGroup: "",
            resource: "configmaps",
            names: [`${facts.spec.name}-sync`],
            verbs: ["get", "patch"],
        },
    ],
    connection: ({ spec, service }, credentials) =>
        `postgresql://${spec.database}:${credentials["app-password"]!}@${service("")}:${SQL.port}/${spec.database}?${ENCRYPTED}`,
    kine,
};
