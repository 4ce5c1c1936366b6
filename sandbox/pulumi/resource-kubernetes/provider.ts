// Pulumi's Kubernetes provider as far as programs of this project use it: each operation of the
// engine in terms of objects. How they come over the wire is in service.ts.

import { PluginError } from "../grpc-handler.js";
import type { Plan } from "../plan.js";
import { containsUnknown, isUnknown, type TreeObject } from "../property-tree.js";
import { GONE, type Found, type Made } from "../provider-service.js";
import { valueAt } from "../property-path.js";
import type { EngineLog } from "../engine-log.js";
import type { EngineNaming } from "../requests.js";
import { urnName, urnType } from "../urn.js";
import { timeoutSeconds } from "./annotations.js";
import { ApiClient } from "./api-client.js";
import { isAlreadyExists, isNotFound, ApiError } from "./api-error.js";
import {
    fieldManagerFor,
    fromState,
    toObject,
    toProperties,
    toState,
    type Checkpoint,
} from "./checkpoint.js";
import { Cluster, kindOfObject, UnknownKindError } from "./cluster.js";
import { readConfiguration, type Configuration } from "./configuration.js";
import { deleteObject } from "./delete.js";
import { diffObject } from "./diff.js";
import { ambientKubeconfig, connect } from "./kubeconfig.js";
import {
    idOf,
    kindOfType,
    namespaceOf,
    parseId,
    setNamespace,
    textAt,
    type KindOfObject,
    type KubernetesObject,
} from "./kubernetes-object.js";
import { assignName, keepName, usesGenerateName } from "./naming.js";
import { normalized, prunedObject } from "./normalize.js";
import { partialFailure } from "../partial-failure.js";
import { awaitReady, DEFAULT_TIMEOUT_SECONDS, NotReadyError } from "./readiness/await-ready.js";
import { ruleAfterWrite, ruleForNow, ruleOnRead } from "./readiness/rules.js";
import type { Phase } from "./readiness/rule.js";
import { redacted } from "./redact.js";
import { createObject, updateObject, type WriteRequest } from "./write.js";
import { isClusterScoped } from "./scopes.js";

const NOT_HERE =
    "is not supported by the sandbox's stand-in for Pulumi's Kubernetes provider (sandbox/pulumi/README.md)";

/** Types of the SDK that are no objects of Kubernetes, or more than one. */
function refuseUnsupported(type: string): void {
    const [, group = "", kind = ""] = type.split(":");
    if (/^(helm\.sh|kustomize|yaml)\b/.test(group)) {
        throw new PluginError(`${type} ${NOT_HERE}: Helm, Kustomize and YAML resources are not.`);
    }
    if (kind.endsWith("Patch")) {
        throw new PluginError(`${type} ${NOT_HERE}: Patch resources are not.`);
    }
    if (kind.endsWith("List")) {
        throw new PluginError(
            `${type}: list resources exist for YAML and Helm and cannot be created; use the type of the items.`,
        );
    }
}

export class KubernetesProvider {
    #configuration: Configuration = readConfiguration({});
    #cluster: Cluster | undefined;
    /** Why the cluster cannot be reached; "" when it can. */
    #unreachable = "the provider has not been configured";
    readonly #cancel = new AbortController();

    constructor(public log: EngineLog) {}

    async configure(properties: TreeObject): Promise<void> {
        this.#configuration = readConfiguration(properties);
        try {
            const source = this.#configuration.kubeconfig ?? ambientKubeconfig();
            const connection = connect(source, this.#configuration.overrides);
            if (this.#configuration.namespace === "") {
                const namespace = connection.namespace === "" ? "default" : connection.namespace;
                this.#configuration = { ...this.#configuration, namespace };
            }
            this.#cluster = new Cluster(new ApiClient(connection, this.#cancel.signal));
            await this.#cluster.probe();
            this.#unreachable = "";
        } catch (error) {
            // Not an error yet: a preview may be wanted while the cluster is not there.
            this.#unreachable = error instanceof Error ? error.message : String(error);
        }
    }

    /** Stops every wait; what was written stays in the state with what is missing. */
    cancel(): void {
        this.#cancel.abort();
    }

    #reached(): Cluster {
        if (this.#cluster === undefined || this.#unreachable !== "") {
            throw new PluginError(
                `The configured Kubernetes cluster is unreachable: ${this.#unreachable}`,
            );
        }
        return this.#cluster;
    }

