// Change rules: what an update may do to a running cluster. A pure function from the old and the new specification
// to findings, and the hook by which `pulumi preview` and `pulumi up` apply it before anything is touched.

import * as pulumi from "@pulumi/pulumi";
import { ADDONS } from "../addons";
import { engineOf } from "../engines";
import type { Engine } from "../engines/engine";
import { repositoryOf, versionOfImage, versionsAgree } from "../engines/image-version";
import { PLATFORMS } from "../platforms";
import { GKE_RULES } from "../platforms/gke/changes";
import { parseQuantity } from "../quantity";
import { compareSeries } from "../series";
import {
    AWAY_OVERRIDES,
    durabilityOf,
    replicationOf,
    type ClusterSpecInput,
    type Override,
} from "../spec";
import { STORAGE_DRIVERS } from "../storage";
import { DYNAMIC_RULES } from "../storage/dynamic";
import { GCE_DISK_RULES } from "../storage/gce-disk";
import { LOCAL_RULES } from "../storage/local";
import { MAIN_ROLE, planOf, type Role } from "../topology";
import { reviveSpec } from "./accept";
import { ACCESS_RULES, openings } from "./access";
import { DISK_RULES } from "./disks";
import { homeRule } from "./layouts";
import {
    announced,
    found,
    identity,
    inTurn,
    OTHER_CLUSTER,
    restarting,
    same,
    settled,
    type Circumstances,
    type Compared,
    type Finding,
    type Key,
    type Rule,
    type RulesOf,
    type Side,
} from "./rule";

const ALL_GIVEN: Circumstances = { given: () => true, completed: true };

/** Thrown by the hook; the message lists every refusal. */
export class ChangeRefusedError extends Error {
    public constructor(public readonly findings: readonly Finding[]) {
        super(findings.map(describe).join("\n"));
        this.name = "ChangeRefusedError";
    }
}

function describe({ path, old, new: wanted, reason, override }: Finding): string {
    const change =
        path === ""
            ? "this update"
            : `quorum:${path} ${JSON.stringify(old)} -> ${JSON.stringify(wanted)}`;
    const allow = override ? ` To do it all the same: quorum:allowChanges ["${override}"].` : "";
    const unfinished = override === "unfinished" ? ` ${UNFINISHED}` : "";
    return `${change}: ${reason}${unfinished}${allow}`;
}

const UNFINISHED =
    "The last update did not complete: what it asked for may never have come true, and nothing that holds data is replaced.";

/** What changing one specification into the other would do. Without a change there are no findings. */
export function findChanges(
    old: Compared,
    wanted: Compared,
    circumstances: Circumstances = ALL_GIVEN,
): Finding[] {
    const ofKeys = Object.values(RULES).filter((rule) => typeof rule !== "string");
    const rules = new Set([kubernetesRule, homeRule, ...ofKeys, combinationRule]);
    const [before, after] = [planned(old), planned(wanted)];
    const findings = [...rules].flatMap((rule) => rule(before, after, circumstances));
    return [...findings, ...restartRule(before, after, findings)];
}

/** The findings that stop an update: refusals that `allowChanges` does not name. */
export function refusals(findings: readonly Finding[], allowed: readonly string[]): Finding[] {
    return findings.filter(
        ({ severity, override }) =>
            severity === "refused" && (override === undefined || !allowed.includes(override)),
    );
}

function planned(spec: Compared): Side {
    const definition = engineOf(spec.engine);
    return {
        ...spec,
        definition,
        disks: STORAGE_DRIVERS[spec.storage.driver],
        plan: planOf(spec, definition.roles),
    };
}

/** Kubernetes whose objects the state does not know: whatever has the same names there would be overwritten or deleted. */
const kubernetesRule: Rule = ({ kubernetes: before }, { kubernetes: after }) => {
    if (typeof before === "string" && typeof after === "string") {
        return otherKubernetes(before, after, "", "quorum:context, quorum:kubeconfig");
    }
    // One for each zone: a zone that comes or goes says nothing of the others.
    return Object.entries(typeof before === "object" ? before : {}).flatMap(([zone, old]) => {
        const wanted = typeof after === "object" ? after[zone] : undefined;
        return wanted === undefined
            ? []
            : otherKubernetes(old, wanted, ` of zone ${zone}`, `quorum:clusters.${zone}`);
    });
};

