// The membership job: forms the cluster, waits for its members, moves leadership, retires who is planned no more.
// It runs beside the chain of members, not after it: members become ready only once they have joined.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import type { Engine, Facts } from "./engines/engine";
import { componentLabels, objectNames } from "./names";
import { container, podSecurity, REPLACED_WHEN_FAILED, volumes } from "./pod";

/** How long the job's pod stays on a node that went away; the default of five minutes would only be waited for. */
const LOST_NODE_SECONDS = 15;

/** Beyond the script's own bound: scheduling, and starting the container. */
const MARGIN_SECONDS = 120;

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
export function registerMembership({
    engine,
    facts,
    foundation,
    parent,
}: MembershipArgs): k8s.batch.v1.Job {
    const { spec } = facts;
    const labels = componentLabels(spec, "membership");
    const name = objectNames(spec).membership;
    const metadata = { name, namespace: spec.namespace, labels };
    const options = { parent, dependsOn: [...foundation] };
    const account = registerAccount(metadata, engine.membershipAccess(facts), options);
    const plan = engine.membership(facts);
    const deadline = spec.membershipTimeout + MARGIN_SECONDS;
    return new k8s.batch.v1.Job(
        // Another series to finalise is another job: it runs in the image of now, not in that of the last change of members.
        [name, ...(engine.finalize && spec.finalizeUpgrade ? [spec.finalizeUpgrade] : [])].join(
            "-",
        ),
        {
            // No name of its own: the next one is created, and has succeeded, before this one is deleted.
            // One that failed is made anew by the next update; without this, that would only wait for it again.
            metadata: { namespace: spec.namespace, labels, annotations: REPLACED_WHEN_FAILED },
            spec: {
                // A run that failed says why; running it again by itself would not change that. `pulumi up` does.
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
                        tolerations: ["not-ready", "unreachable"].map((state) => ({
                            key: `node.kubernetes.io/${state}`,
                            operator: "Exists",
                            effect: "NoExecute",
                            tolerationSeconds: LOST_NODE_SECONDS,
                        })),
                        securityContext: podSecurity(engine.user),
                        containers: [container({ spec, engine, image: facts.image }, plan)],
                        volumes: volumes(spec, [plan], engine),
                    },
                },
            },
        },
        {
            parent,
            dependsOn: [...foundation, ...account.dependencies],
            ignoreChanges: ["spec.template.spec.containers[0].image"],
            customTimeouts: { create: `${deadline + MARGIN_SECONDS}s` },
        },
    );
}
