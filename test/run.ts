// Runs every check, the quick ones first, and ends with the counts as a line of their own. The first kind of check that
// fails ends the run: what comes after it takes minutes and would say less.
import { Command } from "commander";
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ROOT = path.resolve(import.meta.dirname, "..");

interface Counts {
    passed: number;
    failed: number;
    skipped: number;
}

/** What vitest's JSON report says of a run. */
interface Report {
    numPassedTests: number;
    numFailedTests: number;
    numPendingTests: number;
    numTodoTests: number;
    numFailedTestSuites: number;
    testResults: { name: string; status: string; message: string }[];
}

/** Checks that count as one each. They run beside each other: each of them keeps one processor busy, and no more. */
const CHECKS = ["format:check", "lint", "typecheck"];
/** Vitest projects, from seconds to minutes. */
const PROJECTS = ["unit", "program", "stand-ins", "sandbox", "cluster", "side-by-side"];
/**
 * Run when named only, because of the time they take: the whole lists of the other real engines, repeated faults, and the
 * tests of engines that run on simulators.
 */
const ON_REQUEST = ["engines", "faults", "simulators"];

/** A cluster's story is told in order; after the first thing that went wrong the rest says nothing. */
const OPTIONS: Readonly<Record<string, string[]>> = {
    cluster: ["--bail=1"],
    "side-by-side": ["--bail=1"],
    engines: ["--bail=1"],
    simulators: ["--bail=1"],
};

const total: Counts = { passed: 0, failed: 0, skipped: 0 };

/** Prints what a check said when it has ended: others say something meanwhile. */
async function check(script: string): Promise<void> {
    const { exitCode, all } = await execa("npm", ["run", "--silent", script], {
        cwd: ROOT,
        all: true,
        reject: false,
    });
    console.log(`${script} ${exitCode === 0 ? "passed" : "failed"}\n${all}`.trimEnd());
    total[exitCode === 0 ? "passed" : "failed"]++;
}

const checks = (scripts: readonly string[]) => Promise.all(scripts.map(check));

async function project(name: string): Promise<void> {
    const folder = mkdtempSync(path.join(tmpdir(), "quorum-report-"));
    const file = path.join(folder, "report.json");
    const { exitCode } = await execa(
        "npx",
        [
            "vitest",
            "run",
            "--project",
            name,
            ...(OPTIONS[name] ?? []),
            "--reporter=verbose",
            "--reporter=json",
            `--outputFile.json=${file}`,
        ],
        { cwd: ROOT, stdio: "inherit", reject: false },
    );
    const failed = add(file);
    rmSync(folder, { recursive: true, force: true });
    // A file that could not be loaded, or an error outside a test, fails the run without a failed test.
    if (exitCode !== 0 && failed === 0) {
        total.failed++;
    }
}

/** Adds a report to the counts and returns its failures. */
function add(file: string): number {
    try {
        const report = JSON.parse(readFileSync(file, "utf8")) as Report;
        total.passed += report.numPassedTests;
        total.failed += report.numFailedTests;
        total.skipped += report.numPendingTests + report.numTodoTests;
        return report.numFailedTests;
    } catch {
        return 0;
    }
}

async function timed(name: string, run: () => Promise<unknown>): Promise<void> {
    const started = Date.now();
    console.log(`\n== ${name}`);
    await run();
    console.log(`== ${name}: ${Math.round((Date.now() - started) / 1000)} s`);
}

async function main(selected: string[]): Promise<void> {
    const wanted = (name: string) =>
        selected.includes(name) || (selected.length === 0 && !ON_REQUEST.includes(name));
    const scripts = CHECKS.filter(wanted);
    const steps = [
        ...(scripts.length > 0 ? [[scripts.join(", "), () => checks(scripts)] as const] : []),
        ...[...PROJECTS, ...ON_REQUEST]
            .filter(wanted)
            .map((name) => [name, () => project(name)] as const),
    ];
    for (const [name, run] of steps) {
        await timed(name, run);
        if (total.failed > 0) {
            console.log(`\n${name} failed; what comes after it was not run.`);
            break;
        }
    }
    if (selected.length === 0) {
        console.log(
            `\nNot run, because it takes two hours more: make test ARGS="${ON_REQUEST.join(" ")}"`,
        );
    }
    const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
    console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
    process.exitCode = total.failed === 0 ? 0 : 1;
}

await new Command("test")
    .description("Runs the checks and tests; with names, only those")
    .argument("[names...]", [...CHECKS, ...PROJECTS, ...ON_REQUEST].join(", "))
    .action(main)
    .parseAsync();