function otherKubernetes(old: string, wanted: string, which: string, keys: string): Finding[] {
    const reason = `another Kubernetes than the one${which} that the cluster was made on: its namespace kube-system has the UID ${wanted}, that one's has ${old}. Look at ${keys} and the current context.`;
    return found(
        old !== wanted && {
            severity: "refused",
            path: "",
            old,
            new: wanted,
            reason,
            override: "kubernetes",
        },
    );
}

/** With another name all members have other ones, which says nothing: {@link identity} refuses that. */
const membersRule: Rule = (old, wanted) =>
    old.name === wanted.name
        ? engineOf(wanted.engine).roles.flatMap((role) => roleChanges(role, old, wanted))
        : [];

/** Each role has a quorum of its own. */
function roleChanges(role: Role, old: Side, wanted: Side): Finding[] {
    const before = old.plan.ofRole(role.name);
    const after = wanted.plan.ofRole(role.name);
    const leaving = before.filter(({ name }) => !after.some((member) => member.name === name));
    const joining = after.filter(({ name }) => !before.some((member) => member.name === name));
    const findings: Finding[] = [];
    const path = old.replicas === wanted.replicas ? "zones" : "replicas";
    const change = { path, old: old[path], new: wanted[path] };
    const staying = before.length - leaving.length;
    if (role.pinned && leaving.length + joining.length > 0) {
        const reason = `${names(before)} would become ${names(after)}: which they are is decided when the cluster is made, because all others know them by name. Keep their zones, and name new zones so that they come after the old ones.`;
        return [{ ...change, severity: "refused", reason }];
    }
    if (leaving.length > 0 && staying * 2 <= before.length) {
        findings.push({
            ...change,
            severity: "refused",
            reason: `${leaving.length} of ${before.length} members would leave at once (${names(leaving)}): fewer than a majority would stay. Go in steps of at most ${Math.floor((before.length - 1) / 2)}.`,
            override: "majorityLeaves",
        });
    }
    for (const { name } of leaving) {
        findings.push({
            ...change,
            severity: "announced",
            reason: `${name} leaves: its data is on ${names(after)}; ${old.disks.afterLeaving?.(old, name) ?? "its disk is deleted after that"}.`,
        });
    }
    for (const { name, zone } of joining) {
        findings.push({
            ...change,
            severity: "announced",
            reason: `${name} joins in zone ${zone}, empty, and is seeded from the members there are.`,
        });
    }
    return findings;
}

const names = (members: readonly { name: string }[]) => members.map(({ name }) => name).join(", ");

/** `spilo` of `spilo-18:4.1-p2`, where the version stands in the repository's name. */
function vendorOf(engine: Engine, image: string): string {
    const repository = repositoryOf(image);
    const version = engine.versionOfRepository?.(repository);
    return version === undefined ? repository : repository.replace(version, "");
}

/** What vendors call a version before its release: they promise nothing for data that one has written. */
const STAGES = ["alpha", "beta", "rc"];

/** The stage of a version, in the order of {@link STAGES}; that of a release comes after all of them. */
function stageOf(version: string): number {
    const stage = STAGES.findIndex((name) => version.includes(`-${name}`));
    return stage === -1 ? STAGES.length : stage;
}

const isPreRelease = (version: string) => stageOf(version) < STAGES.length;

/** Compares two versions, number by number as far as both go, a pre-release before its release. Below 0: `one` is older. */
export function compareVersions(one: string, other: string): number {
    const numbers = (version: string) => version.match(/\d+/g)?.map(Number) ?? [];
    const release = (version: string) => numbers(version.replace(/-(alpha|beta|rc).*/, ""));
    const compare = (left: number[], right: number[]) => {
        const at = left.findIndex((number, index) => number !== (right[index] ?? number));
        return at === -1 ? 0 : left[at]! - right[at]!;
    };
    return (
        compare(release(one), release(other)) ||
        stageOf(one) - stageOf(other) ||
        compare(numbers(one), numbers(other))
    );
}

