// The check before an upgrade: a job that must succeed before the first member is touched. It asks the running cluster
// what the engine's documents ask for before an upgrade, and refuses one that would do harm. While nothing was formed
// yet it has nothing to check.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import type { Engine, Facts } from "./engines/engine";
import { componentLabels, objectNames } from "./names";
import { container, podSecurity, REPLACED_WHEN_FAILED, volumes } from "./pod";

/** Beyond the script's own bound: scheduling, and starting the container. */
const MARGIN_SECONDS = 120;

export interface UpgradeCheckArgs {
    readonly engine: Engine;
    readonly facts: Facts;
    readonly foundation: readonly pulumi.Resource[];
    readonly parent: pulumi.Resource;
}

/** Registers the job, which runs again when the image or the plan's environment changes; members wait for it. */
export function registerUpgradeCheck(args: UpgradeCheckArgs): pulumi.Resource[] {
    const { engine, facts, foundation, parent } = args;
    const { spec } = facts;
    if (!engine.upgradeCheck) {
        return [];
    }
    const name = `${objectNames(spec).membership}-upgrade`;
    const labels = componentLabels(spec, "upgrade-check");
    const metadata = { name, namespace: spec.namespace, labels };
    const options = { parent, dependsOn: [...foundation] };
    const account = registerAccount(metadata, engine.membershipAccess(facts), options);
    const plan = engine.upgradeCheck(facts);
    const deadline = spec.membershipTimeout + MARGIN_SECONDS;
    return [
        new k8s.batch.v1.Job(
            name,
            {
                metadata: { namespace: spec.namespace, labels, annotations: REPLACED_WHEN_FAILED },
                spec: {
                    backoffLimit: 0,
                    activeDeadlineSeconds: deadline,
                    template: {
                        metadata: { labels },
                        spec: {
                            restartPolicy: "Never",
                            serviceAccountName: account.name,
                            automountServiceAccountToken: false,
                            enableServiceLinks: false,
                            terminationGracePeriodSeconds: 5,
                            securityContext: podSecurity(engine.user),
                            containers: [container({ spec, engine, image: facts.image }, plan)],
                            volumes: volumes(spec, [plan], engine),
                        },
                    },
                },
            },
            { parent, dependsOn: [...foundation, ...account.dependencies] },
        ),
    ];
}
