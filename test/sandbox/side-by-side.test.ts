// Three Kubernetes side by side: each by itself, all within reach of one another by load balancer only, one of them without
// power, and nothing left of them at the end.
// Not proven here: what becomes of two Services of different Kubernetes that ask for the same address.

import { execa } from "execa";
import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { processesInGroups } from "../../sandbox/cluster/cgroups.js";
import {
    ensureSandboxes,
    kubectl,
    ONE_ZONE_EACH,
    readyNodes,
    SANDBOXES,
    setNames,
    stopSandbox,
    zoneDown,
    zoneUp,
} from "../../sandbox/index.js";
import { eventually, service, shellPod, webPod, World } from "./world.js";

const worlds = SANDBOXES.map((sandbox) => new World("sandbox-side-by-side", sandbox));
const numbers = SANDBOXES.map(({ number }) => number);
/** Of one network that is nobody's own; the last is handed out by the third. */
const WISHES = ["172.30.8.61", "172.30.8.62", undefined];
const addresses: string[] = [];
const DOMAIN = "side.test";

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

/** A disk of the default class. */
const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name: "data" },
    spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
};

/** Lets these networks, and nobody else, send to the pod of the first Kubernetes' Service. */
const onlyFrom = (cidr: string) => ({
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "only-from" },
    spec: {
        podSelector: { matchLabels: { app: "web-0" } },
        ingress: [{ from: [{ ipBlock: { cidr } }] }],
    },
});

/** Until the answer at the first Kubernetes' load balancer is this one: rules take a moment to be in force. */
async function becomes(from: number, answer: string): Promise<void> {
    const now = () => ask(from, `http://${addresses[0]!}/`);
    expect(await eventually(now, (text) => text === answer, 20)).toBe(answer);
}

beforeAll(async () => {
    await ensureSandboxes(ONE_ZONE_EACH);
    for (const [number, world] of worlds.entries()) {
        const loadBalancerIP = WISHES[number];
        await world.create();
        await world.apply(
            webPod(`web-${number}`),
            claim,
            shellPod("client", "sleep 3600", { claim: "data" }),
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

afterAll(() => stopSandbox());

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
    "a pod of Kubernetes %i reaches load balancer and API server of Kubernetes %i, and pods and Services of its own only",
    async (from, to) => {
        expect(await ask(from, `http://${addresses[to]!}/`)).toBe(`web-${to}`);
        const pod = await worlds[to]!.get(`pod/web-${to}`, "{.status.podIP}");
        const inside = from === to ? `web-${to}` : "";
        expect(await ask(from, `http://${pod}:8080/`)).toBe(inside);
        const clusterIP = await worlds[to]!.get("service/web", "{.spec.clusterIP}");
        expect(await ask(from, `http://${clusterIP}/`)).toBe(inside);
        expect(await ask(from, `${SANDBOXES[to]!.apiServer}/livez`, "--insecure")).toBe("ok");
    },
);

test.each(numbers)("a name leads pods of Kubernetes %i to the same load balancer", async (from) => {
    const records = Object.fromEntries(addresses.map((one, number) => [`web-${number}`, one]));
    setNames(SANDBOXES, DOMAIN, records);
    for (const to of numbers) {
        const answer = () => ask(from, `http://web-${to}.${DOMAIN}/`);
        expect(await eventually(answer, (text) => text !== "", 30)).toBe(`web-${to}`);
    }
});

test("a load balancer sees pods of other Kubernetes by their own addresses", async () => {
    const ranges = [SANDBOXES[1]!.networks.pods];
    const patch = (value: string[] | null) =>
        worlds[0]!.kubectl(
            ...["patch", "service", "web", "--type=merge"],
            ...["-p", JSON.stringify({ spec: { loadBalancerSourceRanges: value } })],
        );
    await patch(ranges);
    await becomes(2, "");
    await becomes(1, "web-0");
    await patch(null);
    await becomes(2, "web-0");
});

test("a pod behind it sees an address of its own Kubernetes' nodes, and policies go by that", async () => {
    await worlds[0]!.apply(onlyFrom(SANDBOXES[1]!.networks.pods));
    await becomes(1, "");
    await worlds[0]!.apply(onlyFrom(SANDBOXES[0]!.networks.nodes));
    await becomes(1, "web-0");
    await worlds[0]!.kubectl("delete", "networkpolicy", "only-from");
});

test("a Kubernetes without power answers nobody, and comes back with all that was in it", async () => {
    const client = (script: string) =>
        worlds[1]!.kubectl("exec", "client", "--", "sh", "-c", script);
    await client("echo kept > /data/greeting; sync");
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
    const greeting = () => client("cat /data/greeting").catch(() => "");
    expect(await eventually(greeting, (text) => text !== "", 60)).toContain("kept");
});

test("the end of them leaves no process, network, mount or disk", async () => {
    await stopSandbox();
    const { stdout: spaces } = await execa("ip", ["netns", "list"]);
    expect(spaces).not.toMatch(/^(quorum|sandboxes-)/m);
    const { stdout: links } = await execa("ip", ["-br", "link"]);
    expect(links).not.toMatch(/^quorum/m);
    const mounts = readFileSync("/proc/self/mounts", "utf8");
    for (const sandbox of SANDBOXES) {
        expect(processesInGroups(sandbox)).toEqual([]);
        expect(mounts).not.toContain(`${sandbox.directory}/`);
        expect(existsSync(`${sandbox.directory}/nodes`)).toBe(false);
    }
});
