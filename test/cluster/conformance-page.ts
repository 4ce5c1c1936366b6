// docs/conformance.md, made of the records of the conformance list.
import type { ConformanceRecord, Promised, Step } from "./conformance-record.js";

const INTRODUCTION = `# Conformance

What every engine promises, and what was seen of it. Written by \`npm run conformance:table\` from what the cluster tests
kept (\`make test ARGS=cluster\`); do not edit it by hand. The promises are the tests of
[test/cluster/conformance.ts](../test/cluster/conformance.ts), in their order, each on real pods over three zones, while a
client in another place writes one numbered row every 20 ms and reads every member at the end.

- **kept, 1.2 s**: the test passed; no acknowledged write was lost and none was there twice; the longest time without an
  acknowledged write was 1.2 s. Where a promise has several steps, the longest of them.
- **BROKEN**: the test failed. **not run**: it was not reached. **–**: the promise does not apply to the engine.

The gaps are those of one machine whose load differs. To compare ways of replication with each other see the write gaps in
[benchmarks.md](benchmarks.md).
`;

const SIMULATORS = `Where the title says *simulator*, the database was a [simulator](simulators.md) that keeps the real one's
rules. That shows the orchestration, and nothing about the database or about time; no gaps are shown.
`;

/** The whole page. */
export function conformancePage(records: readonly ConformanceRecord[]): string {
    const simulators = records.some(({ simulator }) => simulator) ? [SIMULATORS] : [];
    return [
        INTRODUCTION,
        ...simulators,
        runs(records),
        promises(records),
        ...records.map(steps),
    ].join("\n");
}

function runs(records: readonly ConformanceRecord[]): string {
    return section(
        "Runs",
        ["Engine", "Image", "Day", "Commit"],
        records.map((record) => [title(record), `\`${record.image}\``, record.date, record.commit]),
    );
}

function promises(records: readonly ConformanceRecord[]): string {
    return section(
        "Promises",
        ["Promise", ...records.map(title)],
        allPromises(records).map((promise) => [
            promise,
            ...records.map((record) => cell(record.promises.find(isOf(promise)))),
        ]),
    );
}

/** Every promise of any record. One that only some have goes after the one that it follows there. */
function allPromises(records: readonly ConformanceRecord[]): string[] {
    const all: string[] = [];
    for (const { promises } of records) {
        let last = -1;
        for (const { promise } of promises) {
            const place = all.indexOf(promise);
            if (place < 0) {
                all.splice(last + 1, 0, promise);
            }
            last = place < 0 ? last + 1 : place;
        }
    }
    return all;
}

const isOf =
    (promise: string) =>
    (each: Promised): boolean =>
        each.promise === promise;

function cell(promised: Promised | undefined): string {
    if (promised === undefined) {
        return "–";
    }
    if (promised.outcome !== "kept") {
        return promised.outcome === "broken" ? "BROKEN" : "not run";
    }
    const gaps = promised.steps.flatMap(({ longestGap }) => longestGap ?? []);
    return gaps.length === 0 ? "kept" : `kept, ${seconds(Math.max(...gaps))}`;
}

function steps(record: ConformanceRecord): string {
    const all = record.promises.flatMap((promised) => promised.steps);
    const head = ["Step", "Acknowledged", "Failed", "Lost", "Doubled"];
    const counts = (step: Step): string[] => [
        step.name,
        ...[step.acknowledged, step.failed, step.lost, step.doubled].map(String),
    ];
    return record.simulator
        ? section(title(record), head, all.map(counts))
        : section(
              title(record),
              [...head, "Longest gap", "Gap of reads"],
              all.map((step) => [
                  ...counts(step),
                  seconds(step.longestGap ?? 0),
                  seconds(step.longestReadGap ?? 0),
              ]),
          );
}

const title = (record: ConformanceRecord): string =>
    record.simulator && !/simulator/i.test(record.title)
        ? `${record.title} (simulator)`
        : record.title;

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

function section(title: string, head: readonly string[], rows: readonly string[][]): string {
    const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
    const rule = head.map(() => "---");
    return `## ${title}\n\n${[head, rule, ...rows].map(line).join("\n")}\n`;
}
