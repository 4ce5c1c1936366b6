// Passwords in Google's Secret Manager: the Kubernetes that they are used in goes with the stack, and disks that are kept
// could not be opened without them.

import { getSecretVersionOutput } from "@pulumi/gcp/secretmanager/getSecretVersion";
import { Secret } from "@pulumi/gcp/secretmanager/secret";
import { SecretVersion } from "@pulumi/gcp/secretmanager/secretVersion";
import * as pulumi from "@pulumi/pulumi";
import { cloudLabels } from "../../names";
import type { ClusterSpec } from "../../spec";
import type { Vault } from "../platform";
import type { GkePlan } from "./plan";

/** The vault of one cluster: one secret of Secret Manager, a JSON object of all its passwords. */
export function openVault(spec: ClusterSpec, { project }: GkePlan): Vault {
    const secretId = `quorum-${spec.name}-credentials`;
    const keep = spec.storage.onDelete === "keep";
    return {
        recall: () =>
            pulumi.secret(
                getSecretVersionOutput({ project, secret: secretId }).secretData.apply(
                    (text) => JSON.parse(text) as Record<string, string>,
                ),
            ),
        keep: (values, parent) => {
            const secret = new Secret(
                `${spec.name}-kept-credentials`,
                {
                    secretId,
                    project,
                    replication: { auto: {} },
                    labels: cloudLabels(spec),
                },
                {
                    parent,
                    retainOnDelete: keep,
                    ...(spec.adopt && {
                        import: `projects/${project}/secrets/${secretId}`,
                        ignoreChanges: ["labels"],
                    }),
                },
            );
            return new SecretVersion(
                `${spec.name}-kept-credentials`,
                {
                    secret: secret.id,
                    project,
                    secretData: pulumi.secret(values.apply((each) => JSON.stringify(each))),
                },
                // Another text is another version: the passwords are those of the first.
                { parent, retainOnDelete: keep, ignoreChanges: ["secretData"] },
            );
        },
    };
}
