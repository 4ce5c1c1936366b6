// Where members' disks come from: the interface of the storage drivers.

import type * as pulumi from "@pulumi/pulumi";
import type { ClusterSpec } from "../spec";
import type { Member } from "../topology";

/** What a driver makes disks from. */
export interface StorageContext {
    readonly spec: ClusterSpec;
    /** User and group id that own a member's disk. */
    readonly user: number;
    readonly image: pulumi.Input<string>;
    /** The cluster's namespace. */
    readonly namespace: pulumi.Resource;
    readonly parent: pulumi.Resource;
}

/** The disk of one member. */
export interface Disk {
    /** Name of the claim; the pod waits for what it depends on. */
    readonly claim: pulumi.Output<string>;
    readonly dependencies: readonly pulumi.Resource[];
    /** Where the data is, for the members' table: a StorageClass, or node and directory. */
    readonly place: string;
}

/** Makes the disks of one cluster. The parts that are there once a cluster are made when it is opened. */
export type StorageDriver = (context: StorageContext) => Storage;

export interface Storage {
    /** Registers the disk of one member, as a part of that member. */
    diskOf(member: Member, parent: pulumi.Resource): Disk;
}

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

/** The same of a local volume: the directory replaces it, and Kubernetes refuses to change the rest. */
export const VOLUME_FOR_EVER = [
    "spec.accessModes",
    "spec.claimRef",
    "spec.local",
    "spec.nodeAffinity",
    "spec.persistentVolumeReclaimPolicy",
    "spec.storageClassName",
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
