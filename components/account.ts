// Who a pod is to the API server: a service account that may do just what the pod's scripts do.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { AccessRule } from "./engines/engine";
import type { Site } from "./site";

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
    named: Site["named"] = (name) => name,
): Account {
    const account = new k8s.core.v1.ServiceAccount(
        named(`${metadata.name}-account`),
        { metadata, automountServiceAccountToken: false },
        options,
    );
    const name = account.metadata.name;
    if (rules.length === 0) {
        return { name, dependencies: [account] };
    }
    const role = new k8s.rbac.v1.Role(
        named(`${metadata.name}-role`),
        { metadata, rules: rules.map(policyRule) },
        options,
    );
    const binding = new k8s.rbac.v1.RoleBinding(
        named(`${metadata.name}-role`),
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

/** What a pod in another Kubernetes cluster needs to be this account here. */
export interface AccountToken {
    readonly token: pulumi.Output<string>;
    /** Certificate of the CA that the API server shows, PEM. */
    readonly authority: pulumi.Output<string>;
}

/** Makes a token that is good until the Secret with it is deleted: one that ends can be renewed by its own cluster only. */
export function registerToken(
    metadata: { name: string; namespace: string; labels: Record<string, string> },
    account: Account,
    options: pulumi.CustomResourceOptions,
    named: Site["named"] = (name) => name,
): AccountToken {
    const secret = new k8s.core.v1.Secret(
        named(`${metadata.name}-token`),
        {
            metadata: {
                ...metadata,
                annotations: { "kubernetes.io/service-account.name": account.name },
            },
            type: "kubernetes.io/service-account-token",
        },
        // Kubernetes fills it, and Pulumi waits for that.
        pulumi.mergeOptions(options, {
            dependsOn: [...account.dependencies],
            ignoreChanges: ["data"],
        }),
    );
    const valueOf = (key: string): pulumi.Output<string> =>
        pulumi.secret(
            secret.data.apply((data) => Buffer.from(data[key] ?? "", "base64").toString()),
        );
    return { token: valueOf("token"), authority: valueOf("ca.crt") };
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
