// Calls back into the running program: its resource hooks, error hooks and transforms.

import callbackProto from "@pulumi/pulumi/proto/callback_pb.js";
import callbackService from "@pulumi/pulumi/proto/callback_grpc_pb.js";
import resourceProto from "@pulumi/pulumi/proto/resource_pb.js";
import { credentials } from "@grpc/grpc-js";
import structProto from "google-protobuf/google/protobuf/struct_pb.js";
import type { Callback } from "@pulumi/pulumi/proto/callback_pb.js";
import type { CallbacksClient } from "@pulumi/pulumi/proto/callback_grpc_pb.js";
import type {
    RegisterErrorHookRequest,
    RegisterResourceHookRequest,
    TransformRequest,
    TransformResponse,
} from "@pulumi/pulumi/proto/resource_pb.js";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb.js";
import type { Registration } from "./registration.js";
import { encodeProperties, type PropertyMap } from "./values.js";

interface Hook {
    callback: Callback;
    onDryRun: boolean;
    ignoreErrors: boolean;
}

/** What a hook is told. What is undefined does not exist at that moment. */
export interface HookArguments {
    newInputs?: PropertyMap | undefined;
    oldInputs?: PropertyMap | undefined;
    newOutputs?: PropertyMap | undefined;
    oldOutputs?: PropertyMap | undefined;
}

export class Callbacks {
    private readonly clients = new Map<string, CallbacksClient>();
    private readonly hooks = new Map<string, Hook>();
    private readonly errorHooks = new Map<string, Callback>();

    /** Throws where the name is taken. */
    registerHook(request: RegisterResourceHookRequest): void {
        this.refuseTaken(request.getName());
        this.hooks.set(request.getName(), {
            callback: request.getCallback()!,
            onDryRun: request.getOnDryRun(),
            ignoreErrors: request.getIgnoreErrors(),
        });
    }

    registerErrorHook(request: RegisterErrorHookRequest): void {
        this.refuseTaken(request.getName());
        this.errorHooks.set(request.getName(), request.getCallback()!);
    }

    private refuseTaken(name: string): void {
        if (this.hooks.has(name) || this.errorHooks.has(name)) {
            throw new Error(`resource hook already registered for name "${name}"`);
        }
    }

    hook(name: string): Hook | undefined {
        return this.hooks.get(name);
    }

    /** Calls a hook; what it threw, or undefined. */
    async callHook(
        hook: Hook,
        registration: Registration,
        args: HookArguments,
    ): Promise<string | undefined> {
        const request = new resourceProto.ResourceHookRequest();
        request.setUrn(registration.urn);
        request.setId(registration.id);
        request.setName(registration.name);
        request.setType(registration.type);
        request.setNewInputs(structOf(args.newInputs));
        request.setOldInputs(structOf(args.oldInputs));
        request.setNewOutputs(structOf(args.newOutputs));
        request.setOldOutputs(structOf(args.oldOutputs));
        const answer = resourceProto.ResourceHookResponse.deserializeBinary(
            await this.call(hook.callback, request.serializeBinary()),
        );
        return answer.getError() === "" ? undefined : answer.getError();
    }

    /** Calls an error hook: whether to try the failed operation again. */
    async callErrorHook(
        name: string,
        registration: Registration,
        failed: { operation: string; errors: string[] } & HookArguments,
    ): Promise<boolean> {
        const callback = this.errorHooks.get(name);
        if (callback === undefined) {
            throw new Error(`error hook "${name}" was not registered`);
        }
        const request = new resourceProto.ErrorHookRequest();
        request.setUrn(registration.urn);
        request.setId(registration.id);
        request.setName(registration.name);
        request.setType(registration.type);
        request.setNewInputs(structOf(failed.newInputs));
        request.setOldInputs(structOf(failed.oldInputs));
        request.setOldOutputs(structOf(failed.oldOutputs));
        request.setFailedOperation(failed.operation);
        request.setErrorsList(failed.errors);
        const answer = resourceProto.ErrorHookResponse.deserializeBinary(
            await this.call(callback, request.serializeBinary()),
        );
        if (answer.getError() !== "") {
            throw new Error(`error hook "${name}" failed: ${answer.getError()}`);
        }
        return answer.getRetry();
    }

    async transform(callback: Callback, request: TransformRequest): Promise<TransformResponse> {
        const answer = await this.call(callback, request.serializeBinary());
        return resourceProto.TransformResponse.deserializeBinary(answer);
    }

    private call(callback: Callback, request: Uint8Array): Promise<Uint8Array> {
        const call = new callbackProto.CallbackInvokeRequest();
        call.setToken(callback.getToken());
        call.setRequest(request);
        return new Promise((resolve, reject) => {
            this.clientOf(callback.getTarget()).invoke(call, (error, response) => {
                if (error !== null) {
                    reject(new Error(error.details));
                } else {
                    resolve(response.getResponse_asU8());
                }
            });
        });
    }

    private clientOf(target: string): CallbacksClient {
        let client = this.clients.get(target);
        if (client === undefined) {
            client = new callbackService.CallbacksClient(target, credentials.createInsecure());
            this.clients.set(target, client);
        }
        return client;
    }

    close(): void {
        for (const client of this.clients.values()) {
            client.close();
        }
    }
}

export function structOf(properties: PropertyMap): Struct;
export function structOf(properties: PropertyMap | undefined): Struct | undefined;
export function structOf(properties: PropertyMap | undefined): Struct | undefined {
    return properties === undefined
        ? undefined
        : structProto.Struct.fromJavaScript(encodeProperties(properties));
}
