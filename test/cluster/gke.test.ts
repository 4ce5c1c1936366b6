// PostgreSQL on platform gke, from nothing, with the data of a stack that was destroyed. Real: Kubernetes, its nodes' processes,
// PostgreSQL and the file systems of its disks. A stand-in: Google Cloud (sandbox/cloud), so nothing of Google's is shown.
import { expect, test } from "vitest";
import { openGoogleStack } from "./gke.js";

const google = openGoogleStack();
const MEMBERS = ["cloudy-sandbox-a-0", "cloudy-sandbox-b-0", "cloudy-sandbox-c-0"];

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

test("disks grow under the database, and the update ends when each file system has it", async () => {
    expect(await google.sizeOf(MEMBERS[0]!)).toBeLessThanOrEqual(10);
    const report = await google.under(() => google.up({ storage: { size: "20Gi" } }));
    for (const member of MEMBERS) {
        expect(await google.sizeOf(member)).toBeGreaterThanOrEqual(19);
    }
    expect(report).toMatchObject({ failed: 0, lost: [] });
});

test("a stack that was destroyed comes back in a new one with every row", async () => {
    const before = await google.ids();
    await google.destroyed({ storage: { size: "20Gi" } });
    expect(google.disks()).toEqual(MEMBERS);
    await google.forget();
    await google.up({ adopt: true, storage: { size: "20Gi" } });
    await google.namespace.ready(3);
    expect([...(await google.ids())].sort((a, b) => a - b)).toEqual(
        [...before].sort((a, b) => a - b),
    );
});
