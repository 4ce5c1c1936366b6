// Where Kubernetes comes from: the interface of the platforms.

import type * as k8s from "@pulumi/kubernetes";

/** A Kubernetes cluster to put databases on. */
export interface Platform {
    readonly provider: k8s.Provider;
}
