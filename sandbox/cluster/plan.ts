// What the sandbox looks like: zones, nodes and addresses. Pure; everything else reads it.

import { join } from "node:path";
import { stateDirectory } from "../places.js";

/** Names of the zones, as in `topology.kubernetes.io/zone`. */
export const ZONES = ["a", "b", "c"] as const;
export type Zone = (typeof ZONES)[number];

/** Two, because five members that must not share a node need five nodes. */
export const NODES_PER_ZONE = 2;

export const REGION = "sandbox";

/** Private ranges; networks.ts sees to it that no packet for them leaves the machine. */
export const NODE_NETWORK = "172.30.7.0/24";
export const LOAD_BALANCER_NETWORK = "172.30.8.0/24";
export const POD_NETWORK = "10.244.0.0/16";
export const SERVICE_NETWORK = "10.96.0.0/16";
export const NETWORKS = [
    NODE_NETWORK,
    LOAD_BALANCER_NETWORK,
    POD_NETWORK,
    SERVICE_NETWORK,
] as const;

/** The control plane, the name server and the bridge of the node network. */
export const HUB_ADDRESS = "172.30.7.1";
/** This machine, as the sandbox sees it. */
export const HOST_ADDRESS = "172.30.7.254";
export const API_SERVER = `https://${HUB_ADDRESS}:6443`;

/** Addresses that the load balancer controller hands out when none is asked for. */
export const LOAD_BALANCER_ADDRESSES = Array.from(
    { length: 100 },
    (_, index) => `172.30.8.${100 + index}`,
);

export interface SandboxNode {
    /** Zone and number, for example `b1`. */
    readonly name: string;
    readonly zone: Zone;
    readonly address: string;
    readonly podNetwork: string;
    /** Its network namespace. */
    readonly namespace: string;
    /** Its disk, configuration and logs on this machine. */
    readonly directory: string;
}

function nodeAt(zone: Zone, number: number, position: number): SandboxNode {
    const name = `${zone}${number}`;
    return {
        name,
        zone,
        address: `172.30.7.${10 + position}`,
        podNetwork: `10.244.${position}.0/24`,
        namespace: `quorum-${name}`,
        directory: stateDirectory("nodes", name),
    };
}

/** All nodes, in the order of their addresses. */
export const NODES: readonly SandboxNode[] = ZONES.flatMap((zone, zoneIndex) =>
    Array.from({ length: NODES_PER_ZONE }, (_, index) =>
        nodeAt(zone, index + 1, zoneIndex * NODES_PER_ZONE + index + 1),
    ),
);

export const HUB = {
    namespace: "quorum-hub",
    directory: stateDirectory("hub"),
} as const;

export function isZone(name: string): name is Zone {
    return (ZONES as readonly string[]).includes(name);
}

/** The administrator's kubeconfig of the sandbox. */
export function sandboxKubeconfig(): string {
    return stateDirectory("kubeconfig");
}

/** The network that the nodes' CNI configuration makes for pods. */
export const POD_NETWORK_NAME = "sandbox";

/** Where a node's container runtime keeps which pod it put on which network, seen from this machine. */
export function attachmentsDirectory(node: SandboxNode): string {
    return join(node.directory, "var/lib/cni/results");
}

/** Where the disks of the sandbox's storage class live on a node, seen from the node. */
export const DISK_DIRECTORY_ON_NODE = "/var/lib/quorum/disks";

/** The same folder, seen from this machine. */
export function diskDirectory(node: SandboxNode): string {
    return join(node.directory, DISK_DIRECTORY_ON_NODE);
}
