// The ResourceProvider gRPC service of the Kubernetes stand-in.

import grpc from "@grpc/grpc-js";
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
import { handler, PluginError, unsupported } from "../grpc-handler.js";
import { fromStruct, toStruct } from "../property-tree.js";
import { planResponse } from "../plan.js";
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
import { emptyPb, providerGrpc, providerPb } from "../protocol.js";
import type { Service } from "../serve.js";
import { checkConfiguration, diffConfiguration } from "./configuration.js";
import { KubernetesProvider } from "./provider.js";

const NAMED_STAND_IN =
    "This is the sandbox's stand-in for Pulumi's Kubernetes provider (sandbox/pulumi/README.md), not the real one.";

const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;

function checkConfig(request: CheckRequest) {
    const response = new providerPb.CheckResponse();
    response.setInputs(request.getNews());
    for (const { property, reason } of checkConfiguration(fromStruct(request.getNews()))) {
        response.addFailures(checkFailure(property, reason));
    }
    return response;
}

function diffConfig(request: DiffRequest) {
    // Newer engines send the inputs apart from the state; for a provider they are the same.
    const olds = request.getOldInputs() ?? request.getOlds();
    const { changed, replaces } = diffConfiguration(
        fromStruct(olds),
        fromStruct(request.getNews()),
    );
    const response = new providerPb.DiffResponse();
    response.setChanges(changed.length === 0 ? DIFF_NONE : DIFF_SOME);
    response.setDiffsList([...changed]);
    response.setReplacesList([...replaces]);
    return response;
}

async function diff(provider: KubernetesProvider, request: DiffRequest) {
    const found = await provider.diff(
        request.getUrn(),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        request.getIgnorechangesList(),
    );
    return planResponse(found);
}

async function create(provider: KubernetesProvider, request: CreateRequest) {
    const made = await provider.create(
        request.getUrn(),
        fromStruct(request.getProperties()),
        request.getTimeout(),
        request.getPreview(),
    );
    return createResponse(made);
}

async function update(provider: KubernetesProvider, request: UpdateRequest) {
    const properties = await provider.update(
        request.getUrn(),
        fromStruct(request.getOlds()),
        fromStruct(request.getNews()),
        request.getIgnorechangesList(),
        request.getTimeout(),
        request.getPreview(),
    );
    return updateResponse(properties);
}

async function read(provider: KubernetesProvider, request: ReadRequest) {
    const found = await provider.read(
        request.getUrn(),
        request.getId(),
        fromStruct(request.getProperties()),
        fromStruct(request.getInputs()),
    );
    return readResponse(found);
}

export function kubernetesService(version: string, engineAddress?: string): Service {
    const provider = new KubernetesProvider(silentLog);
    const introduction: Introduction = {
        name: "kubernetes",
        version,
        description: NAMED_STAND_IN,
        namesByEngine: true,
        engineAddress,
        logsTo: (log) => (provider.log = log),
    };
    const implementation: grpc.UntypedServiceImplementation = {
        ...introduce(introduction),
        checkConfig: handler(checkConfig),
        diffConfig: handler(diffConfig),
        configure: handler(async (request: ConfigureRequest) => {
            provider.log.debug(NAMED_STAND_IN);
            await provider.configure(configurationOf(request));
            return configureResponse(introduction);
        }),
        check: handler(async (request: CheckRequest) => {
            const olds = request.getOlds();
            const response = new providerPb.CheckResponse();
            const inputs = await provider.check(
                request.getUrn(),
                olds === undefined ? undefined : fromStruct(olds),
                fromStruct(request.getNews()),
                request.getRandomseed_asU8(),
                namingOf(request),
            );
            response.setInputs(toStruct(inputs));
            return response;
        }),
        diff: handler((request: DiffRequest) => diff(provider, request)),
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
            throw new PluginError(
                `${request.getTok()} is not supported by the sandbox's stand-in for Pulumi's Kubernetes provider: it has no Helm, no Kustomize and no YAML decoding. Declare the objects as resources.`,
                grpc.status.UNIMPLEMENTED,
            );
        }),
        construct: unsupported(
            "Components of the Kubernetes provider (Helm charts, Kustomize directories, YAML files) are not supported by the sandbox's stand-in for it.",
        ),
        call: unsupported("The Kubernetes provider has no methods to call."),
        parameterize: unsupported(
            "The sandbox's stand-in for Pulumi's Kubernetes provider takes no parameters (no SDKs from CRDs).",
        ),
    };
    return { definition: providerGrpc.ResourceProviderService, implementation };
}
