// MongoDB's wire protocol as far as drivers need it (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/):
// OP_MSG, and OP_QUERY for the first `isMaster` of a connection. BSON is the vendor's own library.

import { BSON, type Document } from "bson";
import { createServer, type Server, type Socket } from "node:net";

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;
const CHECKSUM_PRESENT = 1;
const MORE_TO_COME = 2;

/** An error as the server answers it. */
export class CommandFailure extends Error {
    public constructor(
        message: string,
        public readonly code: number,
        public readonly codeName: string,
    ) {
        super(message);
    }
}

/** One client's connection. */
export interface Connection {
    /** From this very host: the localhost exception asks for it. */
    readonly isLocal: boolean;
    readonly id: number;
    user:
        { readonly name: string; readonly database: string; readonly isRoot: boolean } | undefined;
    /** A login under way. */
    login: unknown;
}

/** Answers a command; a {@link CommandFailure} becomes an answer with `ok: 0`. */
export type Answer = (command: Document, connection: Connection) => Promise<Document>;

const cstring = (buffer: Buffer, from: number): string =>
    buffer.toString("utf8", from, buffer.indexOf(0, from));

function readDocument(buffer: Buffer, from: number): { document: Document; next: number } {
    const next = from + buffer.readInt32LE(from);
    const document = BSON.deserialize(buffer.subarray(from, next), { promoteBuffers: true });
    return { document, next };
}

function readMessage(message: Buffer): { command: Document; wantsAnswer: boolean } {
    const flags = message.readInt32LE(HEADER);
    const end = message.length - (flags & CHECKSUM_PRESENT ? 4 : 0);
    let command: Document = {};
    const sequences: Document = {};
    for (let at = HEADER + 4; at < end;) {
        const kind = message[at]!;
        if (kind === 0) {
            const { document, next } = readDocument(message, at + 1);
            command = document;
            at = next;
        } else {
            const stop = at + 1 + message.readInt32LE(at + 1);
            const name = cstring(message, at + 5);
            const documents: Document[] = [];
            for (let place = at + 5 + Buffer.byteLength(name) + 1; place < stop;) {
                const { document, next } = readDocument(message, place);
                documents.push(document);
                place = next;
            }
            sequences[name] = documents;
            at = stop;
        }
    }
    return { command: { ...command, ...sequences }, wantsAnswer: !(flags & MORE_TO_COME) };
}

function readQuery(message: Buffer): Document {
    const collection = cstring(message, HEADER + 4);
    const at = HEADER + 4 + Buffer.byteLength(collection) + 1 + 8;
    return { ...readDocument(message, at).document, $db: collection.split(".")[0] };
}

function header(length: number, to: number, code: number): Buffer {
    const buffer = Buffer.alloc(HEADER);
    [length + HEADER, 0, to, code].forEach((value, index) => buffer.writeInt32LE(value, 4 * index));
    return buffer;
}

function writeAnswer(document: Document, to: number, asReply: boolean): Buffer {
    const body = Buffer.from(BSON.serialize(document, { ignoreUndefined: true }));
    // OP_REPLY: flags, cursor, start, one document. OP_MSG: flags, kind 0.
    const head = asReply ? Buffer.alloc(20) : Buffer.alloc(5);
    if (asReply) head.writeInt32LE(1, 16);
    return Buffer.concat([
        header(head.length + body.length, to, asReply ? OP_REPLY : OP_MSG),
        head,
        body,
    ]);
}

async function answerOf(command: Document, connection: Connection, answer: Answer) {
    try {
        return { ...(await answer(command, connection)), ok: 1 };
    } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        const { code, codeName } =
            error instanceof CommandFailure ? error : { code: 1, codeName: "InternalError" };
        return { ok: 0, errmsg: message, code, codeName };
    }
}

async function handle(message: Buffer, socket: Socket, connection: Connection, answer: Answer) {
    const id = message.readInt32LE(4);
    const code = message.readInt32LE(12);
    if (code !== OP_MSG && code !== OP_QUERY) {
        socket.destroy();
        return;
    }
    const { command, wantsAnswer } =
        code === OP_MSG ? readMessage(message) : { command: readQuery(message), wantsAnswer: true };
    const document = await answerOf(command, connection, answer);
    if (wantsAnswer && !socket.destroyed)
        socket.write(writeAnswer(document, id, code === OP_QUERY));
}

let connections = 0;

/** One connection's commands are answered in their order. */
export function wireServer(answer: Answer): Server {
    return createServer((socket) => {
        const from = socket.remoteAddress ?? "";
        const connection: Connection = {
            isLocal: ["127.0.0.1", "::1", "::ffff:127.0.0.1"].includes(from),
            id: ++connections,
            user: undefined,
            login: undefined,
        };
        let pending = Buffer.alloc(0);
        let turn = Promise.resolve();
        socket.on("error", () => socket.destroy());
        socket.on("data", (chunk) => {
            pending = Buffer.concat([pending, chunk]);
            while (pending.length >= HEADER && pending.length >= pending.readInt32LE(0)) {
                const length = pending.readInt32LE(0);
                const message = Buffer.from(pending.subarray(0, length));
                pending = pending.subarray(length);
                turn = turn
                    .then(() => handle(message, socket, connection, answer))
                    .catch(() => void socket.destroy());
            }
        });
    });
}
