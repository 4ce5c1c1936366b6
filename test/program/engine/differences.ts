// What changed between the inputs of two registrations of a resource, and whether it replaces the resource:
// the part of a provider that a plan depends on.

import { parse } from "yaml";
import { forceNewPaths, forcesNew, kindOf, type Kind, type Mutability } from "./force-new.js";
import { contains, formatPath, parsePath, valueAt, type PathElement } from "./property-path.js";
import type { Registration } from "./registration.js";
import { isMap, mapWithoutSecrets, sameValue, UNKNOWN } from "./values.js";
import type { PropertyMap, Value } from "./values.js";

/** One changed place. `replaces`: the resource cannot be changed there, it is made anew. */
export interface Change {
    path: string;
    kind: "add" | "update" | "delete";
    replaces: boolean;
}

interface Difference {
    path: PathElement[];
    kind: Change["kind"];
    value: Value | undefined;
}

/** Every changed leaf; of what only one side has, the topmost place. Secrets compare by their value. */
function differences(previous: PropertyMap, next: PropertyMap): Difference[] {
    const found: Difference[] = [];
    const compare = (path: PathElement[], a: Value | undefined, b: Value | undefined): void => {
        if (a === undefined || a === null || b === undefined || b === null) {
            if (b !== undefined && b !== null) {
                found.push({ path, kind: "add", value: b });
            } else if (a !== undefined && a !== null) {
                found.push({ path, kind: "delete", value: undefined });
            }
        } else if (isMap(a) && isMap(b)) {
            for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
                compare([...path, key], a[key], b[key]);
            }
        } else if (Array.isArray(a) && Array.isArray(b)) {
            for (let index = 0; index < Math.max(a.length, b.length); index++) {
                compare([...path, index], a[index], b[index]);
            }
        } else if (!sameValue(a, b)) {
            found.push({ path, kind: "update", value: b });
        }
    };
    compare([], mapWithoutSecrets(previous), mapWithoutSecrets(next));
    return found;
}

/**
 * What replaces resources of types other than those of Kubernetes and random, by type. Everything that is not here changes
 * in place.
 */
export interface ForceNewTables {
    /** Paths: a change at or below one replaces, and so does what comes above one and has it in it. */
    paths: Readonly<Record<string, readonly string[]>>;
    /** Paths of what replaces when it comes or goes as a whole, and not for every change in it. */
    blocks?: Readonly<Record<string, readonly string[]>>;
    /** Inputs whose change replaces when the function says so; one that is unknown replaces. */
    when?: Readonly<Record<string, Readonly<Record<string, ReplacesWhen>>>>;
}

/** `news` are all new inputs, without secret envelopes. */
export type ReplacesWhen = (
    old: unknown,
    wanted: unknown,
    news: Readonly<Record<string, unknown>>,
) => boolean;

/** What the comparison needs to know beside the two registrations. */
export interface DiffContext {
    /** The inputs of the provider that a resource uses ({} for the default provider). */
    providerInputs: PropertyMap;
    forceNew: ForceNewTables;
}

export function changesOf(
    registration: Registration,
    previous: PropertyMap,
    next: PropertyMap,
    context: DiffContext,
): Change[] {
    const found = differences(previous, next);
    if (found.length === 0) {
        return [];
    }
    const forceNew = forceNewOf(registration, next, context);
    const replaceOnChanges = registration.replaceOnChanges.map(parsePath);
    return found.map(({ path, kind, value }) => ({
        path: formatPath(path),
        kind,
        replaces:
            forceNew === "everything" ||
            forcesNew(path, value, forceNew) ||
            comesOrGoes(path, kind, context.forceNew.blocks?.[registration.type] ?? []) ||
            isToldTo(path, previous, next, context.forceNew.when?.[registration.type] ?? {}) ||
            (registration.custom && replaceOnChanges.some((pattern) => contains(pattern, path))),
    }));
}

function forceNewOf(
    registration: Registration,
    inputs: PropertyMap,
    context: DiffContext,
): "everything" | readonly string[] {
    if (!registration.custom || registration.type.startsWith("pulumi:providers:")) {
        return [];
    }
    const kind = kindOf(registration.type);
    if (kind !== undefined) {
        return forceNewPaths(kind, inputs, mutabilityOf(context.providerInputs));
    }
    // A random value is what it was made from: any other input makes another value.
    if (registration.type.startsWith("random:")) {
        return "everything";
    }
    const paths = context.forceNew.paths[registration.type];
    if (paths === undefined && registration.type.startsWith("gcp:")) {
        // Without the table every change would look harmless.
        throw new Error(`${registration.urn} changes: say in \`forceNew\` what replaces its type`);
    }
    return paths ?? [];
}

