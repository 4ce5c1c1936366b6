// The workload's client for the simulated YugabyteDB: its SQL port speaks HTTP with JSON.
import { kubectl } from "../../sandbox/index.js";
import { ask, type Table } from "../../sandbox/simulators/shared/index.js";
import type { EngineClient, Session } from "./workload.js";

/** A write that takes longer than this counts as failed, in milliseconds. */
const TIMEOUT = 2000;
/** Making the table may take longer: the group of rows has just been made. */
const PREPARE_TIMEOUT = 30_000;
const PORT = 5433;

/** Connects as the application's user. The certificate is for names of the cluster's, and tests use addresses. */
export function yugabytedbClient(cluster: string): (password: string) => EngineClient {
    return (password) => {
        let authority: Promise<string> | undefined;
        const run = async (host: string, statement: string, timeout = TIMEOUT): Promise<Table> => {
            authority ??= authorityOf(cluster);
            const tls = {
                ca: await authority,
                servername: `${cluster}.${cluster}.svc.cluster.local`,
            };
            const request = { user: "app", password, statement };
            try {
                return await ask<Table>({ host, port: PORT, tls }, "/sql", request, timeout);
            } catch (error) {
                // A new stack has a new CA.
                authority = undefined;
                throw error;
            }
        };
        return {
            connect: (host): Promise<Session> =>
                Promise.resolve({
                    write: async (id) => {
                        await run(host, `INSERT INTO writes (id) VALUES (${id})`);
                    },
                    read: async () => {
                        await run(host, "SELECT count(*) FROM writes");
                    },
                    ids: async () =>
                        (await run(host, "SELECT id FROM writes")).rows.map(([id]) => Number(id)),
                    close: () => Promise.resolve(),
                }),
            prepare: async (host) => {
                await run(
                    host,
                    "CREATE TABLE IF NOT EXISTS writes (n bigserial, id bigint)",
                    PREPARE_TIMEOUT,
                );
            },
        };
    };
}

async function authorityOf(cluster: string): Promise<string> {
    const secret = ["-n", cluster, "get", "secret", `${cluster}-certificates`];
    const data = await kubectl([...secret, "-o", "jsonpath={.data.ca\\.crt}"]);
    return Buffer.from(data, "base64").toString();
}
