// A provider under test behind its real gRPC service, with an engine that only takes log messages.
// Everything goes over the wire as it does from the CLI, so that what is in a response is seen as
// the engine sees it.

import grpc from "@grpc/grpc-js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb.js";
import type {
    CheckResponse,
    ConfigureResponse,
    CreateResponse,
    DiffResponse,
    InvokeResponse,
    ReadResponse,
    UpdateResponse,
} from "@pulumi/pulumi/proto/provider_pb.js";
import type { LogRequest } from "@pulumi/pulumi/proto/engine_pb.js";
import { handler } from "../../sandbox/pulumi/grpc-handler.js";
import { fromStruct, toStruct, type TreeObject } from "../../sandbox/pulumi/property-tree.js";
import { emptyPb, engineGrpc, providerGrpc, providerPb } from "../../sandbox/pulumi/protocol.js";
import { serve, type Service } from "../../sandbox/pulumi/serve.js";

export interface PlannedDiff {
    readonly changes: Readonly<Record<string, string>>;
    readonly replaces: readonly string[];
    readonly deleteBeforeReplace: boolean;
    readonly isChanged: boolean;
}

/** The state that comes with the error of an object that is there but not ready. */
export interface Partial {
    readonly id: string;
    readonly properties: TreeObject;
    readonly inputs: TreeObject;
    readonly reasons: readonly string[];
}

export class ProviderFailure extends Error {
    constructor(
        message: string,
        readonly partial: Partial | undefined,
        readonly code: grpc.status,
    ) {
        super(message);
    }
}

function partialIn(error: grpc.ServiceError): Partial | undefined {
    const [details] = error.metadata.get("grpc-status-details-bin");
    if (!Buffer.isBuffer(details)) return undefined;
    const [any] = statusPb.Status.deserializeBinary(details).getDetailsList();
    const detail = providerPb.ErrorResourceInitFailed.deserializeBinary(any!.getValue_asU8());
    return {
        id: detail.getId(),
        properties: fromStruct(detail.getProperties()),
        inputs: fromStruct(detail.getInputs()),
        reasons: detail.getReasonsList(),
    };
}

type Done<Response> = (error: grpc.ServiceError | null, response: Response) => void;

function ask<Response>(call: (done: Done<Response>) => unknown): Promise<Response> {
    return new Promise((resolve, reject) => {
        call((error, response) => {
            if (error === null) resolve(response);
            else reject(new ProviderFailure(error.details, partialIn(error), error.code));
        });
    });
}

const KINDS = ["add", "addReplace", "delete", "deleteReplace", "update", "updateReplace"];

export interface ProviderUnderTest {
    /** What the user would be told, in order. */
    readonly messages: string[];
    configure(args: TreeObject): Promise<void>;
    checkConfig(args: TreeObject): Promise<readonly string[]>;
    diffConfig(olds: TreeObject, news: TreeObject): Promise<PlannedDiff>;
    check(urn: string, news: TreeObject, olds?: TreeObject): Promise<TreeObject>;
    /** `state` is what create, update or read gave; `oldInputs` are only read by some providers. */
    diff(
        urn: string,
        state: TreeObject,
        news: TreeObject,
        options?: { ignoreChanges?: string[]; oldInputs?: TreeObject },
    ): Promise<PlannedDiff>;
    create(
        urn: string,
        inputs: TreeObject,
        options?: { preview?: boolean; timeout?: number },
    ): Promise<{ id: string; properties: TreeObject }>;
    update(
        urn: string,
        state: TreeObject,
        news: TreeObject,
        options?: {
            /** Only read by some providers, as the old inputs. */
            id?: string;
            oldInputs?: TreeObject;
            preview?: boolean;
            timeout?: number;
            ignoreChanges?: string[];
        },
    ): Promise<TreeObject>;
    read(
        urn: string,
        id: string,
        state?: TreeObject,
        inputs?: TreeObject,
    ): Promise<{ id: string; properties: TreeObject; inputs: TreeObject }>;
    delete(urn: string, id: string, state: TreeObject, timeout?: number): Promise<void>;
    invoke(token: string, args?: TreeObject): Promise<TreeObject>;
    cancel(): Promise<void>;
    stop(): void;
}

