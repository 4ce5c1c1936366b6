// Names of the cloud's private DNS zones are answered by the sandbox's name server.

import { Resolver } from "node:dns/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { recordLines } from "../../sandbox/cluster/zone-files.js";
import { DNS_ADDRESS, ensureSandbox, ON_CLOUD } from "../../sandbox/index.js";
import { cloud, PROJECT } from "./cloud.js";
import { eventually } from "./world.js";

const ZONE = `projects/${PROJECT}/managedZones/orders`;
const RECORD = `${ZONE}/recordSets/A-orders-a-0.orders.internal.`;
const NAME = "orders-a-0.orders.internal";

const resolver = new Resolver();

async function write(path: string, properties: Record<string, string | number | string[]>) {
    await cloud.change((writer) =>
        writer.write(path, { type: "gcp:dns/x:X", id: path, properties, status: {} }),
    );
}

/** The addresses of a name, or why there are none. */
async function addresses(name: string): Promise<string> {
    try {
        return (await resolver.resolve4(name)).sort().join(" ");
    } catch (thrown) {
        return (thrown as NodeJS.ErrnoException).code!;
    }
}

const answers = (name: string, wanted: string) =>
    eventually(
        () => addresses(name),
        (answer) => answer === wanted,
        20,
    );

beforeAll(async () => {
    await ensureSandbox([], undefined, ON_CLOUD);
    resolver.setServers([DNS_ADDRESS]);
    await write(ZONE, { name: "orders", dnsName: "orders.internal.", visibility: "private" });
    await write(RECORD, { name: `${NAME}.`, type: "A", ttl: 5, rrdatas: ["172.30.8.20"] });
});

afterAll(async () => {
    await cloud.change((writer) => writer.remove(ZONE));
});

test("a record is one line for each of its values", () => {
    const record = { name: "x.y.", type: "A", ttl: 60, rrdatas: ["192.0.2.1", "192.0.2.2"] };
    expect(recordLines([record, { name: "z.y.", type: "CNAME", rrdatas: ["x.y."] }])).toEqual([
        "x.y. 60 IN A 192.0.2.1",
        "x.y. 60 IN A 192.0.2.2",
        "z.y. 300 IN CNAME x.y.",
    ]);
});

test("a record is answered, also after it has changed", async () => {
    expect(await answers(NAME, "172.30.8.20")).toBe("172.30.8.20");
    await write(RECORD, { name: `${NAME}.`, type: "A", ttl: 5, rrdatas: ["172.30.8.21"] });
    expect(await answers(NAME, "172.30.8.21")).toBe("172.30.8.21");
});

test("names that nobody made are not there, in the zone and outside of it", async () => {
    expect(await addresses("orders-b-0.orders.internal")).toBe("ENOTFOUND");
    expect(await addresses("example.com")).toBe("ENOTFOUND");
    expect(await addresses("kubernetes.default.svc.cluster.local")).toBe("10.96.0.1");
});

test("a zone that is deleted is not there any more", async () => {
    await cloud.change((writer) => writer.remove(ZONE));
    expect(await answers(NAME, "ENOTFOUND")).toBe("ENOTFOUND");
});
