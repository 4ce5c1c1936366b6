// The check before members are restarted: a job that must succeed before the first one is touched. It asks the running
// cluster whether the others are there and caught up, and what the engine's documents ask for before an upgrade, and
// refuses what would do harm. While nothing was formed yet it has nothing to check.

import type * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import type { Engine, JobFacts } from "./engines/engine";
import { jobAccess, planHash, registerJob, type ClusterJobArgs } from "./job";
import { podTemplate } from "./member";
import { componentLabels, objectNames } from "./names";
import { AWAY_OVERRIDES } from "./spec";

/** Bound on the check: it waits for an election, and not for data that is copied. */
const SECONDS = 300;

/**
 * Names the pods that an update wants: another value restarts the members. It is that of a member that is nobody, one of
 * each role, so that members who join, leave or lead do not change it: then there is nothing to check.
 */
export function podsHash(args: { engine: Engine; facts: JobFacts; checksum: string }): string {
    const nobody = { name: "member", zone: "zone", index: 0, id: 1 };
    return planHash(
        args.engine.roles.map(({ name: role }) =>
            podTemplate({ ...args, member: { ...nobody, role }, claim: "", account: "" }),
        ),
    );
}

/** The same of each member: another value is a restart of that one, whatever it comes from. */
export function podsOf(args: {
    engine: Engine;
    facts: JobFacts;
    checksum: string;
}): Record<string, string> {
    return Object.fromEntries(
        args.facts.members.map((member) => [
            member.name,
            planHash(podTemplate({ ...args, member, claim: "", account: "" })),
        ]),
    );
}

export interface UpgradeCheckArgs extends ClusterJobArgs {
    /** Hash over what the pods read at their start. */
    readonly checksum: string;
}

/** Registers the job, which runs again when the members' pods or the plan's environment change; members wait for it. */
export function registerUpgradeCheck(args: UpgradeCheckArgs): pulumi.Resource[] {
    const { engine, facts, foundation, parent } = args;
    const { spec } = facts;
    if (!engine.upgradeCheck) {
        return [];
    }
    const plan = engine.upgradeCheck(facts);
    const name = `${objectNames(spec).membership}-upgrade`;
    const labels = componentLabels(spec, "upgrade-check");
    const metadata = { name, namespace: spec.namespace, labels };
    const options = { parent, dependsOn: [...foundation] };
    return [
        registerJob({
            name,
            engine,
            facts,
            labels,
            plan: {
                ...plan,
                env: {
                    ...plan.env,
                    TIMEOUT: `${SECONDS}`,
                    AWAY_ALLOWED: `${AWAY_OVERRIDES.some((name) => spec.allowChanges.includes(name))}`,
                },
            },
            env: { QUORUM_PLAN: `pods=${podsHash(args)}` },
            seconds: SECONDS,
            retries: 0,
            followsImage: true,
            account: registerAccount(metadata, jobAccess({ engine, facts }), options),
            ...options,
        }),
    ];
}
