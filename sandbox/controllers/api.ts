// A small client of the API server: requests, and lists that keep themselves up to date. Of the
// published client, whose current versions do not load on Node 20, only the types are used.

import type { KubernetesObject } from "@kubernetes/client-node";
import { readFileSync } from "node:fs";
import https from "node:https";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parse } from "yaml";
import { messageOf } from "../failure.js";

const REQUEST_TIMEOUT_MILLISECONDS = 15_000;

/** The server ends a watch after this; a connection that died unseen is noticed a little later. */
const WATCH_SECONDS = 240;
const WATCH_SLACK_MILLISECONDS = 10_000;

/** After an error, so that a restart of the API server is not met with a storm. */
const RETRY_MILLISECONDS = 500;

interface Kubeconfig {
    readonly clusters: readonly [
        { readonly cluster: { server: string; "certificate-authority-data": string } },
    ];
    readonly users: readonly [
        { readonly user: { "client-certificate-data": string; "client-key-data": string } },
    ];
}

/** A refusal of the API server. */
export class ApiError extends Error {
    override readonly name = "ApiError";
    constructor(
        readonly status: number,
        message: string,
    ) {
        super(message);
    }
}

export class Api {
    readonly #agent: https.Agent;
    readonly #server: URL;

    /** @param kubeconfig one cluster and one user with a certificate, as kubeadm writes it */
    constructor(kubeconfig: string) {
        const config = parse(readFileSync(kubeconfig, "utf8")) as Kubeconfig;
        const decode = (text: string) => Buffer.from(text, "base64");
        const { cluster } = config.clusters[0];
        const { user } = config.users[0];
        this.#server = new URL(cluster.server);
        this.#agent = new https.Agent({
            keepAlive: true,
            ca: decode(cluster["certificate-authority-data"]),
            cert: decode(user["client-certificate-data"]),
            key: decode(user["client-key-data"]),
        });
    }

    #open(method: string, path: string, timeout: number, contentType?: string) {
        return https.request(new URL(path, this.#server), {
            agent: this.#agent,
            method,
            timeout,
            headers: {
                accept: "application/json",
                ...(contentType === undefined ? {} : { "content-type": contentType }),
            },
        });
    }

    /** The answer's object. Throws ApiError for a refusal. */
    async request<T>(
        method: "GET" | "POST" | "PATCH" | "DELETE",
        path: string,
        body?: unknown,
    ): Promise<T> {
        const type = method === "PATCH" ? "application/merge-patch+json" : "application/json";
        return new Promise<T>((resolve, reject) => {
            const sent = this.#open(method, path, REQUEST_TIMEOUT_MILLISECONDS, type);
            sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
            sent.on("error", reject);
            sent.on("response", (response) => {
                let text = "";
                response.setEncoding("utf8");
                response.on("data", (chunk: string) => (text += chunk));
                response.on("error", reject);
                response.on("end", () => {
                    const status = response.statusCode ?? 0;
                    if (status >= 200 && status < 300) resolve(JSON.parse(text) as T);
                    else reject(new ApiError(status, `${method} ${path}: ${status} ${text}`));
                });
            });
            sent.end(body === undefined ? undefined : JSON.stringify(body));
        });
    }

    /** Lines of an endless answer, until the server ends it. */
    async *lines(path: string): AsyncGenerator<string> {
        const patience = WATCH_SECONDS * 1000 + WATCH_SLACK_MILLISECONDS;
        const sent = this.#open("GET", path, patience);
        const response = await new Promise<NodeJS.ReadableStream & { statusCode?: number }>(
            (resolve, reject) => {
                sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
                sent.on("error", reject);
                sent.on("response", resolve);
                sent.end();
            },
        );
        try {
            if (response.statusCode !== 200) {
                throw new ApiError(response.statusCode ?? 0, `watching ${path} was refused`);
            }
            yield* createInterface({ input: response });
        } finally {
            sent.destroy();
        }
    }
}

interface List<T> {
    readonly metadata: { readonly resourceVersion: string };
    readonly items: readonly T[];
}

interface WatchEvent<T> {
    readonly type: "ADDED" | "MODIFIED" | "DELETED" | "ERROR" | "BOOKMARK";
    readonly object: T;
}

/** All objects of one kind, kept up to date by a watch. */
export class Listing<T extends KubernetesObject> {
    readonly #objects = new Map<string, T>();

    constructor(
        private readonly api: Api,
        /** For example `/api/v1/services`. */
        private readonly path: string,
    ) {}

    list(): T[] {
        return [...this.#objects.values()];
    }

    /**
     * Resolves after the first list, which waits for an API server that is away; `changed` is called then and at every
     * change after that.
     */
    async follow(changed: () => void): Promise<void> {
        let version = await this.#fillPatiently();
        changed();
        const forever = async (): Promise<never> => {
            for (;;) {
                try {
                    await this.#watch(version, changed);
                } catch (thrown) {
                    console.error(`watch of ${this.path} ended: ${messageOf(thrown)}`);
                    await sleep(RETRY_MILLISECONDS);
                }
                // Listing again costs little here, and needs no memory of what was missed.
                version = await this.#fillPatiently();
                changed();
            }
        };
        void forever();
    }

    async #fill(): Promise<string> {
        const list = await this.api.request<List<T>>("GET", this.path);
        this.#objects.clear();
        for (const object of list.items) this.#objects.set(object.metadata!.uid!, object);
        return list.metadata.resourceVersion;
    }

    async #fillPatiently(): Promise<string> {
        for (;;) {
            try {
                return await this.#fill();
            } catch {
                await sleep(RETRY_MILLISECONDS);
            }
        }
    }

    async #watch(version: string, changed: () => void): Promise<void> {
        const query = `watch=true&timeoutSeconds=${WATCH_SECONDS}&resourceVersion=${version}`;
        for await (const line of this.api.lines(`${this.path}?${query}`)) {
            const event = JSON.parse(line) as WatchEvent<T>;
            if (event.type === "ERROR") return;
            if (event.type === "BOOKMARK") continue;
            const uid = event.object.metadata!.uid!;
            if (event.type === "DELETED") this.#objects.delete(uid);
            else this.#objects.set(uid, event.object);
            changed();
        }
    }
}
