// The workload's client for MySQL.
import mysql from "mysql2/promise";
import type { Namespace } from "./kubernetes.js";
import type { EngineClient, Session } from "./workload.js";

/** The member that the record of a cluster names as its primary. */
export function primaryOfRecord(cluster: string): (namespace: Namespace) => Promise<string> {
    return async (namespace) => {
        const record = await namespace.get<{ metadata: { annotations: Record<string, string> } }>(
            "endpointslice",
            `${cluster}-write`,
        );
        return record.metadata.annotations["quorum.dev/primary"]!;
    };
}

/** A write that takes longer than this counts as failed, in milliseconds. */
const TIMEOUT = 2000;

/** Connects as the application's user. The table has no primary key, so that doubled rows can be seen. */
export function mysqlClient(password: string, user = "app", database = "app"): EngineClient {
    const connect = async (host: string): Promise<Session> => {
        const connection = await mysql.createConnection({
            host,
            user,
            password,
            database,
            connectTimeout: TIMEOUT,
            ssl: { rejectUnauthorized: false },
        });
        // Errors of an idle connection surface at its next use.
        connection.on("error", () => undefined);
        return sessionOf(connection);
    };
    return {
        connect,
        prepare: async (host) => {
            const connection = await mysql.createConnection({
                host,
                user,
                password,
                database,
                ssl: { rejectUnauthorized: false },
            });
            await connection.query(
                "CREATE TABLE IF NOT EXISTS writes (n BIGINT AUTO_INCREMENT PRIMARY KEY, id BIGINT NOT NULL)",
            );
            connection.destroy();
        },
    };
}

/** The workload's statements on an open connection. */
export function sessionOf(connection: mysql.Connection): Session {
    return {
        write: async (id) => {
            await connection.query({
                sql: "INSERT INTO writes (id) VALUES (?)",
                values: [id],
                timeout: TIMEOUT,
            });
        },
        read: async () => {
            await connection.query({ sql: "SELECT MAX(n) FROM writes", timeout: TIMEOUT });
        },
        ids: async () => {
            const [rows] = await connection.query({
                sql: "SELECT id FROM writes",
                timeout: 10 * TIMEOUT,
            });
            return (rows as { id: number }[]).map(({ id }) => id);
        },
        close: () => {
            connection.destroy();
            return Promise.resolve();
        },
    };
}
