// MySQL with asynchronous replication over three Kubernetes clusters that reach each other by load balancers only, and one of them
// without power. Real: Kubernetes, MySQL, its files. Not proven: what a cloud's load balancers and DNS do.
import { expect, test } from "vitest";
import { zoneDown, zoneUp } from "../../sandbox/index.js";
import { eventually } from "./kubernetes.js";
import { mysqlClient } from "./mysql-client.js";
import { NAME, openPerZone } from "./per-zone.js";
import { sleep, type EngineClient } from "./workload.js";

const wide = openPerZone({
    engine: "mysql",
    image: "localhost/mysql:9.7",
    version: "9.7.4",
    replication: "async",
    resources: { cpu: "100m", memory: "1Gi" },
});
const MEMBERS = ["a", "b", "c"].map((zone) => `${NAME}-${zone}-0`);
let client: EngineClient;

test("a stack makes a member in each cluster, and each cluster's Service leads writes to the primary", async () => {
    await wide.up();
    await wide.ready(3);
    client = mysqlClient(await wide.password());
    await client.prepare(await wide.service("a"));
    for (const zone of ["a", "b", "c"]) {
        const report = await wide.under(client, zone, () => sleep(500));
        expect(report, `zone ${zone}`).toMatchObject({ failed: 0, failures: [] });
        expect(report.acknowledged).toBeGreaterThan(10);
        for (const member of MEMBERS) {
            expect(await wide.missing(client, member, report)).toEqual({ lost: [], doubled: [] });
        }
    }
});

test("the same again changes nothing", async () => {
    const { output } = await wide.up();
    expect(output).toMatch(/Resources:\n\s+\d+ unchanged\n/);
});

test("leadership moves to another cluster, and the writes of all clusters with it", async () => {
    const report = await wide.under(client, "c", () => wide.up({ primary: MEMBERS[1] }));
    expect(report.longestGap).toBeLessThan(10_000);
    const back = await wide.under(client, "b", () => wide.up());
    for (const each of [report, back]) {
        for (const member of MEMBERS) {
            expect(await wide.missing(client, member, each)).toEqual({ lost: [], doubled: [] });
        }
    }
});

test("a whole cluster without power stops no write, and has all of them when it is back", async () => {
    const report = await wide.under(client, "b", async () => {
        await zoneDown("c");
        await sleep(5000);
        await zoneUp("c");
        await wide.ready(3);
    });
    expect(report).toMatchObject({ failed: 0, failures: [] });
    for (const member of MEMBERS) {
        expect(await wide.missing(client, member, report)).toEqual({ lost: [], doubled: [] });
    }
});

test("the cluster of primary and record without power stops the writes until it is back, and loses none that was acknowledged", async () => {
    const report = await wide.under(client, "b", async () => {
        await zoneDown("a");
        await sleep(5000);
        expect(await wide.readyMembers()).not.toContain(MEMBERS[0]);
        await zoneUp("a");
        await wide.ready(3);
        await eventually("writes to go on", 60, async () => {
            const session = await client.connect(await wide.service("b"));
            await session.close();
            return true;
        });
        await sleep(3000);
    });
    expect(report.failed).toBeGreaterThan(0);
    for (const member of MEMBERS) {
        expect(await wide.missing(client, member, report)).toEqual({ lost: [], doubled: [] });
    }
});

test("a member leaves from another cluster than the record's with its claim, and joins there again, empty", async () => {
    const smaller = await wide.under(client, "a", () => wide.up({ replicas: 2 }));
    expect(await wide.claims("c")).toBe("");
    const larger = await wide.under(client, "a", () => wide.up());
    await wide.ready(3);
    for (const report of [smaller, larger]) {
        expect(report).toMatchObject({ failed: 0, failures: [] });
        for (const member of MEMBERS) {
            expect(await wide.missing(client, member, report)).toEqual({ lost: [], doubled: [] });
        }
    }
});
