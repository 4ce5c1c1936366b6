// A specification is accepted here or nowhere: the general rules, then the engine's own, all problems at once.

import { engineOf } from "./engines";
import type { Engine } from "./engines/engine";
import {
    compareSeries,
    ENGINE_NAMES,
    parseSpec,
    SpecError,
    type ClusterSpec,
    type Problem,
} from "./spec";
import { MAIN_ROLE, planMembers } from "./topology";

/** A specification that was accepted, with its engine. */
export interface AcceptedSpec {
    readonly spec: ClusterSpec;
    readonly engine: Engine;
}

/** What the rules of an engine start from: with one of these unknown, they would complain of the wrong things. */
const DECISIVE_KEYS = ["name", "engine", "version", "replicas", "zones"];

/**
 * Checks a specification completely.
 *
 * @throws SpecError listing every problem with its configuration key.
 */
export function acceptSpec(input: unknown): AcceptedSpec {
    const { spec, problems } = parseSpec(input);
    const readable = spec ?? parseSpec(withoutProblems(input, problems)).spec;
    const engine = readable && engineOf(readable.engine);
    const found = [...problems];
    if (readable && engine) {
        const isKnown = ({ path }: Problem) => problems.some((known) => known.path === path);
        found.push(...engineProblems(readable, engine).filter((problem) => !isKnown(problem)));
    }
    if (found.length > 0 || !spec || !engine) {
        throw new SpecError(found);
    }
    return { spec, engine };
}

/** The input without what was refused, so that the engine's rules can be applied to the rest. */
function withoutProblems(input: unknown, problems: readonly Problem[]): unknown {
    if (problems.some(({ path }) => DECISIVE_KEYS.includes(path.split(".")[0]!))) {
        return undefined;
    }
    const rest = structuredClone(input);
    for (const { path } of problems) {
        remove(rest, path.split("."));
    }
    return rest;
}

/** Removes the value at a path; of a list that has a bad entry, the whole list. */
function remove(from: unknown, [key, ...below]: readonly string[]): void {
    if (typeof from !== "object" || from === null || key === undefined) {
        return;
    }
    const values = from as Record<string, unknown>;
    if (below.length === 0 || Array.isArray(values[key])) {
        Reflect.deleteProperty(values, key);
    } else {
        remove(values[key], below);
    }
}

/** The rules that need to know the engine. */
function engineProblems(spec: ClusterSpec, engine: Engine): Problem[] {
    return [
        ...membershipProblems(spec, engine),
        ...durabilityProblems(spec, engine),
        ...replicationProblems(spec, engine),
        ...finalizeProblems(spec, engine),
        ...exceptionProblems(spec, engine),
        ...kineProblems(spec, engine),
        ...exposeProblems(spec, engine),
        ...engine.validate(spec),
    ];
}

function membershipProblems(spec: ClusterSpec, engine: Engine): Problem[] {
    const problems: Problem[] = [];
    const refuse = (path: keyof ClusterSpec, reason: string) =>
        problems.push({ path, value: spec[path], reason });
    if (spec.replicas < engine.minimumReplicas) {
        refuse("replicas", `${engine.title} needs at least ${engine.minimumReplicas} members`);
    }
    if (engine.votes(spec) && spec.replicas % 2 === 0) {
        refuse(
            "replicas",
            `${engine.title}'s members vote, and an even number of voters survives no more losses than one fewer: ` +
                `use ${spec.replicas - 1} or ${spec.replicas + 1}`,
        );
    }
    if (spec.maxUnavailable >= spec.replicas && spec.replicas > 1) {
        refuse("maxUnavailable", `must be below the number of members (${spec.replicas})`);
    }
    const names = planMembers(spec, engine.roles)
        .filter((member) => member.role === MAIN_ROLE)
        .map((member) => member.name);
    if (spec.primary !== undefined && engine.leaderless) {
        refuse(
            "primary",
            `${engine.title} has no primary, every member takes writes: remove the key`,
        );
    } else if (spec.primary !== undefined && !names.includes(spec.primary)) {
        refuse("primary", `is not a member; the members are ${names.join(", ")}`);
    }
    problems.push(...localNodeProblems(spec, engine));
    return problems;
}

