// The keys of the platform `gke`: the Kubernetes that Quorum makes on Google Cloud, and its machines.

import { z } from "zod";
import { bytes, gcpName } from "../schema";

/** Google's channels, from the newest releases to those that are supported longest. */
export const CHANNELS = ["RAPID", "REGULAR", "STABLE", "EXTENDED"] as const;

const DAYS = "(MO|TU|WE|TH|FR|SA|SU)";
const TIME = "([01]\\d|2[0-3]):[0-5]\\d";
/** `SA,SU 01:00-07:00`. */
export const WINDOW = new RegExp(`^${DAYS}(,${DAYS})* ${TIME}-${TIME}$`);

/** A boot disk holds the system and the images; Google's smallest has 10 GiB, and its largest is 64 TiB. */
const BOOT_DISK = ["10Gi", "64Ti"] as const;
/** More nodes than this in one zone of one database is a mistake. */
const MAX_COUNT = 50;
/** What Google takes of exclusions with this scope. */
const MAX_EXCLUSIONS = 20;

const network = z.cidrv4("must be a network in CIDR notation, for example 10.64.0.0/20");
const instant = z
    .string()
    .regex(
        /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/,
        "must be a time in UTC, for example 2026-12-20T00:00:00Z: Google writes other forms anew at every update",
    );
const machineType = z
    .string()
    .regex(
        /^[a-z][a-z0-9]*-[a-z0-9-]+$/,
        "must be one of Google's machine types, for example n4-standard-4",
    );

const rangesSchema = z.strictObject({
    /** Addresses of the nodes and of internal load balancers. */
    nodes: network.default("10.64.0.0/20"),
    /** Addresses of pods: a /24 for each node. */
    pods: network.default("10.68.0.0/16"),
    /** Addresses of Services. */
    services: network.default("10.127.0.0/20"),
});

export const gkeSchema = z.strictObject({
    /** Project that everything is made in. Default: `gcp:project`. It cannot be changed later. */
    project: z
        .string()
        .regex(
            /^([a-z0-9.-]+:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$/,
            "must be the id of a project: 6 to 30 lower-case letters, digits and '-'",
        )
        .optional(),
    /** Release channel: Google upgrades the control plane and the nodes within it. Default: `STABLE`. */
    channel: z.enum(CHANNELS).default("STABLE"),
    /** An existing VPC network, by name, in place of one of the cluster's own. Needs `subnetwork`. It cannot be changed later. */
    network: gcpName("the name of a network").optional(),
    /** A subnetwork of `network` in the zones' region, with a way to the Internet (Cloud NAT). It cannot be changed later. */
    subnetwork: gcpName("the name of a subnetwork").optional(),
    /** Address ranges; none of them overlaps another. They cannot be changed later. */
    ranges: rangesSchema.prefault({}),
    /**
     * How the control plane is reached. `dns`: by a name of Google's, checked by IAM, from anywhere. `public`: by an address,
     * from `authorizedNetworks`. `private`: from within the network only, and Pulumi must run there.
     */
    endpoint: z.enum(["dns", "public", "private"]).default("dns"),
    /** Networks from which the control plane's address is reached. Required with `endpoint: public`. */
    authorizedNetworks: z.array(network).default([]),
    /**
     * When Google may upgrade, in UTC: days and hours, at least 48 h in any 32 days in blocks of at least 4 h
     * (Google's bound). Default: `SA,SU 01:00-07:00`.
     */
    window: z
        .string()
        .regex(WINDOW, "must be days and hours in UTC, for example SA,SU 01:00-07:00")
        .default("SA,SU 01:00-07:00"),
    /** Times in which Google upgrades neither nodes nor to a new minor release. */
    exclusions: z
        .array(
            z.strictObject({
                name: gcpName("a name"),
                from: instant,
                until: instant,
            }),
        )
        .max(MAX_EXCLUSIONS, `must be at most ${MAX_EXCLUSIONS}`)
        .default([]),
    /**
     * Whether Google and Pulumi refuse to delete the Kubernetes cluster. To destroy it: set it to `false`, `pulumi up`, then
     * `pulumi destroy`.
     */
    deletionProtection: z.boolean().default(true),
});

export const machinesSchema = z.strictObject({
    /**
     * Machine type of the members' nodes, for example `n4-standard-4`. Within a family nodes are recreated one after the other;
     * another family is new pools, and the old ones are drained.
     */
    type: machineType,
    /** Nodes of each zone. Default: as many as the zone has members. More are spare. */
    count: z
        .int("must be a whole number")
        .min(1, "must be at least 1")
        .max(MAX_COUNT, `must be at most ${MAX_COUNT}`)
        .optional(),
    /** Size of each node's boot disk. */
    bootDisk: bytes("a disk size", "50Gi", BOOT_DISK).default("50Gi"),
    /**
     * Machine type of the system's nodes, one in each zone: Kubernetes' own pods, jobs and add-ons run there, members do not.
     */
    system: machineType.default("e2-medium"),
});
