// Runs a resource's transforms over its registration, before the engine looks at it: first its own, then
// those of its parents, then the stack's.

import resourceProto from "@pulumi/pulumi/proto/resource_pb.js";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import type {
    RegisterResourceRequest,
    TransformResourceOptions,
} from "@pulumi/pulumi/proto/resource_pb.js";
import type { Callbacks } from "./callbacks.js";

export async function applyTransforms(
    request: RegisterResourceRequest,
    transforms: readonly Callback[],
    callbacks: Callbacks,
): Promise<void> {
    for (const transform of transforms) {
        const call = new resourceProto.TransformRequest();
        call.setType(request.getType());
        call.setName(request.getName());
        call.setCustom(request.getCustom());
        call.setParent(request.getParent());
        call.setProperties(request.getObject());
        call.setOptions(optionsOf(request));
        const answer = await callbacks.transform(transform, call);
        request.setObject(answer.getProperties() ?? request.getObject());
        const options = answer.getOptions();
        if (options !== undefined) {
            takeOptions(request, options);
        }
    }
}

function optionsOf(request: RegisterResourceRequest): TransformResourceOptions {
    const options = new resourceProto.TransformResourceOptions();
    options.setDependsOnList(request.getDependenciesList());
    if (request.hasProtect()) {
        options.setProtect(request.getProtect()!);
    }
    options.setIgnoreChangesList(request.getIgnorechangesList());
    options.setReplaceOnChangesList(request.getReplaceonchangesList());
    options.setVersion(request.getVersion());
    options.setAliasesList(request.getAliasesList());
    options.setProvider(request.getProvider());
    options.setCustomTimeouts(request.getCustomtimeouts());
    options.setPluginDownloadUrl(request.getPlugindownloadurl());
    if (request.hasRetainondelete()) {
        options.setRetainOnDelete(request.getRetainondelete()!);
    }
    options.setDeletedWith(request.getDeletedwith());
    if (request.getDeletebeforereplacedefined()) {
        options.setDeleteBeforeReplace(request.getDeletebeforereplace());
    }
    options.setAdditionalSecretOutputsList(request.getAdditionalsecretoutputsList());
    request.getProvidersMap().forEach((reference, name) => {
        options.getProvidersMap().set(name, reference);
    });
    options.setHooks(request.getHooks());
    options.setImport(request.getImportid());
    options.setHideDiffList(request.getHidediffsList());
    options.setReplaceWithList(request.getReplaceWithList());
    options.setReplacementTrigger(request.getReplacementTrigger());
    return options;
}

function takeOptions(request: RegisterResourceRequest, options: TransformResourceOptions): void {
    request.setDependenciesList(options.getDependsOnList());
    if (options.hasProtect()) {
        request.setProtect(options.getProtect()!);
    }
    request.setIgnorechangesList(options.getIgnoreChangesList());
    request.setReplaceonchangesList(options.getReplaceOnChangesList());
    request.setVersion(options.getVersion());
    request.setAliasesList(options.getAliasesList());
    request.setProvider(options.getProvider());
    request.setCustomtimeouts(options.getCustomTimeouts());
    request.setPlugindownloadurl(options.getPluginDownloadUrl());
    if (options.hasRetainOnDelete()) {
        request.setRetainondelete(options.getRetainOnDelete()!);
    }
    request.setDeletedwith(options.getDeletedWith());
    request.setDeletebeforereplacedefined(options.hasDeleteBeforeReplace());
    request.setDeletebeforereplace(options.getDeleteBeforeReplace() ?? false);
    request.setAdditionalsecretoutputsList(options.getAdditionalSecretOutputsList());
    const providers = request.getProvidersMap();
    providers.clear();
    options.getProvidersMap().forEach((reference, name) => {
        providers.set(name, reference);
    });
    request.setHooks(options.getHooks());
    request.setImportid(options.getImport());
    request.setHidediffsList(options.getHideDiffList());
    request.setReplaceWithList(options.getReplaceWithList());
    request.setReplacementTrigger(options.getReplacementTrigger());
}
