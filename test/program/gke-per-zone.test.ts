// Platform gke with a Kubernetes cluster for each zone: what is made in which of them, how they reach one another, what it costs,
// and that day-2 changes replace nothing. It does not prove that Google accepts a value.
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { REQUIRED } from "../../sandbox/pulumi/resource-gcp/force-new.js";
import {
    dependsOnTransitively,
    runProgram,
    secretsSweep,
    valueAt,
    withoutSecrets,
    type Registration,
    type RunOptions,
    type RunResult,
} from "./engine.js";
import { gcpProblems } from "./gcp/check.js";
import { GKE, ON_GKE } from "./google.js";
import { effectiveSteps, planBetween } from "./plan.js";

type Config = Record<string, string>;
const CONFIG: Config = {
    name: "orders",
    engine: "mongodb",
    version: "8.0.9",
    ...GKE,
    layout: "cluster-per-zone",
    names: '{"domain":"db.example.com"}',
    access: '{"members":{"type":"LoadBalancer"}}',
};
const run = (over: Config = {}, options: Partial<RunOptions> = {}) =>
    runProgram({ config: { ...CONFIG, ...over }, ...ON_GKE, ...options });
const errorsOf = ({ messages }: RunResult) =>
    messages.filter(({ severity }) => severity === "error").map(({ text }) => text);
const ofKind = ({ resources }: RunResult, kind: string) =>
    resources.filter(({ type }) => type.split(":").at(-1) === kind);
const named = (result: RunResult, kind: string, name: string): Registration => {
    const found = ofKind(result, kind).find((each) => each.name === name);
    if (!found) {
        throw new Error(`there is no ${kind} ${name}`);
    }
    return found;
};

const ZONES = ["b", "c", "d"];
const PODS = { b: "10.69.0.0/16", c: "10.70.0.0/16", d: "10.71.0.0/16" };

let first: RunResult;
beforeAll(async () => {
    first = await run();
    expect(errorsOf(first)).toEqual([]);
});

test("each zone has a cluster of its own, zonal, with ranges that no other has, in one network", () => {
    const clusters = ofKind(first, "Cluster").map(({ inputs }) =>
        ["name", "location"].map((key) => valueAt(inputs, [key])),
    );
    expect(clusters).toEqual(ZONES.map((zone) => [`orders-${zone}`, `europe-west1-${zone}`]));
    const { inputs } = named(first, "Subnetwork", "orders-subnetwork");
    expect(valueAt(inputs, ["secondaryIpRanges"])).toEqual([
        { rangeName: "orders-b-pods", ipCidrRange: "10.69.0.0/16" },
        { rangeName: "orders-b-services", ipCidrRange: "10.127.16.0/20" },
        { rangeName: "orders-c-pods", ipCidrRange: "10.70.0.0/16" },
        { rangeName: "orders-c-services", ipCidrRange: "10.127.32.0/20" },
        { rangeName: "orders-d-pods", ipCidrRange: "10.71.0.0/16" },
        { rangeName: "orders-d-services", ipCidrRange: "10.127.48.0/20" },
    ]);
    expect(gcpProblems(first, { required: REQUIRED })).toEqual([]);
});

test("each has its member on its own disk and nodes, and nodes are touched zone after zone", () => {
    for (const zone of ZONES) {
        const member = `orders-europe-west1-${zone}-0`;
        const { provider } = named(first, "StatefulSet", member);
        expect(provider).toMatch(new RegExp(`::orders-${zone}::`));
        expect(valueAt(named(first, "Disk", member).inputs, ["zone"])).toBe(`europe-west1-${zone}`);
    }
    const pools = ofKind(first, "NodePool");
    const poolIn = (zone: string) =>
        pools.find(({ inputs }) => valueAt(inputs, ["location"]) === `europe-west1-${zone}`)!.urn;
    expect(dependsOnTransitively(first, poolIn("c"), poolIn("b"))).toBe(true);
    expect(dependsOnTransitively(first, poolIn("d"), poolIn("c"))).toBe(true);
    // The clusters themselves are made at the same time.
    const [one, other] = ofKind(first, "Cluster");
    expect(dependsOnTransitively(first, other!.urn, one!.urn)).toBe(false);
});

