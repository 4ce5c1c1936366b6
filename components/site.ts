// Where a database's objects stand: one Kubernetes cluster, and how Pulumi tells what is in it from the same in another.

import type * as pulumi from "@pulumi/pulumi";
import type { Member } from "./topology";

/** One Kubernetes cluster that a database stands on. */
export interface Site {
    /** Parent of what stands there; it is on its provider. */
    readonly parent: pulumi.Resource;
    /**
     * Pulumi's name of a resource of which each Kubernetes cluster has one. In the one with the cluster record it is the plain
     * name: the only one in layouts with one Kubernetes cluster.
     */
    readonly named: (name: string) => string;
    /** Of what an earlier stack may have kept: takes it over (`adopt`). */
    readonly kept: Pick<pulumi.CustomResourceOptions, "provider">;
    /** Whether a member is in it. */
    readonly has: (member: Member) => boolean;
}

/** {@link Site.kept} */
export const keptBy = (keeper: pulumi.ProviderResource | undefined): Site["kept"] =>
    keeper ? { provider: keeper } : {};
