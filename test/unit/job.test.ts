// What every job has from engines/shared/job.sh, run by bash with a record that the test makes up. That the jobs do the
// right thing with it is shown on real pods in test/cluster.
import { execa } from "execa";
import path from "node:path";
import { expect, test } from "vitest";

const JOB = path.resolve(import.meta.dirname, "../../components/engines/shared/job.sh");

/** Runs a job's steps after job.sh, as a job does. */
async function run(steps: string): Promise<{ exitCode: number | undefined; lines: string[] }> {
    const script = `set -euo pipefail; TIMEOUT=3; log() { echo "$*"; }; source ${JOB}\n${steps}`;
    const { exitCode, stdout } = await execa("bash", ["-c", script], { reject: false });
    return { exitCode, lines: stdout.split("\n") };
}

test("a record that cannot be read at the moment is asked for again", async () => {
    const steps = "asked=0; record_read() { ((++asked > 2)); }; read_record; log asked $asked";
    expect(await run(steps)).toEqual({ exitCode: 0, lines: ["asked 3"] });
});

test("a record that stays silent ends the job with a sentence", async () => {
    const { exitCode, lines } = await run("record_read() { false; }; read_record; log never");
    expect(exitCode).toBe(1);
    expect(lines.at(-1)).toBe(
        "REFUSED: the cluster record could not be read within 3 seconds. Nothing was removed; run pulumi up again when that is mended.",
    );
});

test("a job that ends by a command that failed says which", async () => {
    const { exitCode, lines } = await run("move() { grep -q word /dev/null; }; move; log never");
    expect(exitCode).toBe(1);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^failed in .*: grep -q word/);
});

test("a failure that a job has an answer to is not said", async () => {
    const steps = "false || true; if false; then :; fi; text=$(false; echo inside); log $text";
    expect(await run(steps)).toEqual({ exitCode: 0, lines: ["inside"] });
});
