// The network side of a simulated member: HTTP with JSON, on the ports on which the real database speaks its own
// protocols. With certificates it is HTTPS, checked as the real one checks them.

import {
    Agent as PlainAgent,
    createServer,
    request as plainRequest,
    type IncomingMessage,
    type ServerResponse,
} from "node:http";
import {
    Agent as TlsAgent,
    createServer as createTlsServer,
    request as tlsRequest,
} from "node:https";
import type { Server } from "node:net";
import type { TLSSocket } from "node:tls";

/** A request that the real database would refuse, with the message that it would give. */
export class Refusal extends Error {
    public constructor(
        message: string,
        /** HTTP status; 503 for "not now". */
        public readonly status: number = 400,
    ) {
        super(message);
        this.name = "Refusal";
    }
}

/** One request. */
export interface Call<Body = unknown> {
    readonly body: Body;
    readonly query: URLSearchParams;
    /** Common name of the client's certificate; `undefined`: it has shown none that this CA made. */
    readonly user: string | undefined;
}

/** What answers a request; the result is sent as JSON, text as it is. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the body is what the caller sends
export type Handler = (call: Call<any>) => unknown;

/** `METHOD /path` -> handler. */
export type Routes = Readonly<Record<string, Handler>>;

/** Certificates in PEM. */
export interface Certificates {
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
}

/** Answers requests; it listens nowhere yet. */
export function serverOf(routes: Routes, tls?: Certificates): Server {
    const listener = (request: IncomingMessage, response: ServerResponse): void => {
        void answer(request, response, routes);
    };
    return tls
        ? createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: false }, listener)
        : createServer(listener);
}

/** Listens until the process ends. */
export async function serve(port: number, routes: Routes, tls?: Certificates): Promise<Server> {
    const server = serverOf(routes, tls);
    await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(port, "0.0.0.0", resolve);
    });
    return server;
}

async function answer(
    request: IncomingMessage,
    response: ServerResponse,
    routes: Routes,
): Promise<void> {
    const url = new URL(request.url ?? "/", "http://member");
    const send = (status: number, value: unknown): void => {
        const isText = typeof value === "string";
        response.writeHead(status, {
            "content-type": isText ? "text/plain" : "application/json",
            server: "simulator",
        });
        response.end(isText ? value : JSON.stringify(value ?? null));
    };
    try {
        const chunks: Buffer[] = [];
        for await (const chunk of request) chunks.push(chunk as Buffer);
        const text = Buffer.concat(chunks).toString();
        const handler = routes[`${request.method ?? "GET"} ${url.pathname}`];
        if (!handler) throw new Refusal(`${url.pathname} is not simulated`, 404);
        const result: unknown = await handler({
            body: text === "" ? undefined : (JSON.parse(text) as unknown),
            query: url.searchParams,
            user: userOf(request),
        });
        send(200, result);
    } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        send(error instanceof Refusal ? error.status : 500, { error: message });
    }
}

function userOf(request: IncomingMessage): string | undefined {
    const socket = request.socket as Partial<TLSSocket>;
    if (socket.authorized !== true) return undefined;
    const name = socket.getPeerCertificate?.().subject.CN;
    return Array.isArray(name) ? name[0] : name;
}

/** Where a request goes. */
export interface Destination {
    readonly host: string;
    readonly port: number;
    /** Speaks TLS, and shows this certificate when there is one. The server's is checked against `ca`. */
    readonly tls?: {
        readonly ca?: string;
        readonly cert?: string;
        readonly key?: string;
        /** False: any certificate will do. */
        readonly rejectUnauthorized?: boolean;
        /** The name in the server's certificate, where `host` is an address that is not in it. */
        readonly servername?: string;
    };
}

/** Nobody answered at that address. */
export class UnreachableError extends Error {}

/** Connections are kept, as drivers keep theirs: a TLS handshake a request would take most of the machine's time. */
const AGENTS = {
    plain: new PlainAgent({ keepAlive: true }),
    tls: new TlsAgent({ keepAlive: true }),
};

/** Sends JSON and returns the answer; throws {@link Refusal} with the message of an error's answer. */
export async function ask<T>(
    { host, port, tls }: Destination,
    path: string,
    body: unknown = {},
    timeoutMs = 10_000,
): Promise<T> {
    const send = tls ? tlsRequest : plainRequest;
    const agent = tls ? AGENTS.tls : AGENTS.plain;
    return new Promise<T>((resolve, reject) => {
        const request = send({ host, port, path, method: "POST", agent, ...tls }, (response) => {
            const chunks: Buffer[] = [];
            response.on("data", (chunk: Buffer) => chunks.push(chunk));
            response.on("error", reject);
            response.on("end", () => {
                const text = Buffer.concat(chunks).toString();
                try {
                    const value = JSON.parse(text) as unknown;
                    if (response.statusCode === 200) {
                        resolve(value as T);
                    } else {
                        const { error } = value as { error: string };
                        reject(new Refusal(error, response.statusCode));
                    }
                } catch {
                    reject(new UnreachableError(`${host}:${port} does not answer in JSON`));
                }
            });
        });
        // On the whole exchange: a server without quorum may hold a request for ever.
        const timer = setTimeout(() => {
            request.destroy(new Error(`no answer within ${timeoutMs} ms`));
        }, timeoutMs);
        request.on("close", () => clearTimeout(timer));
        request.on("error", (error) =>
            reject(new UnreachableError(`${host}:${port}: ${error.message}`)),
        );
        request.end(JSON.stringify(body));
    });
}
