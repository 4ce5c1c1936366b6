// Network policies are enforced: who is not let in is not answered, whichever way he comes.
// Not proven here: selectors, networks, ranges of ports and other protocols one by one; they are in
// test/unit/network-policies.test.ts.

import { execa } from "execa";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { FIRST } from "../../sandbox/cluster/plan.js";
import { firstProcessOf, innerPidOf } from "../../sandbox/cluster/processes.js";
import { DNS_ADDRESS, ensureSandbox, zoneDown, zoneUp } from "../../sandbox/index.js";
import { eventually, service, shellPod, webPod, World } from "./world.js";

/** What curl ends with when nobody answers. */
const NO_ANSWER = "ended with 28";

const world = new World("sandbox-policies");
let outside: string;

beforeAll(async () => {
    await ensureSandbox();
    await world.create();
    await world.apply(
        webPod("web", "b1"),
        shellPod("stranger", "sleep 3600", { node: "b1" }),
        shellPod("friend", "sleep 3600", { node: "c1" }),
        service("site", { selector: { app: "web" } }),
        service("outside", { type: "LoadBalancer", selector: { app: "web" } }),
    );
    for (const pod of ["web", "stranger", "friend"]) await world.ready(pod);
    outside = await eventually(
        () => world.get("service/outside", "{.status.loadBalancer.ingress[0].ip}"),
        (address) => address !== "",
        10,
    );
});

afterEach(async () => {
    await world.kubectl("delete", "networkpolicy", "--all");
});

afterAll(async () => {
    await zoneUp("b");
    await world.remove();
});

function policy(name: string, app: string, spec: object): object {
    return {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name },
        spec: { podSelector: { matchLabels: { app } }, ...spec },
    };
}

const nobody = policy("nobody", "web", { policyTypes: ["Ingress"] });
const friends = policy("friends", "web", {
    ingress: [
        { from: [{ podSelector: { matchLabels: { app: "friend" } } }], ports: [{ port: "http" }] },
    ],
});

const curl = (url: string) => `curl --silent --max-time 2 ${url} || echo "ended with $?"`;

const askFrom =
    (pod: string, url = "http://site/") =>
    async () =>
        // A pod that is not up yet cannot be asked.
        (await world.kubectl("exec", pod, "--", "sh", "-c", curl(url)).catch(() => "")).trim();

/** From this machine, through the load balancer's address. */
const askFromOutside = async () =>
    (await execa("sh", ["-c", curl(`http://${outside}/`)])).stdout.trim();

/** To the process of the sandbox that enforces policies. */
async function signalControllers(signal: "STOP" | "CONT"): Promise<void> {
    const pid = String(innerPidOf(FIRST.hub, "controllers"));
    const hub = String(firstProcessOf(FIRST.hub)!);
    await execa("nsenter", ["--target", hub, "--pid", "kill", `-${signal}`, pid]);
}

async function becomes(ask: () => Promise<string>, answer: string): Promise<void> {
    expect(await eventually(ask, (now) => now === answer, 15)).toBe(answer);
}

test("without a policy everybody is answered", async () => {
    for (const ask of [askFrom("stranger"), askFrom("friend"), askFromOutside]) {
        await becomes(ask, "web");
    }
});

test("a pod that nobody may reach is reached by nobody but kubelet and itself", async () => {
    await world.apply(nobody);
    for (const ask of [askFrom("stranger"), askFrom("friend"), askFromOutside]) {
        await becomes(ask, NO_ANSWER);
    }
    expect(await askFrom("web")()).toBe("web");
    const restarted = webPod("restarted", "b1");
    await world.apply(policy("restarted", "restarted", { policyTypes: ["Ingress"] }), restarted);
    await world.ready("restarted");
    await world.kubectl("delete", "pod", "restarted");
});

test("who is let in gets in, by a Service and by address, and to the named port only", async () => {
    await world.apply(friends);
    await becomes(askFrom("stranger"), NO_ANSWER);
    const address = await world.get("pod/web", "{.status.podIP}");
    expect(await askFrom("friend")()).toBe("web");
    expect(await askFrom("friend", `http://${address}:8080/`)()).toBe("web");
    // Nothing listens there: where the packet arrives, the answer is "refused" (7).
    expect(await askFrom("friend", `http://${address}:8081/`)()).toBe(NO_ANSWER);
    expect(await askFromOutside()).toBe(NO_ANSWER);
});

test("a new label opens the door, and its loss closes it", async () => {
    await world.apply(friends);
    await becomes(askFrom("stranger"), NO_ANSWER);
    await world.kubectl("label", "--overwrite", "pod", "stranger", "app=friend");
    await becomes(askFrom("stranger"), "web");
    await world.kubectl("label", "--overwrite", "pod", "stranger", "app=stranger");
    await becomes(askFrom("stranger"), NO_ANSWER);
});

test("what comes through a load balancer's address comes from a node's", async () => {
    await world.apply(
        nobody,
        policy("nodes", "web", {
            ingress: [
                { from: [{ ipBlock: { cidr: FIRST.networks.nodes } }], ports: [{ port: 8080 }] },
            ],
        }),
    );
    await becomes(askFrom("friend"), NO_ANSWER);
    expect(await askFromOutside()).toBe("web");
});

test("a pod whose ways out are named has no other", async () => {
    await world.apply(
        policy("names-only", "friend", {
            policyTypes: ["Egress"],
            egress: [
                {
                    to: [{ ipBlock: { cidr: `${DNS_ADDRESS}/32` } }],
                    ports: [{ port: 53, protocol: "UDP" }],
                },
            ],
        }),
    );
    await becomes(askFrom("friend"), NO_ANSWER);
    const name = `site.${world.namespace}.svc.cluster.local`;
    expect(await world.kubectl("exec", "friend", "--", "nslookup", name)).toContain(
        await world.get("service/site", "{.spec.clusterIP}"),
    );
    // The way in is another matter.
    expect(await askFrom("stranger")()).toBe("web");
});

test("a new pod is closed until its policies are known, but not to kubelet", async () => {
    await signalControllers("STOP");
    try {
        await world.apply(webPod("new", "c2"));
        await world.ready("new");
        const url = `http://${await world.get("pod/new", "{.status.podIP}")}:8080/`;
        expect(await askFrom("friend", url)()).toBe(NO_ANSWER);
        expect(await askFrom("new", "http://site/")()).not.toBe("web");
        await signalControllers("CONT");
        await becomes(askFrom("friend", url), "new");
        await becomes(askFrom("new"), "web");
    } finally {
        await signalControllers("CONT");
    }
});

test("a node that was without power enforces again", async () => {
    await world.apply(friends);
    await becomes(askFrom("stranger"), NO_ANSWER);
    await zoneDown("b");
    await zoneUp("b");
    await becomes(askFrom("friend"), "web");
    await becomes(askFrom("stranger"), NO_ANSWER);
});
