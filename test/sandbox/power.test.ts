// What dies comes back: single programs, whole parts, and zones without power.

import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { firstProcessOf, innerPidOf } from "../../sandbox/cluster/processes.js";
import { FIRST } from "../../sandbox/cluster/plan.js";
import {
    ensureSandbox,
    nodeNames,
    NODES,
    readyNodes,
    sandboxStatus,
    zoneDown,
    zoneUp,
} from "../../sandbox/index.js";
import { childrenOf } from "../../sandbox/process-identity.js";
import { eventually, shellPod, webPod, World } from "./world.js";

/** The controller manager's grace of 20 s, kubelet's last sign of life up to 10 s before. */
const SECONDS_TO_NOT_READY = 45;

const world = new World("sandbox-power");
const node = NODES.find(({ name }) => name === "b2")!;

beforeAll(async () => {
    await ensureSandbox();
    await world.create();
});

afterAll(async () => {
    await zoneUp("b");
    await world.remove();
});

/** kill -9 of one program of a part, by the number that the part wrote down. */
async function killInside(part: { directory: string }, program: string): Promise<void> {
    const first = firstProcessOf(part)!;
    const pid = String(innerPidOf(part, program));
    await execa("nsenter", ["--target", String(first), "--pid", "kill", "-9", pid]);
}

async function deadParts(): Promise<string[]> {
    return (await sandboxStatus())
        .filter(({ state }) => state !== "running")
        .map(({ name }) => name);
}

test("programs that are killed, several at once too, are started again by their part", async () => {
    const before = innerPidOf(node, "kubelet");
    await killInside(node, "kubelet");
    const pid = () => Promise.resolve(innerPidOf(node, "kubelet"));
    expect(await eventually(pid, (now) => now !== before, 10)).not.toBe(before);
    const killed = ["etcd", "kube-apiserver", "kube-scheduler", "controllers"];
    const pids = () => Promise.resolve(killed.map((program) => innerPidOf(FIRST.hub, program)));
    const earlier = await pids();
    await Promise.all(killed.map((program) => killInside(FIRST.hub, program)));
    const isNew = (now: number[]) => now.every((pid, index) => pid !== earlier[index]);
    expect(await eventually(pids, isNew, 10)).toSatisfy(isNew);
    await ensureSandbox();
    expect(await readyNodes()).toEqual(nodeNames);
});

test("a second start when all is well is quick and changes nothing", async () => {
    const before = NODES.map((one) => firstProcessOf(one));
    const started = Date.now();
    await ensureSandbox();
    expect(Date.now() - started).toBeLessThan(5_000);
    expect(NODES.map((one) => firstProcessOf(one))).toEqual(before);
});

test("parts that were killed are started again, and the cluster remembers", async () => {
    await world.apply(webPod("kept", "a2"));
    await world.ready("kept");
    for (const part of [FIRST.hub, ...NODES]) {
        process.kill(firstProcessOf(part)!, "SIGKILL");
    }
    const dead = await eventually(deadParts, (names) => names.length === 1 + NODES.length, 10);
    expect(dead).toEqual(["control plane", ...nodeNames.map((name) => `node ${name}`)]);
    await ensureSandbox();
    expect(await deadParts()).toEqual([]);
    expect(await world.get("pod/kept", "{.status.phase}")).toBe("Running");
});

test("a zone without power is NotReady, and comes back with its disks", async () => {
    await world.apply(
        {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: { name: "data" },
            spec: {
                accessModes: ["ReadWriteOnce"],
                resources: { requests: { storage: "1Gi" } },
            },
        },
        shellPod("counter", "date >> /data/starts; wc -l < /data/starts; sleep 3600", {
            claim: "data",
            node: "b1",
        }),
    );
    await world.ready("counter");
    expect((await world.kubectl("logs", "counter")).trim()).toBe("1");

    await zoneDown("b");
    const others = nodeNames.filter((name) => !name.startsWith("b"));
    const ready = await eventually(
        readyNodes,
        (names) => names.length === others.length,
        SECONDS_TO_NOT_READY,
    );
    expect(ready).toEqual(others);
    expect(await deadParts()).toEqual(["node b1", "node b2"]);

    await zoneUp("b");
    expect(await readyNodes()).toEqual(nodeNames);
    const log = async () => (await world.kubectl("logs", "counter").catch(() => "")).trim();
    expect(await eventually(log, (text) => text === "2", 60)).toBe("2");
});

test("a zone goes dark at once: none of its processes is left", async () => {
    const first = firstProcessOf(node)!;
    await zoneDown("b");
    expect(childrenOf(first)).toEqual([]);
    expect(firstProcessOf(node)).toBeUndefined();
    await zoneUp("b");
    expect(await readyNodes()).toEqual(nodeNames);
});
