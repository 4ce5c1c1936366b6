// spec -> plan. Pure: the same specification always gives the same members with the same names, and a change of the
// specification changes as few of them as it can.

import type { ClusterSpec } from "./spec";

/** What a plan is made from. */
export type PlannedSpec = Pick<
    ClusterSpec,
    "name" | "zones" | "replicas" | "primary" | "maxUnavailable"
>;

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
    readonly count: (spec: Pick<ClusterSpec, "replicas">) => number;
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

/** Who there is, who begins and who leads, and in which order they are touched. Made once from a specification. */
export interface Plan {
    /** All members, sorted by name. */
    readonly members: readonly Member[];
    readonly ofRole: (role: string) => readonly Member[];
    /**
     * The order in which members are created and upgraded: the forming member first, the preferred leader last. Those of the
     * join list go before those that know the cluster by it only, so the forming member is one whom all others look for.
     * Members of other roles go before, in the order of the roles (YugabyteDB's masters before its tservers).
     */
    readonly chain: readonly Member[];
    /**
     * Which members of the chain must be ready before this one is touched: at most `maxUnavailable` members of the main
     * role are touched at a time, those of a pinned role one by one, and a role waits for all of the role before it.
     */
    readonly before: (member: Member) => readonly Member[];
    /** The member that forms the cluster: the first of the chain. */
    readonly first: Member;
    /** The member that leads when everything is well: `primary`, by default the first of the main role by name. */
    readonly primary: Member;
    /**
     * The members whose addresses are written into every member's flags. They are pinned: those of the smallest cluster over
     * the same zones, so that scaling changes nobody's pod template.
     */
    readonly seeds: readonly Member[];
    /** The members of pinned roles ({@link Role.pinned}), which every pod may know by name too. */
    readonly pinned: readonly Member[];
}

/**
 * The plan of a specification.
 *
 * Zones are filled in alphabetical order, so their order in the configuration does not matter; numbers of members of two
 * zones differ by at most one, and raising `replicas` by one adds exactly one member.
 */
export function planOf(spec: PlannedSpec, roles: readonly Role[] = SINGLE_ROLE): Plan {
    const members = roles
        .flatMap((role) => planRole(spec, role.name, role.count(spec)))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    const isPinned = ({ role }: Member) =>
        roles.some(({ name, pinned }) => pinned && name === role);
    const ofRole = (role: string) => members.filter((member) => member.role === role);
    const leaders = ofRole(MAIN_ROLE);
    const primary = leaders.find(({ name }) => name === spec.primary) ?? leaders[0]!;
    const chain = chainOf(spec, members, primary, roles);
    return {
        members,
        ofRole,
        chain,
        before: (member) => {
            const earlier = chain.slice(0, chain.indexOf(member));
            const same = earlier.filter(({ role }) => role === member.role);
            const width = isPinned(member) ? 1 : spec.maxUnavailable;
            return same.length >= width
                ? [same.at(-width)!]
                : earlier.filter(({ role }) => role !== member.role);
        },
        first: chain[0]!,
        primary,
        seeds: planRole(spec, MAIN_ROLE, SEEDS),
        pinned: members.filter(isPinned),
    };
}

/**
 * Layout `cluster-per-zone`: the zone whose Kubernetes cluster holds the cluster record and runs the jobs, the first by name.
 * `undefined` in layouts with one Kubernetes cluster.
 */
export const homeOf = ({ layout, zones }: Pick<ClusterSpec, "layout" | "zones">) =>
    layout === "cluster-per-zone" ? [...zones].sort()[0]! : undefined;

function planRole({ name: cluster, zones }: PlannedSpec, role: string, count: number): Member[] {
    const sorted = [...zones].sort();
    return Array.from({ length: count }, (_, position) => {
        const zone = sorted[position % sorted.length]!;
        const index = Math.floor(position / sorted.length);
        const name = [cluster, ...(role === MAIN_ROLE ? [] : [role]), zone, index].join("-");
        return { name, role, zone, index, id: memberId(name) };
    });
}

/** {@link Plan.chain}. */
function chainOf(
    spec: PlannedSpec,
    members: readonly Member[],
    primary: Member,
    roles: readonly Role[],
): Member[] {
    const rank = (member: Member) => roles.findIndex(({ name }) => name === member.role);
    const seeds = new Set(
        roles.flatMap((role) => planRole(spec, role.name, SEEDS)).map(({ name }) => name),
    );
    return [...members].sort(
        (a, b) =>
            rank(a) - rank(b) ||
            Number(a === primary) - Number(b === primary) ||
            Number(seeds.has(b.name)) - Number(seeds.has(a.name)) ||
            (a.name < b.name ? -1 : 1),
    );
}

/** FNV-1a over the name, 32 bits, never 0. */
function memberId(name: string): number {
    let hash = 0x811c9dc5;
    for (const character of name) {
        hash = Math.imul(hash ^ character.charCodeAt(0), 0x01000193);
    }
    return hash >>> 0 || 1;
}
