// The keys of the storage driver `gce-disk`.

import { z } from "zod";
import { DISK_TYPES } from "../platforms/gke/families";

/** The most that Google lets a hyperdisk-balanced have. */
const MAX_IOPS = 160_000;
const MAX_THROUGHPUT = 2_400;
/** Google keeps a scheduled snapshot at most that long. */
const MAX_SNAPSHOT_DAYS = 65_535;

const snapshotsSchema = z.strictObject({
    /** When the day's snapshot is begun, a full hour in UTC. */
    at: z
        .string()
        .regex(/^([01]\d|2[0-3]):00$/, "must be a full hour in UTC, for example 02:00")
        .default("02:00"),
    /** Days that a snapshot is kept. Those of a disk that is deleted stay. */
    keepDays: z
        .int("must be a whole number")
        .min(1, "must be at least 1")
        .max(MAX_SNAPSHOT_DAYS, `must be at most ${MAX_SNAPSHOT_DAYS}`)
        .default(7),
});

const diskSchema = z.strictObject({
    /** Type of the members' disks. Default: that of the machine family. It cannot be changed later. */
    type: z.enum(DISK_TYPES).optional(),
    /** Provisioned IOPS of a hyperdisk. Default: Google's for its size. Google takes one change in four hours. */
    iops: z
        .int("must be a whole number")
        .min(3_000, "must be at least 3000, which every hyperdisk has")
        .max(MAX_IOPS, `must be at most ${MAX_IOPS}`)
        .optional(),
    /** Provisioned throughput of a hyperdisk in MiB/s. Default: Google's for its size. */
    throughput: z
        .int("must be a whole number")
        .min(140, "must be at least 140, which every hyperdisk has")
        .max(MAX_THROUGHPUT, `must be at most ${MAX_THROUGHPUT}`)
        .optional(),
    /** Cloud KMS key that encrypts the disks, by its full name. It cannot be changed later. */
    kmsKey: z
        .string()
        .regex(
            /^projects\/[^/]+\/locations\/[^/]+\/keyRings\/[^/]+\/cryptoKeys\/[^/]+$/,
            "must be a key's full name: projects/P/locations/L/keyRings/R/cryptoKeys/K",
        )
        .optional(),
    /** A snapshot of each disk every day: each by itself, so none is a copy of the whole cluster at one instant. */
    snapshots: snapshotsSchema.optional(),
    /** A second zone in which a single member's disk has a copy. For `replicas: 1` only. It cannot be changed later. */
    replicaZone: z.string().optional(),
});

export const gceDiskKeys = {
    /** `gce-disk`: the kind of disk. */
    disk: diskSchema.optional(),
};
