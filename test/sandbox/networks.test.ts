// Nothing leaves the machine, and inside everything reaches everything.
// Not proven here: that IPv6 is off in pods of the host's network.

import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureSandbox, NODES } from "../../sandbox/index.js";
import { eventually, service, webPod, World } from "./world.js";

/** A documentation address (RFC 5737): of no real host, and outside all of the sandbox's ranges. */
const OUTER_ADDRESS = "192.0.2.1";

const world = new World("sandbox-networks");

beforeAll(async () => {
    await ensureSandbox();
    await world.create();
    await world.apply(
        webPod("here", "a1"),
        webPod("neighbour", "a1"),
        webPod("there", "c2"),
        service("web", { selector: { app: "there" } }),
        service("self", { selector: { app: "here" } }),
        service("beside", { selector: { app: "neighbour" } }),
    );
    for (const pod of ["here", "neighbour", "there"]) await world.ready(pod);
});

afterAll(() => world.remove());

async function inPod(line: string): Promise<string> {
    return world.kubectl("exec", "here", "--", "sh", "-c", line);
}

test.each(["quorum-hub", ...NODES.map((node) => node.namespace)])(
    "%s has no route to the outer world",
    async (namespace) => {
        const lookup = await execa("ip", ["-n", namespace, "route", "get", OUTER_ADDRESS], {
            reject: false,
        });
        expect(lookup.stderr).toContain("Network is unreachable");
        const defaults = await execa("ip", ["-n", namespace, "route", "show", "default"]);
        expect(defaults.stdout).toBe("");
    },
);

test("a pod's connection to an outer address fails", async () => {
    const attempt = `curl --silent --max-time 5 http://${OUTER_ADDRESS}/; echo "ended with $?"`;
    // 7: refused by the route; 28: nothing answered. Either way nobody was reached.
    expect(await inPod(attempt)).toMatch(/^ended with (7|28)$/);
});

test("this machine forwards nothing that comes from the sandbox", async () => {
    const rules = await execa("ip", ["-4", "rule", "show"]);
    expect(rules.stdout).toMatch(/from all iif quorum0 prohibit/);
});

test("a name of the outer world is refused at once", async () => {
    const started = Date.now();
    expect(await inPod("nslookup example.com || true")).toContain("NXDOMAIN");
    expect(Date.now() - started).toBeLessThan(5_000);
});

test("a pod reaches a service by its short and by its full name", async () => {
    expect(await inPod("curl --silent --max-time 5 http://web/")).toBe("there");
    expect(
        await inPod(`curl --silent --max-time 5 http://web.${world.namespace}.svc.cluster.local/`),
    ).toBe("there");
});

test("a pod reaches itself and its neighbour on the node through services", async () => {
    expect(await inPod("curl --silent --max-time 5 http://self/")).toBe("here");
    expect(await inPod("curl --silent --max-time 5 http://beside/")).toBe("neighbour");
});

test("this machine reaches pods and services", async () => {
    const ask = async (address: string) =>
        (await execa("curl", ["--silent", "--max-time", "5", address])).stdout;
    const pod = await world.get("pod/there", "{.status.podIP}");
    expect(await ask(`http://${pod}:8080/`)).toBe("there");
    const address = await world.get("service/web", "{.spec.clusterIP}");
    expect(
        await eventually(
            () => ask(`http://${address}/`),
            (text) => text !== "",
            10,
        ),
    ).toBe("there");
});
