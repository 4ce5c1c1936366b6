// Reads the engine protocol's requests into registrations.

import type { Alias } from "@pulumi/pulumi/proto/alias_pb.js";
import type {
    ReadResourceRequest,
    RegisterResourceRequest,
} from "@pulumi/pulumi/proto/resource_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import type { CustomTimeouts, HookMoment, Registration } from "./registration.js";
import type { AliasSpec } from "./urn.js";
import { decodeProperties, decodeValue, type PropertyMap } from "./values.js";

export function propertiesOf(struct: Struct | undefined): PropertyMap {
    return decodeProperties(struct?.toJavaScript());
}

/** A registration with everything left at its default. */
export function blankRegistration(urn: string, type: string, name: string): Registration {
    return {
        urn,
        type,
        name,
        inputs: {},
        checkedInputs: {},
        outputs: {},
        parent: "",
        dependencies: [],
        propertyDependencies: {},
        protect: false,
        aliases: [],
        ignoreChanges: [],
        customTimeouts: {},
        deleteBeforeReplace: undefined,
        retainOnDelete: false,
        deletedWith: "",
        replaceWith: [],
        replaceOnChanges: [],
        replacementTrigger: undefined,
        additionalSecretOutputs: [],
        hideDiffs: [],
        provider: "",
        providers: {},
        version: "",
        hooks: {},
        custom: true,
        managed: true,
        id: "",
        importId: "",
        generation: 0,
        initError: undefined,
    };
}

export function registrationOf(urn: string, request: RegisterResourceRequest): Registration {
    const inputs = propertiesOf(request.getObject());
    const trigger = request.getReplacementTrigger();
    return {
        ...blankRegistration(urn, request.getType(), request.getName()),
        inputs,
        checkedInputs: inputs,
        parent: request.getParent(),
        dependencies: request.getDependenciesList(),
        propertyDependencies: propertyDependenciesOf(request),
        protect: request.getProtect() ?? false,
        ignoreChanges: request.getIgnorechangesList(),
        customTimeouts: customTimeoutsOf(request),
        deleteBeforeReplace: request.getDeletebeforereplacedefined()
            ? request.getDeletebeforereplace()
            : undefined,
        retainOnDelete: request.getRetainondelete() ?? false,
        deletedWith: request.getDeletedwith(),
        replaceWith: request.getReplaceWithList(),
        replaceOnChanges: request.getReplaceonchangesList(),
        replacementTrigger: trigger === undefined ? undefined : decodeValue(trigger.toJavaScript()),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        hideDiffs: request.getHidediffsList(),
        provider: request.getProvider(),
        providers: Object.fromEntries(request.getProvidersMap().toObject()),
        version: request.getVersion(),
        hooks: hooksOf(request),
        custom: request.getCustom(),
        importId: request.getImportid(),
    };
}

export function registrationOfRead(urn: string, request: ReadResourceRequest): Registration {
    const inputs = propertiesOf(request.getProperties());
    return {
        ...blankRegistration(urn, request.getType(), request.getName()),
        inputs,
        checkedInputs: inputs,
        parent: request.getParent(),
        dependencies: request.getDependenciesList(),
        additionalSecretOutputs: request.getAdditionalsecretoutputsList(),
        provider: request.getProvider(),
        version: request.getVersion(),
        managed: false,
        id: request.getId(),
    };
}

function propertyDependenciesOf(request: RegisterResourceRequest): Record<string, string[]> {
    const dependencies: Record<string, string[]> = {};
    request.getPropertydependenciesMap().forEach((urns, property) => {
        dependencies[property] = urns.getUrnsList();
    });
    return dependencies;
}

function customTimeoutsOf(request: RegisterResourceRequest): CustomTimeouts {
    const timeouts = request.getCustomtimeouts()?.toObject();
    return Object.fromEntries(
        Object.entries(timeouts ?? {}).filter(([, duration]) => duration !== ""),
    );
}

function hooksOf(request: RegisterResourceRequest): Registration["hooks"] {
    const bound = request.getHooks();
    if (bound === undefined) {
        return {};
    }
    const moments: [HookMoment, string[]][] = [
        ["beforeCreate", bound.getBeforeCreateList()],
        ["afterCreate", bound.getAfterCreateList()],
        ["beforeUpdate", bound.getBeforeUpdateList()],
        ["afterUpdate", bound.getAfterUpdateList()],
        ["beforeDelete", bound.getBeforeDeleteList()],
        ["afterDelete", bound.getAfterDeleteList()],
        ["onError", bound.getOnErrorList()],
    ];
    return Object.fromEntries(moments.filter(([, names]) => names.length > 0));
}

export function aliasSpecOf(alias: Alias): AliasSpec {
    if (alias.hasUrn()) {
        return { urn: alias.getUrn() };
    }
    const spec = alias.getSpec()!;
    return {
        name: spec.getName(),
        type: spec.getType(),
        stack: spec.getStack(),
        project: spec.getProject(),
        parent: spec.hasParenturn() ? spec.getParenturn() : "",
        noParent: spec.hasNoparent() && spec.getNoparent(),
    };
}
