// What a plan on Google Cloud costs: the shipped prices, the sums, what is said of what has no price, and the key `prices`.
// It does not show that Google charges this: the prices are of a list with a date.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DISK_TYPES } from "../../components/platforms/gke/families.js";
import {
    costOf,
    differenceOf,
    linesOfReport,
    type CostItem,
    type CostReport,
} from "../../components/platforms/gke/cost.js";
import {
    costOutput,
    costTable,
    differenceText,
    sumText,
} from "../../components/platforms/gke/cost-table.js";
import { pricesWith } from "../../components/platforms/gke/prices.js";
import { pricesSchema, REGIONAL_DISK_TYPES } from "../../components/platforms/gke/prices-schema.js";

const LIST = pricesWith();
const CATALOGUE = "Google's billing catalogue, by Cyclenerd's pricing.yml";
const B = { region: "europe-west1", zone: "europe-west1-b", count: 1 } as const;
const REGION = { region: "europe-west1", count: 1 } as const;

/** The one line of one item. */
const lineOf = (item: CostItem, prices = LIST) => linesOfReport(costOf([item], prices))[0]!;

describe("the shipped prices", () => {
    // `hour` as it stands in pricing.yml of fd66b26, and that by 730.
    test.each([
        ["e2-small", "europe-west1", 0.018428865, 13.45],
        ["e2-medium", "us-central1", 0.03350571, 24.46],
        ["e2-standard-4", "europe-west1", 0.14743092, 107.62],
        ["n1-standard-1", "us-central1", 0.04749975, 34.67],
        ["n2-standard-32", "us-central1", 1.553888, 1134.34],
        ["n2-highmem-16", "europe-west3", 1.350304, 985.72],
        ["n2d-standard-224", "me-central2", 15.1409664, 11052.91],
        ["n4-standard-8", "europe-west4", 0.38094, 278.09],
        ["n4-highmem-4", "us-east4", 0.23804, 173.77],
        ["c3d-highmem-360", "us-east4", 22.0446, 16092.56],
        ["c4-standard-2", "europe-west1", 0.106659164, 77.86],
        ["c4-highmem-16", "asia-northeast1", 1.3390508, 977.51],
        ["c4a-standard-4", "europe-west1", 0.19775756, 144.36],
    ])("%s in %s is %d an hour", (machine, region, hour, month) => {
        const { price, cents } = lineOf({ kind: "node", machine, region, count: 1 });
        const said = { unit: "hour", source: CATALOGUE, date: "2026-07-30" };
        expect(price).toEqual({ usd: expect.closeTo(hour, 9) as number, ...said });
        expect(cents!.each / 100).toBe(month);
    });

    test.each([
        ["pd-balanced", 100, false, "europe-west3", 12],
        ["pd-ssd", 375, false, "europe-west4", 70.13],
        ["pd-standard", 500, false, "us-central1", 20],
        ["pd-balanced", 50, true, "europe-west4", 11],
    ] as const)("%s of %d GiB, regional %s, in %s", (type, gib, regional, region, month) => {
        const { cents } = lineOf({
            kind: "disk",
            type,
            gib,
            regional,
            region,
            count: 1,
        });
        expect(cents!.each / 100).toBe(month);
    });

    test.each([
        [{ ...REGION, kind: "managementFee" }, 73],
        [{ ...REGION, kind: "nat", machines: 9 }, 9.2],
        // 0.0014 by 32 machines by 730 hours; more machines cost no more.
        [{ ...REGION, kind: "nat", machines: 32 }, 32.7],
        [{ ...REGION, kind: "nat", machines: 50 }, 32.7],
        [{ ...REGION, kind: "address", use: "nat" }, 3.65],
        [{ ...REGION, kind: "address", use: "unused" }, 7.3],
        [{ ...REGION, kind: "address", use: "loadBalancer" }, 0],
        [{ ...REGION, kind: "address", use: "internal" }, 0],
        [{ kind: "dnsZone", count: 1 }, 0.2],
        [{ kind: "secret", count: 1 }, 0.06],
    ] as [CostItem, number][])("%j", (item, month) => {
        expect(lineOf(item).cents!.each / 100).toBe(month);
    });
});

