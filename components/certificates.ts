// The certificates of engines whose members must trust one another by name: a CA and what it signed in one Secret, and
// the job that makes what is missing. Pulumi creates the Secret and never looks at its content: the private keys stand
// in the cluster and not in the stack's state.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import type { Engine, Facts } from "./engines/engine";
import { componentLabels, objectNames } from "./names";
import { container, podSecurity, REPLACED_WHEN_FAILED, volumes } from "./pod";

/** Bound on making certificates, in seconds. */
const DEADLINE = 300;

export interface CertificatesArgs {
    readonly engine: Engine;
    readonly facts: Facts;
    readonly foundation: readonly pulumi.Resource[];
    readonly parent: pulumi.Resource;
}

/** Registers the Secret and its job, which members wait for; nothing for engines that need none. */
export function registerCertificates(args: CertificatesArgs): pulumi.Resource[] {
    const { engine, facts, foundation, parent } = args;
    const { spec } = facts;
    if (!engine.certificates) {
        return [];
    }
    const name = objectNames(spec).certificates;
    const labels = componentLabels(spec, "certificates");
    const metadata = { name, namespace: spec.namespace, labels };
    const options = { parent, dependsOn: [...foundation] };
    const secret = new k8s.core.v1.Secret(
        name,
        { metadata, type: "Opaque" },
        { ...options, ignoreChanges: ["data", "stringData"] },
    );
    const account = registerAccount(
        metadata,
        [{ apiGroup: "", resource: "secrets", names: [name], verbs: ["get", "patch"] }],
        options,
    );
    const plan = engine.certificates.job(facts, name);
    const job = new k8s.batch.v1.Job(
        `${name}-job`,
        {
            // No name of its own: the next one is created, and has succeeded, before this one is deleted.
            metadata: { namespace: spec.namespace, labels, annotations: REPLACED_WHEN_FAILED },
            spec: {
                // Every step is safe to run twice.
                backoffLimit: 2,
                activeDeadlineSeconds: DEADLINE,
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
        {
            parent,
            dependsOn: [...foundation, secret, ...account.dependencies],
            ignoreChanges: ["spec.template.spec.containers[0].image"],
        },
    );
    return [secret, job];
}
