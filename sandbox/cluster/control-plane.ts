// The hub: etcd, the control plane, the name server, a kube-proxy, and the sandbox's own controllers.

import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { run, succeeds } from "../command.js";
import { SandboxError } from "../failure.js";
import { programDirectory, stateDirectory } from "../places.js";
import { binary } from "../tools.js";
import { clusterNameOf, kubeconfigDirectory, pkiDirectory } from "./certificates.js";
import { kubeProxyConfiguration } from "./kube-proxy.js";
import { zoneFilesOf, type Form, type Sandbox } from "./plan.js";
import { type Part, powerOnPart } from "./processes.js";
import { nodesOf } from "./registry.js";

/** A machine that does not answer for this long is NotReady; seen after about 28 s. */
const NODE_GRACE_SECONDS = 20;

const READY_PATIENCE_MILLISECONDS = 90_000;

/** Paths of a control plane's files, by their kind. */
interface Files {
    readonly conf: (name: string) => string;
    readonly pki: (name: string) => string;
    readonly kubeconfig: (name: string) => string;
}

function filesOf(sandbox: Sandbox): Files {
    return {
        conf: (name) => join(sandbox.hub.directory, "conf", name),
        pki: (name) => join(pkiDirectory(sandbox), name),
        kubeconfig: (name) => join(kubeconfigDirectory(sandbox), name),
    };
}

/** Everything that the control plane stores. */
export function etcdDirectory(sandbox: Sandbox): string {
    return join(sandbox.hub.directory, "etcd");
}