describe("what has no price", () => {
    test.each([
        [
            { ...B, kind: "disk", type: "hyperdisk-balanced", gib: 100 },
            "the price list used here has none, and ten public tables say 0.06 to 0.12",
        ],
        [
            { ...B, kind: "loadBalancer" },
            "sources contradict each other: 0.01 an hour for each forwarding rule, or 0.025 for the first five of a project together",
        ],
        [
            { ...B, kind: "node", machine: "z9-standard-4" },
            "the price list has no machine type z9-standard-4",
        ],
        [
            { ...B, kind: "node", machine: "n2-standard-4", region: "northamerica-south1" },
            "the price list has no n2-standard-4 in northamerica-south1",
        ],
        [
            { ...B, kind: "disk", type: "pd-balanced", gib: 10, region: "sandbox" },
            "the price list has none in sandbox",
        ],
        [
            {
                ...REGION,
                kind: "disk",
                type: "hyperdisk-balanced-high-availability",
                gib: 10,
                regional: true,
            },
            "the price list used here has none",
        ],
    ] as [CostItem, string][])("%j says why", (item, unknown) => {
        const line = lineOf(item);
        expect(line.price).toEqual({ unknown });
        expect(line.cents).toBeUndefined();
    });

    test("makes a sum a least one, and is counted", () => {
        const report = costOf(
            [
                { ...B, kind: "node", machine: "e2-standard-4" },
                { ...B, kind: "disk", type: "hyperdisk-balanced", gib: 100, count: 3 },
            ],
            LIST,
        );
        expect(sumText(report.total)).toBe("at least 107.62 a month, plus 3 items without price");
        expect(sumText({ cents: 0, withoutPrice: 1 })).toBe(
            "at least 0.00 a month, plus 1 item without price",
        );
        expect(sumText({ cents: 123450, withoutPrice: 0 })).toBe("1234.50 a month");
    });
});

describe("a hyperdisk", () => {
    const prices = pricesWith({
        disks: { "hyperdisk-balanced": { usd: 0.08, source: "contract" } },
        iops: { "hyperdisk-balanced": { usd: 0.005, source: "contract" } },
        throughput: { "hyperdisk-balanced": { usd: 0.04, source: "contract" } },
    });
    const disk = { ...B, kind: "disk", type: "hyperdisk-balanced", gib: 100 } as const;

    test("has 3000 IOPS and 140 MiB/s without a price", () => {
        const free = costOf([{ ...disk, iops: 3000, throughput: 140 }], prices);
        expect(linesOfReport(free).map(({ what }) => what)).toEqual([
            "disk hyperdisk-balanced 100 GiB",
        ]);
        expect(free.total).toEqual({ cents: 800, withoutPrice: 0 });
    });

    test("is charged for what goes beyond", () => {
        const { total, places } = costOf([{ ...disk, iops: 5000, throughput: 200 }], prices);
        expect(places[0]!.lines.map(({ what, cents }) => [what, cents!.all])).toEqual([
            ["disk hyperdisk-balanced 100 GiB", 800],
            ["disk hyperdisk-balanced: 2000 IOPS beyond the free 3000", 1000],
            ["disk hyperdisk-balanced: 60 MiB/s beyond the free 140", 240],
        ]);
        expect(total.cents).toBe(2040);
    });
});

/** Three zones of two members, as a plan has them. */
function plan(gib: number, zones: readonly string[]): CostItem[] {
    const region = "europe-west1";
    const inZone = zones.flatMap((letter): CostItem[] => {
        const at = { region, zone: `${region}-${letter}`, count: 1 };
        return [
            { ...at, kind: "node", machine: "e2-standard-4", purpose: "members", count: 2 },
            { ...at, kind: "bootDisk", type: "pd-balanced", gib: 50, purpose: "members", count: 2 },
            { ...at, kind: "disk", type: "pd-ssd", gib },
            { ...at, kind: "disk", type: "pd-ssd", gib },
            { ...at, kind: "loadBalancer", count: 2 },
        ];
    });
    return [
        ...inZone,
        { region, kind: "managementFee", count: 1 },
        { region, kind: "nat", machines: 2 * zones.length, count: 1 },
        { region, kind: "snapshots", count: 1 },
        { kind: "secret", count: 1 },
    ];
}

