// The life of a plugin process: serve gRPC on a loopback port, print the port as the first line of
// stdout (that is how the CLI finds it), and end when the CLI ends, also when that was killed.

import grpc from "@grpc/grpc-js";
import { fstatSync } from "node:fs";

/** State documents pass through the plugins, so gRPC's default of 4 MB is too small (Pulumi: 400 MB). */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

const PARENT_POLL_MILLISECONDS = 1000;

export interface Service {
    readonly definition: grpc.ServiceDefinition;
    readonly implementation: grpc.UntypedServiceImplementation;
}

export interface Serving {
    readonly port: number;
    stop(): void;
}

export async function serve(service: Service): Promise<Serving> {
    const server = new grpc.Server({
        "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
        "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    });
    server.addService(service.definition, service.implementation);
    const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
            error === null ? resolve(bound) : reject(error),
        );
    });
    return { port, stop: () => server.forceShutdown() };
}

/** Calls `ended` once, when the process that started this one is gone. */
function whenParentEnds(ended: () => void): void {
    const parent = process.ppid;
    setInterval(() => {
        if (process.ppid !== parent) ended();
    }, PARENT_POLL_MILLISECONDS).unref();
    // The CLI keeps a pipe to our stdin open as long as it lives. A terminal or a file says nothing.
    const stdin = fstatSync(0);
    if (stdin.isFIFO() || stdin.isSocket()) {
        process.stdin.on("end", ended).on("error", ended).resume();
        process.stdin.unref();
    }
}

/** The engine's address: the one argument that is HOST:PORT (flags such as -v=9 may stand beside it). */
export function engineAddressOf(args: readonly string[]): string | undefined {
    return args.find((arg) => /^[\w.\-[\]:]+:\d+$/.test(arg) && !arg.startsWith("-"));
}

/** Runs this process as a plugin until the CLI is done with it. `end` stops what the plugin started. */
export async function runPlugin(service: Service, end: () => void): Promise<void> {
    const serving = await serve(service);
    const finish = () => {
        end();
        process.exit(0);
    };
    process.on("SIGINT", finish).on("SIGTERM", finish);
    whenParentEnds(finish);
    process.stdout.write(`${serving.port}\n`);
}
