// What YugabyteDB's jobs refuse and undo, on its simulator: each refusal is one sentence, and nothing is deleted or
// restarted. It shows the orchestration's part only; that the real masters count and move as simulated is not shown.
import { expect, test } from "vitest";
import { kubectl, zoneUp } from "../../sandbox/index.js";
import { cutPower, eventually } from "./kubernetes.js";
import { LOCAL_STORAGE } from "./stack.js";
import { inOrder, openTrial } from "./trial.js";

const CLUSTER = "yugaref";
const OLD = "2025.2.3.0-b149";
const NEW = "2026.1.0.1-b1";
const NEXT = "2026.2.0.0-b1";
const at = (version: string) => ({
    version,
    image: `localhost/yugabytedb-simulator:${version}`,
});

const trial = openTrial({
    cluster: CLUSTER,
    images: ["yugabytedb"],
    container: "yugabytedb",
    config: {
        engine: "yugabytedb",
        replicas: 4,
        storage: LOCAL_STORAGE,
        resources: { cpu: "50m", memory: "1Gi" },
        ...at(OLD),
    },
});
const { namespace } = trial;
const leaver = trial.member("a", 1);

const admin = (command: string): Promise<string> =>
    trial.inside(
        trial.member("b"),
        ...["bash", "-c", `source /quorum/scripts/yugabyte.sh; admin ${command}`],
    );

test("a cluster of the series before is made and upgraded, masters first", async () => {
    await trial.up();
    await namespace.ready(4);
    await trial.up(at(NEW));
    await namespace.ready(4);
    const pods = JSON.parse(await kubectl(["-n", CLUSTER, "get", "pods", "-o", "json"])) as {
        items: { metadata: { labels: Record<string, string>; creationTimestamp: string } }[];
    };
    const started = (role: string) =>
        pods.items
            .filter(({ metadata }) => metadata.labels["quorum.dev/role"] === role)
            .map(({ metadata }) => metadata.creationTimestamp)
            .sort();
    expect(started("master").at(-1)! <= started("member")[0]!).toBe(true);
});

test("an upgrade after one that was not finalised is refused before a member is touched", async () => {
    await trial.refused(at(NEXT), "REFUSED: the upgrade to 2026.1.0.1 was never finalised");
    // What was refused is still in the stack's state: it is taken back before anything else is asked for.
    await trial.takeBack("version");
});

const whileDead = async (work: () => Promise<void>): Promise<void> => {
    await cutPower("c");
    await eventually(`${trial.member("c")} to count as dead`, 60, async () =>
        /-c-0\.\S+ \S+ +DEAD/.test(await admin("list_all_tablet_servers")),
    );
    await work();
    await zoneUp("c");
    await namespace.ready(4, 300);
};

test("an upgrade is not finalised while a member is dead", async () => {
    await whileDead(async () => {
        await trial.refused(
            { finalizeUpgrade: "2026.1.0.1" },
            /REFUSED: .*-c-0 is dead, and it could not read the data/,
        );
    });
});

test("an upgrade is finalised once every member runs it", async () => {
    await trial.up({ finalizeUpgrade: "2026.1.0.1" });
    inOrder(await trial.jobLog(), [
        "every member runs 2026.1.0.1: verified",
        "2026.1.0.1 is finalised: there is no way back to an older series",
    ]);
});

test("an upgrade is not begun while a member is dead", async () => {
    await whileDead(async () => {
        await trial.refused(at(NEXT), /REFUSED: .*-c-0 is away: a restart takes/);
    });
    await trial.takeBack("version");
});

test("a scale-in that is aborted while data moves is undone", async () => {
    const before = await trial.everything();
    const running = trial.attempt({ replicas: 3 });
    await eventually(`${leaver} on the blacklist`, 60, async () =>
        (await admin("get_universe_config")).includes(leaver),
    );
    await trial.killJob();
    expect((await running).exitCode).not.toBe(0);
    expect(await trial.everything()).toEqual(before);
    await trial.up({ replicas: 4, membershipTimeout: 900 });
    expect(await trial.jobLog()).toContain(`${leaver} stays after all`);
    expect(await admin("get_universe_config")).not.toContain("serverBlacklist");
});

test("scaling in says each step, and removes a member only when it holds nothing", async () => {
    await trial.up({ replicas: 3 });
    inOrder(await trial.jobLog(), [
        `retire ${leaver}`,
        `${leaver} is on the blacklist`,
        "moving: Percent complete = 100 : 0 remaining out of",
        `${leaver} holds no tablet: verified`,
        "no tablet lacks a copy: verified",
        `${leaver} is closed`,
        `${leaver} is retired, and off the blacklist`,
    ]);
    await eventually(
        "the leaver to be gone",
        60,
        async () => (await namespace.members()).size === 3,
    );
});

test("a new cluster does not take over the disks of another one", async () => {
    await trial.refusesOldDisks("hold data of another cluster");
});
