// What a plan costs a month: a line for each kind of thing in each zone, their sums, and what an update changes. Pure.
//
// Money is whole cents. What one thing costs is rounded once, everything else is counted from there, so that a reader can
// check every sum on paper.

import {
    isKnown,
    priceOf,
    type KnownPrice,
    type Price,
    type PriceKey,
    type PriceTable,
} from "./prices";
import type { DiskType } from "./families";
import type { AddressUse, RegionalDiskType } from "./prices-schema";

/** Google's own month: a year's 8760 hours by twelve. */
const HOURS_A_MONTH = 730;
/** cloud.google.com/nat/pricing: a gateway costs no more from this many machines on. */
const MOST_NAT_MACHINES = 32;
/** cloud.google.com/compute/disks-image-pricing: what a hyperdisk-balanced brings without a price of its own. */
const FREE = { iops: 3000, throughput: 140 } as const;

/** Kinds of things that cost something each month, in the order in which they are listed. */
export const COST_KINDS = [
    "node",
    "bootDisk",
    "disk",
    "snapshots",
    "address",
    "loadBalancer",
    "managementFee",
    "nat",
    "dnsZone",
    "secret",
] as const;
export type CostKind = (typeof COST_KINDS)[number];

/** Where a thing is: in a zone, in a region as a whole, or nowhere in particular. */
interface Place {
    /** None for what is global. */
    readonly region?: string;
    /** None for what is regional. */
    readonly zone?: string;
}

interface Counted extends Place {
    /** How many of it there are. */
    readonly count: number;
    /** What it is there for, for example `members`: what differs here has a line of its own. */
    readonly purpose?: string;
}

type DiskItem = (
    | { readonly type: DiskType; readonly regional?: false }
    /** In two zones at once. */
    | { readonly type: RegionalDiskType; readonly regional: true }
) & {
    /** Its size. */
    readonly gib: number;
    /** Provisioned, hyperdisk only. Default: what comes with it. */
    readonly iops?: number;
    /** Provisioned, MiB/s, hyperdisk only. Default: what comes with it. */
    readonly throughput?: number;
};

/** A thing of a plan that costs something each month. */
export type CostItem = Counted &
    (
        | { readonly kind: "node"; readonly machine: string }
        | (DiskItem & { readonly kind: "disk" | "bootDisk" })
        | { readonly kind: "address"; readonly use: AddressUse }
        /** A gateway, and how many machines go through it. */
        | { readonly kind: "nat"; readonly machines: number }
        /** A schedule of snapshots: it is named, for what they will hold is not known. */
        | { readonly kind: "snapshots" }
        | { readonly kind: "loadBalancer" | "managementFee" | "dnsZone" | "secret" }
    );

/** Things of one kind in one place, with what they cost. */
export interface CostLine extends Place {
    readonly kind: CostKind;
    /** What each of them is, for example `disk pd-balanced 100 GiB`. */
    readonly what: string;
    readonly count: number;
    /** The name of its price, below `prices` in the configuration. */
    readonly key: PriceKey;
    readonly price: Price;
    /** Cents a month for each, and for all; none when there is no price. */
    readonly cents?: { readonly each: number; readonly all: number };
}

/** A sum of lines. */
export interface CostSum {
    /** Of all that has a price. */
    readonly cents: number;
    /** How many things are in it that have none: the sum is then a least one. */
    readonly withoutPrice: number;
}

/** What is in one place, with the sum of it. */
export interface CostOfPlace {
    /** Zone, else region, else `global`. */
    readonly place: string;
    readonly lines: readonly CostLine[];
    readonly sum: CostSum;
}

/** What is paid by use, and therefore in no sum. */
export interface ByUse {
    readonly what: string;
    /** For a unit of it, where one is known. */
    readonly price?: Price;
}

/** What a plan costs a month. */
export interface CostReport {
    /** Zones first, then their region; what is global last. */
    readonly places: readonly CostOfPlace[];
    readonly total: CostSum;
    readonly byUse: readonly ByUse[];
}

