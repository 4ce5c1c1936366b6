// What a rule of readiness is: a question about the live object that is asked until it says yes.

import type { Cluster } from "../cluster.js";
import type { KubernetesObject } from "../kubernetes-object.js";

export type Verdict =
    | { readonly state: "ready" }
    | { readonly state: "waiting"; readonly reasons: readonly string[] }
    /** It will never be ready: waiting longer is of no use. */
    | { readonly state: "failed"; readonly reasons: readonly string[] };

export const READY: Verdict = { state: "ready" };

export function waiting(...reasons: readonly string[]): Verdict {
    return { state: "waiting", reasons };
}

export function failed(...reasons: readonly string[]): Verdict {
    return { state: "failed", reasons };
}

/** Ready when none of the conditions is missing. */
export function unless(missing: readonly (string | false)[]): Verdict {
    const reasons = missing.filter((reason) => reason !== false);
    return reasons.length === 0 ? READY : waiting(...reasons);
}

export type Phase = "create" | "update" | "read";

export interface Rule {
    /** Asked about every new look at the object. */
    check(live: KubernetesObject, cluster: Cluster): Promise<Verdict> | Verdict;
    /** Looks around for why it is not ready: pods, events, logs. Only asked now and then. */
    explain?(live: KubernetesObject, cluster: Cluster): Promise<readonly string[]>;
    /** The longest wait, where the real provider does not let the program choose a longer one. */
    readonly longestSeconds?: number;
    /** False: a refresh does not judge it. */
    readonly judgedOnRead: boolean;
}

/** True when the controller has seen the newest change of the object. */
export function isObserved(live: KubernetesObject): boolean {
    const metadata = live["metadata"] as { generation?: number } | undefined;
    const status = live["status"] as { observedGeneration?: number } | undefined;
    return (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0);
}