    get #mutable() {
        return {
            configMaps: this.#configuration.configMapsMutable,
            secrets: this.#configuration.secretsMutable,
        };
    }

    // Whether a kind has namespaces; the cluster is asked only for kinds of its own.
    async #isNamespaced(of: KindOfObject): Promise<boolean> {
        if (isClusterScoped(of)) return false;
        if (this.#unreachable !== "" || this.#cluster === undefined) return true;
        try {
            return (await this.#cluster.servedKind(of)).namespaced;
        } catch (error) {
            // A custom resource before its definition: put right when it is created.
            if (error instanceof UnknownKindError) return true;
            throw error;
        }
    }

    /** Inputs as they are kept: named, in a namespace, in the form that they are compared in. */
    async check(
        urn: string,
        olds: TreeObject | undefined,
        news: TreeObject,
        randomSeed: Uint8Array,
        naming: EngineNaming | undefined,
    ): Promise<TreeObject> {
        if (this.#unreachable !== "" && this.#configuration.skipUpdateUnreachable && olds) {
            this.log.warn(
                "The cluster is unreachable and skipUpdateUnreachable is set: nothing is changed.",
                urn,
            );
            return olds;
        }
        refuseUnsupported(urnType(urn));
        const object = normalized(withKind(toObject(news), urn));
        if (olds !== undefined && Object.keys(olds).length > 0) keepName(object, toObject(olds));
        else assignName(object, { resourceName: urnName(urn), randomSeed, engine: naming });
        if (usesGenerateName(object) && this.#configuration.serverSideApply) {
            throw new PluginError(
                "metadata.generateName is not supported with server-side apply: leave the name out, and the provider makes one up.",
            );
        }
        const namespace = this.#configuration.namespace;
        const hasNamespace = valueAt(object, ["metadata", "namespace"]) !== undefined;
        if (namespace !== "" && !hasNamespace && !isUnknown(object["metadata"])) {
            if (await this.#isNamespaced(kindOfObject(object))) setNamespace(object, namespace);
        }
        return toProperties(object, news);
    }

    diff(
        urn: string,
        state: TreeObject,
        news: TreeObject,
        ignoreChanges: readonly string[],
    ): Promise<Plan> {
        const checkpoint = fromState(state);
        return diffObject(
            { ...checkpoint, live: withKind(checkpoint.live, urn) },
            withKind(toObject(news), urn),
            ignoreChanges,
            this.#mutable,
            async () => {
                if (this.#unreachable !== "" || this.#cluster === undefined) return false;
                const live = await this.#cluster.getLike(checkpoint.live).catch(() => undefined);
                const rule = live === undefined ? undefined : ruleForNow(live);
                if (live === undefined || rule === undefined) return false;
                return (await rule.check(live, this.#cluster)).state !== "ready";
            },
        );
    }

    #writeRequest(
        urn: string,
        cluster: Cluster,
        inputs: KubernetesObject,
        fieldManager: string,
        preview: boolean,
    ): WriteRequest {
        return {
            cluster,
            configuration: this.#configuration,
            inputs,
            fieldManager,
            preview,
            status: (message) => this.log.status(message, urn),
        };
    }

    #warn(urn: string, warnings: readonly string[], inputs: TreeObject): void {
        for (const warning of warnings) this.log.warn(redacted(warning, inputs), urn);
    }

    async #awaitReady(
        urn: string,
        inputs: KubernetesObject,
        written: KubernetesObject,
        phase: Phase,
        customSeconds: number,
    ): Promise<KubernetesObject> {
        const rule = ruleAfterWrite({ ...written, ...annotated(inputs, written) }, phase);
        if (rule === undefined) return written;
        return awaitReady(
            {
                cluster: this.#reached(),
                rule,
                timeoutSeconds: timeoutSeconds(customSeconds, inputs) ?? DEFAULT_TIMEOUT_SECONDS,
                status: (message) => this.log.status(message, urn),
            },
            written,
        );
    }

    #failure(prefix: string, error: unknown, properties: TreeObject): PluginError {
        const message = error instanceof Error ? error.message : String(error);
        return new PluginError(redacted(`${prefix}: ${message}`, properties));
    }

    async create(
        urn: string,
        properties: TreeObject,
        customSeconds: number,
        preview: boolean,
    ): Promise<Made> {
        const inputs = withKind(toObject(properties), urn);
        const planned: Made = { id: "", properties };
        const cannotAsk = this.#unreachable !== "" || !this.#configuration.serverSideApply;
        if (preview && (containsUnknown(inputs) || cannotAsk)) return planned;
        const cluster = this.#reached();
        const fieldManager = fieldManagerFor(inputs, "");
        const request = this.#writeRequest(urn, cluster, inputs, fieldManager, preview);
        const checkpoint = (live: KubernetesObject): Checkpoint => ({
            inputs,
            live,
            fieldManager,
            apiVersion: textAt(inputs, "apiVersion"),
        });
        let live: KubernetesObject;
        try {
            const answer = await createObject(request);
            live = answer.object;
            this.#warn(urn, answer.warnings, properties);
        } catch (error) {
            if (preview && cannotBePreviewed(error)) return planned;
            throw this.#failure(
                `resource "${urn}" was not successfully created by the Kubernetes API server`,
                error,
                properties,
            );
        }
        if (preview) {
            // A status that only looks known would be taken for one by the program.
            Reflect.deleteProperty(live, "status");
            return { id: "", properties: toState(checkpoint(live), properties) };
        }
        try {
            live = await this.#awaitReady(urn, inputs, live, "create", customSeconds);
        } catch (error) {
            throw this.#partial(
                `resource "${urn}" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live`,
                error,
                checkpoint(error instanceof NotReadyError ? error.live : live),
                properties,
            );
        }
        return { id: idOf(live), properties: toState(checkpoint(live), properties) };
    }

    #partial(
        prefix: string,
        error: unknown,
        checkpoint: Checkpoint,
        properties: TreeObject,
        inputs?: TreeObject,
    ): PluginError {
        const reasons = error instanceof NotReadyError ? error.reasons : [];
        const text = error instanceof Error ? error.message : String(error);
        // The engine shows the reasons as a list; the first of them is the headline.
        const headline = error instanceof NotReadyError ? error.headline : text;
        return partialFailure(
            redacted(`${prefix}: ${text}`, properties),
            [`${prefix}: ${headline}`, ...reasons].map((reason) => redacted(reason, properties)),
            {
                id: idOf(checkpoint.live),
                properties: toState(checkpoint, properties),
                inputs,
            },
        );
    }

    async update(
        urn: string,
        olds: TreeObject,
        news: TreeObject,
        ignoreChanges: readonly string[],
        customSeconds: number,
        preview: boolean,
    ): Promise<TreeObject> {
        const inputs = normalized(withKind(toObject(news), urn));
        if (preview && (containsUnknown(inputs) || this.#unreachable !== "")) return news;
        const cluster = this.#reached();
        const before = fromState(olds);
        const fieldManager = fieldManagerFor(inputs, before.fieldManager);
        const checkpoint = (live: KubernetesObject): Checkpoint => ({
            inputs,
            live,
            fieldManager,
            apiVersion: before.apiVersion === "" ? textAt(inputs, "apiVersion") : before.apiVersion,
        });
        const request = this.#writeRequest(urn, cluster, inputs, fieldManager, preview);
        let live: KubernetesObject = before.live;
        try {
            const old = prunedObject(before.live, normalized(before.inputs));
            const answer = await updateObject(request, old, before.live, ignoreChanges);
            live = answer.object;
            this.#warn(urn, answer.warnings, news);
            if (preview) return toState(checkpoint(live), news);
            live = await this.#awaitReady(urn, inputs, live, "update", customSeconds);
        } catch (error) {
            if (preview) {
                if (isForbidden(error) || error instanceof UnknownKindError) return news;
                throw this.#failure(`update of resource "${urn}" failed`, error, news);
            }
            const now =
                error instanceof NotReadyError
                    ? error.live
                    : await cluster.getLike(withKind(before.live, urn)).catch(() => undefined);
            if (now === undefined) {
                throw this.#failure(`update of resource "${urn}" failed`, error, news);
            }
            throw this.#partial(
                `the Kubernetes API server reported that "${idOf(now)}" failed to fully initialize or become live`,
                error,
                checkpoint(now),
                news,
            );
        }
        return toState(checkpoint(live), news);
    }

    /** What there is to say of an object whose cluster cannot be asked; undefined when it can. */
    #readUnreachable(urn: string, known: Found): Found | undefined {
        if (this.#unreachable === "") return undefined;
        this.log.warn(
            `The configured Kubernetes cluster is unreachable: ${this.#unreachable}`,
            urn,
        );
        if (this.#configuration.deleteUnreachable) return GONE;
        if (this.#configuration.skipUpdateUnreachable) return known;
        throw new PluginError(
            `The state of the resource cannot be read, because the cluster is unreachable. If the cluster was deleted, ` +
                `run again with PULUMI_K8S_DELETE_UNREACHABLE=true to remove the resource from Pulumi's state.`,
        );
    }

    async read(
        urn: string,
        id: string,
        state: TreeObject,
        knownInputs: TreeObject,
    ): Promise<Found> {
        const unreachable = this.#readUnreachable(urn, {
            id,
            properties: state,
            inputs: knownInputs,
        });
        if (unreachable !== undefined) return unreachable;
        refuseUnsupported(urnType(urn));
        const cluster = this.#reached();
        const before = fromState(state);
        const oldInputs = normalized(toObject(knownInputs));
        const hasInputs = textAt(oldInputs, "kind") !== "";
        const { namespace, name } = parseId(id);
        if (name === "")
            throw new PluginError(`"${id}" is not an id of the form [NAMESPACE/]NAME.`);
        const of = hasInputs ? kindOfObject(oldInputs) : kindOfObject(withKind(before.live, urn));
        let live: KubernetesObject | undefined;
        try {
            live = await cluster.find(
                of,
                namespace !== ""
                    ? namespace
                    : namespaceOf(oldInputs) || this.#configuration.namespace,
                name,
            );
        } catch (error) {
            if (!(error instanceof UnknownKindError)) throw error;
        }
        if (live === undefined) return GONE;
        const isImport = !hasInputs && textAt(before.live, "kind") === "";
        const inputs = isImport ? importedInputs(live) : prunedObject(live, oldInputs);
        const checkpoint: Checkpoint = {
            inputs,
            live,
            fieldManager: fieldManagerFor(inputs, before.fieldManager),
            apiVersion: before.apiVersion === "" ? of.apiVersion : before.apiVersion,
        };
        const rule = isImport ? undefined : ruleOnRead({ ...live, ...annotated(oldInputs, live) });
        const verdict = await rule?.check(live, cluster);
        if (verdict !== undefined && verdict.state !== "ready") {
            const found = await rule?.explain?.(live, cluster).catch(() => []);
            const error = new NotReadyError(
                "it is not ready",
                [...verdict.reasons, ...(found ?? [])],
                live,
            );
            throw this.#partial(
                `"${idOf(live)}"`,
                error,
                checkpoint,
                knownInputs,
                toProperties(inputs, knownInputs),
            );
        }
        return {
            id: id === "" ? idOf(live) : id,
            properties: toState(checkpoint, knownInputs),
            inputs: toProperties(inputs, knownInputs),
        };
    }

    async delete(urn: string, id: string, state: TreeObject, customSeconds: number): Promise<void> {
        if (this.#unreachable !== "" && this.#configuration.deleteUnreachable) {
            this.log.warn(
                `The cluster is unreachable and deleteUnreachable is set: "${id}" is only removed from the state.`,
                urn,
            );
            return;
        }
        const cluster = this.#reached();
        const checkpoint = fromState(state);
        const live = withKind(checkpoint.live, urn);
        try {
            await deleteObject({
                cluster,
                id,
                inputs: withKind(checkpoint.inputs, urn),
                live,
                customSeconds,
                status: (message) => this.log.status(message, urn),
            });
        } catch (error) {
            if (!(error instanceof NotReadyError)) {
                throw this.#failure(`deleting "${id}" failed`, error, state);
            }
            throw this.#partial(
                `deleting "${id}" was begun but is not complete`,
                error,
                { ...checkpoint, live: error.live },
                state,
            );
        }
    }
}