/** What things cost a month. Free tiers and discounts are not counted; what is paid by use is named. */
export function costOf(items: readonly CostItem[], prices: PriceTable): CostReport {
    const present = items.filter(({ count }) => count > 0);
    const lines = merged(present.flatMap((item) => linesOf(item, prices)));
    const places = [...grouped(lines, placeOf)].map(([place, here]) => ({
        place,
        lines: here,
        sum: sumOf(here),
    }));
    return { places, total: sumOf(lines), byUse: byUseOf(present, prices) };
}

/** All lines of a report. */
export const linesOfReport = ({ places }: CostReport): readonly CostLine[] =>
    places.flatMap(({ lines }) => lines);

const placeOf = ({ zone, region }: Place): string => zone ?? region ?? "global";

function grouped<T>(values: readonly T[], nameOf: (value: T) => string): Map<string, T[]> {
    const groups = new Map<string, T[]>();
    for (const value of values) {
        groups.set(nameOf(value), [...(groups.get(nameOf(value)) ?? []), value]);
    }
    return groups;
}

/** One priced part of an item, and how many units of its price it has. */
interface Part {
    readonly what: string;
    readonly key: PriceKey;
    readonly units: number;
}

function partsOf(item: CostItem): Part[] {
    switch (item.kind) {
        case "node":
            return [part(`node ${item.machine}`, `machines.${item.machine}`)];
        case "bootDisk":
            return diskParts("boot disk", item);
        case "disk":
            return diskParts("disk", item);
        case "address":
            return [part(ADDRESSES[item.use], `addresses.${item.use}`)];
        case "nat": {
            const charged = Math.min(item.machines, MOST_NAT_MACHINES);
            return [part(`NAT for ${things(item.machines, "machine")}`, "nat", charged)];
        }
        case "loadBalancer":
            return [part("load balancer", "loadBalancer")];
        case "managementFee":
            return [part("GKE management fee", "managementFee")];
        case "dnsZone":
            return [part("private DNS zone", "dnsZone")];
        case "secret":
            return [part("secret", "secret")];
        case "snapshots":
            return [];
    }
}

const part = (what: string, key: PriceKey, units = 1): Part => ({ what, key, units });

const ADDRESSES: Readonly<Record<AddressUse, string>> = {
    internal: "address, internal",
    loadBalancer: "address of a load balancer",
    nat: "address of NAT",
    unused: "address, unused",
};

function diskParts(what: string, disk: DiskItem): Part[] {
    const { type, gib, iops = 0, throughput = 0 } = disk;
    const name = `${what} ${type}`;
    if (disk.regional) {
        return [part(`${name} ${gib} GiB in two zones`, `regionalDisks.${disk.type}`, gib)];
    }
    const capacity = part(`${name} ${gib} GiB`, `disks.${disk.type}`, gib);
    if (type !== "hyperdisk-balanced") {
        return [capacity];
    }
    const [faster, wider] = [iops - FREE.iops, throughput - FREE.throughput];
    return [
        capacity,
        part(`${name}: ${faster} IOPS beyond the free ${FREE.iops}`, `iops.${type}`, faster),
        part(
            `${name}: ${wider} MiB/s beyond the free ${FREE.throughput}`,
            `throughput.${type}`,
            wider,
        ),
    ].filter(({ units }) => units > 0);
}

function linesOf(item: CostItem, prices: PriceTable): CostLine[] {
    const { kind, count, purpose } = item;
    return partsOf(item).map(({ what, key, units }) => {
        const price = priceOf(prices, key, item.region);
        const each = isKnown(price) ? monthly(price, units) : undefined;
        return {
            region: item.region,
            zone: item.zone,
            kind,
            what: purpose === undefined ? what : `${what} (${purpose})`,
            count,
            key,
            price,
            ...(each !== undefined && { cents: { each, all: each * count } }),
        };
    });
}

/** Cents a month. */
function monthly({ usd, unit }: KnownPrice, units: number): number {
    const hours = unit === "hour" || unit === "machine-hour" ? HOURS_A_MONTH : 1;
    // Behind the twelfth digit is the error of binary fractions, which would round half a cent down: 1.005 * 100 < 100.5.
    return Math.round(Number((usd * units * hours * 100).toPrecision(12)));
}

/** Lines of the same thing in one, in the order in which they are shown. */
function merged(lines: readonly CostLine[]): CostLine[] {
    return [...grouped(lines, idOf).values()]
        .map(([line, ...more]) =>
            more.reduce((sum, { count }) => withCount(sum, sum.count + count), line!),
        )
        .sort(inOrder);
}