test("control planes are reached by Pulumi by name, and by pods of the others by an address that only they reach", () => {
    const { inputs, outputs } = named(first, "Cluster", "orders-b");
    expect(valueAt(inputs, ["controlPlaneEndpointsConfig"])).toEqual({
        dnsEndpointConfig: { allowExternalTraffic: true },
        ipEndpointsConfig: { enabled: true },
    });
    expect(valueAt(inputs, ["privateClusterConfig", "enablePrivateEndpoint"])).toBe(true);
    const blocks = valueAt(inputs, ["masterAuthorizedNetworksConfig", "cidrBlocks"]);
    const peers = ["10.64.0.0/20", ...Object.values(PODS)];
    expect(blocks).toEqual(peers.map((cidrBlock) => ({ cidrBlock })));
    const address = valueAt(outputs, ["privateClusterConfig", "privateEndpoint"]) as string;
    const secret = named(first, "Secret", "orders-record-access-europe-west1-c");
    expect(withoutSecrets(valueAt(secret.inputs, ["stringData", "server"])!)).toBe(
        `https://${address}`,
    );
    const policy = named(first, "NetworkPolicy", "orders-ingress-europe-west1-c");
    expect(valueAt(policy.inputs, ["spec", "ingress", 1, "from"])).toEqual([
        { podSelector: { matchLabels: { "app.kubernetes.io/instance": "orders" } } },
        ...peers.map((cidr) => ({ ipBlock: { cidr } })),
    ]);
});

test("members have addresses before their Services, and names in a zone that the network sees", () => {
    for (const zone of ZONES) {
        const member = `orders-europe-west1-${zone}-0`;
        const service = named(first, "Service", `${member}-external`);
        expect(
            dependsOnTransitively(
                first,
                service.urn,
                named(first, "Address", `${member}-address`).urn,
            ),
        ).toBe(true);
        expect(valueAt(service.inputs, ["spec", "publishNotReadyAddresses"])).toBe(true);
        const { inputs } = named(first, "RecordSet", `${member}-name`);
        expect(valueAt(inputs, ["name"])).toBe(`${member}.db.example.com.`);
    }
});

test("the output is one kubeconfig with a context for each, and no password is readable", () => {
    const text = first.outputs["kubeconfig"] as string;
    const { contexts } = parse(text) as { contexts: { name: string }[] };
    expect(contexts.map(({ name }) => name)).toEqual(ZONES.map((zone) => `orders-${zone}`));
    expect(secretsSweep(first, ["an account's token"])).toEqual([]);
});

test("three clusters cost three fees, and the names' zone is named", async () => {
    const { messages } = await run({}, { preview: true });
    const table = messages.map(({ text }) => text).find((text) => /management fee/.test(text));
    expect(table).toMatch(/3 .*GKE management fee|GKE management fee.*3/);
    expect(table).toMatch(/private DNS zone/);
});

test("a preview of which nothing is known yet sees the same", async () => {
    const preview = await run({}, { preview: true });
    expect(errorsOf(preview)).toEqual([]);
    const urns = (result: RunResult) => result.resources.map(({ urn }) => urn).sort();
    expect(urns(preview)).toEqual(urns(first));
});

describe("an update", () => {
    test.each<[string, Config]>([
        ["of nothing", {}],
        ["of members and nodes", { replicas: "5" }],
        ["of the disks", { storage: '{"size":"20Gi"}' }],
        ["of machines within the family", { machines: '{"type":"n2-standard-8"}' }],
        [
            "of zones",
            {
                zones: '["europe-west1-b","europe-west1-c","europe-west1-d","europe-west1-f"]',
                replicas: "5",
            },
        ],
    ])("%s replaces and deletes nothing", async (_, over) => {
        const next = await run(over, { preview: true, previous: first });
        expect(errorsOf(next)).toEqual([]);
        const taken = effectiveSteps(planBetween(first, next, ON_GKE)).filter(
            ({ type, operation }) =>
                /replace|delete/.test(operation) && type !== "kubernetes:batch/v1:Job",
        );
        expect(taken.map(({ operation, name }) => `${operation} ${name}`)).toEqual([]);
    });
});

test("ranges that do not leave room for each zone's are refused", async () => {
    const over = { gke: '{"project":"acme-prod","ranges":{"pods":"10.96.0.0/12"}}' };
    expect(errorsOf(await run(over)).join("\n")).toMatch(
        /quorum:gke\.ranges\.pods .*each zone's cluster has a range of this size/,
    );
});
