// Change rules: what an update may do to a running cluster. A pure function from the old and the new specification
// to findings, and the hook by which `pulumi preview` and `pulumi up` apply it before anything is touched.

import * as pulumi from "@pulumi/pulumi";
import { engineOf } from "./engines";
import { parseQuantity } from "./quantity";
import {
    compareSeries,
    durabilityOf,
    replicationOf,
    type ClusterSpec,
    type Override,
} from "./spec";
import { planMembers, primaryOf, type Role } from "./topology";

/** One thing that an update does to the data, or may not do. */
export interface Finding {
    readonly severity: "refused" | "announced";
    /** Configuration key, without the namespace; empty when it is about several keys together. */
    readonly path: string;
    readonly old: unknown;
    readonly new: unknown;
    readonly reason: string;
    /** What `allowChanges` must contain to do it all the same; none: it cannot be allowed. */
    readonly override?: Override;
}

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
    return `${change}: ${reason}${allow}`;
}

/** What changing one specification into the other would do. Without a change there are no findings. */
export function findChanges(old: ClusterSpec, wanted: ClusterSpec): Finding[] {
    const rules = [
        identityRule,
        replicationRule,
        storageRule,
        membersRule,
        versionRule,
        finalizeRule,
        primaryRule,
        durabilityRule,
        addonsRule,
        combinationRule,
    ];
    return rules.flatMap((rule) => rule(old, wanted));
}

/** The findings that stop an update: refusals that `allowChanges` does not name. */
export function refusals(findings: readonly Finding[], allowed: readonly string[]): Finding[] {
    return findings.filter(
        ({ severity, override }) =>
            severity === "refused" && (override === undefined || !allowed.includes(override)),
    );
}

type Rule = (old: ClusterSpec, wanted: ClusterSpec) => Finding[];

const addonsRule: Rule = (old, wanted) =>
    // A stack of before there were add-ons has no such list.
    ((old.addons as typeof old.addons | undefined) ?? []).includes("kine") &&
    !wanted.addons.includes("kine")
        ? [
              {
                  severity: "announced",
                  path: "addons",
                  old: old.addons,
                  new: wanted.addons,
                  reason: "Kine is removed with its certificates: control planes that use it stop. Its database stays.",
              },
          ]
        : [];

const replicationRule: Rule = (old, wanted) =>
    replicationOf(old) === replicationOf(wanted)
        ? []
        : [
              {
                  severity: "refused",
                  path: "replication",
                  old: replicationOf(old),
                  new: replicationOf(wanted),
                  reason: "cannot change in a running cluster: make a second cluster in a stack of its own and move the data.",
              },
          ];

/** What a cluster is: another value is another cluster, and this one's data would be left behind. */
const IDENTITY_KEYS = [
    "name",
    "engine",
    "layout",
    "namespace",
    "database",
    "platform",
    "clusterDomain",
] as const;

const identityRule: Rule = (old, wanted) =>
    IDENTITY_KEYS.filter((key) => old[key] !== wanted[key]).map((key) => ({
        severity: "refused",
        path: key,
        old: old[key],
        new: wanted[key],
        reason: "cannot change in a running cluster: make a second cluster in a stack of its own and move the data.",
    }));

const storageRule: Rule = (old, wanted) => {
    const findings: Finding[] = [];
    const refuse = (key: "driver" | "size" | "className" | "path", reason: string) =>
        findings.push({
            severity: "refused",
            path: `storage.${key}`,
            old: old.storage[key],
            new: wanted.storage[key],
            reason,
        });
    if (old.storage.driver !== wanted.storage.driver) {
        refuse(
            "driver",
            "cannot change in a running cluster: the members' disks would be replaced by empty ones.",
        );
        return findings;
    }
    for (const key of ["className", "path"] as const) {
        if (old.storage[key] !== wanted.storage[key]) {
            refuse(
                key,
                "cannot change in a running cluster: the members' disks would be replaced by empty ones.",
            );
        }
    }
    const [before, after] = [parseQuantity(old.storage.size), parseQuantity(wanted.storage.size)];
    if (after < before) {
        refuse("size", "a disk cannot shrink.");
    } else if (after > before && wanted.storage.driver === "local") {
        refuse(
            "size",
            "Kubernetes cannot grow a local volume: its size is that of the node's file system.",
        );
    } else if (after > before) {
        findings.push({
            severity: "announced",
            path: "storage.size",
            old: old.storage.size,
            new: wanted.storage.size,
            reason: "every member's disk grows in place; nothing is restarted, and it cannot shrink again.",
        });
    }
    for (const [zone, nodes] of Object.entries(old.storage.nodes ?? {})) {
        const roles = engineOf(wanted.engine).roles;
        const members = planMembers(wanted, roles).filter((member) => member.zone === zone);
        const moved = members.find(
            ({ index }) =>
                index < nodes.length && nodes[index] !== wanted.storage.nodes?.[zone]?.[index],
        );
        if (moved && planMembers(old, roles).some(({ name }) => name === moved.name)) {
            findings.push({
                severity: "refused",
                path: `storage.nodes.${zone}`,
                old: nodes,
                new: wanted.storage.nodes?.[zone],
                reason: `${moved.name} would lose its disk: it lives on ${nodes[moved.index]!}. Only add nodes at the end.`,
            });
        }
    }
    return findings;
};

const membersRule: Rule = (old, wanted) =>
    engineOf(wanted.engine).roles.flatMap((role) => roleChanges(role, old, wanted));

