// Compiles network policies into the packet filter of one node (nftables). Pure.
//
// Pods hang on their node by a cable each, so the node forwards all that they send and receive, after kube-proxy has put
// a pod's address in the place of a Service's and before it has put the node's in the place of a client's. What the node
// itself sends to its pods (kubelet's probes), and they to it, is not forwarded: it is always allowed, as it has to be.
// What Kubernetes asks for: https://kubernetes.io/docs/concepts/services-networking/network-policies/

import { selects, type Labels, type LabelSelector } from "./label-selector.js";

/** What this compiler reads of a NetworkPolicy. */
export interface PolicyView {
    readonly metadata?: {
        readonly uid?: string;
        readonly name?: string;
        readonly namespace?: string;
    };
    readonly spec?: {
        readonly podSelector?: LabelSelector;
        readonly policyTypes?: readonly string[];
        readonly ingress?: readonly { from?: readonly Peer[]; ports?: readonly PolicyPort[] }[];
        readonly egress?: readonly { to?: readonly Peer[]; ports?: readonly PolicyPort[] }[];
    };
}

export interface Peer {
    readonly podSelector?: LabelSelector;
    readonly namespaceSelector?: LabelSelector;
    readonly ipBlock?: { readonly cidr: string; readonly except?: readonly string[] };
}

export interface PolicyPort {
    readonly protocol?: string;
    /** A number, or the name that a port has in the pod that receives. */
    readonly port?: number | string;
    readonly endPort?: number;
}

/** A pod with an address of its own: those of the host's network have their node's, and no policy is about them. */
export interface PolicyPod {
    readonly namespace: string;
    readonly labels: Labels;
    readonly address: string;
    /** The name of its node. */
    readonly node: string;
    /** Those of its containers. */
    readonly ports: readonly {
        readonly containerPort: number;
        readonly name?: string;
        readonly protocol?: string;
    }[];
}

/** All that decides who reaches whom. */
export interface PolicyWorld {
    readonly policies: readonly PolicyView[];
    /** Labels by name. */
    readonly namespaces: ReadonlyMap<string, Labels>;
    readonly pods: readonly PolicyPod[];
}

/** A node before anything was said to it: it forwards nothing to and from pods. */
export const NOTHING_KNOWN: PolicyWorld = { policies: [], namespaces: new Map(), pods: [] };

type Side = "saddr" | "daddr";

interface Direction {
    readonly policyType: "Ingress" | "Egress";
    /** Where a packet has the address of the pod that a policy selects, and where that of its peer. */
    readonly own: Side;
    readonly other: Side;
    rulesOf(policy: PolicyView): readonly {
        readonly peers: readonly Peer[] | undefined;
        readonly ports: readonly PolicyPort[] | undefined;
    }[];
}

const EGRESS: Direction = {
    policyType: "Egress",
    own: "saddr",
    other: "daddr",
    rulesOf: ({ spec }) => (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports })),
};

const INGRESS: Direction = {
    policyType: "Ingress",
    own: "daddr",
    other: "saddr",
    rulesOf: ({ spec }) => (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports })),
};

const TABLE = "network-policies";

/** Longer ones are refused (NFTNL_UDATA_COMMENT_MAXLEN of libnftnl). */
const LONGEST_COMMENT = 127;

/**
 * What `nft -f` wants: in one step it takes the place of what the node had before. A pod of the node that the world does
 * not know is cut off, so that none is open before its policies are there.
 */
export function rulesFor(
    node: { readonly name: string; readonly podNetwork: string },
    world: PolicyWorld,
): string {
    const local = world.pods.filter((pod) => pod.node === node.name);
    const itself = local.map(({ address }) => `${address} . ${address}`);
    const chain = (name: string, lines: readonly string[]): string =>
        `    chain ${name} {\n${lines.map((line) => `        ${line}\n`).join("")}    }\n`;
    const forward = [
        // After kube-proxy's own, whose "accept" is not the last word.
        "type filter hook forward priority filter + 10; policy accept;",
        "ct state established,related accept",
        // Through a Service; a policy cannot forbid it.
        ...(itself.length === 0 ? [] : [`ip saddr . ip daddr ${setOf(itself)} accept`]),
        `ip saddr ${node.podNetwork} jump from-pods`,
        `ip daddr ${node.podNetwork} jump to-pods`,
    ];
    return [
        // Deleting one that is not there is an error.
        `table ip ${TABLE}\ndelete table ip ${TABLE}\ntable ip ${TABLE} {\n`,
        chain("from-pods", linesFor(EGRESS, local, world)),
        chain("to-pods", linesFor(INGRESS, local, world)),
        chain("forward", forward),
        "}\n",
    ].join("");
}

/** One direction of a node: who is unknown is cut off, who is selected by no policy is free, the others are asked for. */
function linesFor(direction: Direction, local: readonly PolicyPod[], world: PolicyWorld): string[] {
    if (local.length === 0) return ["counter drop"];
    const applied = world.policies
        .filter((policy) => typesOf(policy).includes(direction.policyType))
        .map((policy) => ({ policy, pods: local.filter((pod) => isSelected(pod, policy)) }))
        .filter(({ pods }) => pods.length > 0);
    const unknown = `ip ${direction.own} != ${addressesOf(local)} counter drop`;
    if (applied.length === 0) return [unknown];
    return [
        unknown,
        `ip ${direction.own} != ${addressesOf(applied.flatMap(({ pods }) => pods))} return`,
        ...applied.flatMap(({ policy, pods }) => permissionsOf(direction, policy, pods, world)),
        "counter drop",
    ];
}

