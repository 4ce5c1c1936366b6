// Who is let in from outside of Kubernetes, in the whole program: the Services, the network policy, the outputs, and that no
// change of it touches a member. That an address answers is shown in test/cluster; no test shows a policy that is enforced.
import { beforeAll, describe, expect, test } from "vitest";
import {
    dependsOnTransitively,
    runProgram,
    valueAt,
    type PropertyMap,
    type RunResult,
} from "./engine.js";
import { effectiveSteps, planBetween } from "./plan.js";

const SERVICE = "kubernetes:core/v1:Service";
const CONFIG = { name: "orders", engine: "mysql", version: "9.7.1", zones: '["a","b","c"]' };
const MEMBERS = {
    type: "LoadBalancer",
    addresses: { "orders-a-0": "192.0.2.10" },
    sourceRanges: ["192.0.2.0/24"],
    annotations: { "example.com/type": "x" },
};

const CLIENTS = {
    type: "LoadBalancer",
    addresses: { read: "192.0.2.20" },
    sourceRanges: ["198.51.100.0/24"],
};

const up = (access: object, more: Record<string, string> = {}, previous?: RunResult) =>
    runProgram({
        config: { ...CONFIG, access: JSON.stringify(access), ...more },
        ...(previous && { previous }),
    });

function inputsOf(result: RunResult, type: string, name: string): PropertyMap | undefined {
    return result.resources.find((each) => each.type === type && each.name === name)?.inputs;
}
const serviceOf = (result: RunResult, name: string) => inputsOf(result, SERVICE, name)!;
const ingressOf = (result: RunResult) =>
    valueAt(
        inputsOf(result, "kubernetes:networking.k8s.io/v1:NetworkPolicy", "orders-ingress"),
        "spec.ingress",
    ) as PropertyMap[];
const statusOf = (result: RunResult, name: string) =>
    valueAt(
        result.resources.find((each) => each.type === SERVICE && each.name === name)!.outputs,
        "status.loadBalancer.ingress[0].ip",
    ) as string;
const CLIENT_PORTS = [{ port: 3306, protocol: "TCP" }];
const OWN_PODS = {
    from: [{ podSelector: { matchLabels: { "app.kubernetes.io/instance": "orders" } } }],
    ports: [...CLIENT_PORTS, { port: 33061, protocol: "TCP" }],
};

