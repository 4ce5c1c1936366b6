// Where Kubernetes comes from: the interface of the platforms, and what must be known of one before anything is made.

import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Surroundings } from "../outside";
import type { Problem } from "../problems";
import type { CompleteSpec, PodSpec } from "../spec";
import type { Plan } from "../topology";
import type { CostOutput } from "./gke/cost-table";

/** What tells a Kubernetes cluster from every other one, the UID of its namespace `kube-system`; of several by their zones. */
export type KubernetesIdentity = string | Readonly<Record<string, string>>;

/** How Pulumi puts objects on a Kubernetes cluster. */
export interface OnKubernetes {
    /** Puts a component on it. */
    readonly options: pulumi.ComponentResourceOptions;
    /** Takes over what exists (`adopt`): for what an earlier stack kept (`storage.onDelete: keep`), and for nothing else. */
    readonly keeper?: pulumi.ProviderResource;
}

/** One of several Kubernetes clusters of a database (layout `cluster-per-zone`). */
export interface ZoneCluster extends OnKubernetes {
    /** URL by which pods of the other clusters reach its API server. */
    readonly server: pulumi.Input<string>;
}

/**
 * A Kubernetes cluster to put databases on, or one for each zone: what is said of one then holds for that of the first zone by
 * name, which has the cluster record.
 */
export interface Platform extends OnKubernetes {
    /** With another value an update is refused. Left out where the platform makes the cluster itself. */
    readonly identity?: pulumi.Output<KubernetesIdentity>;
    /** Layout `cluster-per-zone`: zone -> its cluster. */
    readonly clusters?: Readonly<Record<string, ZoneCluster>>;
    /** What a member in this zone runs on: it comes before the member and goes after it. */
    readonly machinesOf: (zone: string) => readonly pulumi.Resource[];
    /** Where members are reached from outside. Left out where only the specification says so. */
    readonly surroundings?: Surroundings;
    /** For kubectl, where the platform makes the cluster. It holds no secret. */
    readonly kubeconfig?: pulumi.Output<string>;
    /** What it costs a month, where that is known before anything is made. */
    readonly cost?: CostOutput;
    /** Where passwords outlive Kubernetes. Left out where Kubernetes outlives the stack. */
    readonly vault?: Vault;
}

/** Keeps the passwords of a cluster (`storage.onDelete: keep`) beyond the Kubernetes that they are used in. */
export interface Vault {
    /** The passwords that an earlier stack kept. Fails with a sentence where there are none. */
    readonly recall: () => pulumi.Output<Record<string, string>>;
    /** Keeps them from now on. */
    readonly keep: (
        values: pulumi.Output<Record<string, string>>,
        parent: pulumi.Resource,
    ) => pulumi.Resource;
}

/** A specification with its members. */
export type SizedSpec = CompleteSpec & { readonly plan: Plan };

/** Which nodes a pod may be on. */
export type Placement = Pick<k8s.types.input.core.v1.PodSpec, "nodeSelector" | "tolerations">;

/** What holds for one platform, without making anything. */
export interface PlatformRules {
    /** The keys of a specification that only it has. Of another platform they are refused. */
    readonly keys: readonly ("gke" | "machines" | "prices")[];
    /** What is wrong with an input that names it, as far as it can be read. */
    readonly problems: (input: unknown) => Problem[];
    /** What is wrong with a specification, given who its members are. */
    readonly planProblems: (spec: CompleteSpec, plan: Plan) => Problem[];
    /** Where members run, beside their zone. */
    readonly memberPlacement: (spec: PodSpec) => Placement;
    /** What a change of one specification into the other costs or saves, as preview says it; left out where that is not known. */
    readonly costChange?: (old: SizedSpec, wanted: SizedSpec) => string | undefined;
    /** Whether what `storage.onDelete: keep` keeps is in Kubernetes, which outlives the stack. */
    readonly outlivesStack: boolean;
}
