// From an async function to a gRPC method, and from what it throws to a gRPC status.

import grpc from "@grpc/grpc-js";

/** An error whose message is meant for the user of the program. */
export class PluginError extends Error {
    override readonly name = "PluginError";

    constructor(
        message: string,
        readonly code: grpc.status = grpc.status.UNKNOWN,
        /** A serialised google.rpc.Status, for errors that carry more than a sentence. */
        readonly statusDetails?: Uint8Array,
    ) {
        super(message);
    }
}

function toServiceError(thrown: unknown): grpc.ServiceError {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const metadata = new grpc.Metadata();
    const known = error instanceof PluginError ? error : undefined;
    if (known?.statusDetails !== undefined) {
        metadata.set("grpc-status-details-bin", Buffer.from(known.statusDetails));
    }
    return {
        name: error.name,
        message: error.message,
        details: known === undefined ? (error.stack ?? error.message) : error.message,
        code: known?.code ?? grpc.status.UNKNOWN,
        metadata,
    };
}

/** A unary gRPC method that answers with what `work` resolves to. */
export function handler<Request, Response>(
    work: (request: Request) => Promise<Response> | Response,
): grpc.handleUnaryCall<Request, Response> {
    return (call, callback) => {
        void (async () => work(call.request))().then(
            (response) => callback(null, response),
            (thrown: unknown) => callback(toServiceError(thrown)),
        );
    };
}

/** A method that this stand-in does not have. */
export function unsupported(message: string): grpc.handleUnaryCall<unknown, never> {
    return handler(() => {
        throw new PluginError(message, grpc.status.UNIMPLEMENTED);
    });
}