/** Why a version cannot follow another. What the engine's documents say goes before what holds for all of them. */
function versionRefusal(engine: Engine, from: string, to: string): string | undefined {
    return (
        engine.upgradeRefusal(from, to) ??
        (compareVersions(to, from) < 0
            ? `${engine.title} goes back from ${from} to ${to}: faults that were mended come back, and the release notes of both must be read first`
            : isPreRelease(to) && !isPreRelease(from)
              ? `${to} is a pre-release, and no release may be able to read what it writes`
              : undefined)
    );
}

const versionRule: Rule = (old, wanted, { given }) => {
    if (old.engine !== wanted.engine) {
        return [];
    }
    const engine = engineOf(wanted.engine);
    const [from, to] = [old.version, wanted.version];
    const version = { path: "version", old: from, new: to };
    if (from !== to && !given("version") && !given("image")) {
        const reason = `the configuration names no version, and that of this release of Quorum is another. To stay: pulumi config set quorum:version ${from}. To upgrade: pulumi config set quorum:version ${to}.`;
        return [{ ...version, severity: "refused", reason }];
    }
    const image = { path: "image", old: old.image, new: wanted.image };
    const refusal = from === to ? undefined : versionRefusal(engine, from, to);
    const [vendor, otherVendor] = [image.old, image.new].map((each) => vendorOf(engine, each));
    const refused = found(
        refusal !== undefined && {
            ...version,
            severity: "refused",
            reason: `${refusal}.`,
            override: "version",
        },
        vendor !== otherVendor && {
            ...image,
            severity: "refused",
            reason: `${otherVendor!} is another image than ${vendor!}: whether it opens the data, and whether there is a way back, nobody here knows.`,
            override: "image",
        },
    );
    if (refused.length > 0 || (from === to && image.old === image.new)) {
        return refused;
    }
    // Where the engine itself forbids the way back, the way there has no return. One in two steps goes back until the second.
    const oneWay =
        from !== to &&
        !engine.choices.finalizeUpgrade &&
        engine.upgradeRefusal(to, from) !== undefined
            ? ` There is no way back to ${from}.`
            : "";
    return [
        {
            ...(from === to ? image : version),
            severity: "announced",
            reason: `${inTurn(wanted)}.${oneWay}`,
            restarts: true,
        },
    ];
};

/** The second step of an upgrade: it goes one way, and an upgrade after one that was never finalised is refused. */
const finalizeRule: Rule = (old, wanted, { completed }) => {
    const engine = engineOf(wanted.engine);
    if (!engine.choices.finalizeUpgrade || old.engine !== wanted.engine) {
        return [];
    }
    const { series, effect } = engine.choices.finalizeUpgrade;
    const [before, after] = [old.finalizeUpgrade, wanted.finalizeUpgrade];
    const change = { path: "finalizeUpgrade", old: before, new: after };
    const [from, to] = [series(old.version), series(wanted.version)];
    if (before !== undefined && (after === undefined || compareSeries(after, before) < 0)) {
        return [
            {
                ...change,
                severity: "refused",
                reason: completed
                    ? `cannot be taken back: the features of ${before} are switched on for good.`
                    : `cannot be taken back once it was done. Where the job refused it, nothing was switched on: its log says so.`,
                ...(!completed && { override: "unfinished" }),
            },
        ];
    }
    if (before !== after) {
        return [
            {
                ...change,
                severity: "announced",
                reason:
                    compareSeries(after!, from) < 0
                        ? `the members run ${from}: what ${after!} brought was finalised long ago, or the job refuses.`
                        : `the upgrade to ${after!} is finalised: ${effect}. The members cannot go back to an older series.`,
            },
        ];
    }
    return compareSeries(to, from) > 0 && before !== from
        ? [
              {
                  ...change,
                  severity: "announced",
                  reason:
                      `quorum:finalizeUpgrade does not name ${from}. A cluster that was made with ${from} needs no such ` +
                      `step; one that was upgraded to it must be finalised first, and otherwise refuses ${to}.`,
              },
          ]
        : [];
};

const isUpgrade = (old: Compared, wanted: Compared): boolean =>
    old.version !== wanted.version || old.image !== wanted.image;

const primaryRule: Rule = (old, wanted) => {
    const [before, after] = [old.plan.primary, wanted.plan.primary];
    return before.name === after.name || engineOf(wanted.engine).leaderless
        ? []
        : [
              {
                  severity: "announced",
                  path: "primary",
                  old: before.name,
                  new: after.name,
                  reason: "leadership moves: writes are refused for about a second, none is lost.",
              },
          ];
};

