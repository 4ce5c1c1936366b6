// Where members' disks come from: the interface of the storage drivers.

import type * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import type { Problem } from "../problems";
import type { Site } from "../site";
import type { ClusterSpec, CompleteSpec } from "../spec";
import type { Member, Plan } from "../topology";

/** What a driver makes disks from. */
export interface StorageContext {
    readonly spec: ClusterSpec;
    /** User and group id that own a member's disk. */
    readonly user: number;
    readonly image: pulumi.Input<string>;
    /** The cluster's namespace. */
    readonly namespace: pulumi.Resource;
    /** Where the disks are. */
    readonly site: Pick<Site, "named" | "parent" | "kept">;
}

/** The disk of one member. */
export interface Disk {
    /** Name of the claim; the pod waits for what it depends on. */
    readonly claim: pulumi.Output<string>;
    readonly dependencies: readonly pulumi.Resource[];
    /** Where the data is, for the members' table: a StorageClass, or node and directory. */
    readonly place: string;
}

/** The disks of one cluster. The parts that are there once a cluster are made when it is opened. */
export interface Storage {
    /** Registers the disk of one member, as a part of that member. */
    diskOf(member: Member, parent: pulumi.Resource): Disk;
}

/** The keys below `storage` that only one driver has. */
export type DriverKey = Exclude<keyof ClusterSpec["storage"], "driver" | "size" | "onDelete">;

/** One way to have disks, with all that holds for it alone. */
export interface StorageDriver {
    /** Its own keys with their schemas (in a file of their own: `spec.ts` is made of them). Of another driver they are refused. */
    readonly keys: Readonly<Partial<Record<DriverKey, z.ZodType>>>;
    /** What is wrong with an input that names this driver, as far as it can be read. */
    readonly problems: (input: unknown) => Problem[];
    /** What is wrong with a specification, given who its members are. */
    readonly planProblems: (spec: CompleteSpec, plan: Plan) => Problem[];
    /** Why a disk cannot grow; left out where it can. */
    readonly cannotGrow?: string;
    /** What stays although a claim is deleted, as a sentence; left out where a disk goes with its claim. */
    readonly leftBehind?: string;
    /** What becomes of the disk of a member that left, as a clause. Default: it is deleted. */
    readonly afterLeaving?: (spec: ClusterSpec, member: string) => string;
    /** Whether a claim has its disk from the start. Otherwise one that never bound holds nothing. */
    readonly bindsAtOnce: boolean;
    /** Whether Pulumi leaves the claims of members that leave to the membership job, because it keeps them at a destroy. */
    readonly leavesClaims: (spec: ClusterSpec) => boolean;
    readonly open: (context: StorageContext) => Storage;
}

export const EMPTY_DISKS =
    "cannot change in a running cluster: disks that are there stay as they were made, and new members would get others.";

/** What is known of the claims that an update finds. */
type Unbound = Pick<ClusterSpec, "namespace"> & {
    readonly plan: Plan;
    readonly disks: Pick<StorageDriver, "bindsAtOnce">;
};

/** A claim that was never bound holds nothing, and is made anew when it is gone. Kubernetes changes nothing of it, its size neither. */
export const unboundClaims =
    (reason: string) =>
    (old: Unbound, completed: boolean): string => {
        const claims = old.plan.members.map(({ name }) => name);
        return completed || old.disks.bindsAtOnce
            ? reason
            : `${reason} Claims that never bound (Pending) hold nothing and can be made anew: ` +
                  `kubectl --namespace ${old.namespace} delete pvc ${claims.join(" ")}, then pulumi up --refresh.`;
    };
/**
 * The fields of a claim whose change replaces it, and with it a member's data (pulumi-kubernetes, provider/diff.go). They
 * count when the claim is made and never again, whatever the configuration or another release of Quorum says.
 */
export const CLAIM_FOR_EVER = [
    "spec.accessModes",
    "spec.selector",
    "spec.storageClassName",
    "spec.volumeName",
];

/**
 * The same of a StorageClass: it is not replaced under the claims that were made by it. Only to correct a first update
 * that did not complete (`allowChanges ["unfinished"]`) is it made anew: claims do not go with it.
 */
export const classForEver = ({ allowChanges }: ClusterSpec): string[] => [
    ...(allowChanges.includes("unfinished") ? [] : ["parameters", "provisioner"]),
    "reclaimPolicy",
    "volumeBindingMode",
];