test("preview shows a table by zone that can be checked on paper", () => {
    const [before, after] = [plan(100, ["b", "c"]), plan(200, ["b", "d"])].map((items) =>
        costOf(items, LIST),
    ) as [CostReport, CostReport];
    const difference = differenceOf(before, after);
    expect(costTable(after, { today: new Date("2026-11-30"), difference })).toBe(
        `
Cost: at least 663.63 a month, plus 4 items without price (USD, list prices on demand)
                                            count      each  a month
  europe-west1-b                                   at least   293.24
    node e2-standard-4 (members)                2    107.62   215.24
    boot disk pd-balanced 50 GiB (members)      2      5.00    10.00
    disk pd-ssd 200 GiB                         2     34.00    68.00
    load balancer                               2  no price        ?
  europe-west1-d                                   at least   293.24
    node e2-standard-4 (members)                2    107.62   215.24
    boot disk pd-balanced 50 GiB (members)      2      5.00    10.00
    disk pd-ssd 200 GiB                         2     34.00    68.00
    load balancer                               2  no price        ?
  europe-west1                                                 77.09
    GKE management fee                          1     73.00    73.00
    NAT for 4 machines                          1      4.09     4.09
  global                                                        0.06
    secret                                      1      0.06     0.06
  total                                            at least   663.63
This update changes: +68.00 a month; without price: 2 items come, 2 items go
  europe-west1-b: disk pd-ssd 100 GiB                     2 -> 0   -34.00
  europe-west1-b: disk pd-ssd 200 GiB                     0 -> 2   +68.00
  europe-west1-c: node e2-standard-4 (members)            2 -> 0  -215.24
  europe-west1-c: boot disk pd-balanced 50 GiB (members)  2 -> 0   -10.00
  europe-west1-c: disk pd-ssd 100 GiB                     2 -> 0   -34.00
  europe-west1-c: load balancer                           2 -> 0        ?
  europe-west1-d: node e2-standard-4 (members)            0 -> 2  +215.24
  europe-west1-d: boot disk pd-balanced 50 GiB (members)  0 -> 2   +10.00
  europe-west1-d: disk pd-ssd 200 GiB                     0 -> 2   +68.00
  europe-west1-d: load balancer                           0 -> 2        ?
Without price:
  load balancer: sources contradict each other: 0.01 an hour for each forwarding rule, or 0.025 for the first five of a project together. quorum:prices.loadBalancer.usd sets it.
Paid by use, in no sum:
  what snapshots hold in europe-west1 (0.05 a GiB-month)
  traffic between zones (0.01 a GiB)
  what NAT carries (0.045 a GiB)
  what load balancers carry
  traffic to the internet
Not counted: free tiers, and discounts for sustained or committed use.
Prices:
  Google's billing catalogue, by Cyclenerd's pricing.yml, 2026-07-30
  Google's GKE prices, by infracost, 2026-07-01
  Google's pages on NAT and networks, 2026-10-16
  Google's Secret Manager prices, by infracost, 2024-07-01: older than 180 days, look whether they still hold
  Google's page on networks, 2026-09-20
`.trim(),
    );
});

describe("the age of prices", () => {
    const report = costOf([{ ...REGION, kind: "managementFee" }], LIST);
    const told = (today: string) =>
        /older than.*/.exec(costTable(report, { today: new Date(today) }));

    test("is told from the 181st day on", () => {
        // 2026-07-01 and 180 days is 2026-12-28.
        expect(told("2026-12-28")).toBeNull();
        expect(told("2026-12-29")![0]).toBe("older than 180 days, look whether they still hold");
    });

    test("is not told of a price of the user's without a day, and is of one with an old day", () => {
        const ofUser = (date?: string) =>
            costTable(
                costOf(
                    [{ ...REGION, kind: "managementFee" }],
                    pricesWith({ managementFee: { usd: 0.2, source: "contract", date } }),
                ),
                { today: new Date("2030-01-01") },
            );
        expect(ofUser()).toMatch(/^ {2}contract$/m);
        expect(ofUser("2029-01-01")).toMatch(/^ {2}contract, 2029-01-01: older than 180 days/m);
    });
});

