// The workload's client for PostgreSQL.
import pg from "pg";
import { kubectl } from "../../sandbox/index.js";
import { eventually, type Namespace } from "./kubernetes.js";
import type { EngineClient, Session } from "./workload.js";

/** A write that takes longer than this counts as failed, in milliseconds. */
const TIMEOUT = 2000;

/** The member whose pod Patroni labels as the primary. */
export async function primaryByLabel(namespace: Namespace): Promise<string> {
    const selector = "app.kubernetes.io/component=member,role=primary";
    const pods = await kubectl(["-n", namespace.name, "get", "pods", "-l", selector, "-o", "name"]);
    return pods.trim().split("/").at(-1)!.replace(/-0$/, "");
}

/** Connects as the application's user. The column is not unique, so that doubled rows can be seen. */
export function postgresqlClient(password: string, user = "app", database = "app"): EngineClient {
    const open = async (host: string): Promise<pg.Client> => {
        const client = new pg.Client({
            host,
            user,
            password,
            database,
            ssl: { rejectUnauthorized: false },
            connectionTimeoutMillis: TIMEOUT,
            query_timeout: TIMEOUT,
        });
        // Errors of an idle connection surface at its next use.
        client.on("error", () => undefined);
        await client.connect();
        return client;
    };
    return {
        connect: async (host): Promise<Session> => {
            const client = await open(host);
            return {
                write: async (id) => {
                    await client.query("INSERT INTO writes (id) VALUES ($1)", [id]);
                },
                read: async () => {
                    await client.query("SELECT max(n) FROM writes");
                },
                ids: async () => {
                    const { rows } = await client.query<{ id: string }>("SELECT id FROM writes");
                    return rows.map(({ id }) => Number(id));
                },
                close: () => {
                    // Not awaited: a server without power never answers the farewell.
                    void client.end().catch(() => undefined);
                    return Promise.resolve();
                },
            };
        },
        prepare: async (host) => {
            const client = await open(host);
            await client.query(
                "CREATE TABLE IF NOT EXISTS writes (n BIGSERIAL PRIMARY KEY, id BIGINT NOT NULL)",
            );
            await client.end();
        },
    };
}

/** Waits until the leader confirms commits alone: Patroni's ConfigMap names no other member for the quorum. */
export async function leadsAlone(namespace: Namespace): Promise<void> {
    await eventually("the leader to go on alone", 120, async () => {
        const { metadata } = await namespace.get<{
            metadata: { annotations: Record<string, string> };
        }>("configmap", `${namespace.name}-sync`);
        return (metadata.annotations["sync_standby"] ?? "") === "";
    });
}
