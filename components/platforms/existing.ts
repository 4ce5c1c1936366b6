// The platform `existing`: a Kubernetes cluster that is there already, by its kubeconfig.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Platform } from "./platform";

export interface ExistingPlatformArgs {
    /** Path or content of a kubeconfig. Default: KUBECONFIG, else ~/.kube/config. */
    readonly kubeconfig?: pulumi.Input<string>;
    /** Context in it. Default: its current one. */
    readonly context?: pulumi.Input<string>;
    /** What an earlier stack kept is taken over, not refused (`adopt`). */
    readonly adopt: boolean;
}

/** What `storage.onDelete: keep` leaves behind, beside the Secret, which is imported. */
const KEPT: readonly string[] = [
    "kubernetes:core/v1:Namespace",
    "kubernetes:core/v1:PersistentVolumeClaim",
];

/** A provider for an existing cluster. */
export function existingPlatform({ kubeconfig, context, adopt }: ExistingPlatformArgs): Platform {
    const args: k8s.ProviderArgs = {
        kubeconfig: kubeconfig && pulumi.secret(kubeconfig),
        context,
        // Configuration and scripts change in place; what must restart for it carries a checksum.
        enableConfigMapMutable: true,
        enableSecretMutable: true,
        // Another path or content of a kubeconfig is not another cluster: without this, every resource would be
        // planned for replacement when it changes. That it is none, the change rules see by the identity below.
        clusterIdentifier: "existing",
    };
    const provider = new k8s.Provider("kubernetes", args);
    return {
        identity: new SystemNamespace(provider).metadata.apply(({ uid }) => uid),
        options: { provider, ...(adopt && { transforms: [takingOver(args)] }) },
        machinesOf: () => [],
    };
}

/**
 * The namespace that every Kubernetes has, read and not managed. Not by `Namespace.get`: the provider keeps as its inputs
 * all that it finds then, and less with each refresh, so that a refresh would always see a change. What it is given here
 * is what it keeps.
 */
class SystemNamespace extends pulumi.CustomResource {
    declare public readonly metadata: pulumi.Output<{ uid: string }>;

    public constructor(provider: k8s.Provider) {
        const id = "kube-system";
        const known = { apiVersion: "v1", kind: "Namespace", metadata: { name: id } };
        super("kubernetes:core/v1:Namespace", "kubernetes", known, { id, provider });
    }
}

/**
 * Puts what was kept, and nothing else, on a provider that takes over what exists. With it a create overwrites: a member's
 * StatefulSet, Service or record that is there but not in the state belongs to somebody, and must stop the update.
 */
function takingOver(args: k8s.ProviderArgs): pulumi.ResourceTransform {
    const provider = new k8s.Provider("kubernetes-kept", { ...args, upsertExistingObjects: true });
    return ({ type, props, opts }) =>
        KEPT.includes(type) ? { props, opts: { ...opts, provider } } : undefined;
}
