// The provider's own arguments: how they are read, and when a change of them means another cluster.

import { PluginError } from "../grpc-handler.js";
import {
    equalTrees,
    isUnknown,
    plainObject,
    type Tree,
    type TreeObject,
} from "../property-tree.js";
import { activeCluster, type Overrides } from "./kubeconfig.js";

export interface Configuration {
    /** Text or path; undefined means the kubeconfig that everybody's tools use. */
    readonly kubeconfig: string | undefined;
    readonly overrides: Overrides;
    /** For namespaced objects that name none; "" leaves them to "default". */
    readonly namespace: string;
    readonly serverSideApply: boolean;
    readonly configMapsMutable: boolean;
    readonly secretsMutable: boolean;
    readonly patchForce: boolean;
    readonly upsertExistingObjects: boolean;
    readonly deleteUnreachable: boolean;
    readonly skipUpdateUnreachable: boolean;
}

function text(inputs: TreeObject, name: string): string | undefined {
    const value = inputs[name];
    if (value === undefined || value === null || value === "" || isUnknown(value)) return undefined;
    // A kubeconfig may be given as an object.
    return typeof value === "string" ? value : JSON.stringify(value);
}

/** The argument, else the environment variable of the real provider, else the default. */
function flag(inputs: TreeObject, name: string, variable: string, otherwise: boolean): boolean {
    const value = inputs[name];
    if (value !== undefined && value !== null) return value === true || value === "true";
    const fromEnvironment = process.env[variable];
    return fromEnvironment === undefined ? otherwise : fromEnvironment === "true";
}

function overridesOf(inputs: TreeObject): Overrides {
    const context = text(inputs, "context");
    const cluster = text(inputs, "cluster");
    return {
        ...(context === undefined ? {} : { context }),
        ...(cluster === undefined ? {} : { cluster }),
    };
}

export function readConfiguration(properties: TreeObject): Configuration {
    const inputs = plainObject(properties);
    const bool = (name: string, variable: string, otherwise = false) =>
        flag(inputs, name, variable, otherwise);
    return {
        kubeconfig: text(inputs, "kubeconfig"),
        overrides: overridesOf(inputs),
        namespace: text(inputs, "namespace") ?? "",
        serverSideApply: bool("enableServerSideApply", "PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY", true),
        configMapsMutable: bool("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        secretsMutable: bool("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
        patchForce: bool("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
        upsertExistingObjects: bool("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
        deleteUnreachable: bool("deleteUnreachable", "PULUMI_K8S_DELETE_UNREACHABLE"),
        skipUpdateUnreachable: bool("skipUpdateUnreachable", "PULUMI_K8S_SKIP_UPDATE_UNREACHABLE"),
    };
}

export interface Failure {
    readonly property: string;
    readonly reason: string;
}

/** Arguments of the real provider that change what it does, and that this stand-in does not have. */
const UNSUPPORTED = ["renderYamlToDirectory", "alwaysRender"] as const;

export function checkConfiguration(properties: TreeObject): Failure[] {
    const inputs = plainObject(properties);
    const failures: Failure[] = UNSUPPORTED.filter(
        (name) => text(inputs, name) !== undefined && inputs[name] !== "false",
    ).map((property) => ({
        property,
        reason: `"${property}" is not supported by the sandbox's stand-in for Pulumi's Kubernetes provider.`,
    }));
    if (inputs["strictMode"] === "true" || inputs["strictMode"] === true) {
        for (const property of ["kubeconfig", "context"]) {
            if (text(inputs, property) === undefined && !isUnknown(inputs[property])) {
                failures.push({
                    property,
                    reason: `strict mode requires Provider "${property}" argument`,
                });
            }
        }
    }
    return failures;
}

export interface ConfigurationDiff {
    readonly changed: readonly string[];
    readonly replaces: readonly string[];
}

/** What decides which cluster is meant. */
const CLUSTER_ARGUMENTS = ["kubeconfig", "context", "cluster"] as const;
const IDENTIFIER = "clusterIdentifier";

function clusterOf(inputs: TreeObject): Tree | undefined {
    const kubeconfig = text(inputs, "kubeconfig");
    if (kubeconfig === undefined) return undefined;
    try {
        return activeCluster(kubeconfig, overridesOf(inputs));
    } catch (error) {
        // A path that is not there (yet) says nothing about the cluster.
        if (error instanceof PluginError) return undefined;
        throw error;
    }
}

function replacesWithoutIdentifier(
    olds: TreeObject,
    news: TreeObject,
    changed: readonly string[],
): readonly string[] {
    const unknown = CLUSTER_ARGUMENTS.find((name) => isUnknown(news[name]));
    // Not known yet whether it is the same cluster: the real provider plans for the worst.
    if (unknown !== undefined) return [unknown];
    const [before, after] = [clusterOf(olds), clusterOf(news)];
    if (before === undefined || after === undefined || equalTrees(before, after)) return [];
    return CLUSTER_ARGUMENTS.filter((name) => changed.includes(name));
}

/** Which arguments changed, and which of them mean that every object must be made again elsewhere. */
export function diffConfiguration(before: TreeObject, after: TreeObject): ConfigurationDiff {
    const [olds, news] = [plainObject(before), plainObject(after)];
    const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
        (key) => !equalTrees(olds[key], news[key]),
    );
    if (changed.length === 0) return { changed, replaces: [] };
    const [oldId, newId] = [text(olds, IDENTIFIER), text(news, IDENTIFIER)];
    // Adding or removing the identifier says nothing; the same identifier says: the same cluster.
    if (oldId !== undefined && oldId === newId) return { changed, replaces: [] };
    const replaces = [...replacesWithoutIdentifier(olds, news, changed)];
    if (oldId !== undefined && newId !== undefined && oldId !== newId) replaces.push(IDENTIFIER);
    return { changed, replaces };
}
