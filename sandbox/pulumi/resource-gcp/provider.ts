// Pulumi's gcp provider as far as programs of this project use it: each operation of the engine on
// the directory of files that stands in for Google Cloud. How they come over the wire is in service.ts.

import { machinesOf } from "../../cloud/status.js";
import { Cloud, CLOUD_VARIABLE, type CloudResource } from "../../cloud/store.js";
import type { EngineLog } from "../engine-log.js";
import { PluginError } from "../grpc-handler.js";
import { partialFailure } from "../partial-failure.js";
import { formatPath } from "../property-path.js";
import { isUnknown, plainObject, withSecretsLike, type TreeObject } from "../property-tree.js";
import { GONE, type Found, type Made } from "../provider-service.js";
import type { Plan } from "../plan.js";
import type { EngineNaming } from "../requests.js";
import { urnName, urnType } from "../urn.js";
import { readConfiguration, type Configuration } from "./configuration.js";
import { changesOf, DEFAULTED, planOf, type Change } from "./diff.js";
import { REQUIRED } from "./force-new.js";
import { invokeFunction } from "./functions.js";
import { fill, fillPath, parseImport } from "./identity.js";
import { inputsInPackage } from "./inputs.js";
import type { Google, Kind, Problem } from "./kind.js";
import { kindOf } from "./kinds/index.js";
import { labelsOfChanged, labelsOfNew } from "./labels.js";
import { madeUpName } from "./names.js";
import { alreadyExists, notFound, STAND_IN } from "./refusal.js";
import { DEFAULTS } from "./schema.js";
import { gone, needsAnotherTry, settled, type Patience } from "./settling.js";
import {
    applied,
    importedInputs,
    refreshedInputs,
    sentToGoogle,
    stateOf,
    stateOnlyOf,
    withSecrets,
} from "./state.js";
import { without } from "./values.js";

export class GcpProvider {
    #google: Google | undefined;
    readonly #cancel = new AbortController();
    readonly #inputs = new Map<string, readonly string[]>();

    constructor(public log: EngineLog) {}

