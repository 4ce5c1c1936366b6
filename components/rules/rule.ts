// What a change rule is, and the kinds that most keys are of.

import type { Engine } from "../engines/engine";
import type { KubernetesIdentity } from "../platforms/platform";
import type { ClusterSpec, CompleteSpec, Override } from "../spec";
import type { StorageDriver } from "../storage/driver";
import type { Plan } from "../topology";

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
    /** It says that the members are restarted. */
    readonly restarts?: boolean;
}

/** A specification as a component's input keeps it, with what is compared beside it. */
export type Compared = CompleteSpec & {
    /** Which Kubernetes it is. */
    readonly kubernetes?: KubernetesIdentity;
    /** Member -> hash of its pod. */
    readonly pods?: Readonly<Record<string, string>>;
};

/** What the two specifications do not say. */
export interface Circumstances {
    /** Whether the configuration names this key; what it does not name is a default, and another release may have another. */
    readonly given: (key: keyof ClusterSpec) => boolean;
    /** Whether the last update came to its end. Otherwise the old specification is only what was attempted. */
    readonly completed: boolean;
}

/** One side of a change: a specification with its plan, its engine and what makes its disks. */
export interface Side extends Compared {
    readonly plan: Plan;
    readonly definition: Engine;
    readonly disks: StorageDriver;
}

/** What one key's change, or several keys' together, means. */
export type Rule = (old: Side, wanted: Side, circumstances: Circumstances) => Finding[];

/** What may be left out of a list of findings. */
export type Maybe = Finding | undefined | false;

export const found = (...findings: Maybe[]): Finding[] =>
    findings.filter((finding): finding is Finding => Boolean(finding));

/** The parts of a specification that have keys of their own, by the path of each. */
interface Parts extends Pick<
    ClusterSpec,
    "storage" | "resources" | "licence" | "kine" | "names" | "gke" | "machines"
> {
    readonly access: Omit<ClusterSpec["access"], "members" | "clients">;
    readonly "access.members": ClusterSpec["access"]["members"];
    readonly "access.clients": ClusterSpec["access"]["clients"];
}
type KeyOf<P extends keyof Parts> = `${P}.${keyof NonNullable<Parts[P]> & string}`;
/** Every key of a specification, as the configuration writes it. */
export type Key =
    Exclude<keyof ClusterSpec, keyof Parts> | { [P in keyof Parts]-?: KeyOf<P> }[keyof Parts];

/** The value of a key. */
function valueOf(spec: Compared, key: Key): unknown {
    return key
        .split(".")
        .reduce<unknown>(
            (value, part) => (value as Record<string, unknown> | undefined)?.[part],
            spec,
        );
}

export const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** A finding about one key, when its value changes. */
export function changeOf(
    key: Key,
    [old, wanted]: readonly [Compared, Compared],
    finding: Pick<Finding, "severity" | "reason" | "override" | "restarts">,
): Finding | undefined {
    const [before, after] = [valueOf(old, key), valueOf(wanted, key)];
    return same(before, after) ? undefined : { path: key, old: before, new: after, ...finding };
}

export const OTHER_CLUSTER =
    "cannot change in a running cluster: make a second cluster in a stack of its own and move the data.";

/** What a cluster is: another value is another cluster, and this one's data would be left behind. */
export const identity =
    (key: Key, more = ""): Rule =>
    (old, wanted) =>
        found(changeOf(key, [old, wanted], { severity: "refused", reason: OTHER_CLUSTER + more }));

/** The same of what no object is named after: it can be corrected while it never came true. */
export const settled =
    (
        key: Key,
        reason: string | ((old: Side, completed: boolean) => string) = OTHER_CLUSTER,
    ): Rule =>
    (old, wanted, { completed }) =>
        found(
            changeOf(key, [old, wanted], {
                severity: "refused",
                reason: typeof reason === "string" ? reason : reason(old, completed),
                ...(!completed && { override: "unfinished" }),
            }),
        );

export const announced =
    (key: Key, reason: string | ((old: Side, wanted: Side) => string | undefined)): Rule =>
    (old, wanted) => {
        const text = typeof reason === "string" ? reason : reason(old, wanted);
        return found(
            text !== undefined &&
                changeOf(key, [old, wanted], { severity: "announced", reason: text }),
        );
    };

export const inTurn = (spec: Side): string =>
    `members are restarted one after the other${spec.definition.leaderless ? "" : `, ${spec.plan.primary.name} last`}`;

/** A change that the members take by a restart. */
export const restarting =
    (key: Key, reason: (old: ClusterSpec, wanted: ClusterSpec) => string = () => ""): Rule =>
    (old, wanted) =>
        found(
            changeOf(key, [old, wanted], {
                severity: "announced",
                reason: `${inTurn(wanted)}.${reason(old, wanted)}`,
                restarts: true,
            }),
        );

/** For every key of a part: a rule, or why none is needed. */
export type RulesOf<K extends Key> = Readonly<Record<K, Rule | string>>;