/** Each role has a quorum of its own. */
function roleChanges(role: Role, old: ClusterSpec, wanted: ClusterSpec): Finding[] {
    const [before, after] = [planMembers(old, [role]), planMembers(wanted, [role])];
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
            reason: `${name} leaves: its data is on ${names(after)}; its disk is deleted after that.`,
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

const versionRule: Rule = (old, wanted) => {
    const engine = engineOf(wanted.engine);
    if (old.engine !== wanted.engine) {
        return [];
    }
    const [from, to] = [
        old.version ?? engine.defaultVersion,
        wanted.version ?? engine.defaultVersion,
    ];
    const refusal = from === to ? undefined : engine.upgradeRefusal(from, to);
    if (refusal !== undefined) {
        return [
            {
                severity: "refused",
                path: "version",
                old: from,
                new: to,
                reason: `${refusal}.`,
                override: "version",
            },
        ];
    }
    return isUpgrade(old, wanted)
        ? [
              {
                  severity: "announced",
                  path: old.image === wanted.image ? "version" : "image",
                  old: old.image ?? from,
                  new: wanted.image ?? to,
                  reason: `members are restarted one after the other${engine.leaderless ? "" : `, ${primaryOf(wanted, planMembers(wanted)).name} last`}.`,
              },
          ]
        : [];
};

/** The second step of an upgrade: it goes one way, and an upgrade after one that was never finalised is refused. */
const finalizeRule: Rule = (old, wanted) => {
    const engine = engineOf(wanted.engine);
    if (!engine.finalize || old.engine !== wanted.engine) {
        return [];
    }
    const { series, effect } = engine.finalize;
    const [before, after] = [old.finalizeUpgrade, wanted.finalizeUpgrade];
    const change = { path: "finalizeUpgrade", old: before, new: after };
    if (before !== undefined && (after === undefined || compareSeries(after, before) < 0)) {
        return [
            {
                ...change,
                severity: "refused",
                reason: `cannot be taken back: the features of ${before} are switched on for good.`,
            },
        ];
    }
    if (before !== after) {
        return [
            {
                ...change,
                severity: "announced",
                reason: `the upgrade to ${after!} is finalised: ${effect}. The members cannot go back to an older series.`,
            },
        ];
    }
    const [from, to] = [old, wanted].map(({ version }) => series(version ?? engine.defaultVersion));
    return compareSeries(to!, from!) > 0 && before !== from
        ? [
              {
                  ...change,
                  severity: "announced",
                  reason:
                      `quorum:finalizeUpgrade does not name ${from!}. A cluster that was made with ${from!} needs no such ` +
                      `step; one that was upgraded to it must be finalised first, and otherwise refuses ${to!}.`,
              },
          ]
        : [];
};

const isUpgrade = (old: ClusterSpec, wanted: ClusterSpec): boolean =>
    old.version !== wanted.version || old.image !== wanted.image;

const primaryRule: Rule = (old, wanted) => {
    const [before, after] = [
        primaryOf(old, planMembers(old)),
        primaryOf(wanted, planMembers(wanted)),
    ];
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

/** The default follows the number of members, so scaling can change it too. */
const durabilityRule: Rule = (old, wanted) => {
    const [before, after] = [durabilityOf(old), durabilityOf(wanted)];
    if (before === after || !engineOf(wanted.engine).durabilities) {
        return [];
    }
    return [
        {
            severity: "announced",
            path: "durability",
            old: before,
            new: after,
            reason:
                after === "async"
                    ? "writes are acknowledged by the primary alone from now on: its loss can lose the last of them."
                    : "writes are acknowledged by a majority of the members from now on: each waits for a replica.",
        },
    ];
};

/** One risky thing at a time: when an upgrade and a change of members go wrong together, nobody can tell which. */
const combinationRule: Rule = (old, wanted) => {
    const risky = [
        { key: "image or version", changed: isUpgrade(old, wanted) },
        { key: "replicas or zones", changed: !sameMembers(old, wanted) },
        { key: "finalizeUpgrade", changed: old.finalizeUpgrade !== wanted.finalizeUpgrade },
        { key: "storage.size", changed: old.storage.size !== wanted.storage.size },
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

const sameMembers = (old: ClusterSpec, wanted: ClusterSpec): boolean =>
    names(planMembers(old)) === names(planMembers(wanted));

/**
 * Adds the guard to a component's options. It runs in preview and in update, with the specification of the last
 * update that was attempted and the new one; a refusal stops the whole component before any child is planned.
 */
export function guardChanges(
    name: string,
    opts: pulumi.ComponentResourceOptions,
): pulumi.ComponentResourceOptions {
    const guard = new pulumi.ResourceHook(
        `${name}-change-rules`,
        async ({ oldInputs, newInputs }) => {
            const [old, wanted] = [oldInputs as ClusterSpec, newInputs as ClusterSpec];
            const findings = findChanges(old, wanted);
            const refused = refusals(findings, wanted.allowChanges);
            if (refused.length > 0) {
                throw new ChangeRefusedError(refused);
            }
            for (const finding of findings.filter(({ severity }) => severity === "announced")) {
                await pulumi.log.info(`${name}: ${finding.reason}`);
            }
        },
        { onDryRun: true },
    );
    return pulumi.mergeOptions(opts, { hooks: { beforeUpdate: [guard] } });
}
