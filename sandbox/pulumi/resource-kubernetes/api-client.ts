// Requests to the API server: JSON over HTTPS with kept connections, and a bounded number of
// retries where a request may be repeated.

import http from "node:http";
import https from "node:https";
import { setTimeout as sleep } from "node:timers/promises";
import { isObject, type Tree, type TreeObject } from "../property-tree.js";
import {
    ApiError,
    ConnectionError,
    isTransient,
    toApiError,
    wasNotCarriedOut,
} from "./api-error.js";
import type { Connection } from "./kubeconfig.js";

/** No answer of the API server that is used here takes longer; its own limit is one minute. */
const REQUEST_TIMEOUT_MILLISECONDS = 70_000;

/** With the pauses below, a restart of the API server (about 8 s in the sandbox) is survived. */
const ATTEMPTS = 7;
const FIRST_PAUSE_MILLISECONDS = 250;
const LONGEST_PAUSE_MILLISECONDS = 4_000;

/** Connections to one API server at once; the engine asks for up to 4 × cores resources at once. */
const MAX_CONNECTIONS = 24;

export interface ApiRequest {
    readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    readonly path: string;
    readonly query?: Readonly<Record<string, string | undefined>>;
    readonly body?: Tree;
    readonly contentType?: string;
    /** Fewer attempts than usual, for questions where "not now" is an answer. */
    readonly attempts?: number;
}

export interface ApiAnswer {
    readonly body: string;
    /** What the API server wants to be told to the user: unknown fields, deprecated versions. */
    readonly warnings: readonly string[];
}

interface RawAnswer extends ApiAnswer {
    readonly status: number;
    readonly retryAfter: string | undefined;
}

/** Errors of connecting: the server cannot have seen the request. */
const NEVER_SENT: ReadonlySet<string> = new Set([
    "ECONNREFUSED",
    "ENOTFOUND",
    "EAI_AGAIN",
    "EHOSTUNREACH",
    "ENETUNREACH",
]);

/** The texts of Warning headers: 299 - "unknown field \"spec.x\"". */
function warningTexts(header: string | undefined): string[] {
    const quoted = header?.match(/"(?:[^"\\]|\\.)*"/g) ?? [];
    return quoted.map((text) => text.slice(1, -1).replaceAll(/\\(.)/g, "$1"));
}

export class ApiClient {
    readonly #agent: http.Agent;
    readonly #origin: URL;

    constructor(
        private readonly connection: Connection,
        /** Ends every wait and every pause between two attempts. */
        readonly cancelled: AbortSignal,
    ) {
        this.#origin = new URL(connection.server);
        const options = { keepAlive: true, maxSockets: MAX_CONNECTIONS };
        this.#agent =
            this.#origin.protocol === "http:" ? new http.Agent(options) : new https.Agent(options);
    }

    close(): void {
        this.#agent.destroy();
    }

    async #send(request: ApiRequest): Promise<RawAnswer> {
        const credentials = await this.connection.credentials();
        const query = Object.entries(request.query ?? {}).flatMap(([name, value]) =>
            value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
        );
        const base = this.#origin.pathname.replace(/\/$/, "");
        const path = `${base}${request.path}${query.length === 0 ? "" : `?${query.join("&")}`}`;
        const body = request.body === undefined ? undefined : JSON.stringify(request.body);
        const options: https.RequestOptions = {
            agent: this.#agent,
            method: request.method,
            host: this.#origin.hostname.replace(/^\[|\]$/g, ""),
            port: this.#origin.port === "" ? undefined : this.#origin.port,
            path,
            headers: {
                accept: "application/json",
                "user-agent": "quorum-sandbox-stand-in-pulumi-kubernetes",
                ...(body === undefined
                    ? {}
                    : {
                          "content-type": request.contentType ?? "application/json",
                          "content-length": Buffer.byteLength(body),
                      }),
                ...credentials.headers,
            },
            ca: this.connection.certificateAuthority,
            servername: this.connection.serverName,
            rejectUnauthorized: !this.connection.insecure,
            cert: credentials.certificate,
            key: credentials.key,
            timeout: REQUEST_TIMEOUT_MILLISECONDS,
        };
        const module = this.#origin.protocol === "http:" ? http : https;
        return new Promise<RawAnswer>((resolve, reject) => {
            const fail = (error: NodeJS.ErrnoException) =>
                reject(
                    new ConnectionError(
                        `${this.connection.server} does not answer: ${error.message}`,
                        NEVER_SENT.has(error.code ?? ""),
                    ),
                );
            const sent = module.request(options, (response) => {
                const chunks: Buffer[] = [];
                response.on("data", (chunk: Buffer) => chunks.push(chunk));
                response.on("error", fail);
                response.on("end", () =>
                    resolve({
                        status: response.statusCode ?? 0,
                        body: Buffer.concat(chunks).toString("utf8"),
                        warnings: warningTexts(response.headers["warning"]),
                        retryAfter: response.headers["retry-after"],
                    }),
                );
            });
            sent.on("timeout", () => sent.destroy(new Error("no answer in time")));
            sent.on("error", fail);
            sent.end(body);
        });
    }

    /** Sends a request, again where that is safe, and throws an {@link ApiError} for a refusal. */
    async request(request: ApiRequest): Promise<ApiAnswer> {
        // A create that was carried out must not be sent again: it would find its own object.
        const mayRepeat = request.method === "POST" ? wasNotCarriedOut : isTransient;
        for (let attempt = 1; ; attempt++) {
            try {
                const answer = await this.#send(request);
                if (answer.status >= 200 && answer.status < 300) return answer;
                throw toApiError(answer.status, answer.body, answer.retryAfter);
            } catch (error) {
                const last = attempt >= (request.attempts ?? ATTEMPTS);
                if (last || this.cancelled.aborted || !mayRepeat(error)) throw error;
                const asked = error instanceof ApiError ? error.retryAfterSeconds : undefined;
                const pause =
                    asked === undefined ? FIRST_PAUSE_MILLISECONDS * 2 ** attempt : asked * 1000;
                await this.pause(Math.min(pause, LONGEST_PAUSE_MILLISECONDS));
            }
        }
    }

    async json(request: ApiRequest): Promise<TreeObject> {
        const { body } = await this.request(request);
        const parsed = JSON.parse(body) as Tree;
        return isObject(parsed) ? parsed : {};
    }

    /** Sleeps; a cancel ends it early and without an error. */
    async pause(milliseconds: number): Promise<void> {
        await sleep(milliseconds, undefined, { signal: this.cancelled }).catch(() => undefined);
    }
}