const idOf = ({ region, zone, what, key }: CostLine): string =>
    JSON.stringify([region, zone, what, key]);

const withCount = (line: CostLine, count: number): CostLine => ({
    ...line,
    count,
    ...(line.cents && { cents: { each: line.cents.each, all: line.cents.each * count } }),
});

/** No name has a `~`, and every name comes before it. */
const LAST = "~";

function inOrder(one: CostLine, other: CostLine): number {
    const [left, right] = [one, other].map(({ region, zone, kind, what }) => [
        region ?? LAST,
        zone ?? LAST,
        COST_KINDS.indexOf(kind),
        what,
    ]);
    const differs = left!.findIndex((value, index) => value !== right![index]);
    return differs === -1 ? 0 : left![differs]! < right![differs]! ? -1 : 1;
}

const sumOf = (lines: readonly CostLine[]): CostSum => ({
    cents: lines.reduce((sum, { cents }) => sum + (cents?.all ?? 0), 0),
    withoutPrice: lines.reduce((sum, { cents, count }) => sum + (cents ? 0 : count), 0),
});

function byUseOf(items: readonly CostItem[], prices: PriceTable): ByUse[] {
    const zones = new Set(items.flatMap(({ zone }) => zone ?? []));
    const regions = [...new Set(items.flatMap(({ region }) => region ?? []))].sort();
    const has = (kind: CostKind, among = items) => among.some((item) => item.kind === kind);
    const snapshots = regions
        .filter((region) =>
            has(
                "snapshots",
                items.filter((item) => item.region === region),
            ),
        )
        .map((region) => ({
            what: `what snapshots hold in ${region}`,
            price: priceOf(prices, "snapshots", region),
        }));
    const traffic: (ByUse | false)[] = [
        zones.size > 1 && {
            what: "traffic between zones",
            price: priceOf(prices, "traffic.zones"),
        },
        regions.length > 1 && { what: "traffic between regions" },
        has("nat") && { what: "what NAT carries", price: priceOf(prices, "traffic.nat") },
        has("loadBalancer") && { what: "what load balancers carry" },
        { what: "traffic to the internet" },
    ];
    return [...snapshots, ...traffic.filter((named) => named !== false)];
}

/** One line that an update changes. */
export interface CostChange {
    readonly place: string;
    readonly what: string;
    readonly before: number;
    readonly after: number;
    /** Cents a month more, or less; none when there is no price. */
    readonly cents?: number;
}

/** What an update changes a month. */
export interface CostDifference {
    readonly changes: readonly CostChange[];
    /** Of all that has a price. */
    readonly cents: number;
    /** Things without a price that come, and that go. */
    readonly withoutPrice: { readonly come: number; readonly go: number };
}

/** What an update changes. Both sides with the same prices, or a new price list would pass for a change of the plan. */
export function differenceOf(before: CostReport, after: CostReport): CostDifference {
    const [was, is] = [before, after].map(
        (report) => new Map(linesOfReport(report).map((line) => [idOf(line), line])),
    );
    const changes = [...new Map([...was!, ...is!])]
        .sort(([, one], [, other]) => inOrder(one, other))
        .map(([id, line]) => changeOf(line, was!.get(id), is!.get(id)))
        .filter((change) => change.before !== change.after);
    const unknown = changes.filter(({ cents }) => cents === undefined);
    return {
        changes,
        cents: changes.reduce((sum, { cents }) => sum + (cents ?? 0), 0),
        withoutPrice: {
            come: unknown.reduce((sum, one) => sum + Math.max(0, one.after - one.before), 0),
            go: unknown.reduce((sum, one) => sum + Math.max(0, one.before - one.after), 0),
        },
    };
}

function changeOf(line: CostLine, was?: CostLine, is?: CostLine): CostChange {
    return {
        place: placeOf(line),
        what: line.what,
        before: was?.count ?? 0,
        after: is?.count ?? 0,
        ...(line.cents && { cents: (is?.cents?.all ?? 0) - (was?.cents?.all ?? 0) }),
    };
}

/** A number of things, in words. */
export const things = (count: number, what: string): string =>
    `${count} ${what}${count === 1 ? "" : "s"}`;