function replicationProblems({ replication }: ClusterSpec, engine: Engine): Problem[] {
    if (replication === undefined || engine.replications?.includes(replication)) {
        return [];
    }
    const reason = engine.replications
        ? `${engine.title} has ${engine.replications.join(", ")}`
        : `${engine.title} leaves no choice here: remove the key`;
    return [{ path: "replication", value: replication, reason }];
}

function finalizeProblems(spec: ClusterSpec, engine: Engine): Problem[] {
    const { finalizeUpgrade } = spec;
    if (finalizeUpgrade === undefined) {
        return [];
    }
    const refuse = (reason: string) => [
        { path: "finalizeUpgrade", value: finalizeUpgrade, reason },
    ];
    if (!engine.finalize) {
        return refuse(`an upgrade of ${engine.title} is one step: remove the key`);
    }
    const version = spec.version ?? engine.defaultVersion;
    const series = engine.finalize.series(version);
    const parts = (text: string) => text.split(".").length;
    if (parts(finalizeUpgrade) !== parts(series)) {
        return refuse(`must be a release series of ${engine.title}, such as ${series}`);
    }
    return compareSeries(finalizeUpgrade, series) > 0
        ? refuse(`is newer than quorum:version ${version}, whose series is ${series}`)
        : [];
}

function exceptionProblems(spec: ClusterSpec, engine: Engine): Problem[] {
    const problems: Problem[] = [];
    if (spec.privileged && engine.privilegedReason === undefined) {
        const reason = `${engine.title} needs no privileges: remove the key`;
        problems.push({ path: "privileged", value: true, reason });
    }
    if (spec.licence && !engine.licensed) {
        const reason = `${engine.title} takes no licence: remove the key`;
        problems.push({ path: "licence", value: spec.licence, reason });
    }
    return problems;
}

function durabilityProblems({ durability, replicas }: ClusterSpec, engine: Engine): Problem[] {
    if (durability === undefined) {
        return [];
    }
    const refuse = (reason: string) => [{ path: "durability", value: durability, reason }];
    if (!engine.durabilities) {
        return refuse(`${engine.title} leaves no choice here: remove the key`);
    }
    if (!engine.durabilities.includes(durability)) {
        return refuse(`${engine.title} has ${engine.durabilities.join(", ")}`);
    }
    return durability === "quorum" && replicas < 2
        ? refuse("a write that waits for a second member needs one: use async, or more replicas")
        : [];
}

function kineProblems(spec: ClusterSpec, engine: Engine): Problem[] {
    if (!spec.addons.includes("kine")) {
        return [];
    }
    if (engine.kine) {
        return engine.kine.validate(spec);
    }
    const able = ENGINE_NAMES.filter((name) => engineOf(name).kine);
    const reason = `${engine.title} cannot carry Kine, which needs ${able.join(" or ")}`;
    return [{ path: "addons", value: spec.addons, reason }];
}

/** Every address belongs to a member, and to one only. */
function exposeProblems(spec: ClusterSpec, engine: Engine): Problem[] {
    const members = planMembers(spec, engine.roles).map(({ name }) => name);
    const addresses = Object.entries(spec.expose?.addresses ?? {});
    return addresses.flatMap(([name, value], position) => {
        const path = `expose.addresses.${name}`;
        const other = addresses.slice(0, position).find(([, earlier]) => earlier === value);
        if (!members.includes(name)) {
            const reason = `${name} is not a member; the members are ${members.join(", ")}`;
            return [{ path, value, reason }];
        }
        return other ? [{ path, value, reason: `is the address of ${other[0]} too` }] : [];
    });
}

/** Members of one role never share a host, so each zone needs as many nodes as it has members of one role. */
function localNodeProblems(spec: ClusterSpec, engine: Engine): Problem[] {
    if (spec.storage.driver !== "local") {
        return [];
    }
    return spec.zones.flatMap((zone) => {
        const nodes = spec.storage.nodes?.[zone] ?? [];
        const planned = planMembers(spec, engine.roles).filter((member) => member.zone === zone);
        const most = Math.max(
            ...engine.roles.map(({ name }) => planned.filter(({ role }) => role === name).length),
        );
        const reason = `${most} members are planned for this zone, each on a node of its own, but it names ${nodes.length}`;
        return most > nodes.length ? [{ path: `storage.nodes.${zone}`, value: nodes, reason }] : [];
    });
}
