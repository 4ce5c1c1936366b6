// Who a pod is to the API server: a service account that may do just what the pod's scripts do.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { AccessRule } from "./engines/engine";

export interface Account {
    readonly name: pulumi.Output<string>;
    /** What must exist before the pod starts, so that its first request is not refused. */
    readonly dependencies: readonly pulumi.Resource[];
}

/** Registers a service account, and its role when it has any rights at all. */
export function registerAccount(
    metadata: { name: string; namespace: string; labels: Record<string, string> },
    rules: readonly AccessRule[],
    options: pulumi.CustomResourceOptions,
): Account {
    const account = new k8s.core.v1.ServiceAccount(
        `${metadata.name}-account`,
        { metadata, automountServiceAccountToken: false },
        options,
    );
    const name = account.metadata.name;
    if (rules.length === 0) {
        return { name, dependencies: [account] };
    }
    const role = new k8s.rbac.v1.Role(
        `${metadata.name}-role`,
        { metadata, rules: rules.map(policyRule) },
        options,
    );
    const binding = new k8s.rbac.v1.RoleBinding(
        `${metadata.name}-role`,
        {
            metadata,
            roleRef: {
                apiGroup: "rbac.authorization.k8s.io",
                kind: "Role",
                name: role.metadata.name,
            },
            subjects: [{ kind: "ServiceAccount", name, namespace: metadata.namespace }],
        },
        options,
    );
    return { name, dependencies: [account, binding] };
}

function policyRule(rule: AccessRule): k8s.types.input.rbac.v1.PolicyRule {
    const { apiGroup, resource, names, verbs } = rule;
    return {
        apiGroups: [apiGroup],
        resources: [resource],
        ...(names && { resourceNames: [...names] }),
        verbs: [...verbs],
    };
}