describe("what an update changes", () => {
    const cost = (...items: CostItem[]) => costOf(items, LIST);
    const disk = { ...B, kind: "disk", type: "hyperdisk-balanced" } as const;

    test("is nothing when the plan stays", () => {
        const same = cost(...plan(100, ["b", "c"]));
        const difference = differenceOf(same, cost(...plan(100, ["c", "b"]).reverse()));
        expect(difference).toEqual({ changes: [], cents: 0, withoutPrice: { come: 0, go: 0 } });
        const [title] = costTable(same, { today: new Date("2026-11-30"), difference })
            .split("\n")
            .filter((line) => line.startsWith("This update"));
        expect(title).toBe("This update changes: nothing");
    });

    test.each([
        [[{ ...B, kind: "node", machine: "e2-standard-4" }], "+107.62 a month"],
        [[{ ...disk, gib: 10 }], "+0.00 a month; without price: 1 item comes"],
    ] as [CostItem[], string][])("%j that come", (items, text) => {
        expect(differenceText(differenceOf(cost(), cost(...items)))).toBe(text);
    });

    test("counts what has no price apart, both what comes and what goes", () => {
        const difference = differenceOf(
            cost({ ...disk, gib: 10 }, { ...B, kind: "node", machine: "e2-standard-4" }),
            cost({ ...disk, gib: 20, count: 2 }, { ...B, kind: "node", machine: "e2-small" }),
        );
        expect(differenceText(difference)).toBe(
            "-94.17 a month; without price: 2 items come, 1 item goes",
        );
    });
});

describe("what is paid by use", () => {
    test.each([
        [[{ ...B, kind: "node", machine: "e2-small" }], ["traffic to the internet"]],
        [
            [B, { ...B, region: "us-east1", zone: "us-east1-b" }].map((at) => ({
                ...at,
                kind: "snapshots",
            })),
            [
                "what snapshots hold in europe-west1 (0.05 a GiB-month)",
                "what snapshots hold in us-east1 (0.05 a GiB-month)",
                "traffic between zones (0.01 a GiB)",
                "traffic between regions",
                "traffic to the internet",
            ],
        ],
    ] as [CostItem[], string[]][])("of %j is named, and in no sum", (items, named) => {
        const output = costOutput(costOf(items, LIST));
        expect(output.byUse).toEqual(named);
        expect(output.monthly).toBe(items[0]!.kind === "node" ? 13.45 : 0);
    });
});

test("the output holds the same sums as plain numbers", () => {
    const output = costOutput(
        costOf(
            [
                { ...B, kind: "node", machine: "e2-standard-4", count: 2 },
                { ...B, kind: "loadBalancer" },
                { ...REGION, kind: "managementFee" },
            ],
            LIST,
        ),
    );
    expect(output).toEqual({
        currency: "USD",
        total: "at least 288.24 a month, plus 1 item without price",
        monthly: 288.24,
        withoutPrice: 1,
        places: {
            "europe-west1-b": {
                monthly: 215.24,
                withoutPrice: 1,
                lines: [
                    { what: "node e2-standard-4", count: 2, monthly: 215.24 },
                    { what: "load balancer", count: 1 },
                ],
            },
            "europe-west1": {
                monthly: 73,
                withoutPrice: 0,
                lines: [{ what: "GKE management fee", count: 1, monthly: 73 }],
            },
        },
        reasons: [
            "load balancer: sources contradict each other: 0.01 an hour for each forwarding rule, or 0.025 for the first five of a project together. quorum:prices.loadBalancer.usd sets it.",
        ],
        byUse: ["what load balancers carry", "traffic to the internet"],
        sources: [`${CATALOGUE}, 2026-07-30`, "Google's GKE prices, by infracost, 2026-07-01"],
    });
});

