// The hub: etcd, the control plane, the name server, a kube-proxy, and the sandbox's own controllers.

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { run, succeeds } from "../command.js";
import { SandboxError } from "../failure.js";
import { programDirectory } from "../places.js";
import { binary } from "../tools.js";
import { kubeconfigDirectory, pkiDirectory } from "./certificates.js";
import { kubeProxyConfiguration } from "./kube-proxy.js";
import { API_SERVER, HUB, HUB_ADDRESS, NODES, SERVICE_NETWORK } from "./plan.js";
import { type Part, powerOnPart } from "./processes.js";

/** A machine that does not answer for this long is NotReady; seen after about 28 s. */
const NODE_GRACE_SECONDS = 20;

const READY_PATIENCE_MILLISECONDS = 90_000;

const conf = (name: string): string => join(HUB.directory, "conf", name);
const pki = (name: string): string => join(pkiDirectory(), name);
const kubeconfig = (name: string): string => join(kubeconfigDirectory(), name);

function etcdArguments(): string[] {
    return [
        "--name=hub",
        `--data-dir=${join(HUB.directory, "etcd")}`,
        // Loopback of the hub: reached by nothing but the hub.
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=hub=http://127.0.0.1:2380",
        // A sandbox does not outlive its machine, so it need not wait for the disk.
        "--unsafe-no-fsync=true",
        "--log-level=warn",
    ];
}

function apiServerArguments(): string[] {
    return [
        `--advertise-address=${HUB_ADDRESS}`,
        "--secure-port=6443",
        "--etcd-servers=http://127.0.0.1:2379",
        `--service-cluster-ip-range=${SERVICE_NETWORK}`,
        `--client-ca-file=${pki("ca.crt")}`,
        `--tls-cert-file=${pki("apiserver.crt")}`,
        `--tls-private-key-file=${pki("apiserver.key")}`,
        `--kubelet-client-certificate=${pki("apiserver-kubelet-client.crt")}`,
        `--kubelet-client-key=${pki("apiserver-kubelet-client.key")}`,
        "--kubelet-preferred-address-types=InternalIP",
        `--service-account-key-file=${pki("sa.pub")}`,
        `--service-account-signing-key-file=${pki("sa.key")}`,
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        `--proxy-client-cert-file=${pki("front-proxy-client.crt")}`,
        `--proxy-client-key-file=${pki("front-proxy-client.key")}`,
        `--requestheader-client-ca-file=${pki("front-proxy-ca.crt")}`,
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        "--authorization-mode=Node,RBAC",
        "--enable-admission-plugins=NodeRestriction",
        "--allow-privileged=true",
        "--profiling=false",
        "--v=0",
    ];
}

function controllerManagerArguments(): string[] {
    return [
        `--kubeconfig=${kubeconfig("controller-manager.conf")}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        `--service-account-private-key-file=${pki("sa.key")}`,
        `--root-ca-file=${pki("ca.crt")}`,
        `--cluster-signing-cert-file=${pki("ca.crt")}`,
        `--cluster-signing-key-file=${pki("ca.key")}`,
        // The nodes' pod networks are fixed; see plan.ts.
        "--allocate-node-cidrs=false",
        `--node-monitor-grace-period=${NODE_GRACE_SECONDS}s`,
        "--profiling=false",
        "--v=0",
    ];
}

function schedulerArguments(): string[] {
    return [
        `--kubeconfig=${kubeconfig("scheduler.conf")}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
        "--v=0",
    ];
}

/** Names of the cluster only: a question about the outer world is answered "no such name" at once. */
function corefile(): string {
    // Two zones: within one, CoreDNS asks `template` before `kubernetes`, and it would answer everything.
    return `cluster.local in-addr.arpa ip6.arpa {
    bind ${HUB_ADDRESS}
    errors
    health 127.0.0.1:8080
    kubernetes {
        kubeconfig ${kubeconfig("coredns.conf")} system:coredns@quorum-sandbox
        pods insecure
        ttl 5
    }
}
. {
    bind ${HUB_ADDRESS}
    errors
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`;
}

/** Writes what hub.sh reads. */
export function configureControlPlane(): void {
    for (const name of ["conf", "log", "pids", "etcd"]) {
        mkdirSync(join(HUB.directory, name), { recursive: true, mode: 0o700 });
    }
    const proxy = kubeProxyConfiguration(
        // The hub is no node. It takes the view of the first, or kube-proxy would wait half a
        // minute for a node of the hub's name.
        NODES[0]!.name,
        HUB_ADDRESS,
        kubeconfig("kube-proxy.conf"),
    );
    writeFileSync(conf("kube-proxy.yaml"), stringify(proxy));
    writeFileSync(conf("Corefile"), corefile());
    const programs: Record<string, string[]> = {
        etcd: etcdArguments(),
        "kube-apiserver": apiServerArguments(),
        "kube-controller-manager": controllerManagerArguments(),
        "kube-scheduler": schedulerArguments(),
        "kube-proxy": [`--config=${conf("kube-proxy.yaml")}`, "--v=0"],
        coredns: ["-quiet", "-conf", conf("Corefile")],
    };
    for (const [program, args] of Object.entries(programs)) {
        writeFileSync(conf(`${program}.arguments`), `${args.join("\n")}\n`);
    }
}

function hubPart(): Part {
    const here = dirname(fileURLToPath(import.meta.url));
    const controllers = join(here, "..", "controllers", "main.ts");
    return {
        name: "control plane",
        namespace: HUB.namespace,
        directory: HUB.directory,
        script: "hub.sh",
        env: {
            TOOLS_ETCD: dirname(binary("etcd")),
            TOOLS_KUBERNETES: dirname(binary("kubernetes")),
            TOOLS_COREDNS: dirname(binary("coredns")),
            API_SERVER,
            PKI: pkiDirectory(),
            PROGRAM_DIRECTORY: programDirectory,
            NODE_PROGRAM: process.execPath,
            CONTROLLERS: controllers,
            KUBECONFIG: kubeconfig("admin.conf"),
            QUORUM_STATE: join(HUB.directory, ".."),
        },
    };
}

/** Powers the hub on. */
export async function startControlPlane(): Promise<void> {
    await powerOnPart(hubPart());
}

async function apiServerIsReady(): Promise<boolean> {
    return succeeds("curl", [
        ...["--silent", "--fail", "--max-time", "2", "--cacert", pki("ca.crt")],
        `${API_SERVER}/readyz`,
    ]);
}

/** Waits until the API server answers on this machine. */
export async function waitForApiServer(): Promise<void> {
    const end = Date.now() + READY_PATIENCE_MILLISECONDS;
    while (!(await apiServerIsReady())) {
        if (Date.now() > end) {
            throw new SandboxError(
                `The API server is not ready after ${READY_PATIENCE_MILLISECONDS / 1000} s; ` +
                    `see ${join(HUB.directory, "log")}.`,
            );
        }
        await sleep(200);
    }
}

const bootstrapMark = join(HUB.directory, "bootstrapped");

/** Creates the first objects of the cluster: rights and the storage class. Safe to run again. */
export async function bootstrapCluster(): Promise<void> {
    if (existsSync(bootstrapMark)) return;
    const here = dirname(fileURLToPath(import.meta.url));
    await run(binary("kubernetes", "kubectl"), [
        ...["--kubeconfig", kubeconfig("super-admin.conf")],
        ...["apply", "--server-side", "-f", join(here, "bootstrap.yaml")],
    ]);
    writeFileSync(bootstrapMark, "");
}

/** For a new sandbox. */
export function forgetBootstrap(): void {
    rmSync(bootstrapMark, { force: true });
}
