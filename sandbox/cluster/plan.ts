// What a sandbox looks like: its number, its ranges, and the nodes that it starts with. Pure; everything else reads it.

import { join } from "node:path";
import { stateDirectory } from "../places.js";

/** Sandboxes stand side by side, each a Kubernetes of its own. The first is the one of `make up`. */
export type SandboxNumber = 0 | 1 | 2;

/**
 * What differs between sandboxes. No range of one overlaps any of another.
 * The load balancers' network is that of all: an address is no sandbox's before a Service has it.
 */
export interface Sandbox {
    readonly number: SandboxNumber;
    /** The first is `sandbox`; also in the names of all that it leaves on this machine. */
    readonly name: string;
    /** Everything of it that is on this machine's disk. */
    readonly directory: string;
    /** Of the names of all its network namespaces, and of no other's. */
    readonly namespacePrefix: string;
    /** Private ranges; network.ts sees to it that no packet for them leaves the machine. */
    readonly networks: {
        readonly nodes: string;
        readonly loadBalancers: string;
        readonly pods: string;
        readonly services: string;
    };
    /** The control plane, the name server and the bridge of the node network. */
    readonly hub: {
        readonly namespace: string;
        readonly directory: string;
        readonly address: string;
    };
    /** This machine, as the sandbox sees it, and its end of the cable into the hub. */
    readonly host: { readonly address: string; readonly link: string };
    readonly apiServer: string;
}

const LOAD_BALANCER_NETWORK = "172.30.8.0/24";

/** What hubs and this machine have between them when there are several sandboxes; see between.ts. */
export const BETWEEN_NETWORK = "172.30.9.0/24";

/** The sandbox of a number. */
export function sandboxNumbered(number: SandboxNumber): Sandbox {
    const isFirst = number === 0;
    const name = isFirst ? "sandbox" : `sandbox-${number}`;
    const directory = isFirst ? stateDirectory() : stateDirectory("sandboxes", String(number));
    const nodes = `172.30.${7 + 10 * number}`;
    const address = `${nodes}.1`;
    const namespacePrefix = isFirst ? "quorum-" : `quorum${number}-`;
    return {
        number,
        name,
        directory,
        namespacePrefix,
        networks: {
            nodes: `${nodes}.0/24`,
            loadBalancers: LOAD_BALANCER_NETWORK,
            pods: `10.${244 + number}.0.0/16`,
            services: `10.${96 + number}.0.0/16`,
        },
        hub: {
            namespace: `${namespacePrefix}hub`,
            directory: join(directory, "hub"),
            address,
        },
        host: { address: `${nodes}.254`, link: `quorum${number}` },
        apiServer: `https://${address}:6443`,
    };
}

export const SANDBOXES: readonly Sandbox[] = ([0, 1, 2] as const).map(sandboxNumbered);

/** The sandbox of `make up`. */
export const FIRST = sandboxNumbered(0);

export const REGION = "sandbox";

/** The first address of a network, without its last number: `172.30.8.`. */
function prefixOf(network: string): string {
    return network.replace(/\d+\/\d+$/, "");
}

/** How many addresses a sandbox's load balancer controller hands out by itself. */
const ADDRESSES_HANDED_OUT = 50;

/** Addresses that the load balancer controller hands out when none is asked for: other ones in each sandbox. */
export function loadBalancerAddresses({ number, networks }: Sandbox): string[] {
    const first = 100 + number * ADDRESSES_HANDED_OUT;
    return Array.from(
        { length: ADDRESSES_HANDED_OUT },
        (_, index) => `${prefixOf(networks.loadBalancers)}${first + index}`,
    );
}

/** True for an address of the load balancers' network. */
export function isLoadBalancerAddress(address: string): boolean {
    return address.startsWith(prefixOf(LOAD_BALANCER_NETWORK));
}

/** A taint as kubelet registers it. */
export interface Taint {
    readonly key: string;
    readonly value: string;
    readonly effect: string;
}

/** What makes a node one of a cloud's machines. */
export interface Machine {
    /** The path of its pool in the cloud. */
    readonly pool: string;
    /** Names what it was made from: a pool that has another by now has it made again. */
    readonly template: string;
    /** For example `e2-standard-4`. */
    readonly type: string;
    /** As in the node's spec: `gce://PROJECT/ZONE/NAME`. */
    readonly providerId: string;
}