/** The default follows the number of members, so scaling changes it too; less safety is never a default's doing. */
const durabilityRule: Rule = (old, wanted, { given }) => {
    const [before, after] = [durabilityOf(old), durabilityOf(wanted)];
    if (before === after || !engineOf(wanted.engine).choices.durability) {
        return [];
    }
    const change = { path: "durability", old: before, new: after };
    if (after === "async" && !given("durability")) {
        const reason = `the configuration names none, and the default for ${wanted.replicas} members would give up what ${old.replicas} had: that no acknowledged write is lost with one machine. Say which: pulumi config set quorum:durability quorum, or async.`;
        return [{ ...change, severity: "refused", reason }];
    }
    return [
        {
            ...change,
            severity: "announced",
            reason:
                after === "async"
                    ? "writes are acknowledged by the primary alone from now on: its loss can lose the last of them."
                    : "writes are acknowledged by a majority of the members from now on: each waits for a replica.",
        },
    ];
};

const replicationRule: Rule = (old, wanted, { given }) => {
    const [before, after] = [replicationOf(old), replicationOf(wanted)];
    const stay = given("replication")
        ? ""
        : ` To stay: pulumi config set quorum:replication ${before}.`;
    return found(
        before !== after && {
            severity: "refused",
            path: "replication",
            old: before,
            new: after,
            reason: OTHER_CLUSTER + stay,
        },
    );
};

const memoryRule = restarting("resources.memory", (old, wanted) =>
    parseQuantity(wanted.resources.memory) < parseQuantity(old.resources.memory)
        ? " It shrinks: an engine that no longer fits is killed at its start, and the update stops at the first one."
        : "",
);

const privilegedRule = restarting("privileged", (_, { privileged, namespace }) =>
    privileged
        ? ` They run as root and privileged, and namespace ${namespace} lets any pod in it do so: whoever may make pods there owns the nodes.`
        : ` Namespace ${namespace} lets no privileged pod in any more.`,
);

const maxUnavailableRule = announced("maxUnavailable", (old, { maxUnavailable }) =>
    maxUnavailable > old.maxUnavailable
        ? `up to ${maxUnavailable} members at once are restarted by updates and evicted by drains from now on: with so many away, one more loss stops writes.`
        : undefined,
);

const licenceRule: Rule = (old, wanted) =>
    found(
        !same(old.licence, wanted.licence) && {
            severity: "announced",
            path: "licence",
            old: old.licence,
            new: wanted.licence,
            reason: wanted.licence
                ? "the job sets the licence."
                : "the licence stays in the cluster: the job sets one and takes none away.",
        },
    );

const addonsRule: Rule = (old, wanted) =>
    found(
        ...old.addons
            .filter((name) => !wanted.addons.includes(name))
            .map((name): Finding => {
                const reason = ADDONS[name].removal;
                const change = { path: "addons", old: old.addons, new: wanted.addons };
                return { severity: "announced", ...change, reason };
            }),
    );

const adoptRule: Rule = (old, wanted) =>
    wanted.adopt
        ? [
              {
                  severity: "announced",
                  path: "adopt",
                  old: old.adopt,
                  new: wanted.adopt,
                  reason: old.adopt
                      ? "the cluster is there, and nothing is taken over any more: take it out, pulumi config rm quorum:adopt."
                      : "passwords and objects stay those of the running cluster; the job takes over the members' data where the cluster record has lost it. Take it out again after this update.",
              },
          ]
        : [];

/** What lets a job give something up by itself. It is for one update: later, nobody would be asked. */
const ONE_SHOT: readonly Override[] = ["failover", "majorityLeaves"];

