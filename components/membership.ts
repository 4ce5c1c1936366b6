// The membership job: forms the cluster, waits for its members, moves leadership, retires who is planned no more.
// It runs beside the chain of members, not after it: members become ready only once they have joined.

import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import type { ContainerPlan, Engine, JobFacts } from "./engines/engine";
import { jobAccess, planHash, registerJob, type ClusterJobArgs } from "./job";
import { componentLabels, objectNames } from "./names";
import { registerUpgradeCheck, type UpgradeCheckArgs } from "./upgrade-check";

export interface MembershipArgs extends Omit<UpgradeCheckArgs, "parent"> {
    /** The object with the cluster record: another one, made because the first was deleted, runs the job again. */
    readonly record: k8s.discovery.v1.EndpointSlice;
}

/** The jobs around the members, in Pulumi's tree: the check before any of them is touched, and the membership job. */
export class Membership extends pulumi.ComponentResource {
    /** What must have succeeded before a member is touched. */
    public readonly check: readonly pulumi.Resource[];
    public readonly job: k8s.batch.v1.Job;

    public constructor(args: MembershipArgs, opts: pulumi.ComponentResourceOptions) {
        super("quorum:index:Membership", objectNames(args.facts.spec).membership, {}, opts);
        this.check = registerUpgradeCheck({ ...args, parent: this });
        this.job = registerMembership({ ...args, parent: this });
        this.registerOutputs();
    }
}

/** What the job is given: the engine's part, and what every engine's job looks at before it lets anybody leave. */
function membershipPlan({ engine, facts }: { engine: Engine; facts: JobFacts }): ContainerPlan {
    const plan = engine.membership(facts);
    const mayLeave = facts.spec.allowChanges.includes("majorityLeaves");
    return { ...plan, env: { ...plan.env, MAJORITY_MAY_LEAVE: `${mayLeave}` } };
}

/** The annotation by which the cluster record names the newest membership job's plan. */
export const membershipHash = (args: { engine: Engine; facts: JobFacts }): string =>
    planHash(membershipPlan(args).env);

/**
 * Registers the membership job. It is replaced, and so runs again, when its environment changes: the member list,
 * the primary, the series to finalise, a rule that was allowed, or the record itself. Not when the image changes: that is an upgrade, and no membership change.
 */
function registerMembership(args: MembershipArgs & ClusterJobArgs): k8s.batch.v1.Job {
    const { engine, facts, foundation, record, parent } = args;
    const { spec } = facts;
    const labels = componentLabels(spec, "membership");
    const name = objectNames(spec).membership;
    const metadata = { name, namespace: spec.namespace, labels };
    const options = { parent, dependsOn: [...foundation] };
    // Another series to finalise is another job: it runs in the image of now, not in that of the last change of members.
    const series =
        engine.choices.finalizeUpgrade && spec.finalizeUpgrade ? [spec.finalizeUpgrade] : [];
    return registerJob({
        name: [name, ...series].join("-"),
        engine,
        facts,
        labels,
        plan: membershipPlan(args),
        env: { QUORUM_PLAN: `plan=${membershipHash(args)}`, RECORD_UID: record.metadata.uid },
        seconds: spec.membershipTimeout,
        // A run that failed says why; running it again by itself would not change that. `pulumi up` does.
        retries: 0,
        reachesRemotes: true,
        account: registerAccount(metadata, jobAccess({ engine, facts }), options),
        ...options,
    });
}
