// Reads a kubeconfig (its text, or the path of one) down to what an HTTPS request needs: server,
// certificates, and how to authenticate. Proxies and the old auth providers are not supported.

import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { parse } from "yaml";
import { PluginError } from "../grpc-handler.js";
import { isObject, type Tree, type TreeObject } from "../property-tree.js";
import { execCredentials } from "./exec-plugin.js";
import { objectAt, objectsAt, textAt } from "./kubernetes-object.js";

/** Overrides of what the kubeconfig itself says. */
export interface Overrides {
    readonly context?: string;
    readonly cluster?: string;
}

export interface Credentials {
    readonly headers: Readonly<Record<string, string>>;
    readonly certificate?: Buffer | string;
    readonly key?: Buffer | string;
}

export interface Connection {
    readonly server: string;
    readonly certificateAuthority?: Buffer;
    readonly serverName?: string;
    readonly insecure: boolean;
    /** The namespace of the context, or "". */
    readonly namespace: string;
    /** Asked before every request, because tokens end. */
    credentials(): Promise<Credentials>;
}

/** A kubeconfig and the folder that its relative paths start from. */
interface Loaded {
    readonly config: TreeObject;
    readonly folder: string;
}

function parseText(text: string): TreeObject {
    const parsed = parse(text) as Tree;
    if (!isObject(parsed)) throw new PluginError("The kubeconfig is not a YAML or JSON object.");
    return parsed;
}

function absolute(path: string): string {
    const expanded = path.startsWith("~/") ? join(homedir(), path.slice(2)) : path;
    return isAbsolute(expanded) ? expanded : join(process.cwd(), expanded);
}

/** Several files count as one: lists are joined, and for the rest the first file that says it wins. */
function merge(files: readonly TreeObject[]): TreeObject {
    return files.reduceRight<TreeObject>((all, file) => {
        const joined = Object.fromEntries(
            ["clusters", "contexts", "users"].map((list) => [
                list,
                [...objectsAt(file, list), ...objectsAt(all, list)],
            ]),
        );
        return { ...all, ...file, ...joined };
    }, {});
}

function load(source: string): Loaded {
    const looksLikeText = source.includes("\n") || source.trimStart().startsWith("{");
    if (looksLikeText) return { config: parseText(source), folder: process.cwd() };
    const paths = source
        .split(delimiter)
        .filter((path) => path !== "")
        .map(absolute);
    const files = paths.filter((path) => existsSync(path));
    if (files.length === 0) {
        throw new PluginError(`There is no kubeconfig at ${paths.join(", ")}.`);
    }
    return {
        config: merge(files.map((file) => parseText(readFileSync(file, "utf8")))),
        folder: dirname(files[0]!),
    };
}

function named(config: TreeObject, list: string, name: string, of: string): TreeObject {
    const found = objectsAt(config, list).find((item) => item["name"] === name);
    return objectAt(found, of);
}

/** The cluster that is active in a kubeconfig; undefined when it says none. */
export function activeCluster(source: string, overrides: Overrides): TreeObject | undefined {
    const { config } = load(source);
    const name = clusterName(config, overrides);
    const cluster = named(config, "clusters", name, "cluster");
    return Object.keys(cluster).length === 0 ? undefined : cluster;
}

function contextOf(config: TreeObject, overrides: Overrides): TreeObject {
    const name = overrides.context ?? textAt(config, "current-context");
    return named(config, "contexts", name, "context");
}

function clusterName(config: TreeObject, overrides: Overrides): string {
    return overrides.cluster ?? textAt(contextOf(config, overrides), "cluster");
}

/** Base64 in the config itself, or a file beside it. */
function material(from: TreeObject, name: string, folder: string): Buffer | undefined {
    const data = textAt(from, `${name}-data`);
    if (data !== "") return Buffer.from(data, "base64");
    const file = textAt(from, name);
    if (file === "") return undefined;
    return readFileSync(isAbsolute(file) ? file : join(folder, file));
}

function credentialsOf(
    user: TreeObject,
    cluster: TreeObject,
    folder: string,
): () => Promise<Credentials> {
    const exec = objectAt(user, "exec");
    if (textAt(exec, "command") !== "") return execCredentials({ exec, cluster, folder });
    const certificate = material(user, "client-certificate", folder);
    const key = material(user, "client-key", folder);
    const tokenFile = textAt(user, "tokenFile");
    const basic = `${textAt(user, "username")}:${textAt(user, "password")}`;
    return () => {
        // The file is read each time: kubelets and brokers put a new token into it.
        const token =
            tokenFile === "" ? textAt(user, "token") : readFileSync(tokenFile, "utf8").trim();
        const headers: Record<string, string> = {};
        if (token !== "") headers["authorization"] = `Bearer ${token}`;
        else if (basic !== ":") {
            headers["authorization"] = `Basic ${Buffer.from(basic).toString("base64")}`;
        }
        return Promise.resolve({
            headers,
            ...(certificate === undefined ? {} : { certificate }),
            ...(key === undefined ? {} : { key }),
        });
    };
}

/** The kubeconfig that everybody's tools use when none is named. */
export function ambientKubeconfig(): string {
    const variable = process.env["KUBECONFIG"];
    return variable === undefined || variable === "" ? "~/.kube/config" : variable;
}

export function connect(source: string, overrides: Overrides): Connection {
    const { config, folder } = load(source);
    const context = contextOf(config, overrides);
    const cluster = named(config, "clusters", clusterName(config, overrides), "cluster");
    const server = textAt(cluster, "server");
    if (server === "") {
        throw new PluginError(
            `The kubeconfig has no cluster "${clusterName(config, overrides)}" (context "${overrides.context ?? textAt(config, "current-context")}").`,
        );
    }
    const certificateAuthority = material(cluster, "certificate-authority", folder);
    const serverName = textAt(cluster, "tls-server-name");
    return {
        server: server.replace(/\/$/, ""),
        ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
        ...(serverName === "" ? {} : { serverName }),
        insecure: cluster["insecure-skip-tls-verify"] === true,
        namespace: textAt(context, "namespace"),
        credentials: credentialsOf(
            named(config, "users", textAt(context, "user"), "user"),
            cluster,
            folder,
        ),
    };
}
