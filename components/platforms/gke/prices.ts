// What things cost on Google Cloud, one by one: list prices, each with its source and date, and what the configuration puts
// in their place. What no source tells has no price but a reason; nothing is guessed.

import shipped from "./price-list.json";
import type { DiskType } from "./families";
import type {
    AddressUse,
    ConfiguredPrice,
    ConfiguredPrices,
    RegionalDiskType,
} from "./prices-schema";

/** For how much of a thing a price is. */
export type Unit =
    "hour" | "machine-hour" | "month" | "GiB-month" | "IOPS-month" | "MiB/s-month" | "GiB";

/** What a thing costs, in US dollars a unit, and who says so; or why that is not known. */
export type Price = KnownPrice | NoPrice;
export interface KnownPrice {
    readonly usd: number;
    readonly unit: Unit;
    readonly source: string;
    /** Day of which the price is, as `2026-11-30`. Only a price of the configuration may have none. */
    readonly date?: string;
}
export interface NoPrice {
    /** Why there is none. */
    readonly unknown: string;
}

export const isKnown = (price: Price): price is KnownPrice => !("unknown" in price);

/** A thing that has a price, as the configuration names it below `prices`. */
export type PriceKey =
    | `machines.${string}`
    | `disks.${DiskType}`
    | `regionalDisks.${RegionalDiskType}`
    | `${"iops" | "throughput"}.hyperdisk-balanced`
    | `addresses.${AddressUse}`
    | `traffic.${"nat" | "zones"}`
    | "snapshots"
    | "loadBalancer"
    | "managementFee"
    | "nat"
    | "dnsZone"
    | "secret";

/** Machines of one family: each costs so much a vCPU and so much a GiB, whatever its type. */
export interface RatesOfFamily {
    /** Machine type -> the vCPUs that are charged, half a one for a shared core, and GiB of memory. */
    readonly types: Readonly<Record<string, readonly number[]>>;
    /** Region -> US dollars an hour for a vCPU, and for a GiB. */
    readonly hour: Readonly<Record<string, readonly number[]>>;
}

type Listed =
    | {
          readonly unit: string;
          readonly source: string;
          /** The same everywhere, or by region. */
          readonly usd: number | Readonly<Record<string, number | undefined>>;
      }
    | { readonly unit: string; readonly unknown: string };

interface Source {
    /** As it is told with a price. */
    readonly name: string;
    readonly date: string;
    /** Where exactly the numbers stood, for who wants to look. */
    readonly from: string;
}

/** The form of price-list.json. */
export interface PriceList {
    readonly sources: Readonly<Record<string, Source>>;
    readonly machines: {
        readonly source: string;
        readonly families: Readonly<Record<string, RatesOfFamily>>;
    };
    /** By {@link PriceKey}, all but machines. */
    readonly prices: Readonly<Record<string, Listed>>;
}

/** All prices: a list, and what goes before it. */
export interface PriceTable {
    readonly list: PriceList;
    readonly configured: Readonly<Record<string, ConfiguredPrice | undefined>>;
}

/** The shipped list, with the user's prices in place of its own. */
export function pricesWith(configured: ConfiguredPrices = {}): PriceTable {
    const byKey = Object.entries(configured).flatMap(([key, price]) =>
        isPrice(price)
            ? [[key, price] as const]
            : Object.entries(price).map(([name, one]) => [`${key}.${name}`, one] as const),
    );
    return { list: shipped, configured: Object.fromEntries(byKey) };
}

const isPrice = (value: object): value is ConfiguredPrice => "usd" in value;

/** What a thing costs in a region; without one, what it costs everywhere. */
export function priceOf(table: PriceTable, key: PriceKey, region?: string): Price {
    const own = table.configured[key];
    if (own !== undefined) {
        return { ...own, unit: unitOf(table.list, key) };
    }
    const [, machine] = key.split("machines.");
    return machine !== undefined
        ? machinePrice(table.list, machine, region)
        : listPrice(table.list, key, region);
}

const unitOf = ({ prices }: PriceList, key: PriceKey): Unit =>
    (prices[key]?.unit ?? "hour") as Unit;

function machinePrice({ machines, sources }: PriceList, type: string, region?: string): Price {
    const family = Object.values(machines.families).find(({ types }) => Object.hasOwn(types, type));
    if (family === undefined) {
        return { unknown: `the price list has no machine type ${type}` };
    }
    if (region === undefined || !Object.hasOwn(family.hour, region)) {
        return { unknown: `the price list has no ${type} in ${region ?? "no region"}` };
    }
    const [vcpus = NaN, gib = NaN] = family.types[type]!;
    const [perVcpu = NaN, perGib = NaN] = family.hour[region]!;
    const usd = vcpus * perVcpu + gib * perGib;
    return { usd, unit: "hour", ...sourceOf(sources, machines.source) };
}

function listPrice({ prices, sources }: PriceList, key: PriceKey, region?: string): Price {
    const listed = prices[key]!;
    if ("unknown" in listed) {
        return { unknown: listed.unknown };
    }
    const usd = typeof listed.usd === "number" ? listed.usd : listed.usd[region ?? ""];
    return usd === undefined
        ? { unknown: `the price list has none in ${region ?? "no region"}` }
        : { usd, unit: listed.unit as Unit, ...sourceOf(sources, listed.source) };
}

function sourceOf(
    sources: PriceList["sources"],
    source: string,
): Pick<KnownPrice, "source" | "date"> {
    const { name, date } = sources[source]!;
    return { source: name, date };
}
