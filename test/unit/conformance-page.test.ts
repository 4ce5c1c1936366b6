// docs/conformance.md says what the records say.
import { expect, test } from "vitest";
import { conformancePage } from "../cluster/conformance-page.js";
import type { ConformanceRecord, Step } from "../cluster/conformance-record.js";

const step = (name: string, gaps: Partial<Step> = {}): Step => ({
    name,
    acknowledged: 100,
    failed: 1,
    lost: 0,
    doubled: 0,
    ...gaps,
});

const BASE = { image: "localhost/x:1", date: "2026-11-21", commit: "abc" };
const REAL: ConformanceRecord = {
    ...BASE,
    title: "Real",
    cluster: "real",
    simulator: false,
    promises: [
        {
            promise: "forms",
            outcome: "kept",
            steps: [step("steady", { longestGap: 49, longestReadGap: 20 })],
        },
        {
            promise: "switches",
            outcome: "kept",
            steps: [
                step("there", { longestGap: 1240, longestReadGap: 20 }),
                step("back", { longestGap: 900, longestReadGap: 20 }),
            ],
        },
        { promise: "scales", outcome: "broken", steps: [] },
        { promise: "adopts", outcome: "not run", steps: [] },
    ],
};
const SIMULATED: ConformanceRecord = {
    ...BASE,
    title: "Other",
    cluster: "other",
    simulator: true,
    promises: [
        { promise: "forms", outcome: "kept", steps: [step("steady")] },
        { promise: "finalises", outcome: "kept", steps: [] },
        { promise: "scales", outcome: "kept", steps: [] },
    ],
};

/** The cells of the row that begins so. */
const row = (page: string, first: string): string[] | undefined =>
    page
        .split("\n")
        .find((line) => line.startsWith(`| ${first} |`))
        ?.split("|")
        .slice(2, -1)
        .map((cell) => cell.trim());

test("a promise shows the outcome and the longest gap of its steps", () => {
    const page = conformancePage([REAL]);
    expect(row(page, "forms")).toEqual(["kept, 0.0 s"]);
    expect(row(page, "switches")).toEqual(["kept, 1.2 s"]);
    expect(row(page, "scales")).toEqual(["BROKEN"]);
    expect(row(page, "adopts")).toEqual(["not run"]);
    expect(page).not.toContain("imulator");
});

test("a promise that an engine does not make is not called broken", () => {
    const page = conformancePage([REAL, SIMULATED]);
    expect(row(page, "switches")).toEqual(["kept, 1.2 s", "–"]);
    expect(row(page, "finalises")).toEqual(["–", "kept"]);
});

test("a simulator is named as one, and has no gaps", () => {
    const page = conformancePage([REAL, SIMULATED]);
    expect(row(page, "Promise")).toEqual(["Real", "Other (simulator)"]);
    const own = page.slice(page.indexOf("## Other (simulator)"));
    expect(own).toContain("| steady | 100 | 1 | 0 | 0 |\n");
    expect(own).not.toContain(" s |");
});
