// What joins sandboxes that stand side by side: a switch on which their hubs and this machine hang. Over it the nodes and
// pods of one reach nodes, API server and load balancers of the others: the hub of the sandbox whose Service has an address
// answers for it. They do not reach pods there, so that what works here works also where networks of pods are not joined,
// nor Services, for no hub has a route to another's.
//
// Whom an answer is for: the way between them is that of clusters in one network of Google's. Pods keep their own address on
// their way to private ranges (https://docs.cloud.google.com/kubernetes-engine/docs/concepts/ip-masquerade-agent), so a load
// balancer's source ranges are about pods. Behind it the hub's kube-proxy puts its own address, one of the node network, in
// the place of the client's, as externalTrafficPolicy Cluster has it
// (https://kubernetes.io/docs/tutorials/services/source-ip/), so a pod's network policies are about nodes.

import { succeeds } from "../command.js";
import {
    hardwareAddress,
    ip,
    ipBatch,
    namespaceExists,
    prepareNamespace,
    removeNamespace,
    runIn,
} from "./namespaces.js";
import {
    guardNetworks,
    isolateHostLink,
    refuseForeignRoutes,
    removeHostLink,
    ROUTE_PROTOCOL,
} from "./network.js";
import { BETWEEN_NETWORK, FIRST, SANDBOXES, type Sandbox } from "./plan.js";

/** Not one of the first sandbox's, which come and go with it. */
const SWITCH = "sandboxes-between";
const BRIDGE = "switch";
/** A hub's end of its cable to the switch. */
const LINK = "between";
/** This machine's. */
const HOST_LINK = "quorum-between";
const HOST_ADDRESS = addressAt(254);
const { loadBalancers } = FIRST.networks;

function addressAt(last: number): string {
    return BETWEEN_NETWORK.replace(/0\/24$/, String(last));
}

function addressOf({ number }: Sandbox): string {
    return addressAt(number + 1);
}

async function buildSwitch(): Promise<void> {
    if (namespaceExists(SWITCH)) return;
    await refuseForeignRoutes([BETWEEN_NETWORK]);
    await guardNetworks([BETWEEN_NETWORK]);
    await prepareNamespace(SWITCH);
    await ipBatch(SWITCH, [
        `link add ${BRIDGE} address ${hardwareAddress(addressAt(0))} type bridge mcast_snooping 0`,
        `link set ${BRIDGE} up`,
    ]);
    await ip(
        ...["link", "add", HOST_LINK, "type", "veth"],
        ...["peer", "name", "host", "netns", SWITCH],
    );
    await ipBatch(SWITCH, [`link set host master ${BRIDGE}`, "link set host up"]);
    await isolateHostLink(HOST_LINK);
    await ipBatch(undefined, [
        `addr add ${HOST_ADDRESS}/32 dev ${HOST_LINK}`,
        `link set ${HOST_LINK} up`,
    ]);
}

/** The ways from a sandbox's hub to the others. */
function routesOf(sandbox: Sandbox): string[] {
    return [
        `route replace ${loadBalancers} dev ${LINK}`,
        ...SANDBOXES.filter(({ number }) => number !== sandbox.number).flatMap((other) =>
            [other.networks.nodes, other.networks.pods].map(
                (network) => `route replace ${network} via ${addressOf(other)}`,
            ),
        ),
    ];
}

/** What comes over the switch for a load balancer has a pod's address by now (kube-proxy's DNAT); what asks for a pod goes no further. */
const guardOf = ({ networks }: Sandbox): string => `
table inet quorum-between
delete table inet quorum-between
table inet quorum-between {
    chain forward {
        type filter hook forward priority filter; policy accept;
        iifname "${LINK}" ip daddr ${networks.pods} ct state new ct status & dnat == 0 drop
    }
}
`;

/** Joins a sandbox to those that are there. One that is joined already stays so. */
export async function joinSandbox(sandbox: Sandbox): Promise<void> {
    const { hub, name } = sandbox;
    await buildSwitch();
    if (!(await succeeds("ip", ["-n", hub.namespace, "link", "show", LINK]))) {
        const address = addressOf(sandbox);
        // What a hub that went with its cable left at the switch.
        await succeeds("ip", ["-n", SWITCH, "link", "delete", name]);
        await ip(
            ...["-n", SWITCH, "link", "add", name, "type", "veth"],
            ...["peer", "name", LINK, "address", hardwareAddress(address), "netns", hub.namespace],
        );
        await ipBatch(SWITCH, [`link set ${name} master ${BRIDGE}`, `link set ${name} up`]);
        await ipBatch(hub.namespace, [`addr add ${address}/24 dev ${LINK}`, `link set ${LINK} up`]);
    }
    await ipBatch(hub.namespace, routesOf(sandbox));
    await runIn(hub.namespace, ["nft", "-f", "-"], { input: guardOf(sandbox) });
    const ours = `proto ${ROUTE_PROTOCOL} src ${HOST_ADDRESS}`;
    await ipBatch(undefined, [
        `route replace ${BETWEEN_NETWORK} dev ${HOST_LINK} ${ours}`,
        `route replace ${loadBalancers} dev ${HOST_LINK} ${ours}`,
    ]);
}

/** Takes the switch away, at the end of all sandboxes. */
export async function removeSwitch(): Promise<void> {
    await removeHostLink(HOST_LINK);
    await removeNamespace(SWITCH);
}

interface Link {
    readonly addr_info: readonly { readonly local: string; readonly prefixlen: number }[];
}

/**
 * Makes the hub in whose network this runs answer at the switch for these addresses, and for no other ones. Without a
 * switch nobody asks.
 */
export async function answerFor(addresses: readonly string[]): Promise<void> {
    if (!(await succeeds("ip", ["link", "show", LINK]))) return;
    const [link] = JSON.parse(await ip("-4", "-j", "address", "show", "dev", LINK)) as Link[];
    const present = (link?.addr_info ?? [])
        .filter(({ prefixlen }) => prefixlen === 32)
        .map(({ local }) => local);
    await ipBatch(undefined, [
        ...present
            .filter((one) => !addresses.includes(one))
            .map((one) => `address delete ${one}/32 dev ${LINK}`),
        ...addresses
            .filter((one) => !present.includes(one))
            .map((one) => `address add ${one}/32 dev ${LINK}`),
    ]);
}
