// A specification is accepted here or nowhere: the general rules, then the engine's own, all problems at once.

import { ADDONS } from "../addons";
import { engineOf } from "../engines";
import type { Choices, Engine } from "../engines/engine";
import { repositoryOf, versionOfImage, versionsAgree } from "../engines/image-version";
import { memberDomain, objectNames } from "../names";
import { plainProblems, putBack, without } from "../input";
import { PLATFORMS } from "../platforms";
import { SpecError, toProblems, type Problem } from "../problems";
import { compareSeries } from "../series";
import {
    durabilityOf,
    ENGINE_NAMES,
    replicationOf,
    specSchema,
    withDerived,
    type ClusterSpec,
    type CompleteSpec,
} from "../spec";
import { STORAGE_DRIVERS } from "../storage";
import { MAIN_ROLE, planOf, type Plan } from "../topology";
import { accessProblems } from "./access";
import { crossChecks } from "./cross-checks";
import { layoutProblems } from "./layouts";

/** A specification that was accepted, with its engine and its plan. */
export interface AcceptedSpec {
    readonly spec: CompleteSpec;
    readonly engine: Engine;
    readonly plan: Plan;
}

/** What the rules of an engine start from: with one of these unknown, they would complain of the wrong things. */
const DECISIVE_KEYS = ["name", "engine", "version", "replicas", "zones", "platform"];

/**
 * Checks a specification completely. With what is wrong `beside` it, for one message about all of a configuration.
 *
 * @throws SpecError listing every problem with its configuration key.
 */
export function acceptSpec(input: unknown, beside: readonly Problem[] = []): AcceptedSpec {
    const unplain = plainProblems(input);
    if (unplain.length > 0) {
        throw new SpecError([...unplain, ...beside]);
    }
    const { spec, problems } = parseSpec(input);
    const readable = spec ?? parseSpec(withoutProblems(input, problems)).spec;
    const engine = readable && engineOf(readable.engine);
    const plan = readable && engine && planOf(readable, engine.roles);
    const found = [...problems, ...beside];
    if (readable && engine && plan) {
        // Of a list that was left out because of one of its values, nothing more is said.
        const isKnown = ({ path }: Problem) =>
            problems.some((known) => known.path === path || known.path.startsWith(`${path}.`));
        const ofEngine = engineProblems(readable, engine, plan);
        found.push(...ofEngine.filter((problem) => !isKnown(problem)));
    }
    if (found.length > 0 || !spec || !engine || !plan) {
        throw new SpecError(found);
    }
    return { spec: completeSpec(spec, engine), engine, plan };
}

/**
 * Checks a specification as far as it does not depend on the engine, and fills in the defaults.
 */
function parseSpec(input: unknown): { spec?: ClusterSpec; problems: Problem[] } {
    const result = specSchema.safeParse(input);
    const problems = result.success
        ? []
        : result.error.issues.flatMap((issue) => toProblems(specSchema, issue, input));
    // Rules over several values look at whatever could be read, so that one message has them all.
    problems.push(...crossChecks(input));
    return !result.success || problems.length > 0
        ? { problems }
        : { spec: withDerived(result.data), problems };
}

/**
 * Fills in what the engine decides. What is stored is thereby what runs: a later release of this library, whose defaults
 * are others, finds in the stack's state what it would change. A specification that is complete stays as it is.
 */
export function completeSpec(spec: ClusterSpec, engine: Engine): CompleteSpec {
    const version = spec.version ?? engine.defaultVersion;
    return {
        ...spec,
        version,
        image: spec.image ?? engine.image(version),
        ...(engine.choices.replication && { replication: replicationOf(spec) }),
        ...(engine.choices.durability && { durability: durabilityOf(spec) }),
    };
}

/**
 * A specification as a stack's state holds it, complete as this release writes one: so rules compare two complete ones,
 * whichever release stored the first. Nothing is refused: it is what runs.
 */
export function reviveSpec(stored: unknown): CompleteSpec {
    const spec = readStored(stored);
    const engine = engineOf(spec.engine);
    // One of before versions were stored may name its image only: that says which version runs.
    const version = spec.version ?? (spec.image && versionOfImage(engine, spec.image));
    return completeSpec({ ...spec, ...(version !== undefined && { version }) }, engine);
}

/**
 * A specification that was accepted once, by this release or an older one, as this one writes it: keys that came later have
 * their defaults, keys that went are dropped. A value that would be refused today stays: it is what runs.
 */
