// Reads a kubeconfig (its text, or the path of one) down to what an HTTPS request needs: server,
// certificates, and how to authenticate. Proxies and the old auth providers are not supported.

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { parse } from "yaml";
import { PluginError } from "../grpc-handler.js";
import { isObject, type Tree, type TreeObject } from "../property-tree.js";
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

/** A token of an exec plugin is asked for again this long before it ends. */
const RENEW_BEFORE_MILLISECONDS = 30_000;

/** Runs a credential plugin (such as gke-gcloud-auth-plugin) and keeps its answer until it ends. */
function execCredentials(exec: TreeObject): () => Promise<Credentials> {
    const command = textAt(exec, "command");
    const args = Array.isArray(exec["args"]) ? exec["args"].map(String) : [];
    const variables = objectsAt(exec, "env").map((item) => [
        textAt(item, "name"),
        textAt(item, "value"),
    ]);
    let current: Promise<Credentials> | undefined;
    let ends = Infinity;
    const ask = async (): Promise<Credentials> => {
        const { stdout } = await promisify(execFile)(command, args, {
            env: {
                ...process.env,
                ...(Object.fromEntries(variables) as Record<string, string>),
                KUBERNETES_EXEC_INFO: JSON.stringify({
                    apiVersion: textAt(exec, "apiVersion"),
                    kind: "ExecCredential",
                    spec: { interactive: false },
                }),
            },
        });
        const status = objectAt(JSON.parse(stdout) as Tree, "status");
        const expires = textAt(status, "expirationTimestamp");
        ends = expires === "" ? Infinity : Date.parse(expires) - RENEW_BEFORE_MILLISECONDS;
        const token = textAt(status, "token");
        return {
            headers: token === "" ? {} : { authorization: `Bearer ${token}` },
            ...(status["clientCertificateData"] === undefined
                ? {}
                : {
                      certificate: textAt(status, "clientCertificateData"),
                      key: textAt(status, "clientKeyData"),
                  }),
        };
    };
    return () => {
        if (current === undefined || Date.now() > ends) {
            ends = Infinity;
            current = ask().catch((error: unknown) => {
                current = undefined;
                throw new PluginError(
                    `The kubeconfig's credential plugin "${command}" failed: ${String(error)}`,
                );
            });
        }
        return current;
    };
}

function credentialsOf(user: TreeObject, folder: string): () => Promise<Credentials> {
    const exec = objectAt(user, "exec");
    if (textAt(exec, "command") !== "") return execCredentials(exec);
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
        credentials: credentialsOf(named(config, "users", textAt(context, "user"), "user"), folder),
    };
}
