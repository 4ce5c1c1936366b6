// spec -> members. Pure: the same specification always gives the same members with the same names, and a change
// of the specification changes as few of them as it can.

import type { ClusterSpec } from "./spec";

/** One database process with an identity of its own. */
export interface Member {
    /** `<cluster>-<zone>-<index>`, or `<cluster>-<role>-<zone>-<index>` for a role beside the main one. */
    readonly name: string;
    /** Which kind of process; {@link MAIN_ROLE} for engines that have only one. */
    readonly role: string;
    readonly zone: string;
    /** Counts the members of a zone, from 0. */
    readonly index: number;
    /** A number that belongs to the name for ever (MySQL's server_id): never 0, below 2^32. */
    readonly id: number;
}

/** A kind of process of an engine, and how many of them a specification asks for. */
export interface Role {
    readonly name: string;
    readonly count: (spec: ClusterSpec) => number;
    /**
     * Its members stand in the flags of all others, and which they are is decided once: a change of zones that would
     * move one of them is refused. They are touched one at a time, whatever `maxUnavailable` says.
     */
    readonly pinned?: boolean;
}

/** The role whose members hold the data; it is left out of their names. */
export const MAIN_ROLE = "member";

/** The role list of engines with one kind of process. */
export const SINGLE_ROLE: readonly Role[] = [{ name: MAIN_ROLE, count: (spec) => spec.replicas }];

/** How many join addresses a member is given. Three survive the loss of any two; the documents ask for 3 to 5. */
const SEEDS = 3;

/**
 * The members of a cluster, sorted by name.
 *
 * Zones are filled in alphabetical order, so their order in the configuration does not matter; numbers of members
 * of two zones differ by at most one, and raising `replicas` by one adds exactly one member.
 */
export function planMembers(spec: ClusterSpec, roles: readonly Role[] = SINGLE_ROLE): Member[] {
    const members = roles.flatMap((role) => planRole(spec, role.name, role.count(spec)));
    return members.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function planRole(spec: ClusterSpec, role: string, count: number): Member[] {
    const zones = [...spec.zones].sort();
    return Array.from({ length: count }, (_, position) => {
        const zone = zones[position % zones.length]!;
        const index = Math.floor(position / zones.length);
        const name = [spec.name, ...(role === MAIN_ROLE ? [] : [role]), zone, index].join("-");
        return { name, role, zone, index, id: memberId(name) };
    });
}

/** The member that leads when everything is well: `primary`, by default the first by name. */
export function primaryOf(spec: ClusterSpec, members: readonly Member[]): Member {
    const candidates = members.filter((member) => member.role === MAIN_ROLE);
    return candidates.find((member) => member.name === spec.primary) ?? candidates[0]!;
}

/**
 * The order in which members are created and upgraded: the forming member first, the preferred leader last. Those of the
 * join list go before those that know the cluster by it only, so the forming member is one whom all others look for.
 * Members of other roles go before, in the order of `roles` (YugabyteDB's masters before its tservers).
 */
export function chainOf(
    spec: ClusterSpec,
    members: readonly Member[],
    roles: readonly Role[] = SINGLE_ROLE,
): Member[] {
    const primary = primaryOf(spec, members);
    const rank = (member: Member) => roles.findIndex((role) => role.name === member.role);
    const seeds = new Set(roles.flatMap(({ name }) => seedsOf(spec, name)).map(({ name }) => name));
    return [...members].sort(
        (a, b) =>
            rank(a) - rank(b) ||
            Number(a === primary) - Number(b === primary) ||
            Number(seeds.has(b.name)) - Number(seeds.has(a.name)) ||
            (a.name < b.name ? -1 : 1),
    );
}

/**
 * Which members of a chain must be ready before each of them is touched: at most `maxUnavailable` members of the main
 * role are touched at a time, those of a pinned role one by one, and a role waits for all of the role before it.
 */
export function orderOf(
    spec: ClusterSpec,
    chain: readonly Member[],
    roles: readonly Role[] = SINGLE_ROLE,
): ReadonlyMap<Member, readonly Member[]> {
    const pinned = (member: Member) => roles.find(({ name }) => name === member.role)?.pinned;
    return new Map(
        chain.map((member, position) => {
            const width = pinned(member) ? 1 : spec.maxUnavailable;
            const before = chain.slice(0, position);
            const same = before.filter(({ role }) => role === member.role);
            const after =
                same.length >= width
                    ? [same.at(-width)!]
                    : before.filter(({ role }) => role !== member.role);
            return [member, after];
        }),
    );
}

/**
 * The members whose addresses are written into every member's flags. They are pinned: those of the smallest
 * cluster over the same zones, so that scaling changes nobody's pod template.
 */
export function seedsOf(spec: ClusterSpec, role: string = MAIN_ROLE): Member[] {
    return planRole(spec, role, SEEDS);
}

/** FNV-1a over the name, 32 bits, never 0. */
function memberId(name: string): number {
    let hash = 0x811c9dc5;
    for (const character of name) {
        hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    }
    return hash >>> 0 || 1;
}