/** Where the API server has not filled it in: ingress always, egress when there are rules for it. */
function typesOf({ spec }: PolicyView): readonly string[] {
    return spec?.policyTypes ?? ["Ingress", ...(spec?.egress?.length ? ["Egress"] : [])];
}

function isSelected(pod: PolicyPod, { metadata, spec }: PolicyView): boolean {
    return pod.namespace === metadata?.namespace && selects(spec?.podSelector ?? {}, pod.labels);
}

/** A line for whatever a policy lets its pods do. */
function permissionsOf(
    direction: Direction,
    policy: PolicyView,
    pods: readonly PolicyPod[],
    world: PolicyWorld,
): string[] {
    const { namespace = "", name = "" } = policy.metadata ?? {};
    const comment = `comment "${`${namespace}/${name}`.slice(0, LONGEST_COMMENT)}"`;
    const own = `ip ${direction.own} ${addressesOf(pods)}`;
    const receivers = direction === INGRESS ? pods : world.pods;
    return direction
        .rulesOf(policy)
        .flatMap(({ peers, ports }) =>
            matchesOfPeers(direction.other, peers, namespace, world).flatMap((peer) =>
                matchesOfPorts(ports, receivers).map((port) =>
                    [own, peer, port, "return", comment].filter((part) => part !== "").join(" "),
                ),
            ),
        );
}

/** Alternatives; one of them is empty where everybody is meant, and there are none where nobody is. */
function matchesOfPeers(
    side: Side,
    peers: readonly Peer[] | undefined,
    namespace: string,
    world: PolicyWorld,
): string[] {
    if (peers === undefined || peers.length === 0) return [""];
    const pods = world.pods.filter((pod) =>
        peers.some((peer) => isPeer(pod, peer, namespace, world)),
    );
    const blocks = peers.flatMap(({ ipBlock }) => {
        const block = ipBlock && networkOf(ipBlock.cidr);
        if (block === undefined) return [];
        const excepted = (ipBlock?.except ?? []).flatMap((cidr) => networkOf(cidr) ?? []);
        return [
            [`ip ${side} ${block}`, ...excepted.map((one) => `ip ${side} != ${one}`)].join(" "),
        ];
    });
    return [...(pods.length === 0 ? [] : [`ip ${side} ${addressesOf(pods)}`]), ...blocks];
}

function isPeer(
    pod: PolicyPod,
    { podSelector, namespaceSelector, ipBlock }: Peer,
    namespace: string,
    world: PolicyWorld,
): boolean {
    if (ipBlock !== undefined) return false;
    const isInNamespace =
        namespaceSelector === undefined
            ? pod.namespace === namespace
            : selects(namespaceSelector, world.namespaces.get(pod.namespace) ?? {});
    return isInNamespace && selects(podSelector ?? {}, pod.labels);
}

/** Alternatives, as with peers. A name may stand for another number in each pod that receives. */
function matchesOfPorts(
    ports: readonly PolicyPort[] | undefined,
    receivers: readonly PolicyPod[],
): string[] {
    if (ports === undefined || ports.length === 0) return [""];
    return ports.flatMap(({ protocol = "TCP", port, endPort }) => {
        const kind = protocol.toLowerCase();
        if (port === undefined) return [`meta l4proto ${kind}`];
        if (typeof port === "number") {
            const isRange = endPort !== undefined && endPort > port;
            return [`${kind} dport ${port}${isRange ? `-${endPort}` : ""}`];
        }
        const named = receivers.flatMap((pod) =>
            pod.ports
                .filter((one) => one.name === port && (one.protocol ?? "TCP") === protocol)
                .map(({ containerPort }) => `${pod.address} . ${containerPort}`),
        );
        return named.length === 0 ? [] : [`ip daddr . ${kind} dport ${setOf(named)}`];
    });
}

function addressesOf(pods: readonly PolicyPod[]): string {
    return setOf(pods.map(({ address }) => address));
}

/** In an order of its own, so that a node's rules change only when they say something else. */
function setOf(elements: readonly string[]): string {
    return `{ ${[...new Set(elements)].sort().join(", ")} }`;
}

/**
 * An IPv4 network as it is usually written; undefined for an IPv6 one, which the sandbox has none of. Kubernetes takes
 * also networks with bits of a host, and leading zeros.
 */
function networkOf(cidr: string): string | undefined {
    const found = /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr);
    if (found === null) return undefined;
    const [a, b, c, d, length] = found.slice(1).map(Number) as [
        number,
        number,
        number,
        number,
        number,
    ];
    const mask = length === 0 ? 0 : (~0 << (32 - length)) >>> 0;
    const address = (((a << 24) | (b << 16) | (c << 8) | d) & mask) >>> 0;
    const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
    return `${bytes.join(".")}/${length}`;
}