/** A node, as it is written down. */
export interface NodeRecord {
    /** Its name in Kubernetes and in names of this machine, for example `b1`. */
    readonly name: string;
    readonly zone: string;
    /** From 1; no two nodes of a sandbox have the same. Its addresses come from it. */
    readonly number: number;
    /** Beside those of its zone and region. */
    readonly labels?: Readonly<Record<string, string>>;
    readonly taints?: readonly Taint[];
    /** Undefined for a node that belongs to the sandbox's form. */
    readonly machine?: Machine;
}

/** As many nodes as the ranges have addresses for. */
export const NODE_NUMBERS = Array.from({ length: 240 }, (_, index) => index + 1);

/** A node, with what follows from its record. */
export interface SandboxNode extends NodeRecord {
    readonly sandbox: Sandbox;
    readonly address: string;
    readonly podNetwork: string;
    /** Its network namespace. */
    readonly namespace: string;
    /** The hub's end of its cable. */
    readonly link: string;
    /** Its disk, configuration and logs on this machine. */
    readonly directory: string;
}

export function nodeOf(sandbox: Sandbox, record: NodeRecord): SandboxNode {
    const { name, number } = record;
    return {
        ...record,
        sandbox,
        address: `${prefixOf(sandbox.networks.nodes)}${10 + number}`,
        podNetwork: sandbox.networks.pods.replace(/0\.0\/16$/, `${number}.0/24`),
        namespace: `${sandbox.namespacePrefix}${name}`,
        link: `node${number}`,
        directory: join(sandbox.directory, "nodes", name),
    };
}

/** What a sandbox is made as. One that runs in another form is replaced, not healed. */
export interface Form {
    readonly number: SandboxNumber;
    /** The nodes that it has from the start. */
    readonly nodes: readonly NodeRecord[];
    /** `cloud`: it is a control plane only; nodes come and go with the cloud's node pools (sandbox/cloud). */
    readonly machines: "own" | "cloud";
    /** One of several side by side, which reach each other; see between.ts. */
    readonly isJoined: boolean;
}

/** Names of the zones of `make up`, as in `topology.kubernetes.io/zone`. */
export const ZONES = ["a", "b", "c"] as const;

/** Two, because five members that must not share a node need five nodes. */
const NODES_PER_ZONE = 2;

/** The form of `make up`: three zones of two nodes, numbered in the order of their names. */
export const THREE_ZONES: Form = {
    number: 0,
    machines: "own",
    isJoined: false,
    nodes: ZONES.flatMap((zone, zoneIndex) =>
        Array.from({ length: NODES_PER_ZONE }, (_, index) => ({
            name: `${zone}${index + 1}`,
            zone,
            number: zoneIndex * NODES_PER_ZONE + index + 1,
        })),
    ),
};

/** Three Kubernetes side by side, of one node and one zone each. */
export const ONE_ZONE_EACH: readonly Form[] = SANDBOXES.map(({ number }) => ({
    number,
    machines: "own",
    isJoined: true,
    nodes: [{ name: `${ZONES[number]}1`, zone: ZONES[number], number: 1 }],
}));

/** The form of `make up PLATFORM=gke`: Google's part is played by the cloud's stand-in. */
export const ON_CLOUD: Form = { number: 0, machines: "cloud", isJoined: false, nodes: [] };

/** The same with three control planes, for three clusters. */
export const THREE_ON_CLOUD: readonly Form[] = SANDBOXES.map(({ number }) => ({
    ...ON_CLOUD,
    number,
    isJoined: true,
}));

/** The zones of the cloud's stand-in, all in the region {@link REGION}. */
export const CLOUD_ZONES = ["sandbox-a", "sandbox-b", "sandbox-c", "sandbox-d"] as const;

/** The administrator's kubeconfig of a sandbox. */
export function kubeconfigOf(sandbox: Sandbox): string {
    return join(sandbox.directory, "kubeconfig");
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

/** Zone files that the sandbox's name server answers beside the cluster's own names; see zone-files.ts. */
export function zoneFilesOf(sandbox: Sandbox): string {
    return join(sandbox.hub.directory, "zones");
}
