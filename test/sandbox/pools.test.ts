// Node pools of the cloud's stand-in: machines come, are made again one by one, and go without a trace.
// Not proven here: that Google's own pools do so; how long they take.

import { execa } from "execa";
import { existsSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drain } from "../../sandbox/cloud/drain.js";
import { nextStep, wishOf } from "../../sandbox/cloud/pool-plan.js";
import { FIRST } from "../../sandbox/cluster/plan.js";
import { nodesOf } from "../../sandbox/cluster/registry.js";
import type { Api } from "../../sandbox/controllers/api.js";
import { ensureSandbox, kubectl, ON_CLOUD, readyNodes } from "../../sandbox/index.js";
import {
    deleteCluster,
    makeCluster,
    nodesOfPool,
    poolPath,
    state,
    stopPool,
    writePool,
} from "./cloud.js";
import { eventually, shellPod, World } from "./world.js";

const ZONES = ["sandbox-a", "sandbox-b"];

describe("the next step", () => {
    const wish = { count: 2, template: "new" };
    const machine = (name: string, template = "new") => ({ name, template });

    test("missing nodes are made, all at once", () => {
        expect(nextStep("PROVISIONING", wish, [])).toEqual({ kind: "make", count: 2 });
    });

    test("a new node comes before an old one goes, and they go one by one", () => {
        const old = [machine("x", "old"), machine("y", "old")];
        expect(nextStep("RECONCILING", wish, old)).toEqual({ kind: "make", count: 1 });
        const surged = [...old, machine("a")];
        expect(nextStep("RECONCILING", wish, surged)).toEqual({ kind: "retire", name: "x" });
        const half = [machine("y", "old"), machine("a")];
        expect(nextStep("RECONCILING", wish, half)).toEqual({ kind: "make", count: 1 });
    });

    test("of too many, one goes at a time", () => {
        const three = [machine("b"), machine("a"), machine("c")];
        expect(nextStep("RECONCILING", wish, three)).toEqual({ kind: "retire", name: "a" });
    });

    test("a pool that stops lets all of them go, and settles when none is left", () => {
        expect(nextStep("STOPPING", wish, [machine("a")])).toEqual({ kind: "clear" });
        expect(nextStep("STOPPING", wish, [])).toEqual({ kind: "settle" });
    });
});

describe("what a pool asks for", () => {
    test("a count, at least the autoscaler's minimum, never a size of its own", () => {
        const count = (more: object) =>
            wishOf({ nodeLocations: ["sandbox-a"], ...more }, ZONES).count;
        expect(count({ nodeCount: 3, initialNodeCount: 1 })).toBe(3);
        expect(count({ initialNodeCount: 2 })).toBe(2);
        expect(count({ autoscaling: { minNodeCount: 4 } })).toBe(4);
        expect(count({})).toBe(0);
    });

    test("nodes are made again for what they are made of, whatever the order of keys", () => {
        const template = (nodeConfig: object) =>
            wishOf({ nodeLocations: ["sandbox-a"], nodeConfig: { ...nodeConfig } }, ZONES).template;
        const present = template({ machineType: "e2-small", labels: { x: "1", y: "2" } });
        expect(template({ labels: { y: "2", x: "1" }, machineType: "e2-small" })).toBe(present);
        expect(template({ machineType: "e2-medium", labels: { x: "1", y: "2" } })).not.toBe(
            present,
        );
    });

    test("two zones and a zone that is not there are refused", () => {
        expect(() => wishOf({ nodeLocations: ["sandbox-a", "sandbox-b"] }, ZONES)).toThrow(
            "The sandbox makes node pools of one zone, not of sandbox-a, sandbox-b",
        );
        expect(() => wishOf({ nodeLocations: ["europe-west1-b"] }, ZONES)).toThrow(
            'There is no zone "europe-west1-b"; the zones are sandbox-a, sandbox-b.',
        );
    });
});

test("a drained node is let go when kubelet has said that it uses no volume", async () => {
    const inUse = [["csi^disk"], ["csi^disk"], []];
    const asked: string[] = [];
    const request = (method: string, path: string): Promise<unknown> => {
        asked.push(`${method} ${path}`);
        return Promise.resolve(
            method === "PATCH"
                ? {}
                : path.includes("/pods?")
                  ? { items: [] }
                  : { status: { volumesInUse: inUse.shift() } },
        );
    };
    await drain({ request } as unknown as Api, "n", () => true);
    expect(asked).toEqual([
        "PATCH /api/v1/nodes/n",
        "GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn",
        ...["GET /api/v1/nodes/n", "GET /api/v1/nodes/n", "GET /api/v1/nodes/n"],
    ]);
});

