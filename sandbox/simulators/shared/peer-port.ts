// The port of the real database by which its members reach one another. The simulated ones have it for all that they say,
// the store's traffic too, so that they need of a network policy what the real ones need.

import { connect, createServer, type Server, type Socket } from "node:net";

/** One protocol of several on a port. */
export interface Protocol {
    /** Whether a connection that begins with these bytes is of this protocol. */
    readonly begins: (bytes: string) => boolean;
    /** It listens on no port of its own. */
    readonly server: Server;
}

/** What the etcd of one member asks the etcd of another (etcd's source, `etcdserver/api/etcdhttp/peer.go`). */
const STORE_REQUEST = /^(GET|POST) \/(raft|members|version|downgrade|lease)\b/;
const HTTP_REQUEST = /^(GET|POST) \//;

/** The store of this member, which listens on the loopback interface. */
export function toStore(storePort = 2380): Protocol {
    const server = createServer((from) => {
        const to = connect(storePort, "127.0.0.1");
        from.on("error", () => from.destroy()).on("close", () => to.destroy());
        to.on("error", () => to.destroy()).on("close", () => from.destroy());
        from.pipe(to).pipe(from);
    });
    return { begins: (bytes) => STORE_REQUEST.test(bytes), server };
}

export function http(server: Server): Protocol {
    return { begins: (bytes) => HTTP_REQUEST.test(bytes), server };
}

/** Whatever is none of the others'. */
export function otherwise(server: Server): Protocol {
    return { begins: () => true, server };
}

/** Listens until the process ends. Each connection goes to the first protocol that it can be of. */
export async function listen(port: number, ...protocols: readonly Protocol[]): Promise<void> {
    const server = createServer((socket: Socket) => {
        const gone = (): void => void socket.destroy();
        socket.on("error", gone);
        socket.once("data", (chunk) => {
            socket.pause();
            socket.unshift(chunk);
            socket.off("error", gone);
            const bytes = chunk.toString("latin1");
            protocols.find(({ begins }) => begins(bytes))!.server.emit("connection", socket);
            process.nextTick(() => socket.resume());
        });
    });
    await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen(port, "0.0.0.0", resolve);
    });
}
