// Keys, certificates and kubeconfigs of the sandbox, made by kubeadm.

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stringify } from "yaml";
import { run } from "../command.js";
import { binary, toolVersion } from "../tools.js";
import type { Sandbox, SandboxNode } from "./plan.js";

export function pkiDirectory(sandbox: Sandbox): string {
    return join(sandbox.directory, "pki");
}

/** Kubeconfigs of the control plane: admin.conf, super-admin.conf, scheduler.conf and so on. */
export function kubeconfigDirectory(sandbox: Sandbox): string {
    return join(sandbox.directory, "kubeconfigs");
}

/** Name of the cluster in the kubeconfigs. */
export function clusterNameOf(sandbox: Sandbox): string {
    return `quorum-${sandbox.name}`;
}

function configurationFile(sandbox: Sandbox): string {
    return join(sandbox.directory, "kubeadm.yaml");
}

function configuration(sandbox: Sandbox): string {
    const { hub, networks } = sandbox;
    const parts = [
        {
            kind: "InitConfiguration",
            localAPIEndpoint: { advertiseAddress: hub.address, bindPort: 6443 },
            nodeRegistration: { name: "hub", criSocket: "unix:///run/containerd/containerd.sock" },
        },
        {
            kind: "ClusterConfiguration",
            clusterName: clusterNameOf(sandbox),
            // Named, or kubeadm would ask the internet for the newest.
            kubernetesVersion: `v${toolVersion("kubernetes")}`,
            controlPlaneEndpoint: `${hub.address}:6443`,
            certificatesDir: pkiDirectory(sandbox),
            // An order of magnitude faster to make than RSA.
            encryptionAlgorithm: "ECDSA-P256",
            // Not kubeadm's: it would make etcd certificates that we do not use.
            etcd: { external: { endpoints: ["http://127.0.0.1:2379"] } },
            networking: { podSubnet: networks.pods, serviceSubnet: networks.services },
            apiServer: { certSANs: ["127.0.0.1", "localhost", hub.address] },
        },
    ];
    return parts
        .map((part) => stringify({ apiVersion: "kubeadm.k8s.io/v1beta4", ...part }))
        .join("---\n");
}

/** kubeadm in the hub's network: it looks at addresses and routes of where it runs. */
async function kubeadm(sandbox: Sandbox, ...args: string[]): Promise<string> {
    return run("nsenter", [
        `--net=/run/netns/${sandbox.hub.namespace}`,
        binary("kubernetes", "kubeadm"),
        ...args,
    ]);
}

/** A kubeconfig for one user, returned as text. */
async function kubeconfigFor(sandbox: Sandbox, user: string, group?: string): Promise<string> {
    const organisation = group === undefined ? [] : [`--org=${group}`];
    return kubeadm(
        sandbox,
        ...["kubeconfig", "user", "--config", configurationFile(sandbox)],
        ...[`--client-name=${user}`, ...organisation],
    );
}

/** Makes those of the control plane; each start of a new sandbox has keys of its own. */
export async function makeCertificates(sandbox: Sandbox): Promise<void> {
    const config = configurationFile(sandbox);
    const folder = kubeconfigDirectory(sandbox);
    writeFileSync(config, configuration(sandbox));
    mkdirSync(folder, { recursive: true });
    await kubeadm(sandbox, "init", "phase", "certs", "all", "--config", config);
    const [, proxy, coredns] = await Promise.all([
        kubeadm(
            sandbox,
            ...["init", "phase", "kubeconfig", "all", "--config", config],
            ...["--kubeconfig-dir", folder],
        ),
        kubeconfigFor(sandbox, "system:kube-proxy"),
        kubeconfigFor(sandbox, "system:coredns"),
    ]);
    writeFileSync(join(folder, "kube-proxy.conf"), proxy, { mode: 0o600 });
    writeFileSync(join(folder, "coredns.conf"), coredns, { mode: 0o600 });
}

/** Makes a node's own kubeconfigs, signed by the control plane's authority. */
export async function makeNodeCertificates(node: SandboxNode): Promise<void> {
    const { sandbox, name } = node;
    const conf = (file: string): string => join(node.directory, "conf", file);
    const kubelet = await kubeconfigFor(sandbox, `system:node:${name}`, "system:nodes");
    writeFileSync(conf("kubelet.kubeconfig"), kubelet, { mode: 0o600 });
    copyFileSync(
        join(kubeconfigDirectory(sandbox), "kube-proxy.conf"),
        conf("kube-proxy.kubeconfig"),
    );
    copyFileSync(join(pkiDirectory(sandbox), "ca.crt"), conf("ca.crt"));
}
