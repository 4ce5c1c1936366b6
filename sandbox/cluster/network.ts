// The sandbox's networks. Everything hangs on a bridge inside a network namespace (the hub) that
// has no default route, so nothing that a pod or the API server sends can leave this machine.

import { succeeds } from "../command.js";
import { NOTHING_KNOWN, rulesFor } from "../controllers/policy-rules.js";
import { SandboxError } from "../failure.js";
import {
    hardwareAddress,
    ip,
    ipBatch,
    namespaceExists,
    namespacesWith,
    prepareNamespace,
    removeNamespace,
    removeNamespaceFolder,
    runIn,
} from "./namespaces.js";
import { FIRST, SANDBOXES, type Sandbox, type SandboxNode } from "./plan.js";
import { nodesOf } from "./registry.js";

/** The bridge inside the hub. */
const BRIDGE = "nodes";
/** How the names of our links on this machine begin. */
const HOST_LINKS = "quorum";
/** Marks our routes in this machine's table, so that we remove ours and no others. */
export const ROUTE_PROTOCOL = "71";
/** Before the main table (32766), after the local one (0). */
const RULE_PRIORITY = "7130";
/** Worse than any route that somebody would add: it counts only when the real one is gone. */
const GUARD_METRIC = "65535";

interface Route {
    readonly dst: string;
    readonly dev?: string;
    readonly protocol?: string;
}

/**
 * Refuses when somebody else uses one of these ranges on this machine, for we would cut it off.
 */
export async function refuseForeignRoutes(networks: readonly string[]): Promise<void> {
    for (const network of networks) {
        const text = await ip("-4", "-j", "route", "show", "table", "all", "root", network);
        const routes = (text === "" ? [] : JSON.parse(text)) as Route[];
        const foreign = routes.find(
            ({ dev, protocol }) =>
                dev?.startsWith(HOST_LINKS) !== true && String(protocol) !== ROUTE_PROTOCOL,
        );
        if (foreign !== undefined) {
            throw new SandboxError(
                `The sandbox uses ${network}, and this machine already has a route to ` +
                    `${foreign.dst}${foreign.dev === undefined ? "" : ` on ${foreign.dev}`}; remove it first.`,
            );
        }
    }
}

/**
 * Makes ranges unreachable wherever the sandbox's own routes do not stand. Without this a
 * client of a sandbox that is down would send its packets out by the default route.
 */
export async function guardNetworks(networks: readonly string[]): Promise<void> {
    await ipBatch(
        undefined,
        networks.map(
            (network) =>
                `route replace unreachable ${network} metric ${GUARD_METRIC} proto ${ROUTE_PROTOCOL}`,
        ),
    );
}

/** Takes the guards of all sandboxes away too; for when nothing of them is left that could send. */
export async function unguardNetworks(): Promise<void> {
    await succeeds("ip", ["-4", "route", "flush", "type", "unreachable", "proto", ROUTE_PROTOCOL]);
}

/** The hub, its bridge, and the cable and routes from this machine. Nodes bring their own. */
export async function buildHubNetwork({ number, networks, hub, host }: Sandbox): Promise<void> {
    await prepareNamespace(hub.namespace);
    await ipBatch(hub.namespace, [
        `link add ${BRIDGE} address ${hardwareAddress(hub.address)} type bridge mcast_snooping 0`,
        `link set ${BRIDGE} up`,
        `addr add ${hub.address}/24 dev ${BRIDGE}`,
        // kube-proxy rewrites these, but only after a route was found for them.
        `route add ${networks.services} dev ${BRIDGE}`,
        `route add ${networks.loadBalancers} dev ${BRIDGE}`,
    ]);
    await ip(
        ...["link", "add", host.link, "type", "veth"],
        ...["peer", "name", "host", "netns", hub.namespace],
    );
    await ipBatch(hub.namespace, [`link set host master ${BRIDGE}`, "link set host up"]);
    await isolateHostLink(host.link);
    const ours = `proto ${ROUTE_PROTOCOL} src ${host.address}`;
    await ipBatch(undefined, [
        `addr add ${host.address}/32 dev ${host.link}`,
        `link set ${host.link} up`,
        `route replace ${networks.nodes} dev ${host.link} ${ours}`,
        `route replace ${networks.services} via ${hub.address} ${ours}`,
        // All sandboxes have this one network; between.ts says how it is reached when there are several.
        ...(number === FIRST.number
            ? [`route replace ${networks.loadBalancers} via ${hub.address} ${ours}`]
            : []),
    ]);
}

/** Whatever this machine forwards elsewhere, it forwards nothing that comes in by this link of ours. */
export async function isolateHostLink(link: string): Promise<void> {
    await ip("-4", "rule", "add", "pref", RULE_PRIORITY, "iif", link, "prohibit");
    await succeeds("sysctl", ["-q", "-w", `net.ipv6.conf.${link}.disable_ipv6=1`]);
}