describe("a load balancer for each member", () => {
    let opened: RunResult;
    beforeAll(async () => {
        opened = await up({ members: MEMBERS }, { names: '{"domain":"db.example.com"}' });
        expect(opened.exitCode).toBe(0);
    });

    test("has the fixed address, and waits until the cloud has given it", () => {
        expect(serviceOf(opened, "orders-a-0-external")).toEqual({
            apiVersion: "v1",
            kind: "Service",
            metadata: {
                name: "orders-a-0-external",
                namespace: "orders",
                labels: valueAt(serviceOf(opened, "orders-a-0-service"), "metadata.labels"),
                annotations: {
                    "example.com/type": "x",
                    "external-dns.alpha.kubernetes.io/hostname": "orders-a-0.db.example.com",
                    "pulumi.com/waitFor":
                        "jsonpath={.status.loadBalancer.ingress[0].ip}=192.0.2.10",
                },
            },
            spec: {
                type: "LoadBalancer",
                externalTrafficPolicy: "Cluster",
                loadBalancerIP: "192.0.2.10",
                loadBalancerSourceRanges: ["192.0.2.0/24"],
                selector: {
                    "app.kubernetes.io/instance": "orders",
                    "quorum.dev/member": "orders-a-0",
                },
                ports: [{ name: "mysql", port: 3306, targetPort: 3306, protocol: "TCP" }],
            },
        });
    });

    test("has an address of the cloud's choice where none is named", () => {
        const { metadata, spec } = serviceOf(opened, "orders-b-0-external") as Record<
            string,
            PropertyMap
        >;
        expect(valueAt(metadata, "annotations")).toMatchObject({
            "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress[0]}",
        });
        expect(spec).not.toHaveProperty("loadBalancerIP");
    });

    test("is awaited by nobody, and awaits no member", () => {
        const urnOf = (type: string, name: string) =>
            opened.resources.find((each) => each.type === type && each.name === name)!.urn;
        const outside = urnOf(SERVICE, "orders-a-0-external");
        const set = urnOf("kubernetes:apps/v1:StatefulSet", "orders-a-0");
        expect(dependsOnTransitively(opened, outside, set)).toBe(false);
        expect(dependsOnTransitively(opened, set, outside)).toBe(false);
    });

    test("stands in the outputs as the cloud gave it, with its name", () => {
        expect(opened.outputs["members"]).toMatchObject(
            ["a", "b", "c"].map((zone) => ({
                name: `orders-${zone}-0`,
                external: `${statusOf(opened, `orders-${zone}-0-external`)}:3306`,
                externalName: `orders-${zone}-0.db.example.com`,
            })),
        );
        expect(opened.outputs["endpoints"]).toEqual({
            write: "orders.orders.svc.cluster.local:3306",
            read: "orders-read.orders.svc.cluster.local:3306",
        });
    });

    test("is there in preview too, when nothing is known yet", async () => {
        const planned = await runProgram({
            config: { ...CONFIG, access: JSON.stringify({ members: MEMBERS, clients: CLIENTS }) },
            preview: true,
            outputsUnknown: true,
        });
        expect(planned.exitCode).toBe(0);
        // A first update has nothing to compare, and says it all the same.
        expect(planned.messages.map(({ text }) => text)).toEqual([
            "orders: the members can be reached from outside of Kubernetes at load balancers, which may be on the Internet, from 192.0.2.0/24. The network policy lets every address reach the clients' ports: it would need quorum:access.nodeRanges to do otherwise.",
            "orders: the clients' Services can be reached from outside of Kubernetes at load balancers, which may be on the Internet, from 198.51.100.0/24. The network policy lets every address reach the clients' ports: it would need quorum:access.nodeRanges to do otherwise.",
        ]);
        expect(planned.resources.filter(({ name }) => name.endsWith("-external"))).toHaveLength(3);
    });
});

describe("a way in", () => {
    let shut: RunResult;
    let members: RunResult;
    let both: RunResult;
    let again: RunResult;
    beforeAll(async () => {
        shut = await runProgram({ config: CONFIG });
        members = await up({ members: MEMBERS }, {}, shut);
        both = await up(
            {
                members: { ...MEMBERS, sourceRanges: ["192.0.0.0/16"] },
                clients: CLIENTS,
                nodeRanges: ["10.64.0.0/20"],
            },
            {},
            members,
        );
        again = await runProgram({ config: CONFIG, previous: both });
    });

    test("is nowhere by default", () => {
        for (const name of ["orders-clients", "orders-read-clients"]) {
            expect(valueAt(serviceOf(shut, name), "spec.type")).toBe("ClusterIP");
        }
        expect(shut.resources.filter(({ name }) => name.endsWith("-external"))).toEqual([]);
        expect(ingressOf(shut)).toEqual([{ ports: CLIENT_PORTS }, OWN_PODS]);
    });

    test("to the clients' Services is a load balancer of each, with an address of its own", () => {
        expect(valueAt(serviceOf(both, "orders-clients"), "spec")).toMatchObject({
            type: "LoadBalancer",
            externalTrafficPolicy: "Cluster",
            loadBalancerSourceRanges: ["198.51.100.0/24"],
        });
        expect(valueAt(serviceOf(both, "orders-read-clients"), "spec.loadBalancerIP")).toBe(
            "192.0.2.20",
        );
        expect(both.outputs["endpoints"]).toMatchObject({
            externalWrite: `${statusOf(both, "orders-clients")}:3306`,
            externalRead: `${statusOf(both, "orders-read-clients")}:3306`,
        });
    });

    test("lets what it brings through the network policy, and nobody to the members' own ports", () => {
        expect(ingressOf(both)).toEqual([
            {
                ports: CLIENT_PORTS,
                from: [
                    { namespaceSelector: {} },
                    { ipBlock: { cidr: "192.0.0.0/16" } },
                    { ipBlock: { cidr: "198.51.100.0/24" } },
                    { ipBlock: { cidr: "10.64.0.0/20" } },
                ],
            },
            OWN_PODS,
        ]);
    });

    test("comes, changes and goes without a word to a member", () => {
        const touched = (old: RunResult, next: RunResult) =>
            effectiveSteps(planBetween(old, next))
                .filter(({ type }) => type.startsWith("kubernetes:"))
                .map(({ operation, name }) => `${operation} ${name}`)
                .sort();
        const outside = ["a", "b", "c"].map((zone) => `orders-${zone}-0-external`);
        const inside = ["orders-clients", "orders-ingress", "orders-read-clients"].map(
            (name) => `update ${name}`,
        );
        expect(touched(shut, members)).toEqual(outside.map((name) => `create ${name}`));
        expect(touched(members, both)).toEqual(
            [...outside.map((name) => `update ${name}`), ...inside].sort(),
        );
        expect(touched(both, again)).toEqual([
            ...outside.map((name) => `delete ${name}`),
            ...inside,
        ]);
    });
});

