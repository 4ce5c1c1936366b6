// A node: its configuration, its power, and the images on it.

import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import type { ImageRecipe } from "../images/recipe.js";
import { binary } from "../tools.js";
import { makeNodeCertificates } from "./certificates.js";
import { makePodGroup, podGroupOf, removePodGroup, removePodGroups } from "./cgroups.js";
import { containerdConfiguration, copyStore } from "./containerd.js";
import { kubeProxyConfiguration } from "./kube-proxy.js";
import { noteImages } from "./node-images.js";
import { buildNodeNetwork, forgetNode, removeNodeNetwork, routeToNode } from "./network.js";
import { attachmentsDirectory, POD_NETWORK_NAME, REGION, type SandboxNode } from "./plan.js";
import { isRunning, powerOffPart, powerOnPart } from "./processes.js";

/** Of this machine's memory, what all pods together may ask for; the rest is for everything else. */
const MEMORY_FOR_PODS = 0.8;

/** Among how many nodes that is divided: those of `make up`. */
const NODES_AT_ONCE = 6;

const file = (node: SandboxNode, ...below: string[]): string => join(node.directory, ...below);

/** Each kubelet sees the whole machine, so each is told to keep its hands off all but its share. */
function reservedMemory(): string {
    const share = (totalmem() * MEMORY_FOR_PODS) / NODES_AT_ONCE;
    return `${Math.floor((totalmem() - share) / (1 << 20))}Mi`;
}

