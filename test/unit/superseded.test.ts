// A job must not undo what a later update did (shared/record.sh, shared/job.sh): run by bash with the real scripts and a
// record in a file in place of the API server. That the record is written by Pulumi before the job starts is shown in
// test/program, that an old job on a pod ends by itself in test/cluster.
import { execa } from "execa";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const SHARED = path.resolve(import.meta.dirname, "../../components/engines/shared");

let folder: string;
beforeEach(() => {
    folder = mkdtempSync(path.join(tmpdir(), "quorum-record-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const recordFile = (): string => path.join(folder, "record.json");

/** What the API server would answer: annotations of the cluster record. */
function keepRecord(annotations: Record<string, string>): void {
    const entries = Object.entries(annotations).map(([name, value]): [string, string] => [
        `quorum.dev/${name}`,
        value,
    ]);
    const record = {
        metadata: { annotations: Object.fromEntries(entries), resourceVersion: "7" },
        endpoints: [],
    };
    writeFileSync(recordFile(), JSON.stringify(record));
}

/** Bodies of the writes that reached the API server. */
const writes = (): string[] => {
    try {
        return readFileSync(path.join(folder, "writes"), "utf8").trimEnd().split("\n");
    } catch {
        return [];
    }
};

/** Runs a job's steps with the real shared scripts. */
async function job(
    steps: string,
    environment: Record<string, string> = {},
): Promise<{ exitCode: number | undefined; said: string[] }> {
    const script = `
        set -euo pipefail
        source ${SHARED}/record.sh
        source ${SHARED}/job.sh
        log() { echo "$*"; }
        kube() { if [[ $1 == GET ]]; then cat ${recordFile()}; else echo "$3" >>${folder}/writes; fi; }
        ${steps}`;
    const { exitCode, stdout } = await execa("bash", ["-c", script], {
        reject: false,
        env: {
            QUORUM_NAMESPACE: "orders",
            QUORUM_RECORD: "orders-write",
            TIMEOUT: "30",
            ...environment,
        },
    });
    return { exitCode, said: stdout.split("\n") };
}

const OUT_OF_DATE =
    "REFUSED: a newer update has made another plan, and this job is out of date: it changes nothing any more.";

describe("a job of an update that was killed", () => {
    const retire = 'retiring() { echo "retired=orders-a-1"; }; record_change retiring';

    test("writes nothing once a later update has made another plan", async () => {
        keepRecord({ plan: "new", members: "orders-a-0,orders-a-1" });
        const { exitCode, said } = await job(retire, { QUORUM_PLAN: "plan=old" });
        expect({ exitCode, said, writes: writes() }).toEqual({
            exitCode: 1,
            said: [OUT_OF_DATE],
            writes: [],
        });
    });

    test("begins no further step", async () => {
        keepRecord({ plan: "new" });
        const { exitCode, said } = await job('step "retire orders-a-1"; log never', {
            QUORUM_PLAN: "plan=old",
        });
        expect({ exitCode, said }).toEqual({ exitCode: 1, said: [OUT_OF_DATE] });
    });

    test("ends while it waits", async () => {
        keepRecord({ plan: "old" });
        const steps = `
            later() { sed -i s/old/new/ ${recordFile()}; return 1; }
            await "orders-c-0 does not answer" later; log never`;
        const { exitCode, said } = await job(steps, { QUORUM_PLAN: "plan=old" });
        expect({ exitCode, said }).toEqual({
            exitCode: 1,
            said: ["still waiting: orders-c-0 does not answer", OUT_OF_DATE],
        });
    });

    test("is the newest again when a later update has gone back to its plan", async () => {
        keepRecord({ plan: "old" });
        const { exitCode } = await job(retire, { QUORUM_PLAN: "plan=old" });
        expect(exitCode).toBe(0);
        expect(writes()).toEqual([
            '{"metadata":{"resourceVersion":"7","annotations":{"quorum.dev/retired":"orders-a-1"}}}',
        ]);
    });

    test("is told apart by its own part of the plan: another pod is no other membership", async () => {
        keepRecord({ plan: "one", pods: "other" });
        expect((await job(retire, { QUORUM_PLAN: "plan=one" })).exitCode).toBe(0);
        expect((await job(retire, { QUORUM_PLAN: "pods=one" })).exitCode).toBe(1);
    });

    test("a member has no plan and goes on", async () => {
        keepRecord({ plan: "new" });
        expect((await job(retire)).exitCode).toBe(0);
    });
});

describe("a job looks at who is in the record, whatever the rules compared", () => {
    const FIVE = "orders-a-0,orders-a-1,orders-b-0,orders-b-1,orders-c-0";
    const check = (members: string, environment: Record<string, string> = {}) =>
        job("check_leavers; log goes on", { MEMBERS: members, ...environment });

    test("and refuses that half or more of them leave at once", async () => {
        keepRecord({ members: FIVE });
        const { exitCode, said } = await check("orders-a-0,orders-b-0");
        expect({ exitCode, said, writes: writes() }).toEqual({
            exitCode: 1,
            said: [
                `REFUSED: 3 of the cluster's 5 members are not in the plan (orders-a-1 orders-b-1 orders-c-0): half or more would leave at once. Nothing was removed. If that is meant, set quorum:allowChanges ["majorityLeaves"].`,
            ],
            writes: [],
        });
        keepRecord({ members: "orders-a-0,orders-b-0" });
        expect((await check("orders-a-0")).exitCode).toBe(1);
    });

    test("unless the plan says so", async () => {
        keepRecord({ members: FIVE });
        expect(await check("orders-a-0", { MAJORITY_MAY_LEAVE: "true" })).toEqual({
            exitCode: 0,
            said: ["goes on"],
        });
    });

    test("lets a minority leave, members join, and a cluster form", async () => {
        keepRecord({ members: FIVE });
        expect((await check("orders-a-0,orders-b-0,orders-c-0")).exitCode).toBe(0);
        expect((await check(`${FIVE},orders-c-1`)).exitCode).toBe(0);
        keepRecord({});
        expect((await check("orders-a-0,orders-b-0,orders-c-0")).exitCode).toBe(0);
    });
});

describe("the check before a restart", () => {
    const pods = { QUORUM_PLAN: "pods=wanted" };
    const check = 'record_read; end_if_checked; echo "checks"; note_checked';

    test("is not made again for pods that passed it: a rule was taken out, or a refused update back", async () => {
        keepRecord({ pods: "wanted", checked: "wanted", members: "orders-a-0" });
        const { exitCode, said } = await job(check, pods);
        expect({ exitCode, said, writes: writes() }).toEqual({
            exitCode: 0,
            said: ["done: no pod has changed since the last check"],
            writes: [],
        });
    });

    test.each<Record<string, string>>([{}, { checked: "before" }])(
        "is made for others, and noted once it has passed: %j",
        async (known) => {
            keepRecord({ pods: "wanted", ...known });
            const { exitCode, said } = await job(check, pods);
            expect({ exitCode, said }).toEqual({ exitCode: 0, said: ["checks"] });
            expect(writes()).toHaveLength(1);
            expect(writes()[0]).toContain('"quorum.dev/checked":"wanted"');
        },
    );

    test("of every engine asks first and notes last", () => {
        for (const engine of ["cockroachdb", "mongodb", "mysql", "postgresql", "yugabytedb"]) {
            const file = path.join(SHARED, "..", engine, "scripts/upgrade-check.sh");
            const script = readFileSync(file, "utf8");
            expect(script).toMatch(/^end_if_checked$/m);
            const ends = script.match(/^ *exit( 0)?$|^log ["']done/gm) ?? [];
            expect(script.match(/^ *note_checked$/gm)).toHaveLength(ends.length);
        }
    });
});