test("the members' certificate says fixed addresses and names outside, and its job runs again for them", async () => {
    const cockroachdb = { ...CONFIG, engine: "cockroachdb", version: "26.2.2" };
    const jobOf = (result: RunResult) =>
        valueAt(
            inputsOf(result, "kubernetes:batch/v1:Job", "orders-certificates-job"),
            "spec.template.spec.containers[0].env",
        ) as { name: string; value: string }[];
    const told = (result: RunResult) => jobOf(result).find(({ name }) => name === "OUTSIDE")!.value;
    const shut = await runProgram({ config: cockroachdb });
    expect(told(shut)).toBe("");
    const access = JSON.stringify({
        members: {
            ...MEMBERS,
            addresses: { "orders-c-0": "192.0.2.12", "orders-a-0": "192.0.2.10" },
        },
        clients: { ...CLIENTS, addresses: { write: "192.0.2.20" } },
    });
    const opened = await runProgram({
        config: { ...cockroachdb, access, names: '{"domain":"db.example.com"}' },
        previous: shut,
    });
    expect(told(opened)).toBe("*.db.example.com,192.0.2.10,192.0.2.12,192.0.2.20");
    const touched = effectiveSteps(planBetween(shut, opened)).filter(({ type }) =>
        /:(StatefulSet|Job)$/.test(type),
    );
    expect(touched.map(({ operation, name }) => `${operation} ${name}`)).toEqual([
        "replace orders-certificates-job",
    ]);
});

test("ports are those of nodes on which a member runs, where the source is the client's own; masters have none", async () => {
    const door = { type: "NodePort", sourceRanges: ["192.0.2.0/24"] };
    const config = {
        ...CONFIG,
        engine: "yugabytedb",
        version: "2026.1.0.1-b1",
        access: JSON.stringify({ members: door, clients: door }),
    };
    const opened = await runProgram({ config });
    expect(opened.exitCode).toBe(0);
    const outside = ["orders-a-0-external", "orders-b-0-external", "orders-c-0-external"];
    expect(
        opened.resources.map(({ name }) => name).filter((name) => name.endsWith("-external")),
    ).toEqual(outside);
    for (const name of [...outside, "orders-clients"]) {
        const service = serviceOf(opened, name);
        expect(valueAt(service, "spec.type")).toBe("NodePort");
        expect(valueAt(service, "spec.externalTrafficPolicy")).toBe("Local");
        expect(valueAt(service, 'metadata.annotations["pulumi.com/skipAwait"]')).toBe("true");
    }
    expect(opened.outputs["endpoints"]).toMatchObject({ externalWrite: "<node>:<port>" });
    expect(ingressOf(opened)[0]!["from"]).toEqual([
        { namespaceSelector: {} },
        { ipBlock: { cidr: "192.0.2.0/24" } },
    ]);
});
