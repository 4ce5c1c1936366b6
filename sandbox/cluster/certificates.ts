// Keys, certificates and kubeconfigs of the sandbox, made by kubeadm.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "../command.js";
import { stateDirectory } from "../places.js";
import { binary, toolVersion } from "../tools.js";
import { HUB, HUB_ADDRESS, NODES, POD_NETWORK, SERVICE_NETWORK, type SandboxNode } from "./plan.js";

export function pkiDirectory(): string {
    return stateDirectory("pki");
}

/** Kubeconfigs of the control plane: admin.conf, super-admin.conf, scheduler.conf and so on. */
export function kubeconfigDirectory(): string {
    return stateDirectory("kubeconfigs");
}

function configuration(): string {
    const parts = [
        {
            kind: "InitConfiguration",
            localAPIEndpoint: { advertiseAddress: HUB_ADDRESS, bindPort: 6443 },
            nodeRegistration: { name: "hub", criSocket: "unix:///run/containerd/containerd.sock" },
        },
        {
            kind: "ClusterConfiguration",
            clusterName: "quorum-sandbox",
            // Named, or kubeadm would ask the internet for the newest.
            kubernetesVersion: `v${toolVersion("kubernetes")}`,
            controlPlaneEndpoint: `${HUB_ADDRESS}:6443`,
            certificatesDir: pkiDirectory(),
            // An order of magnitude faster to make than RSA.
            encryptionAlgorithm: "ECDSA-P256",
            // Not kubeadm's: it would make etcd certificates that we do not use.
            etcd: { external: { endpoints: ["http://127.0.0.1:2379"] } },
            networking: { podSubnet: POD_NETWORK, serviceSubnet: SERVICE_NETWORK },
            apiServer: { certSANs: ["127.0.0.1", "localhost", HUB_ADDRESS] },
        },
    ];
    return parts
        .map((part) => stringify({ apiVersion: "kubeadm.k8s.io/v1beta4", ...part }))
        .join("---\n");
}

/** kubeadm in the hub's network: it looks at addresses and routes of where it runs. */
async function kubeadm(...args: string[]): Promise<string> {
    return run("nsenter", [
        `--net=/run/netns/${HUB.namespace}`,
        binary("kubernetes", "kubeadm"),
        ...args,
    ]);
}

/** A kubeconfig for one user, returned as text. */
async function kubeconfigFor(config: string, user: string, group?: string): Promise<string> {
    const organisation = group === undefined ? [] : [`--org=${group}`];
    return kubeadm(
        "kubeconfig",
        "user",
        "--config",
        config,
        `--client-name=${user}`,
        ...organisation,
    );
}

/** Where a node reads its own kubeconfigs. */
function nodeFile(node: SandboxNode, name: string): string {
    return join(node.directory, "conf", name);
}

/** Makes everything; each start of a new sandbox has keys of its own. */
export async function makeCertificates(): Promise<void> {
    const config = stateDirectory("kubeadm.yaml");
    writeFileSync(config, configuration());
    mkdirSync(kubeconfigDirectory(), { recursive: true });
    await kubeadm("init", "phase", "certs", "all", "--config", config);
    const [, proxy, coredns] = await Promise.all([
        kubeadm(
            ...["init", "phase", "kubeconfig", "all", "--config", config],
            ...["--kubeconfig-dir", kubeconfigDirectory()],
        ),
        kubeconfigFor(config, "system:kube-proxy"),
        kubeconfigFor(config, "system:coredns"),
        ...NODES.map(async (node) => {
            const text = await kubeconfigFor(config, `system:node:${node.name}`, "system:nodes");
            writeFileSync(nodeFile(node, "kubelet.kubeconfig"), text, { mode: 0o600 });
        }),
    ]);
    writeFileSync(join(kubeconfigDirectory(), "kube-proxy.conf"), proxy, { mode: 0o600 });
    writeFileSync(join(kubeconfigDirectory(), "coredns.conf"), coredns, { mode: 0o600 });
    for (const node of NODES) {
        writeFileSync(nodeFile(node, "kube-proxy.kubeconfig"), proxy, { mode: 0o600 });
        writeFileSync(nodeFile(node, "ca.crt"), await run("cat", [join(pkiDirectory(), "ca.crt")]));
    }
}
