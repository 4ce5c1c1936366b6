// What YugabyteDB's jobs refuse and undo, on its simulator: each refusal is one sentence, and nothing is deleted or
// restarted. It shows the orchestration's part only; that the real masters count and move as simulated is not shown.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
    ensureSandbox,
    kubeconfigPath,
    kubectl,
    readyNodes,
    zoneDown,
    zoneUp,
} from "../../sandbox/index.js";
import { LOCAL_STORAGE } from "./conformance.js";
import { eventually, Namespace } from "./kubernetes.js";
import { Stack, type Config, type Result } from "./stack.js";

const CLUSTER = "yugaref";
const OLD = "2025.2.3.0-b149";
const NEW = "2026.1.0.1-b1";
const NEXT = "2026.2.0.0-b1";
const at = (version: string) => ({
    version,
    image: `localhost/yugabytedb-simulator:${version}`,
});

const namespace = new Namespace(CLUSTER);
let stack: Stack;
let config: Config = {
    name: CLUSTER,
    engine: "yugabytedb",
    zones: ["a", "b", "c"],
    replicas: 4,
    storage: LOCAL_STORAGE,
    resources: { cpu: "50m", memory: "1Gi" },
    ...at(OLD),
};

const up = async (change: Config = {}): Promise<Result> => {
    config = { ...config, ...change };
    const result = await stack.up(config);
    expect(result.exitCode, result.output).toBe(0);
    return result;
};

/** Everything that a refusal must leave as it is. */
const everything = async () => [
    await namespace.names("statefulsets"),
    await namespace.names("persistentvolumeclaims"),
    [...(await namespace.members()).values()].map(({ metadata }) => metadata.uid).sort(),
];

const refused = async (change: Config, sentence: string): Promise<void> => {
    const before = await everything();
    const result = await stack.up({ ...config, ...change });
    expect(result.exitCode).not.toBe(0);
    expect(result.output).toContain(`REFUSED: ${sentence}`);
    expect(await everything()).toEqual(before);
};

/** The log of the membership job that ran last. */
const jobLog = async (): Promise<string> => {
    const selector = "app.kubernetes.io/component=membership";
    const pods = [
        "-n",
        CLUSTER,
        "get",
        "pods",
        "-l",
        selector,
        "--sort-by=.metadata.creationTimestamp",
    ];
    const names = (await kubectl([...pods, "-o", "name"])).trim().split("\n");
    return kubectl(["-n", CLUSTER, "logs", names.at(-1)!]);
};

const admin = (command: string): Promise<string> =>
    kubectl([
        "-n",
        CLUSTER,
        "exec",
        `${CLUSTER}-b-0-0`,
        "--",
        "bash",
        "-c",
        `source /quorum/scripts/yugabyte.sh; admin ${command}`,
    ]);

const clear = async (): Promise<void> => {
    await stack.destroy();
    await namespace.remove();
};

beforeAll(async () => {
    await ensureSandbox(["yugabytedb"]);
    stack = await Stack.open(`test-${CLUSTER}`, kubeconfigPath());
    await clear();
});

afterAll(async () => {
    await ensureSandbox(["yugabytedb"]);
    await clear();
    await stack.remove();
});

test("a cluster of the series before is made and upgraded, masters first", async () => {
    await up();
    await namespace.ready(4);
    await up(at(NEW));
    await namespace.ready(4);
    const sets = JSON.parse(await kubectl(["-n", CLUSTER, "get", "pods", "-o", "json"])) as {
        items: { metadata: { labels: Record<string, string>; creationTimestamp: string } }[];
    };
    const started = (role: string) =>
        sets.items
            .filter(({ metadata }) => metadata.labels["quorum.dev/role"] === role)
            .map(({ metadata }) => metadata.creationTimestamp)
            .sort();
    expect(started("master").at(-1)! <= started("member")[0]!).toBe(true);
});

test("an upgrade after one that was not finalised is refused before a member is touched", async () => {
    await refused(at(NEXT), "the upgrade to 2026.1 was never finalised");
});

test("an upgrade is not finalised while a member is dead", async () => {
    await zoneDown("c");
    await eventually("zone c to be known as lost", 60, async () =>
        (await readyNodes()).every((node) => !node.startsWith("c")),
    );
    await eventually(`${CLUSTER}-c-0 to count as dead`, 60, async () =>
        /-c-0\.\S+ \S+ DEAD/.test(await admin("list_all_tablet_servers")),
    );
    await refused({ finalizeUpgrade: "2026.1" }, `${CLUSTER}-master-c-0 is dead`);
    await zoneUp("c");
    await namespace.ready(4, 300);
});

test("an upgrade is finalised once every member runs it", async () => {
    await up({ finalizeUpgrade: "2026.1" });
    const log = await jobLog();
    expect(log).toContain("every member runs 2026.1: verified");
    expect(log).toContain("2026.1 is finalised: there is no way back to an older series");
});

test("a scale-in that is aborted while data moves is undone", async () => {
    const before = await everything();
    const running = stack.up({ ...config, replicas: 3 });
    await eventually(`${CLUSTER}-a-1 on the blacklist`, 60, async () =>
        (await admin("get_universe_config")).includes(`${CLUSTER}-a-1`),
    );
    await kubectl([
        "-n",
        CLUSTER,
        "delete",
        "pods",
        "-l",
        "app.kubernetes.io/component=membership",
        "--field-selector=status.phase=Running",
        "--grace-period=0",
        "--force",
    ]);
    expect((await running).exitCode).not.toBe(0);
    expect(await everything()).toEqual(before);
    await up({ replicas: 4, membershipTimeout: 900 });
    const log = await jobLog();
    expect(log).toContain(`${CLUSTER}-a-1 stays after all`);
    expect(await admin("get_universe_config")).not.toContain("serverBlacklist");
});

test("scaling in says each step, and removes a member only when it holds nothing", async () => {
    await up({ replicas: 3 });
    const log = await jobLog();
    const steps = [
        `retire ${CLUSTER}-a-1`,
        `${CLUSTER}-a-1 is on the blacklist`,
        "moving: Percent complete = 100 : 0 remaining out of",
        `${CLUSTER}-a-1 holds no tablet: verified`,
        "no tablet lacks a copy: verified",
        `${CLUSTER}-a-1 is closed`,
        `${CLUSTER}-a-1 is retired, and off the blacklist`,
    ].map((step) => log.indexOf(step));
    expect(steps).not.toContain(-1);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    await eventually(
        "the leaver to be gone",
        60,
        async () => (await namespace.members()).size === 3,
    );
});