describe("in the sandbox", () => {
    const world = new World("sandbox-pools");
    const members = (more: object = {}) => ({
        nodeLocations: ["sandbox-a"],
        nodeCount: 1,
        nodeConfig: {
            machineType: "e2-standard-4",
            labels: { "quorum.dev/members": "orders" },
            taints: [{ key: "quorum.dev/members", value: "orders", effect: "NO_SCHEDULE" }],
        },
        ...more,
    });
    const member = shellPod("member", "sleep 3600", {
        spec: {
            nodeSelector: { "quorum.dev/members": "orders" },
            tolerations: [{ key: "quorum.dev/members", operator: "Exists" }],
        },
    });
    const budget = {
        apiVersion: "policy/v1",
        kind: "PodDisruptionBudget",
        metadata: { name: "never" },
        spec: { maxUnavailable: 0, selector: { matchLabels: { app: "member" } } },
    };

    /** What is left of a node on this machine. */
    async function tracesOf(node: { name: string; podNetwork: string; directory: string }) {
        const said = await Promise.all([
            execa("ip", ["netns", "list"]),
            execa("ip", ["route", "show"]),
            execa("ip", ["-n", FIRST.hub.namespace, "route", "show"]),
            execa("find", ["/sys/fs/cgroup", "-maxdepth", "3", "-name", node.name]),
        ]);
        return [
            ...said
                .map(({ stdout }) => stdout)
                .join("\n")
                .split("\n")
                .filter((line) => line.includes(node.name) || line.includes(node.podNetwork)),
            ...(existsSync(node.directory) ? [node.directory] : []),
        ];
    }

    beforeAll(async () => {
        await ensureSandbox([], undefined, ON_CLOUD);
        await makeCluster();
    });

    afterAll(() => deleteCluster());

    test("a control plane of the cloud begins with no node of its own", async () => {
        expect(await readyNodes()).toEqual([]);
    });

    test("a pool's machines have its zone, labels and taints", async () => {
        await writePool("a", members());
        const [name] = await nodesOfPool("a");
        expect(name).toMatch(/^gke-trial-a-[0-9a-f]{8}-[0-9a-f]{4}$/);
        const node = JSON.parse(await kubectl(["get", "node", name!, "-o", "json"])) as {
            metadata: { labels: Record<string, string> };
            spec: { taints?: object[]; providerID: string };
        };
        expect(node.metadata.labels).toMatchObject({
            "topology.kubernetes.io/zone": "sandbox-a",
            "topology.kubernetes.io/region": "sandbox",
            "cloud.google.com/gke-nodepool": "a",
            "node.kubernetes.io/instance-type": "e2-standard-4",
            "quorum.dev/members": "orders",
        });
        expect(node.spec.taints).toContainEqual({
            key: "quorum.dev/members",
            value: "orders",
            effect: "NoSchedule",
        });
        expect(node.spec.providerID).toBe(`gce://quorum-sandbox/sandbox-a/${name!}`);
    });

    test("another machine type: a new node first, and the old one waits for the budget", async () => {
        await world.create();
        await world.apply(member, budget);
        await world.ready("member");
        const old = nodesOf(FIRST)[0]!;
        const nodeConfig = { ...members().nodeConfig, machineType: "e2-standard-8" };
        await writePool("a", members({ nodeConfig }));
        const cordoned = () =>
            kubectl(["get", "node", old.name, "-o", "jsonpath={.spec.unschedulable}"]);
        expect(await eventually(cordoned, (text) => text === "true", 90)).toBe("true");
        expect((await readyNodes()).length).toBe(2);
        expect(await world.get("pod/member", "{.metadata.deletionTimestamp}")).toBe("");

        await world.kubectl("delete", "poddisruptionbudget", "never");
        const [renewed, ...more] = await nodesOfPool("a");
        expect(more).toEqual([]);
        expect(renewed).not.toBe(old.name);
        expect(await readyNodes()).toEqual([renewed]);
        expect(await tracesOf(old)).toEqual([]);
    });

    test("pods on nodes of several zones reach each other, whichever came first", async () => {
        await writePool("b", { nodeLocations: ["sandbox-b"], nodeCount: 1 });
        await nodesOfPool("b");
        await world.apply(member, shellPod("other", "sleep 3600"));
        await world.ready("member");
        await world.ready("other");
        const address = await world.get("pod/other", "{.status.podIP}");
        const ping = ["ping", "-c", "1", "-w", "5", address];
        expect(await world.kubectl("exec", "member", "--", ...ping)).toContain(
            "1 packets received",
        );
    });

    test("a deleted pool goes at once whatever the budgets say, unless it was told to heed them", async () => {
        await world.apply(budget);
        const heeding = { nodeDrainConfigs: [{ respectPdbDuringNodePoolDeletion: true }] };
        const nodeConfig = { ...members().nodeConfig, machineType: "e2-standard-8" };
        await writePool("a", members({ nodeConfig, ...heeding }));
        await nodesOfPool("a");
        await stopPool("a");
        const node = nodesOf(FIRST).find(({ machine }) => machine?.pool === poolPath("a"))!;
        const cordoned = () =>
            kubectl(["get", "node", node.name, "-o", "jsonpath={.spec.unschedulable}"]);
        expect(await eventually(cordoned, (text) => text === "true", 30)).toBe("true");
        expect(await world.get("pod/member", "{.metadata.deletionTimestamp}")).toBe("");
        await world.kubectl("delete", "poddisruptionbudget", "never");
        await state(poolPath("a"), undefined);
        expect(await tracesOf(node)).toEqual([]);

        await world.apply({
            ...budget,
            spec: { maxUnavailable: 0, selector: { matchLabels: { app: "other" } } },
        });
        await stopPool("b");
        await state(poolPath("b"), undefined);
        expect(await kubectl(["get", "nodes", "-o", "name"])).toBe("");
    });

    test("a deleted cluster leaves nothing to the next one", async () => {
        await world.kubectl("create", "configmap", "kept");
        const before = await kubectl([
            "get",
            "ns",
            "kube-system",
            "-o",
            "jsonpath={.metadata.uid}",
        ]);
        await deleteCluster();
        await makeCluster();
        const after = await kubectl(["get", "ns", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
        expect(after).not.toBe(before);
        expect(await kubectl(["get", "namespaces", "-o", "name"])).not.toContain(world.namespace);
    });
});
