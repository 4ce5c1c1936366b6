// Prices on Google Cloud: the list's form, how it is renewed from Google's catalogue, and the user's own prices (`prices`).
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { z } from "zod";
import {
    priceOf,
    pricesWith,
    type PriceKey,
    type PriceList,
} from "../../components/platforms/gke/prices.js";
import { pricesSchema } from "../../components/platforms/gke/prices-schema.js";
import { describeProblems, toProblems } from "../../components/problems.js";

const ROOT = path.resolve(import.meta.dirname, "../..");
const SHIPPED = path.join(ROOT, "components/platforms/gke/price-list.json");
const shipped = JSON.parse(readFileSync(SHIPPED, "utf8")) as PriceList;

describe("the shipped list", () => {
    test("name a source, a day and a place to look, or a reason", () => {
        for (const [key, listed] of Object.entries(shipped.prices)) {
            if ("unknown" in listed) {
                expect(listed.unknown, key).not.toBe("");
            } else {
                expect(Object.keys(shipped.sources), key).toContain(listed.source);
            }
        }
        for (const { date, from } of Object.values(shipped.sources)) {
            expect(date).toMatch(/^\d{4}-\d\d-\d\d$/);
            expect(from).toMatch(/(github\.com|cloud\.google\.com)\//);
        }
    });

    test("have an entry for every key that the configuration can set, and for no other", () => {
        const keys = Object.entries(pricesSchema.shape)
            .filter(([key]) => key !== "machines")
            .flatMap(([key, schema]) => {
                const inner = schema.unwrap() as z.ZodObject;
                return "usd" in inner.shape
                    ? [key]
                    : Object.keys(inner.shape).map((name) => `${key}.${name}`);
            });
        expect(Object.keys(shipped.prices).sort()).toEqual(keys.sort());
    });
});

describe("the user's prices", () => {
    const schema = z.strictObject({ prices: pricesSchema });
    const accept = (prices: object) => schema.parse({ prices }).prices;
    const refusal = (prices: object): string => {
        const input = { prices };
        const { error } = schema.safeParse(input);
        const problems = error!.issues.flatMap((issue) => toProblems(schema, issue, input));
        return describeProblems(problems).split("\n").slice(1).join("\n").trim();
    };

    test("take the place of the list's, and fill its gaps, in every region", () => {
        const table = pricesWith(
            accept({
                machines: { "e2-standard-4": { usd: 0.1 }, "x1-mega-2": { usd: 3 } },
                disks: { "hyperdisk-balanced": { usd: 0.09, source: "offer", date: "2026-05-01" } },
                loadBalancer: { usd: 0.01 },
            }),
        );
        const configured = { source: "configuration" };
        const priced: [PriceKey, object][] = [
            ["machines.e2-standard-4", { usd: 0.1, unit: "hour", ...configured }],
            ["machines.x1-mega-2", { usd: 3, unit: "hour", ...configured }],
            ["loadBalancer", { usd: 0.01, unit: "hour", ...configured }],
            [
                "disks.hyperdisk-balanced",
                { usd: 0.09, unit: "GiB-month", source: "offer", date: "2026-05-01" },
            ],
        ];
        for (const [key, price] of priced) {
            expect(priceOf(table, key, "europe-west1"), key).toEqual(price);
            expect(priceOf(table, key, "sandbox"), key).toEqual(price);
        }
        expect(priceOf(table, "machines.e2-standard-2", "europe-west1")).toEqual(
            priceOf(pricesWith(), "machines.e2-standard-2", "europe-west1"),
        );
    });

    test("may be text, as `pulumi config set --path` leaves them", () => {
        expect(accept({ snapshots: { usd: "0.08" } }).snapshots!.usd).toBe(0.08);
    });

    test.each([
        [
            { disks: { "pd-sdd": { usd: 1 } } },
            'quorum:prices.disks.pd-sdd = {"usd":1}: there is no such key; did you mean "pd-ssd"?',
        ],
        [
            { machines: { "e2-standard-4": { eur: 1, usd: 1 } } },
            "quorum:prices.machines.e2-standard-4.eur = 1: there is no such key; known are usd, source, date",
        ],
        [
            { machines: { "E2 standard": { usd: 1 } } },
            'quorum:prices.machines.E2 standard = {"usd":1}: must be a machine type of Google Cloud, for example e2-standard-4',
        ],
        [{ loadBalancer: 0.01 }, "quorum:prices.loadBalancer = 0.01: must be an object"],
        [
            { loadBalancer: {} },
            "quorum:prices.loadBalancer.usd is missing: it is required (a number)",
        ],
        [{ snapshots: { usd: -1 } }, "quorum:prices.snapshots.usd = -1: must not be negative"],
        [
            { snapshots: { usd: "cheap" } },
            'quorum:prices.snapshots.usd = "cheap": must be a number',
        ],
        [
            { nat: { usd: 1, date: "1.5.2026" } },
            'quorum:prices.nat.date = "1.5.2026": must be a day such as "2026-11-30", in quotes',
        ],
        [{ nat: { usd: 1, source: "" } }, 'quorum:prices.nat.source = "": must not be empty'],
    ])("refuses %j", (prices, message) => expect(refusal(prices)).toBe(message));
});

describe("npm run prices", { timeout: 60_000 }, () => {
    const folder = mkdtempSync(path.join(tmpdir(), "quorum-prices-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    const REGIONS = ["europe-west1", "us-central1"];

    /** The shipped list in two regions only, as the catalogue has them. */
    function inTwoRegions(): PriceList {
        const only = <T>(values: Readonly<Record<string, T>>) =>
            Object.fromEntries(Object.entries(values).filter(([name]) => REGIONS.includes(name)));
        const families = Object.entries(shipped.machines.families).map(
            ([family, { types, hour }]) => [family, { types, hour: only(hour) }] as const,
        );
        const prices = Object.entries(shipped.prices).map(([key, listed]) =>
            "usd" in listed && typeof listed.usd !== "number"
                ? ([key, { ...listed, usd: only(listed.usd) }] as const)
                : ([key, listed] as const),
        );
        return {
            sources: shipped.sources,
            machines: { ...shipped.machines, families: Object.fromEntries(families) },
            prices: Object.fromEntries(prices),
        };
    }

    /** The catalogue of which a list was made. */
    function catalogueOf({ sources, machines, prices }: PriceList) {
        const costs = (key: string, unit: string) => {
            const { usd } = prices[key] as { usd: Record<string, number> };
            return {
                cost: Object.fromEntries(
                    Object.entries(usd).map(([region, price]) => [region, { [unit]: price }]),
                ),
            };
        };
        const instance = Object.values(machines.families).flatMap(({ types, hour }) =>
            Object.entries(types).map(([type, [cpu, ram]]) => {
                const cost = Object.entries(hour).map(([region, [vcpu, gib]]) => [
                    region,
                    { hour: cpu! * vcpu! + ram! * gib!, month: 1 },
                ]);
                return [type, { cpu, ram, cost: Object.fromEntries(cost) as object }] as const;
            }),
        );
        return {
            about: { timestamp: Date.parse(sources.catalogue!.date) / 1000 },
            region: Object.fromEntries(REGIONS.map((region) => [region, {}])),
            compute: {
                instance: Object.fromEntries(instance),
                storage: {
                    balanced: costs("disks.pd-balanced", "month"),
                    ssd: costs("disks.pd-ssd", "month"),
                    hdd: costs("disks.pd-standard", "month"),
                    "balanced-replicated": costs("regionalDisks.pd-balanced", "month"),
                    "ssd-replicated": costs("regionalDisks.pd-ssd", "month"),
                    "hdd-replicated": costs("regionalDisks.pd-standard", "month"),
                    snapshot: costs("snapshots", "month"),
                },
                network: { ip: { unused: costs("addresses.unused", "hour") } },
            },
        };
    }

    async function renew(catalogue: object): Promise<PriceList> {
        const [from, list] = ["pricing.yml", "price-list.json"].map((name) =>
            path.join(folder, name),
        );
        // JSON is YAML. What the list has from the catalogue is taken out, so that it must come back.
        writeFileSync(from!, JSON.stringify(catalogue));
        const elsewhere = Object.entries(shipped.prices).filter(
            ([, listed]) => !("source" in listed && listed.source === "catalogue"),
        );
        const prices = Object.fromEntries(elsewhere);
        writeFileSync(list!, JSON.stringify({ ...shipped, machines: {}, prices }));
        const commit = /blob\/([0-9a-f]{40})\//.exec(shipped.sources.catalogue!.from)![1]!;
        const script = ["--import", "tsx", "renew-prices.ts", from!, "--commit", commit];
        await execa("node", [...script, "--list", list!], { cwd: ROOT });
        return JSON.parse(readFileSync(list!, "utf8")) as PriceList;
    }

    test("makes the list of the catalogue, and leaves what is from elsewhere", async () => {
        const list = inTwoRegions();
        expect(await renew(catalogueOf(list))).toEqual(list);
    });

    test("refuses a catalogue whose machines are not priced by vCPU and GiB", async () => {
        const catalogue = catalogueOf(inTwoRegions());
        const { instance } = catalogue.compute;
        const odd = { "us-central1": { hour: 1 }, "europe-west1": { hour: 1 } };
        instance["n4-standard-4"] = { ...instance["n4-standard-4"]!, cost: odd };
        await expect(renew(catalogue)).rejects.toThrow(
            "n4-standard-4 in europe-west1 is listed at 1 an hour, but 4 vCPU and 16 GiB of its family cost 0.199739544",
        );
    });
});
