// The workload's client for an API server: each write makes a ConfigMap. With a watch beside it, as every controller
// has one, which must see each of them.
import { readFileSync } from "node:fs";
import https from "node:https";
import { parse } from "yaml";
import { sleep, type EngineClient } from "./workload.js";

/** A write that takes longer than this counts as failed, in milliseconds; the same as for the databases. */
const TIMEOUT = 2000;
/** A list of some thousand objects. */
const LIST_TIMEOUT = 30_000;

interface Kubeconfig {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    users: { user: { "client-certificate-data": string; "client-key-data": string } }[];
}

/** Plain requests to one API server. It never retries. */
export class ApiServer {
    private readonly server: string;
    private readonly agent: https.Agent;

    public constructor(kubeconfig: string) {
        const { clusters, users } = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
        const pem = (text: string) => Buffer.from(text, "base64");
        this.server = clusters[0]!.cluster.server;
        this.agent = new https.Agent({
            keepAlive: true,
            ca: pem(clusters[0]!.cluster["certificate-authority-data"]),
            cert: pem(users[0]!.user["client-certificate-data"]),
            key: pem(users[0]!.user["client-key-data"]),
        });
    }

    /** The answer's text; throws what the API server said when it refused. */
    public async ask(
        method: string,
        path: string,
        body?: object,
        timeout = TIMEOUT,
    ): Promise<string> {
        const signal = AbortSignal.timeout(timeout);
        const response = await this.open(method, path, signal, body);
        let text = "";
        for await (const chunk of response) {
            text += String(chunk);
        }
        if (response.statusCode! >= 300) {
            throw new Error(`${method} ${path.split("?")[0]!}: ${response.statusCode} ${text}`);
        }
        return text;
    }

    public async get<T>(path: string, timeout?: number): Promise<T> {
        return JSON.parse(await this.ask("GET", path, undefined, timeout)) as T;
    }

    public async open(
        method: string,
        path: string,
        signal: AbortSignal,
        body?: object,
    ): Promise<import("node:http").IncomingMessage> {
        return new Promise((resolve, reject) => {
            const request = https.request(
                `${this.server}${path}`,
                {
                    method,
                    agent: this.agent,
                    signal,
                    headers: { "content-type": "application/json" },
                },
                resolve,
            );
            request.on("error", reject);
            request.end(body && JSON.stringify(body));
        });
    }
}

interface List {
    metadata: { resourceVersion: string };
    items: { metadata: { name: string } }[];
}

const configMaps = (namespace: string) => `/api/v1/namespaces/${namespace}/configmaps`;

/** Writes ConfigMaps into a namespace. */
export function configMapClient(api: ApiServer, namespace: string): EngineClient {
    const path = configMaps(namespace);
    return {
        connect: () =>
            Promise.resolve({
                write: async (id) => {
                    const metadata = { name: `write-${id}` };
                    await api.ask("POST", path, { metadata, data: { id: `${id}` } });
                },
                read: async () => {
                    await api.ask("GET", `${path}?limit=1`);
                },
                ids: async () => {
                    const { items } = await api.get<List>(path, LIST_TIMEOUT);
                    return items.map(({ metadata }) => idOf(metadata.name)).filter(Number.isFinite);
                },
                close: () => Promise.resolve(),
            }),
        prepare: async () => {
            await api.ask("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
        },
    };
}

const idOf = (name: string): number => Number(/^write-(\d+)$/.exec(name)?.[1] ?? NaN);

/** A watch over a namespace's ConfigMaps, which is opened again where it ended. */
export class ConfigMapWatch {
    /** Ids of the writes it has seen. */
    public readonly seen = new Set<number>();
    /** Events that came with a lower revision than one before them. */
    public disorder = 0;
    private readonly stopping = new AbortController();
    private running: Promise<void> = Promise.resolve();

    private constructor(
        private readonly api: ApiServer,
        private readonly path: string,
        private revision: string,
    ) {}

    public static async start(api: ApiServer, namespace: string): Promise<ConfigMapWatch> {
        const path = configMaps(namespace);
        const { metadata } = await api.get<List>(path, LIST_TIMEOUT);
        const watch = new ConfigMapWatch(api, path, metadata.resourceVersion);
        watch.running = watch.follow();
        return watch;
    }

    public async stop(): Promise<void> {
        this.stopping.abort();
        await this.running;
    }

    private async follow(): Promise<void> {
        const { signal } = this.stopping;
        while (!signal.aborted) {
            try {
                const query = `watch=1&resourceVersion=${this.revision}`;
                const stream = await this.api.open("GET", `${this.path}?${query}`, signal);
                let rest = "";
                for await (const chunk of stream) {
                    const lines = (rest + String(chunk)).split("\n");
                    rest = lines.pop()!;
                    lines.forEach((line) => this.note(line));
                }
            } catch {
                await sleep(100);
            }
        }
    }

    private note(line: string): void {
        const { type, object } = JSON.parse(line) as {
            type: string;
            object: { metadata: { name: string; resourceVersion: string } };
        };
        if (type === "ERROR") {
            throw new Error(line);
        }
        const { name, resourceVersion } = object.metadata;
        if (Number(resourceVersion) < Number(this.revision)) {
            this.disorder++;
        }
        this.revision = resourceVersion;
        this.seen.add(idOf(name));
    }
}
