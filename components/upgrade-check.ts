// The check before an upgrade: a job that must succeed before the first member is touched. It asks the running cluster
// what the engine's documents ask for before an upgrade, and refuses one that would do harm. While nothing was formed
// yet it has nothing to check.

import type * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import { registerJob } from "./job";
import type { MembershipArgs } from "./membership";
import { componentLabels, objectNames } from "./names";

/** Bound on the check: it waits for an election, and not for data that is copied. */
const SECONDS = 300;

/** Registers the job, which runs again when the image or the plan's environment changes; members wait for it. */
export function registerUpgradeCheck(args: MembershipArgs): pulumi.Resource[] {
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
            plan: { ...plan, env: { ...plan.env, TIMEOUT: `${SECONDS}` } },
            seconds: SECONDS,
            retries: 0,
            followsImage: true,
            account: registerAccount(metadata, engine.membershipAccess(facts), options),
            ...options,
        }),
    ];
}