/** Takes the link away, and with it the routes over it. */
export async function removeHostLink(link: string): Promise<void> {
    await succeeds("ip", ["link", "delete", link]);
    await succeeds("ip", ["-4", "rule", "delete", "pref", RULE_PRIORITY, "iif", link]);
}

/**
 * Tells the hub, this machine and the nodes with power where a node's pods are. Straight to the node: the answers come
 * straight back, and a hub that saw only one direction would drop them as invalid.
 */
export async function routeToNode(node: SandboxNode): Promise<void> {
    const { hub, host } = node.sandbox;
    const route = `${node.podNetwork} via ${node.address}`;
    await ipBatch(hub.namespace, [`route replace ${route}`]);
    await ipBatch(undefined, [
        `route replace ${route} proto ${ROUTE_PROTOCOL} src ${host.address}`,
    ]);
    for (const other of neighboursOf(node)) {
        await ipBatch(other.namespace, [`route replace ${route}`]);
    }
}

/** Takes back what {@link routeToNode} told. */
export async function forgetNode(node: SandboxNode): Promise<void> {
    const route = ["route", "delete", node.podNetwork];
    await succeeds("ip", ["-n", node.sandbox.hub.namespace, ...route]);
    await succeeds("ip", [...route, "proto", ROUTE_PROTOCOL]);
    for (const other of neighboursOf(node)) await succeeds("ip", ["-n", other.namespace, ...route]);
}

/** The other nodes that have a network now: those with power. */
function neighboursOf(node: SandboxNode): SandboxNode[] {
    return nodesOf(node.sandbox).filter(
        ({ name, namespace }) => name !== node.name && namespaceExists(namespace),
    );
}

/** A node's namespace and its cable to the bridge. */
export async function buildNodeNetwork(node: SandboxNode): Promise<void> {
    const { hub, networks } = node.sandbox;
    await prepareNamespace(node.namespace);
    // No pod is open before the network policies' controller has seen the node.
    await setPacketFilter(node, rulesFor(node, NOTHING_KNOWN));
    await ip(
        ...["-n", hub.namespace, "link", "add", node.link, "type", "veth"],
        ...["peer", "name", "eth0", "address", hardwareAddress(node.address)],
        ...["netns", node.namespace],
    );
    await ipBatch(hub.namespace, [
        `link set ${node.link} master ${BRIDGE}`,
        `link set ${node.link} up`,
    ]);
    await ipBatch(node.namespace, [
        `addr add ${node.address}/24 dev eth0`,
        "link set eth0 up",
        `route add ${networks.services} dev eth0`,
        // The hub knows who answers for an address, and the way to the other sandboxes.
        `route add ${networks.loadBalancers} via ${hub.address}`,
        ...SANDBOXES.filter(({ number }) => number !== node.sandbox.number)
            .flatMap((other) => [other.networks.nodes, other.networks.pods])
            .map((network) => `route add ${network} via ${hub.address}`),
        ...nodesOf(node.sandbox)
            .filter(({ name }) => name !== node.name)
            .map((other) => `route add ${other.podNetwork} via ${other.address}`),
    ]);
}

/** @param rules in nftables' language; they are taken all at once or not at all */
export async function setPacketFilter(node: SandboxNode, rules: string): Promise<void> {
    await runIn(node.namespace, ["nft", "-f", "-"], { input: rules });
}

/**
 * Cuts every node off from all others and from the API server, as a switch that fails. Their processes run on. For tests.
 */
export async function cutNetwork(sandbox: Sandbox = FIRST): Promise<void> {
    await setCables(sandbox, "down");
}

/** Ends {@link cutNetwork}. */
export async function healNetwork(sandbox: Sandbox = FIRST): Promise<void> {
    await setCables(sandbox, "up");
}

async function setCables(sandbox: Sandbox, state: "up" | "down"): Promise<void> {
    await ipBatch(
        sandbox.hub.namespace,
        nodesOf(sandbox).map((node) => `link set ${node.link} ${state}`),
    );
}

/** True while the hub's namespace and the cable to it exist. */
export async function hubNetworkStands({ hub, host }: Sandbox): Promise<boolean> {
    const stands = await Promise.all([
        succeeds("ip", ["-n", hub.namespace, "link", "show", "host"]),
        succeeds("ip", ["link", "show", host.link]),
    ]);
    return stands.every(Boolean);
}

/** The node's address stops to answer, as that of a machine without power. */
export async function removeNodeNetwork(node: SandboxNode): Promise<void> {
    await succeeds("ip", ["-n", node.sandbox.hub.namespace, "link", "delete", node.link]);
    await removeNamespace(node.namespace);
}

/** Takes away everything of a sandbox's network but the guard. Safe on any leftover. */
export async function removeNetworks(sandbox: Sandbox): Promise<void> {
    await removeHostLink(sandbox.host.link);
    for (const namespace of namespacesWith(sandbox.namespacePrefix)) {
        await removeNamespace(namespace);
    }
    await removeNamespaceFolder();
}
