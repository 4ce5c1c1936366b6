// The ResourceProvider gRPC service of the stand-in for Pulumi's gcp provider.

import grpc from "@grpc/grpc-js";
import type {
    CheckRequest,
    ConfigureRequest,
    CreateRequest,
    DeleteRequest,
    DiffRequest,
    InvokeRequest,
    ProviderHandshakeRequest,
    ReadRequest,
    UpdateRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import { connectEngineLog, silentLog } from "../engine-log.js";
import { handler, unsupported } from "../grpc-handler.js";
import { planResponse } from "../plan.js";
import { equalTrees, fromStruct, toStruct } from "../property-tree.js";
import { emptyPb, pluginPb, providerGrpc, providerPb } from "../protocol.js";
import { configurationOf, namingOf } from "../requests.js";
import type { Service } from "../serve.js";
import type { Problem } from "./kind.js";
import { GcpProvider } from "./provider.js";

const NAMED_STAND_IN =
    "This is the sandbox's stand-in for Pulumi's gcp provider (sandbox/pulumi/README.md), not the real one: its cloud is a directory of files.";

const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;

function checkFailure({ property, reason }: Problem) {
    const failure = new providerPb.CheckFailure();
    failure.setProperty(property);
    failure.setReason(reason);
    return failure;
}

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
    response.setFailuresList(problems.map(checkFailure));
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
    const response = new providerPb.CreateResponse();
    response.setId(made.id);
    response.setProperties(toStruct(made.properties));
    return response;
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
    const response = new providerPb.UpdateResponse();
    response.setProperties(toStruct(properties));
    return response;
}

function read(provider: GcpProvider, request: ReadRequest) {
    const found = provider.read(
        request.getUrn(),
        request.getId(),
        fromStruct(request.getProperties()),
        fromStruct(request.getInputs()),
    );
    const response = new providerPb.ReadResponse();
    response.setId(found.id);
    if (found.id === "") return response;
    response.setProperties(toStruct(found.properties));
    response.setInputs(toStruct(found.inputs));
    return response;
}

export function gcpService(version: string, engineAddress?: string): Service {
    const provider = new GcpProvider(silentLog);
    const connect = (address: string) => {
        provider.log.close();
        provider.log = connectEngineLog(address);
    };
    if (engineAddress !== undefined) connect(engineAddress);
    const implementation: grpc.UntypedServiceImplementation = {
        handshake: handler((request: ProviderHandshakeRequest) => {
            if (request.getEngineAddress() !== "") connect(request.getEngineAddress());
            const response = new providerPb.ProviderHandshakeResponse();
            response.setAcceptSecrets(true);
            response.setSupportsAutonamingConfiguration(true);
            return response;
        }),
        getPluginInfo: handler(() => {
            const info = new pluginPb.PluginInfo();
            info.setVersion(version);
            return info;
        }),
        getSchema: handler(() => {
            const response = new providerPb.GetSchemaResponse();
            response.setSchema(
                JSON.stringify({ name: "gcp", version, description: NAMED_STAND_IN }),
            );
            return response;
        }),
        checkConfig: handler((request: CheckRequest) => {
            const response = new providerPb.CheckResponse();
            response.setInputs(request.getNews());
            return response;
        }),
        diffConfig: handler(diffConfig),
        configure: handler((request: ConfigureRequest) => {
            provider.log.debug(NAMED_STAND_IN);
            provider.configure(configurationOf(request));
            const response = new providerPb.ConfigureResponse();
            response.setAcceptsecrets(true);
            response.setSupportspreview(true);
            response.setSupportsAutonamingConfiguration(true);
            return response;
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
        attach: unsupported("This stand-in is always started by the CLI."),
        getMapping: handler(() => new providerPb.GetMappingResponse()),
        getMappings: handler(() => new providerPb.GetMappingsResponse()),
    };
    return { definition: providerGrpc.ResourceProviderService, implementation };
}
