// Network namespaces of this machine, with hardware addresses for what hangs in them, and the `ip` command in them.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { run, succeeds } from "../command.js";

/** Where `ip netns` keeps names. */
const NAMESPACE_FOLDER = "/run/netns";
/** The first half of the hub's and the nodes' hardware addresses: unicast, and administered locally. */
const HARDWARE_PREFIX = "02:51:55";

/**
 * The hardware address that belongs to an address, for ever. Without it a bridge takes that of one of its ports, and
 * another one when that port's node loses power: its neighbours would send to nobody for up to 45 s. And a node that
 * is back would have a new one, as no machine has.
 */
export function hardwareAddress(address: string): string {
    const bytes = address.split(".").slice(1);
    return [
        HARDWARE_PREFIX,
        ...bytes.map((byte) => Number(byte).toString(16).padStart(2, "0")),
    ].join(":");
}

export async function ip(...args: string[]): Promise<string> {
    return run("ip", args);
}

/** Many `ip` commands in one process; the first failure ends it. */
export async function ipBatch(
    namespace: string | undefined,
    lines: readonly string[],
): Promise<void> {
    const where = namespace === undefined ? [] : ["-n", namespace];
    await run("ip", [...where, "-batch", "-"], { input: lines.join("\n") });
}

/** Runs a program in a network namespace. */
export async function runIn(
    namespace: string,
    program: readonly string[],
    options: { input?: string } = {},
): Promise<void> {
    await run("nsenter", [`--net=${NAMESPACE_FOLDER}/${namespace}`, ...program], options);
}

/** Turns forwarding on and IPv6 off in a namespace, and its loopback up. */
export async function prepareNamespace(namespace: string): Promise<void> {
    await ip("netns", "add", namespace);
    await runIn(namespace, [
        "sh",
        "-c",
        "cd /proc/sys/net; echo 1 > ipv4/ip_forward; " +
            "for family in all default; do echo 0 > ipv4/conf/$family/rp_filter; " +
            "[ ! -d ipv6 ] || echo 1 > ipv6/conf/$family/disable_ipv6; done; " +
            // "No route" is said at once to whoever asks, however often.
            "echo 0 > ipv4/icmp_ratelimit; " +
            // Frames between nodes are none of the hub's kube-proxy's business.
            "[ ! -d bridge ] || echo 0 > bridge/bridge-nf-call-iptables",
    ]);
    await ip("-n", namespace, "link", "set", "lo", "up");
}

export async function removeNamespace(namespace: string): Promise<void> {
    // Succeeds, or was not there.
    await succeeds("ip", ["netns", "delete", namespace]);
}

export function namespaceExists(namespace: string): boolean {
    return existsSync(join(NAMESPACE_FOLDER, namespace));
}

/** Names of all that begin so. */
export function namespacesWith(prefix: string): string[] {
    if (!existsSync(NAMESPACE_FOLDER)) return [];
    return readdirSync(NAMESPACE_FOLDER).filter((name) => name.startsWith(prefix));
}

/** `ip netns add` mounts this folder for the first namespace, and nobody unmounts it for the last. */
export async function removeNamespaceFolder(): Promise<void> {
    if (!existsSync(NAMESPACE_FOLDER) || readdirSync(NAMESPACE_FOLDER).length > 0) return;
    await succeeds("umount", [NAMESPACE_FOLDER]);
    await succeeds("rmdir", [NAMESPACE_FOLDER]);
}
