// Three Kubernetes side by side: each by itself, all within reach of one another, and one of them without power.
// Not proven here: what becomes of two Services of different Kubernetes that ask for the same address.

import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
    ensureSandboxes,
    kubectl,
    ONE_ZONE_EACH,
    readyNodes,
    SANDBOXES,
    zoneDown,
    zoneUp,
} from "../../sandbox/index.js";
import { eventually, service, shellPod, webPod, World } from "./world.js";

const worlds = SANDBOXES.map((sandbox) => new World("sandbox-side-by-side", sandbox));
const numbers = SANDBOXES.map(({ number }) => number);
/** Of one network that is nobody's own; the last is handed out by the third. */
const WISHES = ["172.30.8.61", "172.30.8.62", undefined];
const addresses: string[] = [];

const ADDRESS = "{.status.loadBalancer.ingress[0].ip}";
const CURL = ["curl", "--silent", "--max-time", "3"];

async function askFromHere(address: string): Promise<string> {
    return (await execa("curl", [...CURL.slice(1), `http://${address}/`], { reject: false }))
        .stdout;
}

/** What a pod of one Kubernetes hears at an address; empty when nobody answers. */
async function ask(from: number, url: string, ...more: string[]): Promise<string> {
    return worlds[from]!.kubectl("exec", "client", "--", ...CURL, ...more, url).catch(() => "");
}

beforeAll(async () => {
    await ensureSandboxes(ONE_ZONE_EACH);
    for (const [number, world] of worlds.entries()) {
        const loadBalancerIP = WISHES[number];
        await world.create();
        await world.apply(
            webPod(`web-${number}`),
            shellPod("client", "sleep 3600"),
            service("web", {
                type: "LoadBalancer",
                selector: { app: `web-${number}` },
                ...(loadBalancerIP !== undefined && { loadBalancerIP }),
            }),
        );
    }
    for (const [number, world] of worlds.entries()) {
        await world.ready(`web-${number}`);
        await world.ready("client");
        const get = () => world.get("service/web", ADDRESS);
        addresses.push(await eventually(get, (text) => text !== "", 20));
    }
});

afterAll(async () => {
    await zoneUp("b");
    for (const world of worlds) await world.remove();
});

test("each is a Kubernetes of its own, with a zone of its own", async () => {
    const identities = await Promise.all(
        SANDBOXES.map((sandbox) =>
            kubectl(["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"], sandbox),
        ),
    );
    expect(new Set(identities).size).toBe(3);
    expect(await Promise.all(SANDBOXES.map((sandbox) => readyNodes(sandbox)))).toEqual([
        ["a1"],
        ["b1"],
        ["c1"],
    ]);
});

test("load balancers have the addresses that were asked for, and others that nobody else hands out", () => {
    expect(addresses).toEqual(["172.30.8.61", "172.30.8.62", "172.30.8.200"]);
});

test.each(numbers)("this machine reaches the load balancer of Kubernetes %i", async (number) => {
    const answer = () => askFromHere(addresses[number]!);
    expect(await eventually(answer, (text) => text !== "", 20)).toBe(`web-${number}`);
});

test.each(numbers.flatMap((from) => numbers.map((to) => [from, to] as const)))(
    "a pod of Kubernetes %i reaches load balancer and API server of Kubernetes %i, and pods of its own only",
    async (from, to) => {
        expect(await ask(from, `http://${addresses[to]!}/`)).toBe(`web-${to}`);
        const pod = await worlds[to]!.get(`pod/web-${to}`, "{.status.podIP}");
        expect(await ask(from, `http://${pod}:8080/`)).toBe(from === to ? `web-${to}` : "");
        expect(await ask(from, `${SANDBOXES[to]!.apiServer}/livez`, "--insecure")).toBe("ok");
    },
);

test("a Kubernetes without power answers nobody, and comes back with all that was in it", async () => {
    await zoneDown("b");
    expect(await askFromHere(addresses[1]!)).toBe("");
    expect(await ask(0, `http://${addresses[1]!}/`)).toBe("");
    await expect(kubectl(["get", "nodes"], SANDBOXES[1])).rejects.toThrow();
    // The others do not notice.
    expect(await ask(0, `http://${addresses[2]!}/`)).toBe("web-2");
    expect(await ask(2, `http://${addresses[0]!}/`)).toBe("web-0");

    await zoneUp("b");
    expect(await readyNodes(SANDBOXES[1])).toEqual(["b1"]);
    const answer = () => ask(0, `http://${addresses[1]!}/`);
    expect(await eventually(answer, (text) => text !== "", 60)).toBe("web-1");
    expect(await worlds[1]!.get("service/web", ADDRESS)).toBe(addresses[1]);
});
