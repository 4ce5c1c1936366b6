// The statements that the scripts of the engines use, and those of the tests (shared/rows.ts). All others are refused.

import { createHash } from "node:crypto";
import { done, Refusal, rowsOf, runStatement, type Store, type Table } from "../shared/index.js";
import type { Cluster } from "./cluster.js";
import type { Dialect } from "./dialect.js";

/** Where a statement runs. */
export interface Session {
    readonly store: Store;
    readonly cluster: Cluster;
    readonly dialect: Dialect;
    readonly user: string;
    readonly clusterId: string;
    /** Whether the session has set `allow_unsafe_internals`. */
    readonly unsafe?: boolean;
}

type Rule = (session: Session, found: RegExpExecArray) => Promise<Table>;

const ADMIN = (session: Session): void => {
    if (session.user !== "root") throw new Refusal(`user ${session.user} is not an admin`, 403);
};

const hashOf = (text: string): string => createHash("sha256").update(text).digest("hex");

const RULES: readonly (readonly [RegExp, Rule])[] = [
    [
        /^set cluster setting version = '([^']*)'$/i,
        async (session, [, version]) => {
            ADMIN(session);
            await session.cluster.finalize(version!);
            return done("SET CLUSTER SETTING");
        },
    ],
    [
        /^show cluster setting version$/i,
        async ({ cluster, dialect }) =>
            rowsOf(["version"], [[dialect.clusterVersion ?? (await cluster.activeVersion())]]),
    ],
    [
        /^set cluster setting ([\w.]+) = (?:'([^']*)'|(true|false))$/i,
        async (session, [, name, text, word]) => {
            ADMIN(session);
            const value = text ?? word ?? "";
            const active =
                session.dialect.clusterVersion ?? (await session.cluster.activeVersion());
            if (name === "cluster.preserve_downgrade_option" && value !== active) {
                throw new Refusal(`cannot set ${name} to ${value} (cluster version is ${active})`);
            }
            await session.cluster.setSetting(name!, value);
            return done("SET CLUSTER SETTING");
        },
    ],
    [
        /^reset cluster setting ([\w.]+)$/i,
        async (session, [, name]) => {
            ADMIN(session);
            await session.cluster.setSetting(name!, session.dialect.settings[name!] ?? "");
            return done("RESET CLUSTER SETTING");
        },
    ],
    [
        /^show cluster setting ([\w.]+)$/i,
        async ({ cluster }, [, name]) => rowsOf([name!], [[await cluster.setting(name!)]]),
    ],
    [
        /^select (crdb|kwdb)_internal\.cluster_id\(\)$/i,
        ({ clusterId, dialect }, [, name]) => {
            if (`${name!}_internal` !== dialect.internal) throw new Refusal("unknown function");
            return Promise.resolve(rowsOf([`${dialect.internal}.cluster_id`], [[clusterId]]));
        },
    ],
    [
        /^select sum\(((?: ?\+? ?\(metrics->>'ranges\.(?:underreplicated|unavailable)'\)::decimal)+)\)::int from (\w+)\.kv_store_status(?: where node_id in \(([\d,]+)\))?$/i,
        async ({ cluster, dialect }, [, metrics, schema]) => {
            if (schema !== dialect.internal) throw new Refusal(`unknown schema ${schema!}`);
            const lost = metrics!.includes("underreplicated") ? await cluster.underReplicated() : 0;
            return rowsOf(["sum"], [[`${lost}`]]);
        },
    ],
    [
        /^select node_id, address from (\w+)\.kv_node_status$/i,
        async ({ cluster, dialect }, [, schema]) => {
            if (schema !== dialect.internal) throw new Refusal(`unknown schema ${schema!}`);
            // CockroachDB removes the row of a node that is decommissioned (pkg/server/decommission.go).
            const kept = (await cluster.nodes()).filter(
                ({ membership }) => !dialect.isModern || membership !== "decommissioned",
            );
            return rowsOf(
                ["node_id", "address"],
                kept.map(({ id, address }) => [`${id}`, address]),
            );
        },
    ],
    [
        /^show zone configuration for range default$/i,
        async ({ cluster }) =>
            rowsOf(
                ["target", "raw_config_sql"],
                [
                    [
                        "RANGE default",
                        `ALTER RANGE default CONFIGURE ZONE USING num_replicas = ${await cluster.replicationFactor()}`,
                    ],
                ],
            ),
    ],
    [
        /^alter range default configure zone using num_replicas = (\d+)$/i,
        async (session, [, count]) => {
            ADMIN(session);
            await session.store.put("zone/num_replicas", count!);
            return done("CONFIGURE ZONE 1");
        },
    ],
    [
        /^set allow_unsafe_internals = on$/i,
        ({ dialect }) => {
            if (dialect.gate === undefined || dialect.gate === "unknown") {
                throw new Refusal(
                    'unrecognized configuration parameter "allow_unsafe_internals"\nSQLSTATE: 42704',
                );
            }
            return Promise.resolve(done("SET"));
        },
    ],
    [/^show jobs$/i, () => Promise.resolve(rowsOf(["job_id", "status"], []))],
    [
        /^(?:create user if not exists|alter user) (\w+) with password '([^']*)'$/i,
        async (session, [, user, password]) => {
            ADMIN(session);
            await session.store.put(`users/${user!}`, hashOf(password!));
            return done("CREATE ROLE");
        },
    ],
    [
        /^create database if not exists (\w+)$/i,
        async (session, [, name]) => {
            ADMIN(session);
            await session.store.create(`databases/${name!}`, "");
            return done("CREATE DATABASE");
        },
    ],
    [
        /^(?:grant all on database (\w+) to (\w+)|alter database (\w+) owner to (\w+))$/i,
        (session) => {
            ADMIN(session);
            return Promise.resolve(done("GRANT"));
        },
    ],
];

/** As 26.2.5 prints it. */
const RESTRICTED = `Access to crdb_internal and system is restricted.
SQLSTATE: 42501
HINT: These interfaces are unsupported in production. To proceed, set the session variable allow_unsafe_internals = true (not recommended), or contact Cockroach Labs for a supported alternative.`;

const CHANGES_SCHEMA = /^(create|drop|alter|grant) /i;

/** Runs one statement. */
export async function execute(session: Session, text: string): Promise<Table> {
    const statement = text.trim().replace(/;$/, "").replace(/\s+/g, " ").trim();
    if (
        session.dialect.gate === "on" &&
        session.unsafe !== true &&
        /\bcrdb_internal\./i.test(statement)
    ) {
        throw new Refusal(RESTRICTED, 403);
    }
    if (CHANGES_SCHEMA.test(statement)) {
        await session.cluster.requireHealthy("the schema cannot be changed");
    }
    for (const [pattern, rule] of RULES) {
        const found = pattern.exec(statement);
        if (found) return rule(session, found);
    }
    return runStatement(session.store, statement);
}
