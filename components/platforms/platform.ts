// Where Kubernetes comes from: the interface of the platforms.

import type * as pulumi from "@pulumi/pulumi";

/** A Kubernetes cluster to put databases on. */
export interface Platform {
    /** What tells it from every other Kubernetes, for {@link DatabaseClusterArgs.kubernetes}. */
    readonly identity: pulumi.Output<string>;
    /** Puts a component on it. */
    readonly options: pulumi.ComponentResourceOptions;
}