function readStored(stored: unknown): ClusterSpec {
    const issues = specSchema.safeParse(stored).error?.issues ?? [];
    const gone = issues.flatMap((issue) =>
        issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [],
    );
    const odd = issues.filter(({ code }) => code !== "unrecognized_keys").map(({ path }) => path);
    const { data } = specSchema.safeParse(without(stored, [...gone, ...odd]));
    // Without what every specification has there is nothing to fill in.
    return data ? putBack(withDerived(data), stored, odd) : (stored as ClusterSpec);
}

/** The input without what was refused, so that the engine's rules can be applied to the rest. */
function withoutProblems(input: unknown, problems: readonly Problem[]): unknown {
    if (problems.some(({ path }) => DECISIVE_KEYS.includes(path.split(".")[0]!))) {
        return undefined;
    }
    return without(
        input,
        problems.map(({ path }) => path.split(".")),
    );
}

/** The rules that need to know the engine. */
function engineProblems(parsed: ClusterSpec, engine: Engine, plan: Plan): Problem[] {
    const spec = completeSpec(parsed, engine);
    const found = [
        ...engine.validate(spec),
        ...versionProblems(parsed, engine),
        ...imageProblems(parsed, engine),
        ...nameProblems(spec, engine, plan),
        ...membershipProblems(spec, engine, plan),
        ...choiceProblems(spec, engine),
        ...spec.addons.flatMap((name) => ADDONS[name].engineProblems(spec, engine)),
        ...layoutProblems(spec, engine),
        ...accessProblems(spec, engine, plan),
        ...PLATFORMS[spec.platform].planProblems(spec, plan),
    ];
    // The first word on a key is enough.
    return found.filter(
        ({ path }, position) => !found.slice(0, position).some((earlier) => earlier.path === path),
    );
}

/** A version that nobody has an image of would be found out by a pod that does not start. */
function versionProblems({ image, version }: ClusterSpec, engine: Engine): Problem[] {
    const reason =
        `is no version that ${engine.title}'s vendor has an image of: write it whole, such as ${engine.defaultVersion}, ` +
        "or name its image too (quorum:image)";
    return version === undefined || image !== undefined || engine.versionForm.test(version)
        ? []
        : [{ path: "version", value: version, reason }];
}

/** The version decides what an upgrade does: it must be known, and it must be that of the image. */
function imageProblems({ image, version, allowChanges }: ClusterSpec, engine: Engine): Problem[] {
    if (image === undefined) {
        return [];
    }
    const refuse = (reason: string): Problem[] =>
        allowChanges.includes("image")
            ? []
            : [
                  {
                      path: "image",
                      value: image,
                      reason: `${reason} To accept it all the same: quorum:allowChanges ["image"].`,
                  },
              ];
    const other = ENGINE_NAMES.map(engineOf).find(
        (each) => each.name !== engine.name && isVendorsOf(each, image),
    );
    if (other) {
        return refuse(`is an image of ${other.title}, and quorum:engine is ${engine.name}.`);
    }
    const written = versionOfImage(engine, image);
    if (written === undefined) {
        const reason = `quorum:image ${image} does not say which ${engine.title} is in it, and upgrades depend on that: write it here, for example ${engine.defaultVersion}`;
        return version === undefined ? [{ path: "version", value: undefined, reason }] : [];
    }
    const wanted = version ?? engine.defaultVersion;
    return versionsAgree(written, wanted)
        ? []
        : refuse(
              `is ${engine.title} ${written} by its name, and quorum:version is ${wanted}${version === undefined ? " unless it is set" : ""}: make the two agree.`,
          );
}

/** Spilo's repositories carry a version too: it is no part of whose they are. */
const isVendorsOf = (engine: Engine, image: string): boolean => {
    const [own, given] = [engine.image(engine.defaultVersion), image].map((reference) =>
        repositoryOf(reference).replace(/-\d+$/, ""),
    );
    return own === given;
};

function nameProblems(spec: CompleteSpec, engine: Engine, plan: Plan): Problem[] {
    const problems: Problem[] = [];
    const { database, clusterDomain } = spec;
    const reserved = engine.reservedNames.find(({ names }) =>
        names instanceof RegExp ? names.test(database) : names.includes(database),
    );
    if (reserved) {
        const reason = `${reserved.reason}: choose another name for the application's database and user`;
        problems.push({ path: "database", value: database, reason });
    }
    const members = plan.members.map(({ name }) => name);
    const [longest] = members
        .map((name) => `${name}.${memberDomain(spec)}`)
        .sort((one, other) => other.length - one.length);
    if (longest!.length > MAX_ADDRESS_LENGTH) {
        const reason = `is too long: the address ${longest!} would have ${longest!.length} characters, and DNS takes ${MAX_ADDRESS_LENGTH}`;
        problems.push({ path: "clusterDomain", value: clusterDomain, reason });
    }
    const twice = members.filter((name, index) => members.indexOf(name) !== index);
    if (twice.length > 0) {
        const reason = `make two members of one name (${twice.join(", ")}): rename a zone`;
        problems.push({ path: "zones", value: spec.zones, reason });
    }
    return problems;
}

