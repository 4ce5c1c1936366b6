// How a mongod finds out which member of a configuration it is: it resolves each host and compares with its own addresses
// (findSelfInConfig of repl_set_config_checks.cpp, isself.cpp). The slow way, to connect and ask `_isSelf`, is not simulated:
// here an address that is not its own belongs to nobody or to another pod.

import { promises as dns } from "node:dns";
import { networkInterfaces } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

/** "Try again" is the one failure of a resolver that mongod does not take for an answer. */
const RETRIES_MS = [1000, 2000, 4000, 8000];

/** All addresses of a host name; none when it has none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

const lookup: Resolve = async (host) =>
    (await dns.lookup(host, { all: true })).map(({ address }) => address);

export function ownAddresses(): string[] {
    return Object.values(networkInterfaces()).flatMap((all) =>
        (all ?? []).map(({ address }) => address),
    );
}

/** Whether an address is this machine's: all addresses are bound, and so is every one of 127.0.0.0/8. */
export const isOwn = (address: string, own: readonly string[]): boolean =>
    address.startsWith("127.") || own.includes(address);

async function addressesOf(host: string, resolve: Resolve): Promise<readonly string[]> {
    for (const delay of [...RETRIES_MS, undefined]) {
        try {
            return await resolve(host);
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EAI_AGAIN" || delay === undefined) break;
            await sleep(delay);
        }
    }
    return [];
}

/** The one of these `host:port` that is this mongod; `undefined`: none is. */
export async function findSelf(
    hosts: readonly string[],
    own: readonly string[] = ownAddresses(),
    resolve: Resolve = lookup,
): Promise<string | undefined> {
    for (const host of hosts) {
        const addresses = await addressesOf(host.split(":")[0]!, resolve);
        if (addresses.some((address) => isOwn(address, own))) return host;
    }
    return undefined;
}
