// MongoDB's replica set over three Kubernetes clusters that reach each other by load balancers only, and the one with primary and
// record without power. A stand-in: MongoDB's server (sandbox/simulators/mongodb); the driver is the vendor's. Not proven: what a
// cloud's load balancers and DNS do.
import { expect, test } from "vitest";
import { SANDBOXES, zoneDown, zoneUp } from "../../sandbox/index.js";
import { wideMongodbClient } from "./mongodb-client.js";
import { NAME, openPerZone } from "./per-zone.js";
import { sleep, type EngineClient } from "./workload.js";

const wide = openPerZone({
    engine: "mongodb",
    image: "localhost/mongodb-simulator:8.0.26",
    version: "8.0.26",
    resources: { cpu: "50m", memory: "1Gi" },
});
const MEMBERS = ["a", "b", "c"].map((zone) => `${NAME}-${zone}-0`);
let client: EngineClient;

test("a stack makes a member in each cluster, and clients of each find the set", async () => {
    await wide.up();
    await wide.ready(3);
    const addresses = MEMBERS.map((member) => wide.addressOf(member));
    const dns = SANDBOXES[2]!.hub.address;
    client = wideMongodbClient(NAME, await wide.password(), dns, addresses);
    await client.prepare(await wide.service("a"));
    for (const zone of ["a", "b", "c"]) {
        const report = await wide.under(client, zone, () => sleep(500), "");
        expect(report, `zone ${zone}`).toMatchObject({ failed: 0, failures: [] });
        expect(report.acknowledged).toBeGreaterThan(10);
        for (const member of MEMBERS) {
            expect(await wide.missing(client, member, report)).toEqual({ lost: [], doubled: [] });
        }
    }
    const { output } = await wide.up();
    expect(output).toMatch(/Resources:\n\s+\d+ unchanged\n/);
});

test("the cluster of primary and record without power: the others elect, and no acknowledged write is lost", async () => {
    const report = await wide.under(
        client,
        "b",
        async () => {
            await zoneDown("a");
            await sleep(30_000);
            expect(await wide.readyMembers()).toEqual([MEMBERS[1], MEMBERS[2]]);
            await zoneUp("a");
            await wide.ready(3);
        },
        "",
    );
    // An election takes 10 s (electionTimeoutMillis), and the client's own bounds come to it.
    expect(report.longestGap).toBeLessThan(25_000);
    for (const member of MEMBERS) {
        expect(await wide.missing(client, member, report)).toEqual({ lost: [], doubled: [] });
    }
});

test("a member leaves from another cluster than the record's with its claim, and joins there again, empty", async () => {
    const report = await wide.under(
        client,
        "b",
        async () => {
            await wide.up({ replicas: 2 });
            expect(await wide.claims("c")).toBe("");
            await wide.up();
        },
        "",
    );
    await wide.ready(3);
    for (const member of MEMBERS) {
        expect(await wide.missing(client, member, report)).toEqual({ lost: [], doubled: [] });
    }
});