/** The object with the version and kind that its resource type names, where it does not say them. */
function withKind(object: KubernetesObject, urn: string): KubernetesObject {
    if (textAt(object, "kind") !== "" && textAt(object, "apiVersion") !== "") return object;
    return { ...object, ...kindOfType(urnType(urn)) };
}

/** The written object's metadata with the annotations of the inputs, which are what counts. */
function annotated(inputs: KubernetesObject, written: KubernetesObject): KubernetesObject {
    const metadata = written["metadata"] as KubernetesObject;
    const annotations = {
        ...(metadata["annotations"] as KubernetesObject | undefined),
        ...(valueAt(inputs, ["metadata", "annotations"]) as KubernetesObject | undefined),
    };
    return { metadata: { ...metadata, annotations } };
}

function isForbidden(error: unknown): boolean {
    return error instanceof ApiError && error.status === 403;
}

/** Refusals of a dry run that say nothing about the real create. */
function cannotBePreviewed(error: unknown): boolean {
    return (
        isForbidden(error) ||
        // The namespace is yet to be made, or the definition of the kind.
        isNotFound(error) ||
        error instanceof UnknownKindError ||
        // A replacement: the old object goes first.
        isAlreadyExists(error) ||
        (error instanceof PluginError && error.message.includes("already exists")) ||
        // A webhook that does not promise to have no side effects.
        (error instanceof ApiError && /dry[- ]?run/i.test(error.message))
    );
}

/** An object that Pulumi has not made, as inputs: without what only the server writes. */
function importedInputs(live: KubernetesObject): KubernetesObject {
    const copy = normalized(live);
    Reflect.deleteProperty(copy, "status");
    const annotations = valueAt(copy, ["metadata", "annotations"]);
    for (const name of [
        "deployment.kubernetes.io/revision",
        "kubectl.kubernetes.io/last-applied-configuration",
    ]) {
        if (typeof annotations === "object" && annotations !== null) {
            Reflect.deleteProperty(annotations, name);
        }
    }
    return copy;
}
