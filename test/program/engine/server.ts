// The wire: a deployment behind the two gRPC services that a program talks to.

import engineService from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import engineProto from "@pulumi/pulumi/proto/engine_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import resourceService from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resourceProto from "@pulumi/pulumi/proto/resource_pb.js";
import { Server, ServerCredentials, status, type handleUnaryCall } from "@grpc/grpc-js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import type { IEngineServer } from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import type { IResourceMonitorServer } from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import { structOf } from "./callbacks.js";
import { CallFailure, type Deployment } from "./deployment.js";
import type { Severity } from "./registration.js";
import { propertiesOf } from "./requests.js";

/** As large as the SDK's own limit. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/** What the engine says it can do when the SDK asks. */
const FEATURES = new Set([
    "secrets",
    "resourceReferences",
    "outputValues",
    "aliasSpecs",
    "deletedWith",
    "replaceWith",
    "replacementTrigger",
    "transforms",
    "parameterization",
    "resourceHooks",
    "errorHooks",
]);

export interface EngineServer {
    address: string;
    close(): void;
}

export async function serve(deployment: Deployment): Promise<EngineServer> {
    const server = new Server({ "grpc.max_receive_message_length": MAX_MESSAGE_BYTES });
    server.addService(resourceService.ResourceMonitorService, { ...monitorOf(deployment) });
    server.addService(engineService.EngineService, { ...engineOf(deployment) });
    const port = await new Promise<number>((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
            if (error === null) {
                resolve(bound);
            } else {
                reject(error);
            }
        });
    });
    return {
        address: `127.0.0.1:${port}`,
        close: () => {
            deployment.callbacks.close();
            server.forceShutdown();
        },
    };
}

/** A unary call whose answer is a promise. */
function answering<Request, Response>(
    answer: (request: Request) => Response | Promise<Response>,
): handleUnaryCall<Request, Response> {
    return (call, respond) => {
        // A call that throws at once fails as one that rejects.
        const promise = new Promise<Response>((resolve) => {
            resolve(answer(call.request));
        });
        promise.then(
            (response) => {
                respond(null, response);
            },
            (error: unknown) => {
                const details = error instanceof Error ? error.message : String(error);
                const code = error instanceof CallFailure ? error.code : status.UNKNOWN;
                respond({ code, details });
            },
        );
    };
}

function empty() {
    return new emptyProto.Empty();
}

type MonitorCalls = Pick<
    IResourceMonitorServer,
    | "supportsFeature"
    | "registerResource"
    | "registerResourceOutputs"
    | "readResource"
    | "invoke"
    | "registerStackTransform"
    | "registerResourceHook"
    | "registerErrorHook"
    | "registerPackage"
    | "signalAndWaitForShutdown"
>;

function monitorOf(deployment: Deployment): MonitorCalls {
    return {
        supportsFeature: answering((request) => {
            const response = new resourceProto.SupportsFeatureResponse();
            response.setHassupport(FEATURES.has(request.getId()));
            return response;
        }),
        registerResource: answering(async (request) => {
            const registration = await deployment.register(request);
            const response = new resourceProto.RegisterResourceResponse();
            response.setUrn(registration.urn);
            response.setId(registration.id);
            // A component's outputs come later, through registerResourceOutputs.
            response.setObject(structOf(registration.custom ? registration.outputs : {}));
            return response;
        }),
        registerResourceOutputs: answering(async (request) => {
            await deployment.registerOutputs(request.getUrn(), propertiesOf(request.getOutputs()));
            return empty();
        }),
        readResource: answering(async (request) => {
            const registration = await deployment.read(request);
            const response = new resourceProto.ReadResourceResponse();
            response.setUrn(registration.urn);
            response.setProperties(structOf(registration.outputs));
            return response;
        }),
        invoke: answering((request) => {
            const args = propertiesOf(request.getArgs());
            const result = deployment.invoke(request.getTok(), args, request.getProvider());
            const response = new providerProto.InvokeResponse();
            response.setReturn(structOf(result));
            return response;
        }),
        registerStackTransform: answering((callback) => {
            deployment.addStackTransform(callback);
            return empty();
        }),
        registerResourceHook: answering((request) => {
            deployment.callbacks.registerHook(request);
            return empty();
        }),
        registerErrorHook: answering((request) => {
            deployment.callbacks.registerErrorHook(request);
            return empty();
        }),
        registerPackage: answering((request) => {
            const response = new resourceProto.RegisterPackageResponse();
            response.setRef(`${request.getName()}@${request.getVersion()}`);
            return response;
        }),
        signalAndWaitForShutdown: answering(async () => {
            await deployment.finish();
            return empty();
        }),
    };
}

type EngineCalls = Pick<
    IEngineServer,
    "log" | "getRootResource" | "setRootResource" | "requirePulumiVersion"
>;

function engineOf(deployment: Deployment): EngineCalls {
    const severities: Partial<Record<number, Severity>> = {
        [engineProto.LogSeverity.INFO]: "info",
        [engineProto.LogSeverity.WARNING]: "warning",
        [engineProto.LogSeverity.ERROR]: "error",
    };
    return {
        log: answering((request) => {
            // The SDK's own debug messages are many, and nobody's promise.
            const severity = severities[request.getSeverity()];
            if (severity !== undefined) {
                deployment.log({ severity, text: request.getMessage(), urn: request.getUrn() });
            }
            return empty();
        }),
        getRootResource: answering(() => {
            const response = new engineProto.GetRootResourceResponse();
            response.setUrn(deployment.rootUrn);
            return response;
        }),
        setRootResource: answering((request) => {
            deployment.rootUrn = request.getUrn();
            return new engineProto.SetRootResourceResponse();
        }),
        requirePulumiVersion: answering(() => new engineProto.RequirePulumiVersionResponse()),
    };
}