const allowChangesRule: Rule = (old, wanted, { completed }) => {
    const before = old.allowChanges;
    const left = ONE_SHOT.filter(
        (name) => before.includes(name) && wanted.allowChanges.includes(name),
    );
    // These give nothing up, but are forgotten as easily.
    const lasting = AWAY_OVERRIDES.filter(
        (name) => before.includes(name) && wanted.allowChanges.includes(name),
    );
    return found(
        completed &&
            lasting.length > 0 && {
                severity: "announced",
                path: "allowChanges",
                old: before,
                new: wanted.allowChanges,
                reason: `${lasting.join(" and ")} of quorum:allowChanges was for the last update, which has completed. As long as it stays, members are restarted also while others are away: take it out.`,
            },
        completed &&
            left.length > 0 && {
                severity: "refused",
                path: "allowChanges",
                old: before,
                new: wanted.allowChanges,
                reason: `${left.join(" and ")} was for the last update, which has completed: take it out, or a later job gives up data by itself that nobody was asked about.`,
            },
    );
};

/**
 * Every key, and what a change of it needs said: a rule, or why nothing is. A key that is missing here does not compile.
 * Rules over several keys stand at each of them and are asked once.
 */
export const RULES: RulesOf<Key> = {
    name: identity(
        "name",
        " If it is the stack that was renamed, set quorum:name to the cluster's old name.",
    ),
    engine: identity("engine"),
    layout: identity("layout"),
    namespace: identity("namespace"),
    platform: identity("platform"),
    clusterDomain: settled("clusterDomain"),
    database: settled("database"),
    replication: replicationRule,
    version: versionRule,
    image: versionRule,
    finalizeUpgrade: finalizeRule,
    toolsImage: restarting("toolsImage"),
    imagePullPolicy: restarting("imagePullPolicy", (_, { imagePullPolicy }) =>
        imagePullPolicy === "Never" ? " A node that does not have the image cannot start one." : "",
    ),
    replicas: membersRule,
    zones: membersRule,
    primary: primaryRule,
    durability: durabilityRule,
    privileged: privilegedRule,
    maxUnavailable: maxUnavailableRule,
    membershipTimeout:
        "a bound on jobs and waits: one that is too short ends an update and changes nothing",
    ...DISK_RULES,
    ...DYNAMIC_RULES,
    ...LOCAL_RULES,
    ...GCE_DISK_RULES,
    ...GKE_RULES,
    "resources.cpu": restarting("resources.cpu"),
    "resources.memory": memoryRule,
    "licence.organization": licenceRule,
    "licence.secret": licenceRule,
    addons: addonsRule,
    ...ADDONS.kine.changes,
    ...ACCESS_RULES,
    prices: "what is said of costs; nothing in the cluster depends on it",
    adopt: adoptRule,
    allowChanges: allowChangesRule,
};

/** Restarts that no key says: another release of Quorum has other scripts, shares of memory or pods. */
function restartRule(old: Side, wanted: Side, findings: readonly Finding[]): Finding[] {
    const restarted = Object.entries(old.pods ?? {})
        .filter(([member, pod]) => (wanted.pods?.[member] ?? pod) !== pod)
        .map(([member]) => member);
    return restarted.length === 0 || findings.some(({ restarts }) => restarts)
        ? []
        : [
              {
                  severity: "announced",
                  path: "",
                  old: undefined,
                  new: undefined,
                  reason: `${inTurn(wanted)}: ${restarted.join(", ")}.`,
                  restarts: true,
              },
          ];
}

/** One risky thing at a time: when an upgrade and a change of members go wrong together, nobody can tell which. */
const combinationRule: Rule = (old, wanted) => {
    const risky = [
        { key: "image or version", changed: isUpgrade(old, wanted) },
        { key: "replicas or zones", changed: !sameMembers(old, wanted) },
        { key: "finalizeUpgrade", changed: old.finalizeUpgrade !== wanted.finalizeUpgrade },
        {
            key: "storage.size",
            changed: parseQuantity(old.storage.size) !== parseQuantity(wanted.storage.size),
        },
        {
            key: "storage.onDelete",
            changed: old.storage.onDelete !== wanted.storage.onDelete,
        },
        ...(["type", "bootDisk", "system"] as const).map((key) => ({
            key: `machines.${key}`,
            changed: old.machines?.[key] !== wanted.machines?.[key],
        })),
        { key: "maxUnavailable", changed: old.maxUnavailable < wanted.maxUnavailable },
        {
            key: "resources",
            changed:
                old.resources.cpu !== wanted.resources.cpu ||
                old.resources.memory !== wanted.resources.memory,
        },
    ].filter(({ changed }) => changed);
    return risky.length < 2
        ? []
        : [
              {
                  severity: "refused",
                  path: "",
                  old: undefined,
                  new: undefined,
                  reason: `${risky.map(({ key }) => key).join(" and ")} change at once: make them one update each.`,
                  override: "combination",
              },
          ];
};

