// API servers beside the sandbox's own, which keep everything in Kine: parts of the sandbox like its nodes, in the
// hub's network, where the Services of the cluster are reached. They have no controllers and no nodes.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { succeeds } from "../command.js";
import { SandboxError } from "../failure.js";
import { stateDirectory } from "../places.js";
import { binary } from "../tools.js";
import { kubeconfigDirectory, pkiDirectory } from "./certificates.js";
import { FIRST } from "./plan.js";
import { isRunning, powerOffPart, powerOnPart } from "./processes.js";

/** As for the sandbox's own API server; here each of its first writes also waits for a commit of a majority. */
const READY_PATIENCE_MILLISECONDS = 120_000;

/** How such an API server reaches Kine. */
export interface KineClient {
    /** For example `https://10.96.1.2:2379`. */
    readonly endpoint: string;
    /** PEM texts. */
    readonly authority: string;
    readonly certificate: string;
    readonly key: string;
}

/** A running one. */
export interface KineApiServer {
    readonly kubeconfig: string;
    readonly url: string;
}

const directoryOf = (cluster: string): string => stateDirectory("kine", cluster);
const pki = (name: string): string => join(pkiDirectory(FIRST), name);

function argumentsOf(directory: string, endpoint: string, port: number): string[] {
    const conf = (name: string): string => join(directory, "conf", name);
    return [
        `--advertise-address=${FIRST.hub.address}`,
        `--secure-port=${port}`,
        `--etcd-servers=${endpoint}`,
        `--etcd-cafile=${conf("ca.crt")}`,
        `--etcd-certfile=${conf("client.crt")}`,
        `--etcd-keyfile=${conf("client.key")}`,
        `--service-cluster-ip-range=${FIRST.networks.services}`,
        `--client-ca-file=${pki("ca.crt")}`,
        `--tls-cert-file=${pki("apiserver.crt")}`,
        `--tls-private-key-file=${pki("apiserver.key")}`,
        `--service-account-key-file=${pki("sa.pub")}`,
        `--service-account-signing-key-file=${pki("sa.key")}`,
        "--service-account-issuer=https://kine.quorum.dev",
        "--authorization-mode=RBAC",
        "--profiling=false",
        "--v=0",
    ];
}

/** As its administrator: the sandbox's, who belongs to system:masters and so needs no object that grants it. */
function writeKubeconfig(directory: string, url: string): string {
    const file = join(directory, "kubeconfig");
    const own = readFileSync(join(kubeconfigDirectory(FIRST), "super-admin.conf"), "utf8");
    writeFileSync(file, own.replaceAll(FIRST.apiServer, url), { mode: 0o600 });
    return file;
}

/** Whether these are the files that it was started with. */
function stand(directory: string, files: Readonly<Record<string, string>>): boolean {
    return Object.entries(files).every(([name, text]) => {
        const file = join(directory, "conf", name);
        return existsSync(file) && readFileSync(file, "utf8") === text;
    });
}

async function answers(url: string): Promise<boolean> {
    const authority = ["--cacert", pki("ca.crt")];
    return succeeds("curl", [
        ...["--silent", "--fail", "--max-time", "3", ...authority],
        `${url}/readyz`,
    ]);
}

/**
 * Starts an API server for the Kine of a cluster and waits until it is ready. One that runs already goes on, unless
 * Kine's address or its certificates are other ones by now.
 */
export async function startKineApiServer(
    cluster: string,
    client: KineClient,
    port: number,
): Promise<KineApiServer> {
    const directory = directoryOf(cluster);
    const url = `https://${FIRST.hub.address}:${port}`;
    const files = {
        "ca.crt": client.authority,
        "client.crt": client.certificate,
        "client.key": client.key,
        "kube-apiserver.arguments": `${argumentsOf(directory, client.endpoint, port).join("\n")}\n`,
    };
    if (!isRunning({ directory }) || !stand(directory, files)) {
        await powerOffPart({ directory });
        for (const name of ["conf", "log", "pids"]) {
            mkdirSync(join(directory, name), { recursive: true, mode: 0o700 });
        }
        for (const [name, text] of Object.entries(files)) {
            writeFileSync(join(directory, "conf", name), text, { mode: 0o600 });
        }
        await powerOnPart({
            name: `API server on Kine of ${cluster}`,
            sandbox: FIRST,
            namespace: FIRST.hub.namespace,
            directory,
            script: "kine-api-server.sh",
            env: { TOOLS_KUBERNETES: dirname(binary("kubernetes")) },
        });
    }
    const kubeconfig = writeKubeconfig(directory, url);
    const end = Date.now() + READY_PATIENCE_MILLISECONDS;
    while (!(await answers(url))) {
        if (Date.now() > end) {
            throw new SandboxError(
                `The API server on Kine is not ready after ${READY_PATIENCE_MILLISECONDS / 1000} s; ` +
                    `see ${join(directory, "log")}.`,
            );
        }
        await sleep(200);
    }
    return { kubeconfig, url };
}

/** Ends the API server of a cluster, and forgets it. What it stored stays in the database. */
export async function stopKineApiServer(cluster: string): Promise<void> {
    const directory = directoryOf(cluster);
    await powerOffPart({ directory });
    rmSync(directory, { recursive: true, force: true });
}

function clustersWithOne(): string[] {
    return existsSync(stateDirectory("kine")) ? readdirSync(stateDirectory("kine")) : [];
}

/** Ends all of them. */
export async function stopKineApiServers(): Promise<void> {
    for (const cluster of clustersWithOne()) await stopKineApiServer(cluster);
}

/** Which there are, and whether they run. */
export function kineApiServers(): { cluster: string; runs: boolean }[] {
    return clustersWithOne().map((cluster) => ({
        cluster,
        runs: isRunning({ directory: directoryOf(cluster) }),
    }));
}
