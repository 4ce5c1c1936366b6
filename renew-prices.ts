// `npm run prices -- pricing.yml --commit <id>`: writes anew what components/platforms/gke/price-list.json has from Google's
// billing catalogue. pricing.yml is that of github.com/Cyclenerd/google-cloud-pricing-cost-calculator at that commit. What
// is in the file from elsewhere stays.

import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { format, resolveConfig } from "prettier";
import { parse } from "yaml";
import type { PriceList, RatesOfFamily } from "./components/platforms/gke/prices";

const REPOSITORY = "https://github.com/Cyclenerd/google-cloud-pricing-cost-calculator";

type Region = string;

interface Machine {
    readonly cpu: number;
    readonly ram: number;
    /** By region; without `hour` where it is to be had as Spot only. */
    readonly cost: Readonly<Record<Region, { hour?: number }>>;
}

interface Costs {
    readonly cost: Readonly<Record<string, { hour?: number; month?: number }>>;
}

/** As much of pricing.yml as is used. */
interface Catalogue {
    readonly about: { timestamp: number };
    readonly region: Readonly<Record<Region, unknown>>;
    readonly compute: {
        readonly instance: Readonly<Record<string, Machine>>;
        readonly storage: Readonly<Record<string, Costs>>;
        readonly network: { readonly ip: { readonly unused: Costs } };
    };
}

/**
 * The families that node pools of databases are made of and whose price is so much a vCPU and so much a GiB. Left out: what
 * has graphics processors or disks of its own, and C2, T2D, T2A, whose types are all of one shape, which cannot be solved.
 */
const FAMILIES = "e2 n1 n2 n2d n4 n4a n4d c2d c3 c3d c4 c4a c4d".split(" ");
/** A machine with disks of its own, one without a hypervisor, or one that shares a core and is too small for Kubernetes. */
const OTHER_MACHINE = /-lssd|-metal|-micro$/;

const DISKS: Readonly<Record<string, string>> = {
    "disks.pd-balanced": "balanced",
    "disks.pd-ssd": "ssd",
    "disks.pd-standard": "hdd",
    "regionalDisks.pd-balanced": "balanced-replicated",
    "regionalDisks.pd-ssd": "ssd-replicated",
    "regionalDisks.pd-standard": "hdd-replicated",
    snapshots: "snapshot",
};

/** The catalogue counts in billionths of a dollar. */
const inNanos = (usd: number): number => Math.round(usd * 1e9) / 1e9;

/** Where a machine is to be had on demand. */
const regionsOf = ({ cost }: Machine): Region[] =>
    Object.keys(cost)
        .filter((region) => cost[region]!.hour !== undefined)
        .sort();

/** The two rates of which the prices of two machines of different shape are made. */
function ratesOf(one: Machine, other: Machine, region: Region): [number, number] {
    const [first, second] = [one.cost[region]!.hour!, other.cost[region]!.hour!];
    const shape = one.cpu * other.ram - other.cpu * one.ram;
    return [
        inNanos((first * other.ram - second * one.ram) / shape),
        inNanos((one.cpu * second - other.cpu * first) / shape),
    ];
}

/** The rates of a family, and that every machine's price in every region is made of them, to the billionth. */
function familyOf(family: string, { compute }: Catalogue): RatesOfFamily {
    const machines = Object.entries(compute.instance).filter(
        ([type]) => type.startsWith(`${family}-`) && !OTHER_MACHINE.test(type),
    );
    const byShape = machines
        .map(([, machine]) => machine)
        .sort((one, other) => one.ram / one.cpu - other.ram / other.cpu);
    const [leanest, richest] = [byShape[0]!, byShape.at(-1)!];
    const regions = regionsOf(leanest).filter((region) => regionsOf(richest).includes(region));
    const hour = Object.fromEntries(
        regions.map((region) => [region, ratesOf(leanest, richest, region)]),
    );
    for (const [type, machine] of machines) {
        for (const region of new Set([...regions, ...regionsOf(machine)])) {
            const [vcpu, gib] = hour[region] ?? [NaN, NaN];
            const listed = machine.cost[region]?.hour ?? NaN;
            if (!(Math.abs(machine.cpu * vcpu + machine.ram * gib - listed) < 1e-9)) {
                throw new Error(
                    `${type} in ${region} is listed at ${listed} an hour, but ${machine.cpu} vCPU and ${machine.ram} GiB of its family cost ${machine.cpu * vcpu + machine.ram * gib}: this family's price is not made of two rates.`,
                );
            }
        }
    }
    const types = machines.map(([type, { cpu, ram }]) => [type, [cpu, ram]] as const);
    return { types: Object.fromEntries(types), hour };
}

function byRegion({ cost }: Costs, unit: "hour" | "month", regions: readonly Region[]) {
    const known = regions.filter((region) => cost[region]?.[unit] !== undefined);
    return Object.fromEntries(known.map((region) => [region, cost[region]![unit]!]));
}

/** The price list with everything from the catalogue anew. */
function renewed(list: PriceList, catalogue: Catalogue, commit: string): PriceList {
    const { compute, region } = catalogue;
    const regions = Object.keys(region).sort();
    const source = "catalogue";
    const disks = Object.entries(DISKS).map(([key, name]) => {
        const usd = byRegion(compute.storage[name]!, "month", regions);
        return [key, { unit: "GiB-month", source, usd }] as const;
    });
    const unused = byRegion(compute.network.ip.unused, "hour", regions);
    return {
        sources: {
            ...list.sources,
            [source]: {
                name: "Google's billing catalogue, by Cyclenerd's pricing.yml",
                date: new Date(catalogue.about.timestamp * 1000).toISOString().slice(0, 10),
                from: `${REPOSITORY}/blob/${commit}/pricing.yml (Apache-2.0, copyright Nils Knieling)`,
            },
        },
        machines: {
            source,
            families: Object.fromEntries(
                FAMILIES.map((family) => [family, familyOf(family, catalogue)]),
            ),
        },
        prices: {
            ...list.prices,
            ...Object.fromEntries(disks),
            "addresses.unused": { unit: "hour", source, usd: unused },
        },
    };
}

async function main(): Promise<void> {
    const { values, positionals } = parseArgs({
        allowPositionals: true,
        options: {
            commit: { type: "string" },
            list: { type: "string", default: "components/platforms/gke/price-list.json" },
        },
    });
    const [file] = positionals;
    if (file === undefined || values.commit === undefined) {
        throw new Error("npm run prices -- <pricing.yml> --commit <the commit that it is of>");
    }
    const old = JSON.parse(readFileSync(values.list, "utf8")) as PriceList;
    const list = renewed(old, parse(readFileSync(file, "utf8")) as Catalogue, values.commit);
    const options = { ...(await resolveConfig(values.list)), filepath: values.list };
    writeFileSync(values.list, await format(JSON.stringify(list, undefined, 2), options));
}

void main();