describe("any plan", () => {
    const place = fc.constantFrom(
        {},
        { region: "europe-west1" },
        { region: "europe-west1", zone: "europe-west1-b" },
        { region: "europe-west10", zone: "europe-west10-a" },
        { region: "sandbox", zone: "sandbox-a" },
    );
    const thing = fc.oneof(
        fc.record({
            kind: fc.constant("node" as const),
            machine: fc.constantFrom("e2-standard-4", "n4-highmem-8", "x1-standard-4"),
        }),
        fc.record({
            kind: fc.constantFrom("disk" as const, "bootDisk" as const),
            type: fc.constantFrom(...DISK_TYPES),
            gib: fc.integer({ min: 1, max: 65536 }),
            iops: fc.integer({ min: 1, max: 10000 }),
        }),
        fc.record({
            kind: fc.constant("disk" as const),
            type: fc.constantFrom(...REGIONAL_DISK_TYPES),
            gib: fc.integer({ min: 1, max: 65536 }),
            regional: fc.constant(true as const),
        }),
        fc.record({
            kind: fc.constant("nat" as const),
            machines: fc.integer({ min: 1, max: 99 }),
        }),
        fc.record({
            kind: fc.constantFrom(
                "loadBalancer" as const,
                "managementFee" as const,
                "secret" as const,
                "snapshots" as const,
            ),
        }),
    );
    const item = fc
        .tuple(place, thing, fc.nat({ max: 9 }), fc.constantFrom(undefined, "members", "system"))
        .map(([at, what, count, purpose]): CostItem => ({ ...at, ...what, count, purpose }));
    const items = fc.array(item, { maxLength: 20 });

    const cents = (report: CostReport) =>
        linesOfReport(report).reduce((sum, line) => sum + (line.cents?.all ?? 0), 0);
    const unpriced = (report: CostReport) =>
        linesOfReport(report)
            .filter((line) => line.cents === undefined)
            .reduce((sum, { count }) => sum + count, 0);

    test("costs the sum of its lines, by place and in all", () => {
        fc.assert(
            fc.property(items, (plan) => {
                const report = costOf(plan, LIST);
                const { total, places } = report;
                expect(total).toEqual({ cents: cents(report), withoutPrice: unpriced(report) });
                expect(places.reduce((sum, { sum: one }) => sum + one.cents, 0)).toBe(total.cents);
                for (const { lines } of places) {
                    for (const { cents: known, count } of lines) {
                        expect(known?.all).toBe(known && known.each * count);
                    }
                }
            }),
        );
    });

    test("says at least as soon as anything has no price, and only then", () => {
        fc.assert(
            fc.property(items, (plan) => {
                const report = costOf(plan, LIST);
                const complete = linesOfReport(report).every(({ price }) => "usd" in price);
                expect(sumText(report.total).startsWith("at least ")).toBe(!complete);
            }),
        );
    });

    test("costs a whole sum once every key that its table names has a price", () => {
        fc.assert(
            fc.property(items, (plan) => {
                const prices: Record<string, object> = {};
                for (const reason of costOutput(costOf(plan, LIST)).reasons) {
                    const [, key] = /quorum:prices\.(\S+)\.usd sets it/.exec(reason)!;
                    const [group, name] = key!.split(".") as [string, string?];
                    prices[group] =
                        name === undefined ? { usd: 1 } : { ...prices[group], [name]: { usd: 1 } };
                }
                const { total } = costOf(plan, pricesWith(pricesSchema.parse(prices)));
                expect(total.withoutPrice).toBe(0);
            }),
        );
    });

    test("costs as many times more as there is of it", () => {
        fc.assert(
            fc.property(items, fc.integer({ min: 1, max: 50 }), (plan, times) => {
                const once = linesOfReport(costOf(plan, LIST));
                const more = plan.map((one) => ({ ...one, count: one.count * times }));
                expect(linesOfReport(costOf(more, LIST))).toEqual(
                    once.map((line) => ({
                        ...line,
                        count: line.count * times,
                        ...(line.cents && {
                            cents: { each: line.cents.each, all: line.cents.all * times },
                        }),
                    })),
                );
            }),
        );
    });

    test("costs the same in whatever order its things are listed, one by one or counted", () => {
        fc.assert(
            fc.property(items, (plan) => {
                const singly = plan.flatMap((one) =>
                    Array.from({ length: one.count }, () => ({ ...one, count: 1 })),
                );
                expect(costOf(singly.reverse(), LIST)).toEqual(costOf(plan, LIST));
            }),
        );
    });

    test("differs from another by what the other differs from it", () => {
        fc.assert(
            fc.property(items, items, (one, other) => {
                const [before, after] = [costOf(one, LIST), costOf(other, LIST)];
                const [there, back] = [differenceOf(before, after), differenceOf(after, before)];
                expect(there.cents).toBe(after.total.cents - before.total.cents);
                expect(back.cents + there.cents).toBe(0);
                expect(back.withoutPrice).toEqual({
                    come: there.withoutPrice.go,
                    go: there.withoutPrice.come,
                });
                const { come, go } = there.withoutPrice;
                expect(come - go).toBe(unpriced(after) - unpriced(before));
            }),
        );
    });

    test("is shown in lines of one width", () => {
        fc.assert(
            fc.property(items, (plan) => {
                const text = costTable(costOf(plan, LIST), { today: new Date("2026-11-30") });
                const lines = text.split("\n");
                const end = lines.findIndex((line) => line.startsWith("  total"));
                const widths = new Set(lines.slice(1, end + 1).map((line) => line.length));
                expect(widths.size).toBe(1);
            }),
        );
    });
});