function comesOrGoes(
    path: PathElement[],
    kind: Change["kind"],
    blocks: readonly string[],
): boolean {
    return kind !== "update" && blocks.includes(formatPath(path));
}

function isToldTo(
    [head]: PathElement[],
    previous: PropertyMap,
    next: PropertyMap,
    when: Readonly<Record<string, ReplacesWhen>>,
): boolean {
    const key = String(head);
    if (!Object.hasOwn(when, key)) {
        return false;
    }
    const news = mapWithoutSecrets(next);
    const wanted = news[key];
    return wanted === UNKNOWN || when[key]!(mapWithoutSecrets(previous)[key], wanted, news);
}

function mutabilityOf(providerInputs: PropertyMap): Mutability {
    // The SDK hands provider arguments over as JSON text.
    const enabled = (key: keyof Mutability): boolean => {
        const value = valueAt(providerInputs, key);
        return value === "true" || value === true;
    };
    return {
        enableConfigMapMutable: enabled("enableConfigMapMutable"),
        enableSecretMutable: enabled("enableSecretMutable"),
    };
}

/**
 * Whether a Kubernetes provider with the new configuration is another cluster, so that everything on it is
 * made anew: the provider's `DiffConfig`.
 */
export function isAnotherCluster(previous: PropertyMap, next: PropertyMap): boolean {
    const before = mapWithoutSecrets(previous);
    const after = mapWithoutSecrets(next);
    if (isGiven(before["clusterIdentifier"]) && isGiven(after["clusterIdentifier"])) {
        return !sameValue(before["clusterIdentifier"], after["clusterIdentifier"]);
    }
    const connection = ["kubeconfig", "context", "cluster"];
    if (connection.some((key) => after[key] === UNKNOWN)) {
        return !sameValue(before, after);
    }
    if (!sameValue(before["renderYamlToDirectory"], after["renderYamlToDirectory"])) {
        return true;
    }
    const oldCluster = activeCluster(before);
    const newCluster = activeCluster(after);
    return (
        oldCluster !== undefined && newCluster !== undefined && !sameValue(oldCluster, newCluster)
    );
}

function isGiven(value: Value | undefined): boolean {
    return value !== undefined && value !== null;
}

function activeCluster(provider: PropertyMap): Value | undefined {
    const kubeconfig = provider["kubeconfig"];
    const parsed = typeof kubeconfig === "string" ? parsedYaml(kubeconfig) : kubeconfig;
    const named = (list: string, name: Value | undefined): Value | undefined => {
        const entries = valueAt(parsed, list);
        return Array.isArray(entries)
            ? entries.find((entry) => name !== undefined && valueAt(entry, "name") === name)
            : undefined;
    };
    const context: Value | undefined = provider["context"] ?? valueAt(parsed, "current-context");
    const found = named("contexts", context);
    const cluster: Value | undefined = provider["cluster"] ?? valueAt(found, "context.cluster");
    if (found === undefined) {
        return undefined;
    }
    return valueAt(named("clusters", cluster), "cluster");
}

function parsedYaml(text: string): Value | undefined {
    try {
        return parse(text) as Value;
    } catch {
        return undefined;
    }
}

const CLUSTER_SCOPED = new Set([
    "APIService",
    "CSIDriver",
    "CSINode",
    "ClusterRole",
    "ClusterRoleBinding",
    "CustomResourceDefinition",
    "IngressClass",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PriorityClass",
    "RuntimeClass",
    "StorageClass",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeSnapshotClass",
    "VolumeSnapshotContent",
]);

export function isNamespaced(kind: Kind): boolean {
    return !CLUSTER_SCOPED.has(kind.kind);
}

/** The namespace a Kubernetes object lands in; undefined for cluster-wide kinds. */
export function namespaceOf(
    kind: Kind,
    inputs: PropertyMap,
    providerInputs: PropertyMap,
): Value | undefined {
    if (!isNamespaced(kind)) {
        return undefined;
    }
    return (
        valueAt(inputs, "metadata.namespace") ?? valueAt(providerInputs, "namespace") ?? "default"
    );
}
