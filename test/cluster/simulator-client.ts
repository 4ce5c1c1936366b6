// The workload's client for simulated databases: HTTP with JSON, over TLS where the member has a certificate.
import { ask } from "../../sandbox/simulators/shared/index.js";
import type { EngineClient, Session } from "./workload.js";

/** A write that takes longer than this counts as failed, in milliseconds. */
const TIMEOUT = 2000;

interface Rows {
    readonly rows: readonly (readonly string[])[];
}

/** Connects as the application's user. The certificate of the server is not checked: the addresses are Services'. */
export function simulatorSqlClient(port: number, password: string, user = "app"): EngineClient {
    const run = (host: string, statement: string, timeout = TIMEOUT): Promise<Rows> =>
        ask<Rows>(
            { host, port, tls: { rejectUnauthorized: false } },
            "/sql",
            { statement, user, password },
            timeout,
        );
    const connect = (host: string): Promise<Session> =>
        Promise.resolve({
            write: async (id) => {
                await run(host, `INSERT INTO writes (id) VALUES (${id})`);
            },
            read: async () => {
                await run(host, "SELECT MAX(id) FROM writes");
            },
            ids: async () => {
                const { rows } = await run(host, "SELECT id FROM writes", 10 * TIMEOUT);
                return rows.map(([id]) => Number(id));
            },
            close: () => Promise.resolve(),
        });
    return {
        connect,
        prepare: async (host) => {
            await run(host, "CREATE TABLE IF NOT EXISTS writes (id BIGINT NOT NULL)");
        },
    };
}
