// What the jobs of CockroachDB and KaiwuDB refuse and undo, on their simulators: each refusal is one sentence, and nothing is
// deleted or restarted. It shows the orchestration's part only, and nothing of how the databases move their data.
import { describe, expect, test } from "vitest";
import { zoneUp } from "../../sandbox/index.js";
import { cutPower, eventually } from "./kubernetes.js";
import { LOCAL_STORAGE } from "./stack.js";
import { inOrder, openTrial } from "./trial.js";

/** One of the family: releases that follow each other. */
interface Kin {
    readonly title: string;
    readonly engine: string;
    readonly container: string;
    readonly program: string;
    readonly old: string;
    readonly wanted: string;
    /** An update to a release that may not come next, and what the plan says of it. */
    readonly skips: { readonly to: string; readonly plan: string; readonly job?: string };
    /** Whether an upgrade is final only when asked for. */
    readonly finalises: boolean;
    /** What the second `init` says. */
    readonly initialized: string;
    /** Lines of a retirement that only this one has. */
    readonly leaving: readonly string[];
}

const COCKROACHDB: Kin = {
    title: "CockroachDB",
    engine: "cockroachdb",
    container: "cockroach",
    program: "/cockroach/cockroach",
    old: "25.4.9",
    wanted: "26.2.2",
    skips: {
        to: "26.4.0",
        plan: "skips the regular release 26.2",
        job: "REFUSED: an upgrade from 25.4 to 26.4 skips a regular release.",
    },
    finalises: true,
    initialized: "cluster has already been initialized",
    leaving: ["the check before leaving found nothing in the way of node"],
};
const KAIWUDB: Kin = {
    title: "KaiwuDB",
    engine: "kaiwudb",
    container: "kwbase",
    program: "/kaiwudb/bin/kwbase",
    old: "3.1.0",
    wanted: "3.2.2",
    skips: { to: "4.0.0", plan: "quorum:version" },
    finalises: false,
    initialized: "cluster has already been initialized",
    leaving: [],
};

describe.each([
    [COCKROACHDB.title, COCKROACHDB],
    [KAIWUDB.title, KAIWUDB],
] as const)("%s (simulator): what is refused", (_, kin) => {
    const cluster = `no-${kin.container}`;
    const series = (version: string) => version.split(".").slice(0, 2).join(".");
    const at = (version: string) => ({
        version,
        image: `localhost/${kin.engine}-simulator:${version}`,
    });
    const trial = openTrial({
        cluster,
        images: [kin.engine],
        container: kin.container,
        config: {
            engine: kin.engine,
            replicas: 4,
            storage: LOCAL_STORAGE,
            resources: { cpu: "50m", memory: "1Gi" },
            membershipTimeout: 300,
            ...at(kin.old),
        },
    });
    const { namespace } = trial;
    const leaver = trial.member("a", 1);

    const program = (...args: string[]): Promise<string> =>
        trial.inside(
            trial.member("a"),
            ...[kin.program, ...args, "--certs-dir=/run/quorum/certificates"],
        );
    const sql = (statement: string): Promise<string> =>
        program("sql", "--format=tsv", "-e", statement);
    /** Whether a member's node is on its way out, as `node status` has it. */
    const isLeaving = async (member: string): Promise<boolean> => {
        const csv = await program("node", "status", "--decommission", "--format=csv");
        const [header, ...rows] = csv.split("\n").map((line) => line.split(","));
        const row = rows.find((cells) => cells.some((cell) => cell.startsWith(`${member}.`)));
        return row?.[header!.indexOf("is_decommissioning")] === "true";
    };

    test("a second init", async () => {
        await trial.up();
        await namespace.ready(4);
        await expect(program("init")).rejects.toThrow(kin.initialized);
    });

    test("a scale-in below the replication factor", async () => {
        await sql("ALTER RANGE default CONFIGURE ZONE USING num_replicas = 4");
        await trial.refused(
            { replicas: 3 },
            "REFUSED: 3 nodes would stay, and every range has 4 replicas: there is nowhere to move them. Nothing was removed.",
        );
        await sql("ALTER RANGE default CONFIGURE ZONE USING num_replicas = 3");
        // What was refused is still in the stack's state: it is taken back before anything else is asked for.
        await trial.up();
    });

    test("an upgrade that skips a release", async () => {
        const wanted = at(kin.skips.to);
        await trial.refused(wanted, kin.skips.plan);
        if (kin.skips.job !== undefined) {
            // The plan is overruled; the check before the upgrade looks at the cluster's own version.
            await trial.refused({ ...wanted, allowChanges: ["version"] }, kin.skips.job);
            await trial.takeBack("version");
        }
    });

    test("a scale-in that is aborted while data moves is undone", async () => {
        const before = await trial.everything();
        const running = trial.attempt({ replicas: 3 });
        await eventually(`${leaver} to be on its way out`, 90, () => isLeaving(leaver));
        await trial.killJob();
        expect((await running).exitCode).not.toBe(0);
        expect(await trial.everything()).toEqual(before);
        await trial.up({ membershipTimeout: 301 });
        expect(await trial.jobLog()).toContain(
            `${leaver} is planned again: undo its decommissioning`,
        );
    });

    test.runIf(kin.finalises)("finalising with a node that is dead", async () => {
        await trial.up(at(kin.wanted));
        await namespace.ready(4);
        expect(await sql("SHOW CLUSTER SETTING version")).toContain(series(kin.old));
        await cutPower("c");
        await trial.refused(
            { finalizeUpgrade: series(kin.wanted) },
            /REFUSED: node \d+ \(\S+-c-0\) is dead and not decommissioned/,
        );
        await zoneUp("c");
        await namespace.ready(4, 300);
    });

    test("a node that never comes back is retired, also when gossip has forgotten its address", async () => {
        // Its member has lost its disk and is another node now.
        if (!kin.finalises) await trial.up(at(kin.wanted));
        await namespace.loseDisk(trial.member("c"));
        await namespace.ready(4);
        await eventually("the dead node to be forgotten", 90, async () =>
            (await program("node", "status", "--decommission", "--format=csv")).includes("NULL"),
        );
        // Another bound runs the job again; an upgrade to finalise does too.
        await trial.up(
            kin.finalises ? { finalizeUpgrade: series(kin.wanted) } : { membershipTimeout: 302 },
        );
        inOrder(await trial.jobLog(), [
            `retire ${trial.member("c")}`,
            "it may be removed",
            ...(kin.finalises ? ["is finalised"] : []),
        ]);
        if (kin.finalises) {
            expect(await sql("SHOW CLUSTER SETTING version")).toContain(series(kin.wanted));
        }
    });

    test("scaling in says each step, and removes a member only when it holds nothing", async () => {
        await trial.up({ replicas: 3 });
        inOrder(await trial.jobLog(), [
            `retire ${leaver}`,
            ...kin.leaving,
            "replicas left to move",
            ": 0 replicas left to move",
            "is decommissioned, it holds no replica, and every range has all of its own: it may be removed",
        ]);
        await eventually(
            "the leaver to be gone",
            60,
            async () => (await namespace.members()).size === 3,
        );
    });

    test("a new cluster does not take over the disks of another one", async () => {
        await trial.refusesOldDisks("holds the data of another cluster");
    });
});
