// MongoDB on platform gke, destroyed with its data kept, and adopted by a new stack. Stand-ins: Google Cloud (sandbox/cloud) and
// MongoDB's server, a simulator that keeps its rows on the member's disk. So what is shown is that this program keeps the disks and
// the passwords, finds both again and forms nothing anew; not what mongod makes of its files.
import { expect, test } from "vitest";
import { MONGODB, openGoogleStack } from "./gke.js";

const google = openGoogleStack(MONGODB);
const MEMBERS = ["cloudy-sandbox-a-0", "cloudy-sandbox-b-0", "cloudy-sandbox-c-0"];
const inOrder = (ids: readonly number[]) => [...ids].sort((a, b) => a - b);

test("a stack makes its Kubernetes, nodes in three zones, a disk for each member, and a database that works", async () => {
    await google.up();
    await google.namespace.ready(3);
    expect(await google.memberNodes()).toEqual(["sandbox-a", "sandbox-b", "sandbox-c"]);
    await google.prepare();
    const report = await google.under(() => Promise.resolve());
    expect(report).toMatchObject({ failed: 0, lost: [] });
    expect(report.acknowledged).toBeGreaterThan(10);
});

test("the same again changes nothing", async () => {
    const { output } = await google.up();
    expect(output).toMatch(/Resources:\n\s+\d+ unchanged\n/);
});

test("a stack that was destroyed comes back in a new one with every row", async () => {
    const before = await google.ids();
    expect(before.length).toBeGreaterThan(10);
    await google.destroyed();
    expect(google.disks()).toEqual(MEMBERS);
    await google.forget();
    await google.up({ adopt: true });
    await google.namespace.ready(3);
    expect(inOrder(await google.ids())).toEqual(inOrder(before));
    const report = await google.under(() => Promise.resolve());
    expect(report).toMatchObject({ failed: 0, lost: [] });
});
