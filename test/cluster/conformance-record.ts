// What one run of the conformance list saw of one engine, kept as JSON outside the checkout. docs/conformance.md is made
// of these records and of nothing else (npm run conformance:table).
import { execa } from "execa";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { RunnerTask, RunnerTestSuite } from "vitest";
import { stateDirectory } from "../../sandbox/places.js";
import type { Report } from "./workload.js";

/** What the client saw in one step of a test. */
export interface Step {
    readonly name: string;
    readonly acknowledged: number;
    readonly failed: number;
    readonly lost: number;
    readonly doubled: number;
    /** In milliseconds; left out for a simulator, which says nothing about time. */
    readonly longestGap?: number;
    readonly longestReadGap?: number;
}

/** One promise: one test of the list. */
export interface Promised {
    readonly promise: string;
    readonly outcome: "kept" | "broken" | "not run";
    readonly steps: readonly Step[];
}

/** One run of the list for one engine. */
export interface ConformanceRecord {
    readonly title: string;
    readonly cluster: string;
    readonly simulator: boolean;
    readonly image: string;
    /** Day of the run, as 2026-11-21. */
    readonly date: string;
    /** The commit that was checked out; `+` when the checkout had changes of its own. */
    readonly commit: string;
    readonly promises: readonly Promised[];
}

/** A step of a test, as the test notes it. */
export interface Row {
    /** The test's name, with those of its file and suite before it. */
    readonly test: string;
    readonly promise: string;
    readonly report: Report;
    readonly lost: number;
    readonly doubled: number;
}

/** Where the records are: QUORUM_CONFORMANCE, else beside the sandbox's state, where `make stop` leaves them. */
export function recordFolder(): string {
    return process.env["QUORUM_CONFORMANCE"] || stateDirectory("conformance");
}

/** Keeps what a run saw. A run of some tests only (`vitest -t`) keeps nothing, unless one of them failed. */
export async function keepRecord(
    subject: Pick<ConformanceRecord, "title" | "cluster" | "simulator" | "image">,
    suite: Readonly<RunnerTestSuite>,
    rows: readonly Row[],
): Promise<void> {
    const promises = suite.tasks.map((test) => promised(test, rows, subject.simulator));
    if (
        promises.some(({ outcome }) => outcome === "not run") &&
        promises.every(({ outcome }) => outcome !== "broken")
    ) {
        return;
    }
    const record: ConformanceRecord = {
        ...subject,
        date: new Date().toISOString().slice(0, 10),
        commit: await commit(),
        promises,
    };
    mkdirSync(recordFolder(), { recursive: true });
    const file = path.join(recordFolder(), `${subject.cluster}.json`);
    writeFileSync(file, `${JSON.stringify(record, undefined, 2)}\n`);
}

/** All records that are kept, by title. */
export function readRecords(): ConformanceRecord[] {
    return readdirSync(recordFolder())
        .filter((name) => name.endsWith(".json"))
        .map((name) => readFileSync(path.join(recordFolder(), name), "utf8"))
        .map((text) => JSON.parse(text) as ConformanceRecord)
        .sort((left, right) => left.title.localeCompare(right.title));
}

const OUTCOMES: Readonly<Record<string, Promised["outcome"]>> = { pass: "kept", fail: "broken" };

function promised(test: RunnerTask, rows: readonly Row[], simulator: boolean): Promised {
    return {
        promise: test.name,
        outcome: OUTCOMES[test.result?.state ?? ""] ?? "not run",
        steps: rows
            .filter((row) => row.test.endsWith(` > ${test.name}`))
            .map(({ promise, report, lost, doubled }) => ({
                name: promise,
                acknowledged: report.acknowledged,
                failed: report.failed,
                lost,
                doubled,
                ...(!simulator && {
                    longestGap: Math.round(report.longestGap),
                    longestReadGap: Math.round(report.longestReadGap),
                }),
            })),
    };
}

async function commit(): Promise<string> {
    const git = async (...args: string[]): Promise<string> => {
        const { stdout } = await execa("git", args, {
            cwd: path.resolve(import.meta.dirname, "../.."),
            reject: false,
        });
        return stdout;
    };
    const changed = (await git("status", "--porcelain")) !== "";
    return `${await git("rev-parse", "--short", "HEAD")}${changed ? "+" : ""}`;
}
