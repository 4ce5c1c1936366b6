// How costs are shown: as a table in preview, and as a plain value in the stack's outputs.

import {
    linesOfReport,
    things,
    type ByUse,
    type CostDifference,
    type CostLine,
    type CostReport,
    type CostSum,
} from "./cost";
import { isKnown, type KnownPrice } from "./prices";

/** Half a year: a price that is older is told of. */
const MAX_AGE_DAYS = 180;
const MS_A_DAY = 24 * 3600 * 1000;

/** Cents in dollars, as `1234.50`. */
const usd = (cents: number): string => (cents / 100).toFixed(2);
const signed = (cents: number): string => `${cents < 0 ? "-" : "+"}${usd(Math.abs(cents))}`;

/** A sum as a sentence has it: `at least 112.62 a month, plus 1 item without price`. */
export function sumText({ cents, withoutPrice }: CostSum): string {
    return withoutPrice === 0
        ? `${usd(cents)} a month`
        : `at least ${usd(cents)} a month, plus ${things(withoutPrice, "item")} without price`;
}

/** What an update changes, as a sentence has it: `+28.50 a month; without price: 3 items come, 1 goes`. */
export function differenceText({ changes, cents, withoutPrice }: CostDifference): string {
    const { come, go } = withoutPrice;
    const unknown = [
        come > 0 && `${things(come, "item")} ${come === 1 ? "comes" : "come"}`,
        go > 0 && `${things(go, "item")} ${go === 1 ? "goes" : "go"}`,
    ].filter(Boolean);
    if (changes.length === 0) {
        return "nothing";
    }
    const known = `${signed(cents)} a month`;
    return unknown.length === 0 ? known : `${known}; without price: ${unknown.join(", ")}`;
}

export interface TableOptions {
    /** The day from which a price's age is counted. */
    readonly today: Date;
    /** What this update changes; none for a first one. */
    readonly difference?: CostDifference;
}

/** The table that preview prints: by zone, with what is not in it and where the prices are from. */
export function costTable(report: CostReport, { today, difference }: TableOptions): string {
    return [
        `Cost: ${sumText(report.total)} (USD, list prices on demand)`,
        ...table(report),
        ...(difference ? differenceLines(difference) : []),
        ...listed("Without price:", withoutPrice(linesOfReport(report))),
        ...listed("Paid by use, in no sum:", report.byUse.map(byUseText)),
        "Not counted: free tiers, and discounts for sustained or committed use.",
        ...listed(
            "Prices:",
            sourcesOf(report).map((price) => sourceText(price) + agedText(price, today)),
        ),
    ].join("\n");
}

const listed = (title: string, entries: readonly string[]): string[] =>
    entries.length === 0 ? [] : [title, ...entries.map((entry) => `  ${entry}`)];

type Row = readonly [what: string, count: string, each: string, month: string];

function table({ places, total }: CostReport): string[] {
    const rows: Row[] = [["", "count", "each", "a month"]];
    for (const { place, lines, sum } of places) {
        rows.push([place, "", ...sumCells(sum)]);
        for (const { what, count, cents } of lines) {
            const cells = cents ? [usd(cents.each), usd(cents.all)] : ["no price", "?"];
            rows.push([`  ${what}`, `${count}`, cells[0]!, cells[1]!]);
        }
    }
    rows.push(["total", "", ...sumCells(total)]);
    return aligned(rows).map((row) => `  ${row}`);
}

const sumCells = ({ cents, withoutPrice }: CostSum): [string, string] => [
    withoutPrice > 0 ? "at least" : "",
    usd(cents),
];

/** The first column to the left, all others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    return rows.map((row) =>
        row
            .map((cell, column) =>
                column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
            )
            .join("  "),
    );
}

/** What an update changes, as preview says it. */
export const differenceTable = (difference: CostDifference): string =>
    differenceLines(difference).join("\n");

function differenceLines(difference: CostDifference): string[] {
    const rows = difference.changes.map(({ place, what, before, after, cents }) => [
        `${place}: ${what}`,
        `${before} -> ${after}`,
        cents === undefined ? "?" : signed(cents),
    ]);
    const title = `This update changes: ${differenceText(difference)}`;
    return rows.length === 0 ? [title] : listed(title, aligned(rows));
}

function withoutPrice(lines: readonly CostLine[]): string[] {
    return unique(
        lines.flatMap(({ what, key, price }) =>
            isKnown(price) ? [] : [`${what}: ${price.unknown}. quorum:prices.${key}.usd sets it.`],
        ),
    );
}

function byUseText({ what, price }: ByUse): string {
    return price && isKnown(price) ? `${what} (${price.usd} a ${price.unit})` : what;
}

/** Who says so, each once. */
function sourcesOf(report: CostReport): KnownPrice[] {
    const prices = [...linesOfReport(report), ...report.byUse].flatMap(({ price }) => price ?? []);
    return [...new Map(prices.filter(isKnown).map((price) => [sourceText(price), price])).values()];
}

const sourceText = ({ source, date }: KnownPrice): string =>
    date === undefined ? source : `${source}, ${date}`;

function agedText({ date }: KnownPrice, today: Date): string {
    const days = date === undefined ? 0 : (today.getTime() - Date.parse(date)) / MS_A_DAY;
    return days > MAX_AGE_DAYS
        ? `: older than ${MAX_AGE_DAYS} days, look whether they still hold`
        : "";
}

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];

/** What the stack's output `cost` holds. It changes with the plan and the prices only, not with the day. */
export interface CostOutput {
    currency: "USD";
    /** The sum as a sentence. */
    total: string;
    /** Of all that has a price, a month. */
    monthly: number;
    /** How many things have none: `monthly` is then a least one. */
    withoutPrice: number;
    /** Zone, region or `global` -> what is there. */
    places: Record<
        string,
        {
            monthly: number;
            withoutPrice: number;
            lines: { what: string; count: number; monthly?: number }[];
        }
    >;
    /** Why something has no price, and which key gives it one. */
    reasons: string[];
    byUse: string[];
    sources: string[];
}

export function costOutput(report: CostReport): CostOutput {
    const { places, total, byUse } = report;
    const shown = places.map(({ place, lines: here, sum }) => [
        place,
        {
            monthly: sum.cents / 100,
            withoutPrice: sum.withoutPrice,
            lines: here.map(({ what, count, cents }) => ({
                what,
                count,
                ...(cents && { monthly: cents.all / 100 }),
            })),
        },
    ]);
    return {
        currency: "USD",
        total: sumText(total),
        monthly: total.cents / 100,
        withoutPrice: total.withoutPrice,
        places: Object.fromEntries(shown) as CostOutput["places"],
        reasons: withoutPrice(linesOfReport(report)),
        byUse: byUse.map(byUseText),
        sources: sourcesOf(report).map(sourceText),
    };
}
