// Credential plugins of kubeconfigs, such as gke-gcloud-auth-plugin, by the rules of client-go
// (plugin/pkg/client/auth/exec/exec.go): a command that is told about the cluster in
// KUBERNETES_EXEC_INFO and prints an ExecCredential, which is kept until it ends.

import { execFile } from "node:child_process";
import { isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { PluginError } from "../grpc-handler.js";
import type { Tree, TreeObject } from "../property-tree.js";
import type { Credentials } from "./kubeconfig.js";
import { objectAt, objectsAt, textAt } from "./kubernetes-object.js";

/** A token is asked for again this long before it ends. */
const RENEW_BEFORE_MILLISECONDS = 30_000;

const VERSIONS = ["client.authentication.k8s.io/v1beta1", "client.authentication.k8s.io/v1"];

/** Of a cluster in a kubeconfig, what a plugin is told with provideClusterInfo. */
const CLUSTER_INFO = [
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
];

export interface ExecPlugin {
    /** `exec` of the kubeconfig's user. */
    readonly exec: TreeObject;
    /** The kubeconfig's cluster. */
    readonly cluster: TreeObject;
    /** Where a command with a relative path starts from. */
    readonly folder: string;
}

function fail(command: string, reason: string): never {
    throw new PluginError(`The kubeconfig's credential plugin "${command}" ${reason}`);
}

/** A bare name is looked up on PATH; a relative path starts at the kubeconfig. */
function commandOf({ exec, folder }: ExecPlugin): string {
    const command = textAt(exec, "command");
    return command.includes("/") && !isAbsolute(command) ? join(folder, command) : command;
}

function checkedVersion({ exec }: ExecPlugin): string {
    const [command, version] = [textAt(exec, "command"), textAt(exec, "apiVersion")];
    if (!VERSIONS.includes(version)) {
        fail(command, `has apiVersion "${version}"; it must be ${VERSIONS.join(" or ")}.`);
    }
    if (textAt(exec, "interactiveMode") === "Always") {
        fail(command, `needs a terminal (interactiveMode: Always), and there is none.`);
    }
    return version;
}

function clusterInfo({ exec, cluster }: ExecPlugin): TreeObject {
    if (exec["provideClusterInfo"] !== true) return {};
    const known = CLUSTER_INFO.filter((name) => cluster[name] !== undefined);
    return { cluster: Object.fromEntries(known.map((name) => [name, cluster[name]!])) };
}

function environmentOf(plugin: ExecPlugin, version: string): NodeJS.ProcessEnv {
    const variables = objectsAt(plugin.exec, "env").map((item): [string, string] => [
        textAt(item, "name"),
        textAt(item, "value"),
    ]);
    return {
        ...process.env,
        ...Object.fromEntries(variables),
        KUBERNETES_EXEC_INFO: JSON.stringify({
            apiVersion: version,
            kind: "ExecCredential",
            spec: { interactive: false, ...clusterInfo(plugin) },
        }),
    };
}

/** Runs it; resolves to what it printed. */
async function run(plugin: ExecPlugin, version: string): Promise<string> {
    const { exec } = plugin;
    const command = textAt(exec, "command");
    const args = Array.isArray(exec["args"]) ? exec["args"].map(String) : [];
    try {
        const env = environmentOf(plugin, version);
        return (await promisify(execFile)(commandOf(plugin), args, { env })).stdout;
    } catch (error) {
        const { code, stderr = "" } = error as { code?: string | number; stderr?: string };
        if (code === "ENOENT") {
            const hint = textAt(exec, "installHint").trim();
            fail(command, `was not found on PATH.${hint === "" ? "" : ` ${hint}`}`);
        }
        if (code === "EACCES") fail(command, "may not be executed.");
        fail(command, `ended with ${code ?? "a signal"}: ${stderr.trim()}`);
    }
}

function statusIn(printed: string, plugin: ExecPlugin, version: string): TreeObject {
    const command = textAt(plugin.exec, "command");
    let answer: Tree;
    try {
        answer = JSON.parse(printed) as Tree;
    } catch {
        fail(command, "printed no JSON.");
    }
    if (textAt(answer, "kind") !== "ExecCredential" || textAt(answer, "apiVersion") !== version) {
        fail(
            command,
            `printed a "${textAt(answer, "kind")}" of "${textAt(answer, "apiVersion")}"; the kubeconfig wants an ExecCredential of ${version}.`,
        );
    }
    const status = objectAt(answer, "status");
    const [certificate, key] = ["clientCertificateData", "clientKeyData"].map((name) =>
        textAt(status, name),
    );
    if ((certificate === "") !== (key === "")) {
        fail(command, "printed a certificate without its key, or a key without its certificate.");
    }
    if (certificate === "" && textAt(status, "token") === "") {
        fail(command, "printed neither a token nor a certificate.");
    }
    return status;
}

function credentialsIn(status: TreeObject): Credentials {
    const token = textAt(status, "token");
    const certificate = textAt(status, "clientCertificateData");
    return {
        headers: token === "" ? {} : { authorization: `Bearer ${token}` },
        ...(certificate === "" ? {} : { certificate, key: textAt(status, "clientKeyData") }),
    };
}

/** Asks the plugin when a credential is needed and the last one has ended. */
export function execCredentials(plugin: ExecPlugin): () => Promise<Credentials> {
    let current: Promise<Credentials> | undefined;
    let ends = Infinity;
    const ask = async (): Promise<Credentials> => {
        const version = checkedVersion(plugin);
        const status = statusIn(await run(plugin, version), plugin, version);
        const expires = textAt(status, "expirationTimestamp");
        ends = expires === "" ? Infinity : Date.parse(expires) - RENEW_BEFORE_MILLISECONDS;
        return credentialsIn(status);
    };
    return () => {
        if (current === undefined || Date.now() > ends) {
            ends = Infinity;
            current = ask().catch((error: unknown) => {
                current = undefined;
                throw error;
            });
        }
        return current;
    };
}