const sameMembers = (old: Side, wanted: Side): boolean =>
    names(old.plan.ofRole(MAIN_ROLE)) === names(wanted.plan.ofRole(MAIN_ROLE));

/** The overrides that a job reads: whether one is needed is known in the cluster only. */
const READ_BY_JOBS: readonly Override[] = ["failover", "majorityLeaves", "membersAway", "version"];

/** An image that contradicts `version` needs its override as long as it runs, not in the update that brought it only. */
function contradicts(wanted: Compared): boolean {
    const engine = engineOf(wanted.engine);
    const written = versionOfImage(engine, wanted.image);
    return written !== undefined && !versionsAgree(written, wanted.version);
}

/** What `allowChanges` lets through, and what it names for nothing: both must be seen before they are forgotten. */
function overridden(findings: readonly Finding[], wanted: Compared) {
    const allowed = wanted.allowChanges;
    const used = findings.filter(
        ({ severity, override }) =>
            severity === "refused" && override !== undefined && allowed.includes(override),
    );
    const idle = allowed.filter(
        (name) =>
            !READ_BY_JOBS.includes(name) &&
            !(name === "image" && contradicts(wanted)) &&
            !used.some(({ override }) => override === name),
    );
    return { used, idle };
}

/** What a stack's state holds, with what is compared beside the specification. */
function compared(stored: unknown): Compared {
    const { kubernetes, pods } = stored as Compared;
    return {
        ...reviveSpec(stored),
        ...(kubernetes !== undefined && { kubernetes }),
        ...(pods && { pods }),
    };
}

/**
 * Adds the guard to a component's options. It runs in preview and in update, with the specification of the last
 * update that was attempted and the new one; a refusal stops the whole component before any child is planned. Of a new
 * cluster it is said who is let in.
 */
export function guardChanges(
    name: string,
    input: ClusterSpecInput,
    opts: pulumi.ComponentResourceOptions,
): pulumi.ComponentResourceOptions {
    const guard = new pulumi.ResourceHook(
        `${name}-change-rules`,
        async ({ oldInputs, newInputs, oldOutputs }) => {
            const [old, wanted] = [compared(oldInputs), newInputs as Compared];
            const findings = findChanges(old, wanted, {
                given: (key) => (input as Record<string, unknown>)[key] !== undefined,
                // The engine drops a component's outputs when its update begins and keeps those with which it ended.
                completed:
                    (oldOutputs as Record<string, unknown> | undefined)?.["endpoints"] !==
                    undefined,
            });
            const refused = refusals(findings, wanted.allowChanges);
            if (refused.length > 0) {
                throw new ChangeRefusedError(refused);
            }
            const { used, idle } = overridden(findings, wanted);
            for (const finding of used) {
                await pulumi.log.warn(
                    `${wanted.name}: allowed by quorum:allowChanges: ${describe(finding)}`,
                );
            }
            for (const override of idle) {
                await pulumi.log.warn(
                    `${wanted.name}: quorum:allowChanges names ${override}, which nothing in this update needs: take it out.`,
                );
            }
            for (const finding of findings.filter(({ severity }) => severity === "announced")) {
                await pulumi.log.info(`${wanted.name}: ${finding.reason}`);
            }
            const cost = PLATFORMS[wanted.platform].costChange?.(planned(old), planned(wanted));
            if (cost !== undefined) {
                await pulumi.log.info(`${wanted.name}: ${cost}`);
            }
        },
        { onDryRun: true },
    );
    // A new cluster changes nothing, and lets in whom it lets in all the same.
    const announcement = new pulumi.ResourceHook(
        `${name}-openings`,
        async ({ newInputs }) => {
            const wanted = newInputs as Compared;
            for (const sentence of openings(wanted, engineOf(wanted.engine))) {
                await pulumi.log.info(`${wanted.name}: ${sentence}`);
            }
        },
        { onDryRun: true },
    );
    return pulumi.mergeOptions(opts, {
        hooks: { beforeCreate: [announcement], beforeUpdate: [guard] },
    });
}
