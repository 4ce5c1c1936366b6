// The engines of the conformance list, each in its ways of replication, and what of each the list has to know.
import type { Subject } from "./conformance.js";
import { leaderOf, mongodbClient } from "./mongodb-client.js";
import { mysqlClient, primaryOfRecord } from "./mysql-client.js";
import { leadsAlone, postgresqlClient, primaryByLabel } from "./postgresql-client.js";
import { simulatorSqlClient } from "./simulator-client.js";
import { yugabytedbClient } from "./yugabytedb-client.js";

const mysql = {
    engine: "mysql",
    container: "mysql",
    image: "localhost/mysql:9.7",
    client: mysqlClient,
} as const;

export const mysqlAsync: Subject = {
    ...mysql,
    title: "MySQL, asynchronous replication",
    cluster: "my-async",
    config: {
        replication: "async",
        version: "9.7.4",
        resources: { cpu: "100m", memory: "1Gi" },
    },
    failsOver: false,
    scale: { out: 5, back: 3, again: 4 },
    leader: primaryOfRecord("my-async"),
};

export const mysqlGroup: Subject = {
    ...mysql,
    title: "MySQL, group replication",
    cluster: "my-group",
    config: {
        replication: "group",
        version: "9.7.4",
        resources: { cpu: "100m", memory: "1Gi" },
    },
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
    leader: primaryOfRecord("my-group"),
};

export const postgresql: Subject = {
    title: "PostgreSQL, Patroni, quorum commit",
    cluster: "pgsql",
    engine: "postgresql",
    container: "postgresql",
    image: "localhost/postgresql:18",
    config: { resources: { cpu: "100m", memory: "512Mi" } },
    client: postgresqlClient,
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
    leader: primaryByLabel,
    leadsAlone,
};

/** CockroachDB and KaiwuDB. */
const cockroachFamily = {
    simulator: true,
    client: (password: string) => simulatorSqlClient(26257, password),
    failsOver: true,
    scale: { out: 4, back: 3, again: 5 },
} as const;

export const cockroachdb: Subject = {
    ...cockroachFamily,
    title: "CockroachDB (simulator)",
    cluster: "roach",
    engine: "cockroachdb",
    container: "cockroach",
    image: "localhost/cockroachdb-simulator:26.2.2",
    config: { version: "26.2.2", resources: { cpu: "50m", memory: "512Mi" } },
};

export const kaiwudb: Subject = {
    ...cockroachFamily,
    title: "KaiwuDB (simulator)",
    cluster: "kai",
    engine: "kaiwudb",
    container: "kwbase",
    image: "localhost/kaiwudb-simulator:3.2.2",
    config: { version: "3.2.2", resources: { cpu: "50m", memory: "1Gi" } },
};

export const mongodb: Subject = {
    title: "MongoDB (simulator)",
    simulator: true,
    cluster: "mongo",
    engine: "mongodb",
    container: "mongodb",
    image: "localhost/mongodb-simulator:8.0.26",
    config: { version: "8.0.26", resources: { cpu: "50m", memory: "1Gi" } },
    client: mongodbClient("mongo"),
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
    leader: leaderOf,
};

export const yugabytedb: Subject = {
    title: "YugabyteDB (simulator)",
    simulator: true,
    cluster: "yuga",
    engine: "yugabytedb",
    container: "yugabytedb",
    image: "localhost/yugabytedb-simulator:2026.1.0.1-b1",
    config: { resources: { cpu: "50m", memory: "1Gi" } },
    client: yugabytedbClient("yuga"),
    failsOver: true,
    scale: { out: 5, back: 3, again: 5 },
};
