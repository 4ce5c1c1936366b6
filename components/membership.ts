// The membership job: forms the cluster, waits for its members, moves leadership, retires who is planned no more.
// It runs beside the chain of members, not after it: members become ready only once they have joined.

import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import type { Engine, Facts } from "./engines/engine";
import { registerJob } from "./job";
import { componentLabels, objectNames } from "./names";

export interface MembershipArgs {
    readonly engine: Engine;
    readonly facts: Facts;
    readonly foundation: readonly pulumi.Resource[];
    readonly parent: pulumi.Resource;
}

/**
 * Registers the membership job. It is replaced, and so runs again, when its environment changes: the member list,
 * the primary, the series to finalise, or a rule that was allowed. Not when the image changes: that is an upgrade, and no membership change.
 */
export function registerMembership(args: MembershipArgs): k8s.batch.v1.Job {
    const { engine, facts, foundation, parent } = args;
    const { spec } = facts;
    const labels = componentLabels(spec, "membership");
    const name = objectNames(spec).membership;
    const metadata = { name, namespace: spec.namespace, labels };
    const options = { parent, dependsOn: [...foundation] };
    // Another series to finalise is another job: it runs in the image of now, not in that of the last change of members.
    const series = engine.finalize && spec.finalizeUpgrade ? [spec.finalizeUpgrade] : [];
    return registerJob({
        name: [name, ...series].join("-"),
        engine,
        facts,
        labels,
        plan: engine.membership(facts),
        seconds: spec.membershipTimeout,
        // A run that failed says why; running it again by itself would not change that. `pulumi up` does.
        retries: 0,
        account: registerAccount(metadata, engine.membershipAccess(facts), options),
        ...options,
    });
}
