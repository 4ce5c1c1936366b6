// A bare control plane on loopback ports: etcd, an API server, and of the controllers only those
// that make objects go away (garbage collector, namespaces). Nothing runs pods, so the tests play
// the controllers themselves by writing status.

import { execa, type ResultPromise } from "execa";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiClient } from "../../sandbox/pulumi/resource-kubernetes/api-client.js";
import { connect } from "../../sandbox/pulumi/resource-kubernetes/kubeconfig.js";
import { binary, ensureTools } from "../../sandbox/tools.js";

const START_SECONDS = 60;

export interface ControlPlane {
    /** The text of a kubeconfig with all rights. */
    readonly kubeconfig: string;
    readonly api: ApiClient;
    stop(): Promise<void>;
}

async function freePort(): Promise<number> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    return port;
}

function kubeconfigFor(server: string, token: string): string {
    return JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "test", cluster: { server, "insecure-skip-tls-verify": true } }],
        users: [{ name: "test", user: { token } }],
        contexts: [{ name: "test", context: { cluster: "test", user: "test" } }],
        "current-context": "test",
    });
}

async function untilReady(api: ApiClient, process: ResultPromise): Promise<void> {
    let ended: unknown;
    process.catch((error: unknown) => (ended = error));
    const end = Date.now() + START_SECONDS * 1000;
    for (;;) {
        try {
            await api.request({ method: "GET", path: "/readyz", attempts: 1 });
            return;
        } catch (error) {
            if (ended !== undefined || Date.now() > end) throw ended ?? error;
            await sleep(200);
        }
    }
}

export async function startControlPlane(): Promise<ControlPlane> {
    await ensureTools(["etcd", "kubernetes"], (line) => console.log(line));
    const folder = mkdtempSync(join(tmpdir(), "quorum-control-plane-"));
    const running: ResultPromise[] = [];
    const run = (file: string, args: readonly string[]): ResultPromise => {
        const log = join(folder, `${String(running.length)}.log`);
        const process = execa(file, args, { stdout: { file: log }, stderr: { file: log } });
        running.push(process);
        return process;
    };
    const stop = async (): Promise<void> => {
        // In the opposite order, so that nobody waits for somebody who is gone already.
        for (const process of running.reverse()) {
            process.kill("SIGKILL");
            await process.catch(() => undefined);
        }
        rmSync(folder, { recursive: true, force: true });
    };
    try {
        const [etcdPort, peerPort, apiPort] = [
            await freePort(),
            await freePort(),
            await freePort(),
        ];
        const etcd = `http://127.0.0.1:${etcdPort}`;
        const peer = `http://127.0.0.1:${peerPort}`;
        const store = run(binary("etcd"), [
            `--data-dir=${join(folder, "etcd")}`,
            `--listen-client-urls=${etcd}`,
            `--advertise-client-urls=${etcd}`,
            `--listen-peer-urls=${peer}`,
            `--initial-advertise-peer-urls=${peer}`,
            `--initial-cluster=default=${peer}`,
            "--unsafe-no-fsync",
        ]);
        store.catch(() => undefined);
        const key = join(folder, "service-account.key");
        const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
        writeFileSync(key, privateKey.export({ type: "pkcs8", format: "pem" }));
        const token = randomBytes(16).toString("hex");
        writeFileSync(join(folder, "tokens.csv"), `${token},test,test,system:masters\n`);
        const server = `https://127.0.0.1:${apiPort}`;
        const apiServer = run(binary("kubernetes", "kube-apiserver"), [
            `--etcd-servers=${etcd}`,
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            `--secure-port=${apiPort}`,
            `--cert-dir=${join(folder, "certificates")}`,
            `--token-auth-file=${join(folder, "tokens.csv")}`,
            "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc",
            `--service-account-key-file=${key}`,
            `--service-account-signing-key-file=${key}`,
            "--service-cluster-ip-range=10.96.0.0/16",
            // There is no controller that would make the service accounts that pods are given.
            "--disable-admission-plugins=ServiceAccount",
        ]);
        const kubeconfig = kubeconfigFor(server, token);
        const api = new ApiClient(connect(kubeconfig, {}), new AbortController().signal);
        await untilReady(api, apiServer).catch((error: unknown) => {
            const log = readFileSync(join(folder, "1.log"), "utf8").split("\n").slice(-20);
            throw new Error(`The API server did not start: ${log.join("\n")}`, { cause: error });
        });
        const file = join(folder, "kubeconfig");
        writeFileSync(file, kubeconfig);
        run(binary("kubernetes", "kube-controller-manager"), [
            `--kubeconfig=${file}`,
            "--controllers=garbage-collector-controller,namespace-controller",
            "--leader-elect=false",
            "--secure-port=0",
        ]).catch(() => undefined);
        return { kubeconfig, api, stop };
    } catch (error) {
        await stop();
        throw error;
    }
}