function kubeletConfiguration(node: SandboxNode): object {
    return {
        apiVersion: "kubelet.config.k8s.io/v1beta1",
        kind: "KubeletConfiguration",
        authentication: {
            anonymous: { enabled: false },
            webhook: { enabled: true },
            x509: { clientCAFile: "/run/quorum/node/conf/ca.crt" },
        },
        authorization: { mode: "Webhook" },
        containerRuntimeEndpoint: "unix:///run/containerd/containerd.sock",
        clusterDomain: "cluster.local",
        clusterDNS: [node.sandbox.hub.address],
        // This machine's own name servers are out of every pod's reach.
        resolvConf: "/run/quorum/node/conf/resolv.conf",
        cgroupDriver: "cgroupfs",
        cgroupRoot: podGroupOf(node),
        enforceNodeAllocatable: ["pods"],
        systemReserved: { memory: reservedMemory() },
        ...(node.taints === undefined ? {} : { registerWithTaints: node.taints }),
        ...(node.machine === undefined ? {} : { providerID: node.machine.providerId }),
        failSwapOn: false,
        failCgroupV1: false,
        oomScoreAdj: 0,
        maxOpenFiles: 20_000,
        // A dead node is to be seen in about 28 s, with the controller manager's grace of 20 s.
        nodeStatusUpdateFrequency: "5s",
        nodeLeaseDurationSeconds: 20,
        // A claim that asks for more has its file system grown when kubelet looks at the pod again, of itself once a minute.
        syncFrequency: "10s",
        serializeImagePulls: false,
        // Images come from no registry, so one that was thrown away would not come back.
        imageGCHighThresholdPercent: 100,
        evictionHard: {
            "memory.available": "50Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        shutdownGracePeriod: "0s",
    };
}

/**
 * Pods hang on the node by a cable each (`ptp`), not on a bridge: so every packet passes the node's
 * kube-proxy rules, also between two pods of one node.
 */
function podNetworkConfiguration(node: SandboxNode): object {
    return {
        cniVersion: "1.0.0",
        name: POD_NETWORK_NAME,
        plugins: [
            {
                type: "ptp",
                ipMasq: false,
                ipam: {
                    type: "host-local",
                    // In /run: a node that lost power has no pods that hold addresses.
                    dataDir: "/run/pod-addresses",
                    ranges: [[{ subnet: node.podNetwork }]],
                    routes: [{ dst: "0.0.0.0/0" }],
                },
            },
            { type: "portmap", capabilities: { portMappings: true }, snat: true },
        ],
    };
}

/** Writes the node's configuration and lays out its disk. */
function configureNode(node: SandboxNode): void {
    for (const name of ["conf/cni", "log", "pids"]) {
        mkdirSync(file(node, name), { recursive: true, mode: 0o700 });
    }
    const disk = [
        "lib/kubelet",
        "lib/cni/results",
        "lib/quorum/disks",
        "log/pods",
        "log/containers",
        "cache",
    ];
    for (const name of disk) mkdirSync(file(node, "var", name), { recursive: true });
    mkdirSync(file(node, "var", "tmp"), { recursive: true, mode: 0o1777 });
    if (!existsSync(file(node, "var", "run"))) symlinkSync("/run", file(node, "var", "run"));
    const conf = (name: string, text: string) => writeFileSync(file(node, "conf", name), text);
    conf("kubelet.yaml", stringify(kubeletConfiguration(node)));
    conf(
        "kube-proxy.yaml",
        stringify(
            kubeProxyConfiguration(
                node.sandbox,
                node.name,
                node.address,
                "/run/quorum/node/conf/kube-proxy.kubeconfig",
            ),
        ),
    );
    conf("resolv.conf", `nameserver ${node.sandbox.hub.address}\n`);
    conf("cni/sandbox.conflist", JSON.stringify(podNetworkConfiguration(node), undefined, 2));
    conf(
        "containerd.toml",
        containerdConfiguration({ root: "/var/lib/containerd", state: "/run/containerd" }),
    );
}

/**
 * Makes a node that the registry knows: its disk, its configuration and keys, its images, and the way to it. It has no
 * power yet.
 */
export async function makeNode(node: SandboxNode, recipes: readonly ImageRecipe[]): Promise<void> {
    configureNode(node);
    await makeNodeCertificates(node);
    await copyStore(recipes, file(node, "var", "lib", "containerd"));
    noteImages(node, recipes);
    makePodGroup(node);
    await routeToNode(node);
}

function offMark(node: SandboxNode): string {
    return file(node, "off");
}

/** True when somebody switched the node off on purpose. */
export function isSwitchedOff(node: SandboxNode): boolean {
    return existsSync(offMark(node));
}

export function nodeIsRunning(node: SandboxNode): boolean {
    return isRunning(node);
}

/** A node without power has no pods, and their addresses are given out again; the record of them is on its disk. */
function forgetAttachments(node: SandboxNode): void {
    const directory = attachmentsDirectory(node);
    // One by one: the directory itself is watched.
    for (const name of readdirSync(directory)) rmSync(join(directory, name));
}

/** As kubelet wants them. */
function labelsOf(node: SandboxNode): string {
    const labels = {
        "topology.kubernetes.io/zone": node.zone,
        "topology.kubernetes.io/region": REGION,
        ...node.labels,
    };
    return Object.entries(labels)
        .map(([key, value]) => `${key}=${value}`)
        .join(",");
}

/** Power on, with the disk and the addresses that the node had before. */
export async function powerOnNode(node: SandboxNode): Promise<void> {
    rmSync(offMark(node), { force: true });
    if (isRunning(node)) return;
    // Left over from a node that was killed rather than switched off.
    await powerOffPart(node);
    await removeNodeNetwork(node);
    removePodGroups(node);
    forgetAttachments(node);
    await buildNodeNetwork(node);
    await powerOnPart({
        name: `node ${node.name}`,
        sandbox: node.sandbox,
        namespace: node.namespace,
        directory: node.directory,
        script: "node.sh",
        env: {
            NODE: node.name,
            NODE_ADDRESS: node.address,
            NODE_DIRECTORY: node.directory,
            NODE_LABELS: labelsOf(node),
            TOOLS_KUBERNETES: dirname(binary("kubernetes")),
            CONTAINERD: "containerd",
            // Go programs on a machine with few cores do better with few threads.
            GOMAXPROCS: String(Math.min(2, cpus().length)),
        },
    });
}

/** Power off, as by pulling the cable: nothing on the node gets to say goodbye. */
export async function powerOffNode(node: SandboxNode): Promise<void> {
    writeFileSync(offMark(node), "");
    await powerOffPart(node);
    await removeNodeNetwork(node);
}

/** Takes away everything that is left of a node on this machine. Its power goes first. */
export async function unmakeNode(node: SandboxNode): Promise<void> {
    await powerOffPart(node);
    await removeNodeNetwork(node);
    await forgetNode(node);
    await removePodGroup(node);
    rmSync(node.directory, { recursive: true, force: true });
}
