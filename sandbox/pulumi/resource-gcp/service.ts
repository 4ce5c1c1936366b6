// The ResourceProvider gRPC service of the stand-in for Pulumi's gcp provider.

import type grpc from "@grpc/grpc-js";
import type {
    CheckRequest,
    ConfigureRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    InvokeRequest,
    ReadRequest,
    UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import { silentLog } from "../engine-log.js";
import { handler, unsupported } from "../grpc-handler.js";
import { planResponse } from "../plan.js";
import { equalTrees, fromStruct, toStruct } from "../property-tree.js";
import { emptyPb, providerGrpc, providerPb } from "../protocol.js";
import {
    checkFailure,
    configureResponse,
    createResponse,
    introduce,
    readResponse,
    updateResponse,
    type Introduction,
} from "../provider-service.js";
import { configurationOf, namingOf } from "../requests.js";
import type { Service } from "../serve.js";
import { GcpProvider } from "./provider.js";

const NAMED_STAND_IN =
    "This is the sandbox's stand-in for Pulumi's gcp provider (sandbox/pulumi/README.md), not the real one: its cloud is a directory of files.";

const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;

function check(provider: GcpProvider, request: CheckRequest) {
    const { inputs, problems } = provider.check(
        request.getUrn(),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        request.getRandomseed_asU8(),
        namingOf(request),
    );
    const response = new providerPb.CheckResponse();
    response.setInputs(toStruct(inputs));
    response.setFailuresList(
        problems.map(({ property, reason }) => checkFailure(property, reason)),
    );
    return response;
}

/** No argument of the provider replaces anything. */
function diffConfig(request: DiffRequest) {
    const [olds, news] = [fromStruct(request.getOlds()), fromStruct(request.getNews())];
    const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
        (name) => !equalTrees(olds[name], news[name]),
    );
    const response = new providerPb.DiffResponse();
    response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
    response.setDiffsList(changed);
    return response;
}

async function create(provider: GcpProvider, request: CreateRequest) {
    const made = await provider.create(
        request.getUrn(),
        fromStruct(request.getProperties()),
        request.getTimeout(),
        request.getPreview(),
    );
    return createResponse(made);
}

async function update(provider: GcpProvider, request: UpdateRequest) {
    const properties = await provider.update(
        request.getUrn(),
        request.getId(),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        fromStruct(request.getOldInputs()),
        request.getIgnorechangesList(),
        request.getTimeout(),
        request.getPreview(),
    );
    return updateResponse(properties);
}

function read(provider: GcpProvider, request: ReadRequest) {
    const found = provider.read(
        request.getUrn(),
        request.getId(),
        fromStruct(request.getProperties()),
        fromStruct(request.getInputs()),
    );
    return readResponse(found);
}

export function gcpService(version: string, engineAddress?: string): Service {
    const provider = new GcpProvider(silentLog);
    const introduction: Introduction = {
        name: "gcp",
        version,
        description: NAMED_STAND_IN,
        namesByEngine: true,
        engineAddress,
        logsTo: (log) => (provider.log = log),
    };
    const implementation: grpc.UntypedServiceImplementation = {
        ...introduce(introduction),
        checkConfig: handler((request: CheckRequest) => {
            const response = new providerPb.CheckResponse();
            response.setInputs(request.getNews());
            return response;
        }),
        diffConfig: handler(diffConfig),
        configure: handler((request: ConfigureRequest) => {
            provider.log.debug(NAMED_STAND_IN);
            provider.configure(configurationOf(request));
            return configureResponse(introduction);
        }),
        check: handler((request: CheckRequest) => check(provider, request)),
        diff: handler((request: DiffRequest) =>
            planResponse(
                provider.diff(
                    request.getUrn(),
                    fromStruct(request.getOlds()),
                    fromStruct(request.getNews()),
                    fromStruct(request.getOldInputs()),
                    request.getIgnorechangesList(),
                ),
            ),
        ),
        create: handler((request: CreateRequest) => create(provider, request)),
        update: handler((request: UpdateRequest) => update(provider, request)),
        read: handler((request: ReadRequest) => read(provider, request)),
        delete: handler(async (request: DeleteRequest) => {
            await provider.delete(
                request.getUrn(),
                request.getId(),
                fromStruct(request.getProperties()),
                request.getTimeout(),
            );
            return new emptyPb.Empty();
        }),
        cancel: handler(() => {
            provider.cancel();
            return new emptyPb.Empty();
        }),
        invoke: handler((request: InvokeRequest) => {
            const response = new providerPb.InvokeResponse();
            response.setReturn(
                toStruct(provider.invoke(request.getTok(), fromStruct(request.getArgs()))),
            );
            return response;
        }),
        construct: unsupported("The gcp provider has no components."),
        call: unsupported("The gcp provider has no methods to call."),
        parameterize: unsupported("The gcp provider takes no parameters."),
    };
    return { definition: providerGrpc.ResourceProviderService, implementation };
}