/** RFC 1035, in text. */
const MAX_ADDRESS_LENGTH = 253;

function membershipProblems(spec: CompleteSpec, engine: Engine, plan: Plan): Problem[] {
    const problems: Problem[] = [];
    const refuse = (path: keyof CompleteSpec, reason: string) =>
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
    const most = mostUnavailable(spec, engine);
    if (spec.maxUnavailable > most) {
        const voters = engine.copies ?? spec.replicas;
        refuse(
            "maxUnavailable",
            isWithoutQuorum(spec, engine)
                ? `must be below the number of members (${spec.replicas})`
                : `must be at most ${most}: with more of ${voters} ${engine.copies ? "copies" : "members"} away, no majority is left to take writes`,
        );
    }
    const names = plan.ofRole(MAIN_ROLE).map(({ name }) => name);
    if (spec.primary !== undefined && engine.leaderless) {
        refuse(
            "primary",
            `${engine.title} has no primary, every member takes writes: remove the key`,
        );
    } else if (spec.primary !== undefined && !names.includes(spec.primary)) {
        refuse("primary", `is not a member; the members are ${names.join(", ")}`);
    }
    problems.push(...STORAGE_DRIVERS[spec.storage.driver].planProblems(spec, plan));
    return problems;
}

/** How many members may be down at once: the others must be a majority, so that writes go on. One always may. */
function mostUnavailable(spec: CompleteSpec, engine: Engine): number {
    if (spec.replicas === 1) {
        return Infinity;
    }
    return isWithoutQuorum(spec, engine)
        ? spec.replicas - 1
        : Math.max(1, Math.floor((Math.min(spec.replicas, engine.copies ?? Infinity) - 1) / 2));
}

/** With asynchronous replication the primary asks nobody. */
const isWithoutQuorum = (spec: CompleteSpec, engine: Engine): boolean =>
    engine.choices.replication !== undefined && replicationOf(spec) === "async";

/** Why a key is refused by an engine that does not take it. */
const NO_CHOICE: Readonly<Record<keyof Choices, (title: string) => string>> = {
    replication: (title) => `${title} leaves no choice here`,
    durability: (title) => `${title} leaves no choice here`,
    privileged: (title) => `${title} needs no privileges`,
    licence: (title) => `${title} takes no licence`,
    finalizeUpgrade: (title) => `an upgrade of ${title} is one step`,
};

/** The keys that only some engines take, and what each of these takes. */
function choiceProblems(spec: CompleteSpec, { title, choices }: Engine): Problem[] {
    const keys = Object.keys(NO_CHOICE) as (keyof Choices)[];
    const asked = keys.filter((key) => spec[key] !== undefined && spec[key] !== false);
    const problems = asked
        .filter((path) => choices[path] === undefined)
        .map((path): Problem => {
            const reason = `${NO_CHOICE[path](title)}: remove the key`;
            return { path, value: spec[path], reason };
        });
    const refuse = (path: keyof CompleteSpec, reason: string) =>
        problems.push({ path, value: spec[path], reason });
    for (const key of ["replication", "durability"] as const) {
        const taken: readonly string[] = choices[key] ?? [];
        if (choices[key] && spec[key] !== undefined && !taken.includes(spec[key])) {
            refuse(key, `${title} has ${taken.join(", ")}`);
        }
    }
    if (spec.durability === "quorum" && spec.replicas < 2) {
        refuse(
            "durability",
            "a write that waits for a second member needs one: use async, or more replicas",
        );
    }
    const { finalizeUpgrade, version } = spec;
    if (choices.finalizeUpgrade && finalizeUpgrade !== undefined) {
        const series = choices.finalizeUpgrade.series(version);
        const parts = (text: string) => text.split(".").length;
        if (parts(finalizeUpgrade) !== parts(series)) {
            refuse("finalizeUpgrade", `must be a release series of ${title}, such as ${series}`);
        } else if (compareSeries(finalizeUpgrade, series) > 0) {
            refuse(
                "finalizeUpgrade",
                `is newer than quorum:version ${version}, whose series is ${series}`,
            );
        }
    }
    const { credentials, certificates } = objectNames(spec);
    if (spec.licence && [credentials, certificates].includes(spec.licence.secret)) {
        const reason = "is a Secret of Quorum's own: make one for the licence";
        problems.push({ path: "licence.secret", value: spec.licence.secret, reason });
    }
    return problems;
}