function etcdArguments(sandbox: Sandbox): string[] {
    return [
        "--name=hub",
        `--data-dir=${etcdDirectory(sandbox)}`,
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

function apiServerArguments(sandbox: Sandbox): string[] {
    const { pki } = filesOf(sandbox);
    return [
        `--advertise-address=${sandbox.hub.address}`,
        "--secure-port=6443",
        "--etcd-servers=http://127.0.0.1:2379",
        `--service-cluster-ip-range=${sandbox.networks.services}`,
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

function controllerManagerArguments(sandbox: Sandbox): string[] {
    const { pki, kubeconfig } = filesOf(sandbox);
    return [
        `--kubeconfig=${kubeconfig("controller-manager.conf")}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--use-service-account-credentials=true",
        `--service-account-private-key-file=${pki("sa.key")}`,
        `--root-ca-file=${pki("ca.crt")}`,
        `--cluster-signing-cert-file=${pki("ca.crt")}`,
        `--cluster-signing-key-file=${pki("ca.key")}`,
        // The nodes' pod networks follow from their numbers; see plan.ts.
        "--allocate-node-cidrs=false",
        `--node-monitor-grace-period=${NODE_GRACE_SECONDS}s`,
        "--profiling=false",
        "--v=0",
    ];
}

function schedulerArguments(sandbox: Sandbox): string[] {
    return [
        `--kubeconfig=${filesOf(sandbox).kubeconfig("scheduler.conf")}`,
        "--bind-address=127.0.0.1",
        "--leader-elect=false",
        "--profiling=false",
        "--v=0",
    ];
}

/** Where the name server asks itself for what nobody knows. */
const NOBODY = "127.0.0.1:5353";

/** Names of the cluster and of the cloud only: a question about the outer world is answered "no such name" at once. */
function corefile(sandbox: Sandbox): string {
    const { address } = sandbox.hub;
    const { kubeconfig } = filesOf(sandbox);
    // Within one server, CoreDNS asks `template` before `kubernetes` and `auto`, and it would answer everything.
    return `cluster.local in-addr.arpa ip6.arpa {
    bind ${address}
    errors
    health 127.0.0.1:8080
    kubernetes {
        kubeconfig ${kubeconfig("coredns.conf")} system:coredns@${clusterNameOf(sandbox)}
        pods insecure
        ttl 5
    }
}
. {
    bind ${address}
    errors
    auto {
        directory ${zoneFilesOf(sandbox)} db\\.(.*) {1}
        reload 2s
    }
    forward . ${NOBODY}
}
.:${NOBODY.split(":")[1]!} {
    bind ${NOBODY.split(":")[0]!}
    errors
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`;
}

/** Writes what hub.sh reads. */
export function configureControlPlane(sandbox: Sandbox): void {
    const { conf, kubeconfig } = filesOf(sandbox);
    for (const name of ["conf", "log", "pids", "etcd", "zones"]) {
        mkdirSync(join(sandbox.hub.directory, name), { recursive: true, mode: 0o700 });
    }
    const proxy = kubeProxyConfiguration(
        sandbox,
        // The hub is no node. It takes the view of the first that there is now, or kube-proxy would wait half a
        // minute for a node of the hub's name.
        nodesOf(sandbox)[0]?.name ?? "hub",
        sandbox.hub.address,
        kubeconfig("kube-proxy.conf"),
    );
    writeFileSync(conf("kube-proxy.yaml"), stringify(proxy));
    writeFileSync(conf("Corefile"), corefile(sandbox));
    const programs: Record<string, string[]> = {
        etcd: etcdArguments(sandbox),
        "kube-apiserver": apiServerArguments(sandbox),
        "kube-controller-manager": controllerManagerArguments(sandbox),
        "kube-scheduler": schedulerArguments(sandbox),
        "kube-proxy": [`--config=${conf("kube-proxy.yaml")}`, "--v=0"],
        coredns: ["-quiet", "-conf", conf("Corefile")],
    };
    for (const [program, args] of Object.entries(programs)) {
        writeFileSync(conf(`${program}.arguments`), `${args.join("\n")}\n`);
    }
}

function hubPart(sandbox: Sandbox): Part {
    const { hub, number, apiServer } = sandbox;
    const here = dirname(fileURLToPath(import.meta.url));
    const controllers = join(here, "..", "controllers", "main.ts");
    return {
        name: "control plane",
        sandbox,
        namespace: hub.namespace,
        directory: hub.directory,
        script: "hub.sh",
        env: {
            TOOLS_ETCD: dirname(binary("etcd")),
            TOOLS_KUBERNETES: dirname(binary("kubernetes")),
            TOOLS_COREDNS: dirname(binary("coredns")),
            API_SERVER: apiServer,
            PKI: pkiDirectory(sandbox),
            PROGRAM_DIRECTORY: programDirectory,
            NODE_PROGRAM: process.execPath,
            CONTROLLERS: controllers,
            KUBECONFIG: filesOf(sandbox).kubeconfig("admin.conf"),
            SANDBOX_NUMBER: String(number),
            QUORUM_STATE: stateDirectory(),
        },
    };
}

/** Powers the hub on. */
export async function startControlPlane(sandbox: Sandbox): Promise<void> {
    await powerOnPart(hubPart(sandbox));
}

async function apiServerIsReady(sandbox: Sandbox): Promise<boolean> {
    return succeeds("curl", [
        ...["--silent", "--fail", "--max-time", "2"],
        ...["--cacert", filesOf(sandbox).pki("ca.crt")],
        `${sandbox.apiServer}/readyz`,
    ]);
}

/** Waits until the API server answers on this machine. */
export async function waitForApiServer(sandbox: Sandbox): Promise<void> {
    const end = Date.now() + READY_PATIENCE_MILLISECONDS;
    while (!(await apiServerIsReady(sandbox))) {
        if (Date.now() > end) {
            throw new SandboxError(
                `The API server is not ready after ${READY_PATIENCE_MILLISECONDS / 1000} s; ` +
                    `see ${join(sandbox.hub.directory, "log")}.`,
            );
        }
        await sleep(200);
    }
}

/** Written when the first objects are there; hub.sh waits for it. */
function bootstrapMark(sandbox: Sandbox): string {
    return join(sandbox.hub.directory, "bootstrapped");
}

/** The first objects of every cluster, and those of one whose nodes are its own. */
const OBJECTS: Readonly<Record<Form["machines"], readonly string[]>> = {
    own: ["bootstrap.yaml", "sandbox-disk.yaml"],
    cloud: ["bootstrap.yaml", "cloud-disks.yaml"],
};

/** Creates the first objects of the cluster: rights and storage classes. Safe to run again. */
export async function bootstrapCluster(
    sandbox: Sandbox,
    machines: Form["machines"],
): Promise<void> {
    if (existsSync(bootstrapMark(sandbox))) return;
    const here = dirname(fileURLToPath(import.meta.url));
    await run(binary("kubernetes", "kubectl"), [
        ...["--kubeconfig", filesOf(sandbox).kubeconfig("super-admin.conf")],
        ...["apply", "--server-side"],
        ...OBJECTS[machines].flatMap((name) => ["-f", join(here, name)]),
    ]);
    writeFileSync(bootstrapMark(sandbox), "");
}

/** For a new sandbox. */
export function forgetBootstrap(sandbox: Sandbox): void {
    rmSync(bootstrapMark(sandbox), { force: true });
}
