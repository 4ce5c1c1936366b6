// The certificates of engines whose members must trust one another by name: a CA and what it signed in one Secret, and
// the job that makes what is missing. Pulumi creates the Secret and never looks at its content: the private keys stand
// in the cluster and not in the stack's state.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { registerAccount } from "./account";
import { registerJob, type ClusterJobArgs } from "./job";
import type { CertificatesPart } from "./engines/engine";
import { componentLabels, objectNames } from "./names";
import { certifiedOutside, type Surroundings } from "./outside";

/** Bound on making certificates, in seconds. */
const SECONDS = 180;

interface CertificatesArgs extends ClusterJobArgs {
    readonly surroundings: Surroundings;
}

/** The certificates in Pulumi's tree: the Secret and its job, which members wait for. */
export class Certificates extends pulumi.ComponentResource {
    public constructor(
        args: Omit<CertificatesArgs, "parent">,
        part: CertificatesPart,
        opts: pulumi.ComponentResourceOptions,
    ) {
        super("quorum:index:Certificates", objectNames(args.facts.spec).certificates, {}, opts);
        registerCertificates({ ...args, parent: this }, part);
        this.registerOutputs();
    }
}

function registerCertificates(args: CertificatesArgs, part: CertificatesPart): void {
    const { engine, facts, foundation, surroundings, parent } = args;
    const { spec } = facts;
    const name = objectNames(spec).certificates;
    const labels = componentLabels(spec, "certificates");
    const metadata = { name, namespace: spec.namespace, labels };
    const options = { parent, dependsOn: [...foundation] };
    const secret = new k8s.core.v1.Secret(
        name,
        { metadata, type: "Opaque" },
        { ...options, ignoreChanges: ["data", "stringData"] },
    );
    registerJob({
        name: `${name}-job`,
        engine,
        facts,
        labels,
        plan: part.job(facts, name),
        env: {
            // A Secret that was deleted by hand is made again empty: another one runs the job again.
            SECRET_UID: secret.metadata.uid,
            OUTSIDE: certifiedOutside(facts, surroundings),
            // Where members are in other Kubernetes clusters, the job brings them what they may see.
            ...(facts.remoteZones.length > 0 && {
                CARRIED: part.mounted.join(","),
                TIMEOUT: `${SECONDS}`,
            }),
        },
        reachesRemotes: true,
        seconds: SECONDS,
        // Every step is safe to run twice.
        retries: 2,
        account: registerAccount(
            metadata,
            [{ apiGroup: "", resource: "secrets", names: [name], verbs: ["get", "patch"] }],
            options,
        ),
        parent,
        dependsOn: [...foundation, secret],
    });
}
