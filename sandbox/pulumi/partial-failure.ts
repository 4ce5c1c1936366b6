// The error of an object that is there but not ready: it carries the state, so that the engine
// keeps the object (ErrorResourceInitFailed in the details of the gRPC status).

import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import grpc from "@grpc/grpc-js";
import { PluginError } from "./grpc-handler.js";
import { toStruct, type TreeObject } from "./property-tree.js";
import { providerPb } from "./protocol.js";

export interface PartialState {
    readonly id: string;
    readonly properties: TreeObject;
    readonly inputs: TreeObject | undefined;
}

export function partialFailure(
    message: string,
    reasons: readonly string[],
    state: PartialState,
): PluginError {
    const detail = new providerPb.ErrorResourceInitFailed();
    detail.setId(state.id);
    detail.setProperties(toStruct(state.properties));
    if (state.inputs !== undefined) detail.setInputs(toStruct(state.inputs));
    detail.setReasonsList([...reasons]);
    const any = new anyPb.Any();
    any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
    const status = new statusPb.Status();
    status.setCode(grpc.status.UNKNOWN);
    status.setMessage(message);
    status.addDetails(any);
    return new PluginError(message, grpc.status.UNKNOWN, status.serializeBinary());
}
