// Where members' disks come from: the interface of the storage drivers.

import type * as pulumi from "@pulumi/pulumi";
import type { ClusterSpec } from "../spec";
import type { Member } from "../topology";

/** What a driver makes disks from. */
export interface StorageContext {
    readonly spec: ClusterSpec;
    /** Prefix of the resources' names. */
    readonly name: string;
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
export type StorageDriver = (context: StorageContext) => { diskOf(member: Member): Disk };
