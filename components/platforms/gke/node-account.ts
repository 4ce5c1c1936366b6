// Who the nodes are to Google: a service account with what a node needs, and nothing of the project's default one.

import { IAMMember } from "@pulumi/gcp/projects/iammember";
import { Account } from "@pulumi/gcp/serviceaccount/account";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterSpec } from "../../spec";
import type { GkePlan } from "./plan";

/** Logs and metrics of a node, and images of the project's own registry (terraform-google-kubernetes-engine, sa.tf). */
const ROLES = {
    node: "roles/container.defaultNodeServiceAccount",
    images: "roles/artifactregistry.reader",
} as const;

export interface NodeAccount {
    readonly email: pulumi.Output<string>;
    /** Nodes that start before these have rights. */
    readonly rights: readonly pulumi.Resource[];
}

export function registerNodeAccount(
    { name }: ClusterSpec,
    { project, account }: GkePlan,
    parent: pulumi.Resource,
): NodeAccount {
    const made = new Account(
        `${name}-nodes`,
        { accountId: account, project, displayName: `Nodes of the database ${name}` },
        { parent },
    );
    // One member of one role each: a binding or a policy would take the role of everybody else away.
    const rights = Object.entries(ROLES).map(
        ([what, role]) =>
            new IAMMember(
                `${name}-nodes-${what}`,
                { project, role, member: made.member },
                { parent },
            ),
    );
    return { email: made.email, rights };
}
