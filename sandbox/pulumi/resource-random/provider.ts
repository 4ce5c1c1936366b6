// Pulumi's random provider, as far as programs of this project use it: the values come from
// node:crypto, and as in the real one a resource keeps its value until an argument changes.

import grpc from "@grpc/grpc-js";
import type {
    CheckRequest,
    CreateRequest,
    DiffRequest,
    ReadRequest,
} from "@pulumi/pulumi/proto/provider_pb.js";
import { silentLog, type EngineLog } from "../engine-log.js";
import { handler, PluginError, unsupported } from "../grpc-handler.js";
import {
    containsUnknown,
    equalTrees,
    fromStruct,
    plainObject,
    secret,
    toStruct,
    UNKNOWN,
    withSecretsLike,
    type TreeObject,
} from "../property-tree.js";
import { emptyPb, providerGrpc, providerPb } from "../protocol.js";
import {
    checkFailure,
    configureResponse,
    introduce,
    type Introduction,
} from "../provider-service.js";
import type { Service } from "../serve.js";
import { urnType } from "../urn.js";
import { kindOf, type RandomKind } from "./kinds.js";

const NAMED_STAND_IN =
    "This is the sandbox's stand-in for Pulumi's random provider (sandbox/pulumi/README.md), not the real one.";

/** The arguments with their defaults, the outputs beside them, and everything secret marked. */
function stateOf(kind: RandomKind, inputs: TreeObject, outputs: TreeObject): TreeObject {
    const marked = withSecretsLike(kind.withDefaults(plainObject(inputs)), inputs) as TreeObject;
    const values = Object.entries(outputs).map(([name, value]) => [
        name,
        kind.secrets.includes(name) ? secret(value) : value,
    ]);
    return { ...marked, ...(Object.fromEntries(values) as TreeObject) };
}

function check(request: CheckRequest) {
    const kind = kindOf(urnType(request.getUrn()));
    const inputs = fromStruct(request.getNews());
    const response = new providerPb.CheckResponse();
    response.setInputs(toStruct(inputs));
    for (const name of kind.required.filter((required) => inputs[required] === undefined)) {
        response.addFailures(checkFailure(name, `"${name}" is required.`));
    }
    return response;
}

/** Every change of an argument makes a new value: there is nothing to update in place. */
function diff(request: DiffRequest) {
    const kind = kindOf(urnType(request.getUrn()));
    const olds = kind.withDefaults(plainObject(fromStruct(request.getOldInputs())));
    const news = kind.withDefaults(plainObject(fromStruct(request.getNews())));
    const response = new providerPb.DiffResponse();
    const ignored = request.getIgnorechangesList();
    for (const key of new Set([...Object.keys(olds), ...Object.keys(news)])) {
        if (ignored.includes(key) || equalTrees(olds[key], news[key])) continue;
        const change = new providerPb.PropertyDiff();
        const { ADD_REPLACE, DELETE_REPLACE, UPDATE_REPLACE } = providerPb.PropertyDiff.Kind;
        if (olds[key] === undefined) change.setKind(ADD_REPLACE);
        else change.setKind(news[key] === undefined ? DELETE_REPLACE : UPDATE_REPLACE);
        change.setInputdiff(true);
        response.addDiffs(key);
        response.addReplaces(key);
        response.getDetaileddiffMap().set(key, change);
    }
    const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
    response.setChanges(response.getReplacesList().length === 0 ? DIFF_NONE : DIFF_SOME);
    response.setHasdetaileddiff(true);
    return response;
}

function create(request: CreateRequest) {
    const kind = kindOf(urnType(request.getUrn()));
    const inputs = fromStruct(request.getProperties());
    const response = new providerPb.CreateResponse();
    if (request.getPreview() || containsUnknown(inputs)) {
        const unknown = Object.fromEntries(kind.outputs.map((name) => [name, UNKNOWN]));
        response.setProperties(toStruct(stateOf(kind, inputs, unknown)));
        return response;
    }
    const made = kind.make(kind.withDefaults(plainObject(inputs)));
    response.setId(made.id);
    response.setProperties(toStruct(stateOf(kind, inputs, made.outputs)));
    return response;
}

/** A random value exists nowhere but in the state, so what is read is what was written there. */
function read(request: ReadRequest) {
    const state = fromStruct(request.getProperties());
    if (Object.keys(state).length === 0) {
        throw new PluginError(
            "The sandbox's stand-in for Pulumi's random provider cannot import a value that is not in the state.",
        );
    }
    const response = new providerPb.ReadResponse();
    response.setId(request.getId());
    response.setProperties(toStruct(state));
    response.setInputs(request.getInputs());
    return response;
}

export function randomProvider(version: string, engineAddress?: string): Service {
    let log: EngineLog = silentLog;
    const introduction: Introduction = {
        name: "random",
        version,
        description: NAMED_STAND_IN,
        namesByEngine: false,
        engineAddress,
        logsTo: (next) => (log = next),
    };
    const noComponents = "The random provider has no components and no functions.";
    const implementation: grpc.UntypedServiceImplementation = {
        ...introduce(introduction),
        checkConfig: handler((request: CheckRequest) => {
            const response = new providerPb.CheckResponse();
            response.setInputs(request.getNews());
            return response;
        }),
        diffConfig: handler(() => new providerPb.DiffResponse()),
        configure: handler(() => {
            log.debug(NAMED_STAND_IN);
            return configureResponse(introduction);
        }),
        check: handler(check),
        diff: handler(diff),
        create: handler(create),
        read: handler(read),
        update: unsupported("A random resource is never updated in place."),
        delete: handler(() => new emptyPb.Empty()),
        cancel: handler(() => new emptyPb.Empty()),
        invoke: unsupported(noComponents),
        call: unsupported(noComponents),
        construct: unsupported(noComponents),
        parameterize: unsupported("The random provider takes no parameters."),
    };
    return { definition: providerGrpc.ResourceProviderService, implementation };
}
