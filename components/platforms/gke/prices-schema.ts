// The key `prices`: what the user pays, in place of the list price. Knows no price itself, and is loaded with every cluster.

import { z } from "zod";
import { DISK_TYPES } from "./families";
import { nonEmpty } from "../../schema";

/** Types of disks in one zone. */

/** Types of disks that are in two zones at once. */
export const REGIONAL_DISK_TYPES = [
    "hyperdisk-balanced-high-availability",
    "pd-balanced",
    "pd-ssd",
    "pd-standard",
] as const;
export type RegionalDiskType = (typeof REGIONAL_DISK_TYPES)[number];

/** What an address is for. */
export const ADDRESS_USES = ["internal", "loadBalancer", "nat", "unused"] as const;
export type AddressUse = (typeof ADDRESS_USES)[number];

const priceSchema = z.strictObject({
    /** US dollars for one unit; each key says which. */
    usd: z.preprocess(
        // `pulumi config set --path` makes text of every number that is not whole.
        (value: number | string) =>
            typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value,
        z.number().min(0, "must not be negative"),
    ),
    /** Where the price is from, for example a contract. */
    source: nonEmpty.default("configuration"),
    /** Day of which the price is. One without a date is never called old. */
    date: z.iso.date('must be a day such as "2026-11-30", in quotes').optional(),
});
/** A price of the user's own. */
export type ConfiguredPrice = z.output<typeof priceSchema>;

const pricesOf = <Name extends string>(names: readonly Name[]) =>
    z.strictObject(
        Object.fromEntries(names.map((name) => [name, priceSchema.optional()])) as Record<
            Name,
            z.ZodOptional<typeof priceSchema>
        >,
    );

const machineType = z
    .string()
    .regex(
        /^[a-z][a-z0-9]*(-[a-z0-9]+)+$/,
        "must be a machine type of Google Cloud, for example e2-standard-4",
    );

/**
 * Prices that take the place of the shipped list's, in all regions. They change what is said of costs, and nothing else.
 *
 * @example
 *     quorum:prices:
 *       disks:
 *         hyperdisk-balanced: { usd: 0.09, source: contract of May, date: "2026-05-01" }
 */
export const pricesSchema = z.strictObject({
    /** Machine type -> price of an hour. */
    machines: z.record(machineType, priceSchema).optional(),
    /** Disk type -> price of a GiB for a month. */
    disks: pricesOf(DISK_TYPES).optional(),
    /** The same for a disk that is in two zones at once, both copies together. */
    regionalDisks: pricesOf(REGIONAL_DISK_TYPES).optional(),
    /** Disk type -> price of one IOPS for a month, beyond what comes with the disk. */
    iops: pricesOf(["hyperdisk-balanced"]).optional(),
    /** Disk type -> price of one MiB/s for a month, beyond what comes with the disk. */
    throughput: pricesOf(["hyperdisk-balanced"]).optional(),
    /** A GiB of snapshots for a month. */
    snapshots: priceSchema.optional(),
    /** An hour of one load balancer, which is one forwarding rule. */
    loadBalancer: priceSchema.optional(),
    /** An hour of an address: internal, of a load balancer, of NAT, or reserved and not used. */
    addresses: pricesOf(ADDRESS_USES).optional(),
    /** An hour of one Kubernetes cluster. */
    managementFee: priceSchema.optional(),
    /** An hour of NAT for one machine. */
    nat: priceSchema.optional(),
    /** An hour of one private DNS zone. */
    dnsZone: priceSchema.optional(),
    /** One version of a secret, for a month. */
    secret: priceSchema.optional(),
    /** A GiB that NAT carries, and one between two zones of a region. */
    traffic: pricesOf(["nat", "zones"]).optional(),
});
/** The key `prices`, complete. */
export type ConfiguredPrices = z.output<typeof pricesSchema>;
