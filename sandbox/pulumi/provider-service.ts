// What the gRPC services of all provider stand-ins have in common: how one introduces itself to the engine and where it logs, and
// the answers whose form no provider decides.

import type grpc from "@grpc/grpc-js";
import type { ProviderHandshakeRequest } from "@pulumi/pulumi/proto/provider_pb.js";
import { connectEngineLog, silentLog, type EngineLog } from "./engine-log.js";
import { handler, unsupported } from "./grpc-handler.js";
import { toStruct, type TreeObject } from "./property-tree.js";
import { pluginPb, providerPb } from "./protocol.js";

/** What was made, as the engine keeps it. */
export interface Made {
    /** "" in a preview. */
    readonly id: string;
    readonly properties: TreeObject;
}

/** What a resource is found to be. */
export interface Found {
    /** "" when it is gone. */
    readonly id: string;
    readonly properties: TreeObject;
    readonly inputs: TreeObject;
}

export const GONE: Found = { id: "", properties: {}, inputs: {} };

export interface Introduction {
    /** The package's name. */
    readonly name: string;
    readonly version: string;
    /** That it is a stand-in, as a sentence. */
    readonly description: string;
    /** Whether it makes up names as the engine's configuration says. */
    readonly namesByEngine: boolean;
    /** Where the engine takes log lines; one that is started by hand is told at its start. */
    readonly engineAddress?: string | undefined;
    /** Takes the log; it replaces the one before. */
    readonly logsTo: (log: EngineLog) => void;
}

/** The methods by which a stand-in introduces itself, and those that no stand-in has. */
export function introduce(intro: Introduction): grpc.UntypedServiceImplementation {
    const { name, version, description, namesByEngine, engineAddress } = intro;
    let log: EngineLog = silentLog;
    const connect = (address: string) => {
        log.close();
        log = connectEngineLog(address);
        intro.logsTo(log);
    };
    if (engineAddress !== undefined) connect(engineAddress);
    return {
        handshake: handler((request: ProviderHandshakeRequest) => {
            if (request.getEngineAddress() !== "") connect(request.getEngineAddress());
            const response = new providerPb.ProviderHandshakeResponse();
            response.setAcceptSecrets(true);
            response.setSupportsAutonamingConfiguration(namesByEngine);
            return response;
        }),
        getPluginInfo: handler(() => {
            const info = new pluginPb.PluginInfo();
            info.setVersion(version);
            return info;
        }),
        getSchema: handler(() => {
            const response = new providerPb.GetSchemaResponse();
            response.setSchema(JSON.stringify({ name, version, description }));
            return response;
        }),
        attach: unsupported("This stand-in is always started by the CLI."),
        getMapping: handler(() => new providerPb.GetMappingResponse()),
        getMappings: handler(() => new providerPb.GetMappingsResponse()),
    };
}

/** What a configured stand-in can do. */
export function configureResponse({ namesByEngine }: Pick<Introduction, "namesByEngine">) {
    const response = new providerPb.ConfigureResponse();
    response.setAcceptsecrets(true);
    response.setSupportspreview(true);
    response.setSupportsAutonamingConfiguration(namesByEngine);
    return response;
}

export function checkFailure(property: string, reason: string) {
    const failure = new providerPb.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
}

export function createResponse({ id, properties }: Made) {
    const response = new providerPb.CreateResponse();
    response.setId(id);
    response.setProperties(toStruct(properties));
    return response;
}

export function updateResponse(properties: TreeObject) {
    const response = new providerPb.UpdateResponse();
    response.setProperties(toStruct(properties));
    return response;
}

export function readResponse({ id, properties, inputs }: Found) {
    const response = new providerPb.ReadResponse();
    response.setId(id);
    if (id === "") return response;
    response.setProperties(toStruct(properties));
    response.setInputs(toStruct(inputs));
    return response;
}