    configure(properties: TreeObject): void {
        const directory = process.env[CLOUD_VARIABLE] ?? "";
        if (directory === "") {
            throw new PluginError(
                `${CLOUD_VARIABLE} is not set: this is ${STAND_IN}, and it needs the directory that the sandbox keeps its cloud in. Run Pulumi by "make up" or "make pulumi", or install Pulumi's own gcp provider for the real Google Cloud.`,
            );
        }
        const cloud = new Cloud(directory);
        this.#google = {
            cloud,
            configuration: readConfiguration(properties),
            machines: () => {
                const machines = machinesOf(cloud);
                if (machines !== undefined) return machines;
                throw new PluginError(
                    `The sandbox's cloud in ${directory} has no machines yet (machines.json): start the sandbox with "make sandbox".`,
                );
            },
        };
    }

    /** Stops every wait. */
    cancel(): void {
        this.#cancel.abort();
    }

    get #configured(): Google {
        if (this.#google === undefined) throw new PluginError("The provider is not configured.");
        return this.#google;
    }

    get #configuration(): Configuration {
        return this.#configured.configuration;
    }

    #inputsOf(type: string): readonly string[] {
        const known = this.#inputs.get(type) ?? inputsInPackage(type);
        this.#inputs.set(type, known);
        return known;
    }

    /** Inputs with a name, and with the schema's defaults. */
    check(
        urn: string,
        olds: TreeObject,
        news: TreeObject,
        seed: Uint8Array,
        naming: EngineNaming | undefined,
    ): { readonly inputs: TreeObject; readonly problems: readonly Problem[] } {
        const kind = kindOf(urnType(urn));
        const plain = plainObject(news);
        const problems = [...this.#shapeProblems(kind, plain), ...(kind.problems?.(plain) ?? [])];
        const defaults = Object.entries(DEFAULTS[kind.type] ?? {}).filter(
            ([name]) => plain[name] === undefined,
        );
        const name = nameOf(kind, urn, plain, plainObject(olds), seed, naming);
        const added: TreeObject = { ...Object.fromEntries(defaults), ...name };
        return {
            inputs: { ...news, ...added, [DEFAULTED]: Object.keys(added).sort() },
            problems,
        };
    }

    #shapeProblems({ type }: Kind, inputs: TreeObject): Problem[] {
        const known = this.#inputsOf(type);
        const unknown = Object.keys(inputs)
            .filter((name) => !name.startsWith("__") && !known.includes(name))
            .map((property) => ({
                property,
                reason: `Invalid or unknown key "${property}": @pulumi/gcp has no such input of ${type}.`,
            }));
        const missing = REQUIRED[type]!.filter((name) => inputs[name] === undefined).map(
            (property) => ({ property, reason: `Missing required argument "${property}".` }),
        );
        return [...unknown, ...missing];
    }

    diff(
        urn: string,
        state: TreeObject,
        news: TreeObject,
        oldInputs: TreeObject,
        ignoreChanges: readonly string[],
    ): Plan {
        const kind = kindOf(urnType(urn));
        return planOf({
            kind,
            inputs: this.#inputsOf(kind.type),
            state: plainObject(state),
            news: plainObject(news),
            oldInputs: plainObject(oldInputs),
            ignoreChanges,
            configuration: this.#configuration,
        });
    }

    /** project, zone, region or location, from the provider's configuration where the program says none. */
    #placed(kind: Kind, inputs: TreeObject): TreeObject {
        const { project, region, zone } = this.#configuration;
        const defaults: Readonly<Record<string, string>> = {
            project,
            region,
            zone,
            location: zone === "" ? region : zone,
        };
        const needed = ["project", ...(kind.place === undefined ? [] : [kind.place])];
        const filled = needed.map((name) => {
            const value = inputs[name] ?? defaults[name]!;
            if (value !== "" || (name === "location" && inputs["cluster"] !== undefined)) {
                return [name, value] as const;
            }
            throw new PluginError(
                `${name}: required field is not set. Give it to ${kind.type}, or to the provider (gcp:${name === "location" ? "region" : name}).`,
            );
        });
        return { ...inputs, ...Object.fromEntries(filled) };
    }

    #patience(urn: string, kind: Kind, seconds: number): Patience {
        return {
            seconds: seconds === 0 ? kind.minutes * 60 : seconds,
            cancelled: this.#cancel.signal,
            tell: (message) => this.log.status(message, urn),
        };
    }

    async create(
        urn: string,
        properties: TreeObject,
        customSeconds: number,
        preview: boolean,
    ): Promise<Made> {
        const google = this.#configured;
        const kind = kindOf(urnType(urn));
        if (preview) return { id: "", properties };
        const inputs = plainObject(properties);
        const { path, id } = await failsAs(`Error creating ${kind.title}`, () =>
            this.#make(kind, this.#placed(kind, inputs)),
        );
        const known =
            kind.labels === undefined
                ? inputs
                : { ...inputs, ...labelsOfNew(inputs, kind.labels, google.configuration) };
        const made = (): Made => ({
            id,
            properties: withSecrets(
                kind,
                stateOf(kind, this.#read(path), known, google),
                properties,
            ),
        });
        if (kind.followed === true) {
            try {
                await settled(google, kind, path, this.#patience(urn, kind, customSeconds));
            } catch (error) {
                throw this.#unfinished(`Error waiting for creating ${kind.title}`, error, made());
            }
        }
        return made();
    }

    #read(path: string): CloudResource {
        const resource = this.#configured.cloud.read(path);
        if (resource === undefined) throw notFound(path);
        return resource;
    }

    /** What is there, but not as it should be, stays in the state. */
    #unfinished(prefix: string, error: unknown, made: Made): PluginError {
        const message = `${prefix}: ${error instanceof Error ? error.message : String(error)}`;
        return partialFailure(message, [message], {
            id: made.id,
            properties: made.properties,
            inputs: undefined,
        });
    }

    #make(kind: Kind, inputs: TreeObject): Promise<{ path: string; id: string }> {
        const google = this.#configured;
        return google.cloud.change((writer) => {
            const given = sentToGoogle(kind.type, kind.create(inputs, google));
            const variables = { ...given, ...kind.variables?.(given) };
            const path = fillPath(kind.path ?? kind.id, variables);
            const id = fill(kind.id, variables);
            const now = google.cloud.read(path);
            if (now !== undefined) {
                if (kind.takesExisting?.(inputs) === true) return { path, id };
                throw alreadyExists(id);
            }
            const labels =
                kind.labels === undefined
                    ? {}
                    : labelsOfNew(inputs, kind.labels, google.configuration);
            const properties = {
                ...given,
                ...labels,
                ...kind.outputs?.(given, id, google),
                ...(kind.madeAt === undefined ? {} : { [kind.madeAt]: new Date().toISOString() }),
            };
            const status = kind.status?.(properties, google) ?? {};
            kind.created?.(google, path, properties);
            writer.write(path, { type: kind.type, id, properties, status });
            return { path, id };
        });
    }

    async update(
        urn: string,
        id: string,
        olds: TreeObject,
        news: TreeObject,
        oldInputs: TreeObject,
        ignoreChanges: readonly string[],
        customSeconds: number,
        preview: boolean,
    ): Promise<TreeObject> {
        const google = this.#configured;
        const kind = kindOf(urnType(urn));
        if (preview) return { ...olds, ...news };
        const [state, inputs] = [plainObject(olds), plainObject(news)];
        const path = this.#pathOf(kind, id);
        const changes = changesOf(
            kind.type,
            this.#inputsOf(kind.type),
            state,
            inputs,
            plainObject(oldInputs),
            ignoreChanges,
        );
        // What is read back: the labels that the program names now, and what only the state knows.
        const known: TreeObject = {
            ...inputs,
            ...(kind.labels === undefined
                ? {}
                : labelsOfChanged(state, inputs, kind.labels, google.configuration)),
        };
        const updated = () =>
            withSecrets(kind, stateOf(kind, this.#read(path), known, google), news);
        try {
            await this.#send(urn, kind, path, changes, inputs, customSeconds);
        } catch (error) {
            const prefix = `Error updating ${kind.title} ${JSON.stringify(id)}`;
            if (google.cloud.read(path) === undefined) throw failure(prefix, error);
            throw this.#unfinished(prefix, error, { id, properties: updated() });
        }
        return updated();
    }

    /** Sends changes in the steps of Terraform's provider, and waits for each. */
    async #send(
        urn: string,
        kind: Kind,
        path: string,
        changes: readonly Change[],
        inputs: TreeObject,
        customSeconds: number,
    ): Promise<void> {
        const google = this.#configured;
        const patience = this.#patience(urn, kind, customSeconds);
        const paths = changes.map((change) => formatPath(change.path));
        const rounds = kind.rounds?.(paths) ?? [paths];
        const isFailed = needsAnotherTry(this.#read(path));
        if (kind.followed === true && !isFailed) await settled(google, kind, path, patience);
        for (const round of rounds.length === 0 ? [[]] : rounds) {
            const part = changes.filter((change) => round.includes(formatPath(change.path)));
            await this.#change(kind, path, part, inputs);
            if (kind.followed === true) await settled(google, kind, path, patience);
        }
    }

    async #change(
        kind: Kind,
        path: string,
        changes: readonly Change[],
        inputs: TreeObject,
    ): Promise<void> {
        const google = this.#configured;
        await google.cloud.change((writer) => {
            const now = this.#read(path);
            const sent = sentToGoogle(kind.type, inputs);
            const properties = applied(now.properties, inSentOnly(changes, sent, kind), sent);
            const labelled =
                kind.labels === undefined
                    ? properties
                    : {
                          ...properties,
                          ...labelsOfChanged(
                              now.properties,
                              inputs,
                              kind.labels,
                              google.configuration,
                          ),
                      };
            const changed = changes.map((change) => formatPath(change.path));
            const next = kind.update?.({ google, path, now, properties: labelled, changed }) ?? {
                ...now,
                properties: labelled,
            };
            const outputs = kind.outputs?.(next.properties, now.id, google);
            const again = needsAnotherTry(next) ? retried(next) : next;
            writer.write(path, { ...again, properties: { ...again.properties, ...outputs } });
        });
    }

    #pathOf(kind: Kind, id: string): string {
        const { project, region, zone } = this.#configuration;
        const variables = kind.parse?.(id) ?? parseImport(kind.id, id, { project, region, zone });
        if (variables === undefined) {
            throw new PluginError(`"${id}" is no id of ${kind.type}: it has the form ${kind.id}.`);
        }
        return fillPath(kind.path ?? kind.id, variables);
    }

    /** As a resource is now: for a refresh with its state and inputs, for an import without. */
    read(urn: string, id: string, olds: TreeObject, oldInputs: TreeObject): Found {
        const google = this.#configured;
        const kind = kindOf(urnType(urn));
        const resource = google.cloud.read(this.#pathOf(kind, id));
        if (resource === undefined || kind.isGone?.(resource) === true) return GONE;
        const isImport = Object.keys(olds).length === 0;
        const state = stateOf(kind, resource, plainObject(olds), google);
        const inputs = isImport
            ? importedInputs(this.#inputsOf(kind.type), state)
            : refreshedInputs(kind, plainObject(oldInputs), state);
        return {
            id: resource.id,
            properties: withSecrets(kind, state, olds),
            inputs: withSecretsLike(inputs, withSecrets(kind, oldInputs, oldInputs)) as TreeObject,
        };
    }

    async delete(urn: string, id: string, olds: TreeObject, customSeconds: number): Promise<void> {
        const google = this.#configured;
        const kind = kindOf(urnType(urn));
        const state = {
            ...plainObject(olds),
            ...stateOnlyOf(kind.type, plainObject(olds), google.configuration.deletionPolicy),
        };
        if (this.#isKept(kind, id, state)) return;
        const path = this.#pathOf(kind, id);
        const isStopping = await failsAs(`Error deleting ${kind.title}`, () =>
            this.#remove(kind, path, state),
        );
        if (isStopping) {
            await gone(google, kind, path, this.#patience(urn, kind, customSeconds));
        }
    }

    /** deletionPolicy, which every type has (tpgresource/utils.go, DeletionPolicyPreDelete). */
    #isKept(kind: Kind, id: string, state: TreeObject): boolean {
        if (!this.#inputsOf(kind.type).includes("deletionPolicy")) return false;
        if (state["deletionPolicy"] === "ABANDON") return true;
        if (state["deletionPolicy"] !== "PREVENT") return false;
        throw new PluginError(
            `cannot destroy ${JSON.stringify(id)} without setting deletion_policy="DELETE" and running \`terraform apply\``,
        );
    }

    /** Takes the file away, or asks the sandbox's machines to; true for the latter. */
    #remove(kind: Kind, path: string, state: TreeObject): Promise<boolean> {
        const google = this.#configured;
        return google.cloud.change((writer) => {
            const now = google.cloud.read(path);
            const deletion = { google, state, path, now: now ?? EMPTY };
            // Protected by the state alone: also when somebody else has deleted it meanwhile.
            kind.refuseDelete?.(deletion);
            if (now === undefined) return false;
            if (kind.followed === true) {
                writer.write(path, { ...now, status: { ...now.status, state: "STOPPING" } });
                return true;
            }
            kind.beforeDelete?.(deletion);
            const remains = kind.remains?.(now);
            if (remains === undefined) writer.remove(path);
            else writer.write(path, remains);
            return false;
        });
    }

    /** A function of the package. */
    invoke(token: string, args: TreeObject): TreeObject {
        return invokeFunction(token, plainObject(args), this.#configured);
    }
}

const EMPTY: CloudResource = { type: "", id: "", properties: {}, status: {} };

/** The program's name, the one that was made up before, or a new one. */
function nameOf(
    kind: Kind,
    urn: string,
    news: TreeObject,
    olds: TreeObject,
    seed: Uint8Array,
    engine: EngineNaming | undefined,
): TreeObject {
    const { naming } = kind;
    if (naming === undefined || news[naming.property] !== undefined) return {};
    const defaulted = olds[DEFAULTED];
    const before = olds[naming.property];
    const wasMadeUp = Array.isArray(defaulted) && defaulted.includes(naming.property);
    if (wasMadeUp && before !== undefined && !isUnknown(before)) {
        return { [naming.property]: before };
    }
    return { [naming.property]: madeUpName(urnName(urn), naming, seed, engine) };
}

/** Without what only the state keeps. */
function inSentOnly(changes: readonly Change[], sent: TreeObject, kind: Kind): Change[] {
    const only = new Set(Object.keys(stateOnlyOf(kind.type, {}, "")));
    return changes.filter(({ path }) => {
        const name = String(path[0]);
        return name in sent || !only.has(name);
    });
}

/** The same once more: the sandbox's machines look again at what they could not do. */
function retried(resource: CloudResource): CloudResource {
    const status = without(resource.status, "message");
    const revision = status["revision"];
    return {
        ...resource,
        status: {
            ...status,
            ...(typeof revision === "number"
                ? { state: "RECONCILING", revision: revision + 1 }
                : { state: "PROVISIONING" }),
        },
    };
}

function failure(prefix: string, error: unknown): PluginError {
    return new PluginError(`${prefix}: ${error instanceof Error ? error.message : String(error)}`);
}

async function failsAs<T>(prefix: string, work: () => Promise<T>): Promise<T> {
    try {
        return await work();
    } catch (error) {
        throw error instanceof PluginError ? failure(prefix, error) : error;
    }
}
