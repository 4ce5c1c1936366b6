// mongosh's scripts read as if every call waited for its answer. Here it really does: MongoDB's driver works in a
// thread of its own, and the script's thread sleeps until the answer is there.

import { BSON, type Document } from "bson";
import { MongoClient } from "mongodb";
import {
    MessageChannel,
    receiveMessageOnPort,
    Worker,
    workerData,
    type MessagePort,
} from "node:worker_threads";

interface Request {
    readonly verb: "connect" | "command" | "close";
    readonly connection: number;
    readonly uri?: string;
    readonly database?: string;
    readonly command?: Uint8Array;
}

interface Reply {
    readonly document?: Uint8Array;
    readonly error?: { name: string; message: string; code?: unknown; codeName?: unknown };
}

/** The part of the script's thread. */
export class Driver {
    private readonly signal = new Int32Array(new SharedArrayBuffer(4));
    private readonly port: MessagePort;
    private connections = 0;

    public constructor() {
        const { port1, port2 } = new MessageChannel();
        this.port = port1;
        const worker = new Worker(process.argv[1]!, {
            workerData: { port: port2, signal: this.signal },
            transferList: [port2],
        });
        worker.unref();
    }

    public connect(uri: string): number {
        const connection = ++this.connections;
        this.call({ verb: "connect", connection, uri });
        return connection;
    }

    public command(connection: number, database: string, command: Document): Document {
        const bytes = BSON.serialize(command, { ignoreUndefined: true });
        return this.call({ verb: "command", connection, database, command: bytes }) ?? {};
    }

    public close(connection: number): void {
        this.call({ verb: "close", connection });
    }

    private call(request: Request): Document | undefined {
        Atomics.store(this.signal, 0, 0);
        this.port.postMessage(request);
        Atomics.wait(this.signal, 0, 0);
        const { document, error } = receiveMessageOnPort(this.port)!.message as Reply;
        if (error) throw Object.assign(new Error(error.message), error);
        return document && BSON.deserialize(document);
    }
}

/** The part of the driver's thread. */
export function driverThread(): void {
    const { port, signal } = workerData as { port: MessagePort; signal: Int32Array };
    const clients = new Map<number, MongoClient>();
    const work = async (request: Request): Promise<Document | undefined> => {
        const { verb, connection } = request;
        if (verb === "connect") {
            const client = new MongoClient(request.uri!, { maxPoolSize: 1, retryWrites: false });
            try {
                await client.connect();
            } catch (error) {
                await client.close();
                throw error;
            }
            clients.set(connection, client);
            return undefined;
        }
        if (verb === "close") {
            await clients.get(connection)?.close();
            clients.delete(connection);
            return undefined;
        }
        const command = BSON.deserialize(request.command!);
        return clients.get(connection)!.db(request.database).command(command);
    };
    const reply = (message: Reply): void => {
        port.postMessage(message);
        Atomics.store(signal, 0, 1);
        Atomics.notify(signal, 0);
    };
    port.on("message", (request: Request) => {
        work(request).then(
            (document) => reply(document ? { document: BSON.serialize(document) } : {}),
            (error: unknown) => {
                const { name, message, code, codeName } = error as Error & Reply["error"];
                reply({
                    error: {
                        name,
                        message,
                        ...(code !== undefined && { code }),
                        ...(codeName !== undefined && { codeName }),
                    },
                });
            },
        );
    });
}
