// Nodes and zones of a running PostgreSQL on platform gke, and what others do in Google's console. What is real and what is not:
// see gke.test.ts. It takes some six minutes, so it runs by name.
import { expect, test } from "vitest";
import { EVERY_NODE_POOL, zonalDiskPath } from "../../sandbox/cloud/paths.js";
import { openGoogleStack, PROJECT } from "./gke.js";

const google = openGoogleStack();

test("a stack comes up", async () => {
    await google.up();
    await google.namespace.ready(3);
    await google.prepare();
});

test("members and their nodes are scaled together, out and in", async () => {
    const out = await google.under(() => google.up({ replicas: 5 }));
    expect(out).toMatchObject({ failed: 0, lost: [] });
    expect(await google.memberNodes()).toEqual([
        ...["sandbox-a", "sandbox-a", "sandbox-b", "sandbox-b", "sandbox-c"],
    ]);
    const machines = { type: "e2-standard-4", count: 2 };
    const members = await google.under(() => google.up({ replicas: 3, machines }));
    expect(members.lost).toEqual([]);
    const nodes = await google.under(() => google.up());
    expect(nodes.lost).toEqual([]);
    expect(await google.memberNodes()).toEqual(["sandbox-a", "sandbox-b", "sandbox-c"]);
});

test("another family of machines: new pools first, the old ones drained, one member away at a time", async () => {
    const machines = { type: "n2-standard-4" };
    const watch = google.watchReadiness();
    const report = await google.under(() => google.up({ machines }));
    expect(report.lost).toEqual([]);
    expect(await watch.fewestReady()).toBeGreaterThanOrEqual(2);
    await google.namespace.ready(3);
    await google.up({ machines });
});

test("zone d takes the place of a, member by member", async () => {
    const zones = ["sandbox-b", "sandbox-c", "sandbox-d"];
    const machines = { type: "n2-standard-4" };
    const report = await google.under(() => google.up({ zones, machines }));
    expect(report.lost).toEqual([]);
    expect(await google.memberNodes()).toEqual(zones);
    await google.namespace.ready(3);
});

test("a disk that a colleague grew stays, and a pool that was deleted comes back", async () => {
    const zones = ["sandbox-b", "sandbox-c", "sandbox-d"];
    const machines = { type: "n2-standard-4" };
    const disk = zonalDiskPath(PROJECT, "sandbox-b", "cloudy-sandbox-b-0");
    await google.cloud.update(disk, (now) => ({
        ...now,
        properties: { ...now.properties, size: 30 },
    }));
    await google.refresh();
    const grown = google.cloud.read(disk);
    const { output } = await google.up({ zones, machines });
    expect(output).toMatch(/Resources:\n\s+\d+ unchanged\n/);
    expect(google.cloud.read(disk)).toEqual(grown);
    expect(grown!.properties["size"]).toBe(30);
    const pools = google.cloud.find(EVERY_NODE_POOL);
    expect(pools.length).toBe(6);
    await google.deletePool("sandbox-c");
    await google.refresh();
    const back = await google.up({ zones, machines });
    expect(back.output).not.toContain("replaced");
    await google.namespace.ready(3);
    expect(await google.memberNodes()).toEqual(zones);
});