export async function startProvider(
    makeService: (version: string, engineAddress: string) => Service,
): Promise<ProviderUnderTest> {
    const messages: string[] = [];
    const engine = await serve({
        definition: engineGrpc.EngineService,
        implementation: {
            log: handler((request: LogRequest) => {
                messages.push(request.getMessage());
                return new emptyPb.Empty();
            }),
        },
    });
    const serving = await serve(makeService("0.0.0", `127.0.0.1:${engine.port}`));
    const client = new providerGrpc.ResourceProviderClient(
        `127.0.0.1:${serving.port}`,
        grpc.credentials.createInsecure(),
    );
    const planOf = (response: DiffResponse): PlannedDiff => ({
        changes: Object.fromEntries(
            [...response.getDetaileddiffMap().entries()].map(([path, change]) => [
                path,
                KINDS[change.getKind()]!,
            ]),
        ),
        replaces: response.getReplacesList(),
        deleteBeforeReplace: response.getDeletebeforereplace(),
        isChanged: response.getChanges() === providerPb.DiffResponse.DiffChanges.DIFF_SOME,
    });
    return {
        messages,
        configure: async (args) => {
            const request = new providerPb.ConfigureRequest();
            request.setArgs(toStruct(args));
            request.setAcceptsecrets(true);
            await ask<ConfigureResponse>((done) => client.configure(request, done));
        },
        checkConfig: async (args) => {
            const request = new providerPb.CheckRequest();
            request.setNews(toStruct(args));
            const response = await ask<CheckResponse>((done) => client.checkConfig(request, done));
            return response.getFailuresList().map((failure) => failure.getReason());
        },
        diffConfig: async (olds, news) => {
            const request = new providerPb.DiffRequest();
            request.setOlds(toStruct(olds));
            request.setNews(toStruct(news));
            return planOf(await ask<DiffResponse>((done) => client.diffConfig(request, done)));
        },
        check: async (urn, news, olds) => {
            const request = new providerPb.CheckRequest();
            request.setUrn(urn);
            request.setNews(toStruct(news));
            if (olds !== undefined) request.setOlds(toStruct(olds));
            const response = await ask<CheckResponse>((done) => client.check(request, done));
            const failures = response.getFailuresList().map((failure) => failure.getReason());
            if (failures.length > 0) throw new Error(failures.join("\n"));
            return fromStruct(response.getInputs());
        },
        diff: async (urn, state, news, options = {}) => {
            const request = new providerPb.DiffRequest();
            request.setUrn(urn);
            request.setOlds(toStruct(state));
            request.setNews(toStruct(news));
            request.setOldInputs(toStruct(options.oldInputs ?? {}));
            request.setIgnorechangesList(options.ignoreChanges ?? []);
            return planOf(await ask<DiffResponse>((done) => client.diff(request, done)));
        },
        create: async (urn, inputs, options = {}) => {
            const request = new providerPb.CreateRequest();
            request.setUrn(urn);
            request.setProperties(toStruct(inputs));
            request.setPreview(options.preview ?? false);
            request.setTimeout(options.timeout ?? 0);
            const response = await ask<CreateResponse>((done) => client.create(request, done));
            return { id: response.getId(), properties: fromStruct(response.getProperties()) };
        },
        update: async (urn, state, news, options = {}) => {
            const request = new providerPb.UpdateRequest();
            request.setId(options.id ?? "");
            request.setUrn(urn);
            request.setOlds(toStruct(state));
            request.setNews(toStruct(news));
            request.setOldInputs(toStruct(options.oldInputs ?? {}));
            request.setPreview(options.preview ?? false);
            request.setTimeout(options.timeout ?? 0);
            request.setIgnorechangesList(options.ignoreChanges ?? []);
            const response = await ask<UpdateResponse>((done) => client.update(request, done));
            return fromStruct(response.getProperties());
        },
        read: async (urn, id, state = {}, inputs = {}) => {
            const request = new providerPb.ReadRequest();
            request.setUrn(urn);
            request.setId(id);
            request.setProperties(toStruct(state));
            request.setInputs(toStruct(inputs));
            const response = await ask<ReadResponse>((done) => client.read(request, done));
            return {
                id: response.getId(),
                properties: fromStruct(response.getProperties()),
                inputs: fromStruct(response.getInputs()),
            };
        },
        delete: async (urn, id, state, timeout = 0) => {
            const request = new providerPb.DeleteRequest();
            request.setUrn(urn);
            request.setId(id);
            request.setProperties(toStruct(state));
            request.setTimeout(timeout);
            await ask<Empty>((done) => client.delete(request, done));
        },
        invoke: async (token, args = {}) => {
            const request = new providerPb.InvokeRequest();
            request.setTok(token);
            request.setArgs(toStruct(args));
            const response = await ask<InvokeResponse>((done) => client.invoke(request, done));
            return fromStruct(response.getReturn());
        },
        cancel: async () => {
            await ask<Empty>((done) => client.cancel(new emptyPb.Empty(), done));
        },
        stop: () => {
            client.close();
            serving.stop();
            engine.stop();
        },
    };
}

/** A URN of the type, as the engine makes them. */
export function urnOf(type: string, name: string): string {
    return `urn:pulumi:test::stand-ins::${type}::${name}`;
}
