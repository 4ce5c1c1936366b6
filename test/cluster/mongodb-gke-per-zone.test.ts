// The mission's second design: MongoDB's replica set over three Kubernetes clusters that the program makes itself, each member
// with a disk and a load balancer of its own. Stand-ins: Google Cloud (sandbox/cloud) and MongoDB's server; Kubernetes, its
// nodes' processes and the file systems of the disks are real.
import { afterAll, beforeAll, expect, test } from "vitest";
import {
    ensureSandboxes,
    kubeconfigPath,
    kubectl,
    SANDBOXES,
    stopSandbox,
    THREE_ON_CLOUD,
    zoneDown,
    zoneUp,
} from "../../sandbox/index.js";
import { cloudDirectory } from "../../sandbox/places.js";
import { PROJECT } from "./gke.js";
import { eventually, isReady, MEMBERS as MEMBER_PODS, type Pod } from "./kubernetes.js";
import { wideMongodbClient } from "./mongodb-client.js";
import { Stack, succeeded, type Config } from "./stack.js";
import { compare, sleep, Workload, type EngineClient } from "./workload.js";

const NAME = "far";
const DOMAIN = "far.db.test";
const ZONES = ["sandbox-a", "sandbox-b", "sandbox-c"];
const MEMBERS = ZONES.map((zone) => `${NAME}-${zone}-0`);
const CONFIG: Config = {
    name: NAME,
    engine: "mongodb",
    image: "localhost/mongodb-simulator:8.0.26",
    version: "8.0.26",
    platform: "gke",
    layout: "cluster-per-zone",
    zones: ZONES,
    // The sandboxes' own networks.
    gke: {
        project: PROJECT,
        ranges: { nodes: "172.30.0.0/19", pods: "10.244.0.0/16", services: "10.96.0.0/16" },
    },
    machines: { type: "e2-standard-4" },
    names: { domain: DOMAIN },
    access: { members: { type: "LoadBalancer" } },
    resources: { cpu: "50m", memory: "1Gi" },
};

let stack: Stack;
let client: EngineClient;
let addresses: Record<string, string>;

beforeAll(async () => {
    await stopSandbox();
    await ensureSandboxes(THREE_ON_CLOUD, ["mongodb"]);
    stack = await Stack.open("test-gke-per-zone", kubeconfigPath(), cloudDirectory());
    await stack.reset();
});

afterAll(async () => {
    await stopSandbox();
    await stack.remove();
});

async function up(over: Config = {}): Promise<string> {
    const result = await stack.up({ ...CONFIG, ...over });
    succeeded(result);
    return result.output;
}

/** Connects anew, as an application would that reads the outputs. */
async function open(): Promise<void> {
    const { connection, members } = await stack.outputs();
    addresses = Object.fromEntries(
        (members as { name: string; external: string }[]).map(({ name, external }) => [
            name,
            external.split(":")[0]!,
        ]),
    );
    const { password } = new URL(connection as string);
    const dns = SANDBOXES[2]!.hub.address;
    client = wideMongodbClient(NAME, password, dns, Object.values(addresses));
}

const service = () =>
    kubectl(["-n", NAME, "get", "service", NAME, "-o", "jsonpath={.spec.clusterIP}"], SANDBOXES[1]);

async function ready(): Promise<void> {
    await eventually("three ready members", 180, async () => {
        const pods = await Promise.all(
            SANDBOXES.map(async (sandbox) => {
                const args = ["-n", NAME, "get", "pods", "-l", MEMBER_PODS, "-o", "json"];
                return (JSON.parse(await kubectl(args, sandbox)) as { items: Pod[] }).items;
            }),
        );
        return pods.every((each) => each.filter(isReady).length === 1);
    });
}

async function under(action: () => Promise<unknown>) {
    const address = await service();
    return Workload.during(client, { write: address, read: address }, action);
}

/** Acknowledged writes that a member lacks once it has caught up. */
async function lostAt(member: string, ids: readonly number[]): Promise<number[]> {
    let lost = [...ids];
    await eventually(`${member} to have all`, 60, async () => {
        ({ lost } = await compare(client, addresses[member]!, ids));
        return lost.length === 0;
    }).catch(() => undefined);
    return lost;
}

let written: readonly number[] = [];

test("a stack makes three Kubernetes clusters, and one replica set over them", async () => {
    await up();
    await ready();
    await open();
    await client.prepare(await service());
    const report = await under(() => sleep(1000));
    expect(report).toMatchObject({ failed: 0, failures: [] });
    for (const member of MEMBERS) {
        expect(await lostAt(member, report.ids)).toEqual([]);
    }
    written = report.ids;
});

test("the same again changes nothing", async () => {
    expect(await up()).toMatch(/Resources:\n\s+\d+ unchanged\n/);
});

test("one whole cluster without power, that of primary and record: no acknowledged write is lost", async () => {
    const report = await under(async () => {
        await zoneDown(ZONES[0]!);
        await sleep(20_000);
        await zoneUp(ZONES[0]!);
        await ready();
    });
    for (const member of MEMBERS) {
        expect(await lostAt(member, report.ids)).toEqual([]);
    }
    written = [...written, ...report.ids];
});

test("a stack that was destroyed comes back in a new one with every row", async () => {
    await up({ gke: { ...(CONFIG["gke"] as object), deletionProtection: false } });
    succeeded(await stack.destroy());
    await stack.reset();
    await up({ adopt: true });
    await ready();
    await open();
    for (const member of MEMBERS) {
        expect(await lostAt(member, written)).toEqual([]);
    }
});
