// The platform `existing`: a Kubernetes cluster that is there already, by its kubeconfig.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Platform } from "./platform";

export interface ExistingPlatformArgs {
    /** Path or content of a kubeconfig. Default: KUBECONFIG, else ~/.kube/config. */
    readonly kubeconfig?: pulumi.Input<string>;
    /** Context in it. Default: its current one. */
    readonly context?: pulumi.Input<string>;
    /** Objects that exist already are taken over, not refused (`adopt`). */
    readonly adopt: boolean;
}

/** A provider for an existing cluster. */
export function existingPlatform(args: ExistingPlatformArgs): Platform {
    return {
        provider: new k8s.Provider("kubernetes", {
            kubeconfig: args.kubeconfig,
            context: args.context,
            // Configuration and scripts change in place; what must restart for it carries a checksum.
            enableConfigMapMutable: true,
            enableSecretMutable: true,
            // Another path or content of a kubeconfig is not another cluster: without this, every resource would be
            // planned for replacement when it changes.
            clusterIdentifier: "existing",
            upsertExistingObjects: args.adopt,
        }),
    };
}
