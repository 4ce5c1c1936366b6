// Messages to the user, through the engine's log service. Outside the engine (no address) they are
// dropped. Nothing here ever gets a property value: messages name objects, fields and reasons.

import grpc from "@grpc/grpc-js";
import type { LogSeverity } from "@pulumi/pulumi/proto/engine_pb.js";
import { engineGrpc, enginePb } from "./protocol.js";

export interface EngineLog {
    debug(message: string): void;
    info(message: string, urn?: string): void;
    warn(message: string, urn?: string): void;
    /** Shown beside the resource while it is worked on, and gone afterwards; "" clears it. */
    status(message: string, urn: string): void;
    close(): void;
}

export const silentLog: EngineLog = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    status: () => undefined,
    close: () => undefined,
};

export function connectEngineLog(address: string): EngineLog {
    const client = new engineGrpc.EngineClient(address, grpc.credentials.createInsecure());
    const send = (severity: LogSeverity, message: string, urn = "", ephemeral = false) => {
        const request = new enginePb.LogRequest();
        request.setSeverity(severity);
        request.setMessage(message);
        request.setUrn(urn);
        request.setEphemeral(ephemeral);
        // A message that cannot be delivered must not fail the operation that it is about.
        client.log(request, () => undefined);
    };
    const { DEBUG, INFO, WARNING } = enginePb.LogSeverity;
    return {
        debug: (message) => send(DEBUG, message),
        info: (message, urn) => send(INFO, message, urn),
        warn: (message, urn) => send(WARNING, message, urn),
        status: (message, urn) => send(INFO, message, urn, true),
        close: () => client.close(),
    };
}
