// An engine that takes what a program registers and gives it back as made, with no provider behind
// it: enough to run a program through the language host alone.

import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb.js";
import resourceGrpc from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resourcePb from "@pulumi/pulumi/proto/resource_pb.js";
import { handler } from "../../sandbox/pulumi/grpc-handler.js";
import { fromStruct, type TreeObject } from "../../sandbox/pulumi/property-tree.js";
import { emptyPb, engineGrpc, enginePb } from "../../sandbox/pulumi/protocol.js";
import { serve } from "../../sandbox/pulumi/serve.js";

export interface FakeEngine {
    readonly monitor: string;
    readonly engine: string;
    /** Messages of severity error. */
    readonly errors: string[];
    /** What the program has exported. */
    outputs(): TreeObject;
    stop(): void;
}

export async function startFakeEngine(): Promise<FakeEngine> {
    const errors: string[] = [];
    let outputs: TreeObject = {};
    const engine = await serve({
        definition: engineGrpc.EngineService,
        implementation: {
            log: handler((request: LogRequest) => {
                if (request.getSeverity() === enginePb.LogSeverity.ERROR) {
                    errors.push(request.getMessage());
                }
                return new emptyPb.Empty();
            }),
            getRootResource: handler(() => new enginePb.GetRootResourceResponse()),
            setRootResource: handler(() => new enginePb.SetRootResourceResponse()),
        },
    });
    const monitor = await serve({
        definition: resourceGrpc.ResourceMonitorService,
        implementation: {
            supportsFeature: handler(() => {
                const response = new resourcePb.SupportsFeatureResponse();
                response.setHassupport(true);
                return response;
            }),
            registerResource: handler((request: RegisterResourceRequest) => {
                const response = new resourcePb.RegisterResourceResponse();
                response.setUrn(`urn:pulumi:s::p::${request.getType()}::${request.getName()}`);
                response.setObject(request.getObject());
                return response;
            }),
            registerResourceOutputs: handler(
                (request: InstanceType<typeof resourcePb.RegisterResourceOutputsRequest>) => {
                    outputs = fromStruct(request.getOutputs());
                    return new emptyPb.Empty();
                },
            ),
            signalAndWaitForShutdown: handler(() => new emptyPb.Empty()),
        },
    });
    return {
        monitor: `127.0.0.1:${monitor.port}`,
        engine: `127.0.0.1:${engine.port}`,
        errors,
        outputs: () => outputs,
        stop: () => {
            monitor.stop();
            engine.stop();
        },
    };
}
