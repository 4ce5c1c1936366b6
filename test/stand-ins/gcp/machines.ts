// Clusters and node pools: what the program is told of them, what their machines follow, and what protects them.

import { beforeAll, describe, expect, it } from "vitest";
import { without } from "../../../sandbox/pulumi/resource-gcp/values.js";
import { ProviderFailure } from "../provider-client.js";
import { Bench, MACHINES, type Made } from "./bench.js";

const POOL = {
    location: "sandbox",
    cluster: "orders",
    nodeLocations: ["sandbox-b"],
    nodeCount: 1,
    nodeConfig: { machineType: "n2-standard-4", labels: { role: "member" } },
};

export function machines(bench: () => Bench): void {
    let place: { network: Made; subnetwork: Made };
    let cluster: Made;
    beforeAll(async () => {
        place = await bench().network("clusters", 160);
        cluster = await bench().make("cluster", Bench.clusterIn("orders", place));
    });

    describe("a cluster", () => {
        it("is one of the sandbox's control planes, and tells how it is reached", () => {
            expect(cluster.id).toBe("projects/acme/locations/sandbox/clusters/orders");
            expect(bench().there(cluster.id)!.status).toEqual({
                state: "RUNNING",
                controlPlane: "one",
            });
            const { certificateAuthority } = MACHINES.controlPlanes[0]!;
            expect(cluster.state).toMatchObject({
                endpoint: "172.30.7.1:6443",
                masterAuth: { clusterCaCertificate: certificateAuthority },
                controlPlaneEndpointsConfig: { dnsEndpointConfig: { endpoint: "172.30.7.1:6443" } },
                masterVersion: "1.34.10",
                network: "projects/acme/global/networks/clusters",
                subnetwork: "projects/acme/regions/sandbox/subnetworks/clusters",
                clusterIpv4Cidr: "10.161.0.0/16",
                servicesIpv4Cidr: "10.162.0.0/20",
                nodeLocations: ["sandbox-a", "sandbox-b", "sandbox-c"],
            });
        });

        it("a second one has another control plane, a third one finds none", async () => {
            const second = await bench().make("cluster", Bench.clusterIn("second", place));
            expect(second.state["endpoint"]).toBe("172.30.9.1:6443");
            await expect(bench().make("cluster", Bench.clusterIn("third", place))).rejects.toThrow(
                "Insufficient quota to satisfy the request: the sandbox has control planes for 2 cluster(s), and all are in use., quotaExceeded",
            );
            await bench().remove(second);
            expect(bench().there(second.id)).toBeUndefined();
        });

        it("with a second update finds nothing to do", async () => {
            const plan = await bench().plan(cluster, Bench.clusterIn("orders", place));
            expect(plan.changes).toEqual({});
            const refreshed = await bench().refresh(cluster);
            expect(refreshed.inputs).toEqual(cluster.inputs);
            expect(
                (await bench().plan(refreshed, Bench.clusterIn("orders", place))).changes,
            ).toEqual({});
        });

        it.each([
            [{ initialNodeCount: 2 }, ["initialNodeCount"]],
            [{ network: "other" }, ["network"]],
            [{ datapathProvider: "ADVANCED_DATAPATH" }, ["datapathProvider"]],
            [
                { ipAllocationPolicy: { clusterIpv4CidrBlock: "10.1.0.0/16" } },
                [
                    "ipAllocationPolicy.clusterIpv4CidrBlock",
                    "ipAllocationPolicy.clusterSecondaryRangeName",
                    "ipAllocationPolicy.servicesSecondaryRangeName",
                ],
            ],
            [{ releaseChannel: { channel: "STABLE" } }, []],
            [{ maintenancePolicy: { recurringWindow: { startTime: "a" } } }, []],
            [{ resourceLabels: { a: "b" } }, []],
            [{ deletionProtection: true }, []],
            // A zone of its region that it already has by itself.
            [{ nodeLocations: ["sandbox-a"] }, []],
        ])("changed by %o is replaced by %o", async (change, replaces) => {
            const plan = await bench().plan(cluster, {
                ...Bench.clusterIn("orders", place),
                ...change,
            });
            expect(plan.isChanged).toBe(true);
            expect([...plan.replaces].sort()).toEqual(replaces);
            expect(plan.deleteBeforeReplace).toBe(replaces.length > 0);
        });

        it("takes an update in place, and the machines have nothing to follow", async () => {
            const args = {
                ...Bench.clusterIn("orders", place),
                releaseChannel: { channel: "STABLE" },
            };
            const updated = await bench().update(cluster, args);
            expect(updated.state["releaseChannel"]).toEqual({ channel: "STABLE" });
            expect(bench().there(cluster.id)!.status["state"]).toBe("RUNNING");
        });

        it("is protected by the state, not by the program: off, update, then delete", async () => {
            const args = { ...Bench.clusterIn("guarded", place), deletionProtection: true };
            const guarded = await bench().make("cluster", args);
            await expect(bench().remove(guarded)).rejects.toThrow(
                "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion.",
            );
            const open = await bench().update(guarded, { ...args, deletionProtection: false });
            await bench().remove(open);
            expect(bench().there(guarded.id)).toBeUndefined();
        });

        it("is protected when the program does not say so", async () => {
            const args = without(Bench.clusterIn("default", place), "deletionProtection");
            const made = await bench().make("cluster", args);
            expect(made.inputs["deletionProtection"]).toBe(true);
            await expect(bench().remove(made)).rejects.toThrow(
                "deletion_protection is set to true",
            );
            await bench().remove({ ...made, state: { ...made.state, deletionProtection: false } });
        });

        it.each([
            [
                { ipAllocationPolicy: { clusterSecondaryRangeName: "pod" } },
                "Pod secondary range 'pod' not found in subnet 'clusters'.",
            ],
            [{ location: "europe-west1" }, "Unknown zone; the sandbox has"],
            [{ enableAutopilot: true }, `Autopilot ("enableAutopilot") is not supported`],
            [{ removeDefaultNodePool: false }, "A cluster that keeps its first node pool"],
            [
                { name: "orders" },
                "The resource 'projects/acme/locations/sandbox/clusters/orders' already exists",
            ],
        ])("with %o is refused", async (wrong, message) => {
            const args = { ...Bench.clusterIn("wrong", place), ...wrong };
            await expect(bench().make("cluster", args)).rejects.toThrow(message);
        });
    });

    describe("a node pool", () => {
        it("is waited for until its nodes are there", async () => {
            const made = await bench().make("pool", { ...POOL, name: "b-1" });
            expect(made.id).toBe("projects/acme/locations/sandbox/clusters/orders/nodePools/b-1");
            expect(bench().there(made.id)!.status).toEqual({
                state: "RUNNING",
                revision: 1,
                observed: 1,
                nodes: ["b-1-0"],
            });
            expect(made.state["instanceGroupUrls"]).toEqual([
                expect.stringMatching(
                    /zones\/sandbox-b\/instanceGroups\/gke-orders-b-1-[0-9a-f]{8}-grp$/,
                ),
            ]);
            expect((await bench().plan(made, { ...POOL, name: "b-1" })).changes).toEqual({});
        });

        it("names its cluster by id as well, and one name is one pool", async () => {
            const args = { ...POOL, name: "b-2", cluster: cluster.id };
            const made = await bench().make("pool", args);
            expect(made.state["cluster"]).toBe("orders");
            expect((await bench().plan(made, args)).changes).toEqual({});
            await expect(bench().make("pool", args)).rejects.toThrow(`'${made.id}' already exists`);
        });

        it.each([
            [
                { nodeLocations: ["europe-west1-b"] },
                `"europe-west1-b" is not a zone of the cluster's region "sandbox"`,
            ],
            [{ nodeLocations: [] }, "nodeLocations is missing"],
            [
                { cluster: "nobody" },
                "Error 404: Not found: projects/acme/locations/sandbox/clusters/nobody.",
            ],
            [{ initialNodeCount: 1 }, "Cannot set both initial_node_count and node_count"],
            [
                { nodeConfig: { machineType: "n4-standard-4", diskType: "pd-balanced" } },
                "pd-balanced cannot be used with machine type n4-standard-4.",
            ],
            [
                {
                    nodeConfig: {
                        machineType: "e2-standard-4",
                        bootDisk: { diskType: "hyperdisk-balanced" },
                    },
                },
                "hyperdisk-balanced cannot be used with machine type e2-standard-4.",
            ],
        ])("with %o is refused", async (wrong, message) => {
            await expect(
                bench().make("pool", { ...POOL, name: "wrong", ...wrong }),
            ).rejects.toThrow(message);
        });

        it("scales in place", async () => {
            const made = await bench().make("pool", { ...POOL, name: "b-3" });
            const scaled = await bench().update(made, { ...POOL, name: "b-3", nodeCount: 2 });
            expect(bench().there(made.id)!.status["nodes"]).toEqual(["b-3-0", "b-3-1"]);
            expect(scaled.state["nodeCount"]).toBe(2);
        });

        it("with changes of several blocks has its nodes recreated as often", async () => {
            const made = await bench().make("pool", { ...POOL, name: "b-4" });
            const nodeConfig = {
                machineType: "n2-standard-8",
                labels: { role: "other" },
                taints: [{ key: "k", value: "v", effect: "NO_SCHEDULE" }],
            };
            await bench().update(made, { ...POOL, name: "b-4", nodeConfig });
            const rounds = bench().machines.followed.filter(([name]) => name === "b-4");
            expect(rounds.map(([, machine]) => machine)).toEqual([
                "n2-standard-4",
                "n2-standard-8",
                "n2-standard-8",
                "n2-standard-8",
            ]);
            expect(bench().there(made.id)!.status).toMatchObject({ revision: 4, observed: 4 });
        });

        it("with another upgrade strategy has nothing to recreate", async () => {
            const args = { ...POOL, name: "b-5" };
            const made = await bench().make("pool", args);
            await bench().update(made, { ...args, upgradeSettings: { maxSurge: 2 } });
            expect(bench().there(made.id)!.status["revision"]).toBe(1);
            expect(bench().there(made.id)!.properties["upgradeSettings"]).toMatchObject({
                maxSurge: 2,
            });
        });

        it.each([
            [{ name: "other" }, ["name"]],
            [{ initialNodeCount: 3 }, ["initialNodeCount"]],
            [{ nodeConfig: { ...POOL.nodeConfig, spot: true } }, ["nodeConfig.spot"]],
            [
                { nodeConfig: { ...POOL.nodeConfig, serviceAccount: "a@b" } },
                ["nodeConfig.serviceAccount"],
            ],
            [{ nodeConfig: { ...POOL.nodeConfig, metadata: { a: "b" } } }, ["nodeConfig.metadata"]],
            [{ placementPolicy: { type: "COMPACT" } }, ["placementPolicy"]],
            [{ nodeConfig: { machineType: "n2-standard-8", labels: {} } }, []],
            [{ nodeLocations: ["sandbox-a"] }, []],
            [{ autoscaling: { minNodeCount: 1, maxNodeCount: 3 } }, []],
            [{ nodeDrainConfigs: [{ respectPdbDuringNodePoolDeletion: true }] }, []],
            [{ networkConfig: { enablePrivateNodes: true } }, []],
            [{ networkConfig: { podRange: "pods" } }, ["networkConfig"]],
        ])("changed by %o is replaced by %o", async (change, replaces) => {
            const id = "projects/acme/locations/sandbox/clusters/orders/nodePools/plans";
            const name = "plans";
            const urn = `urn:pulumi:test::stand-ins::gcp:container/nodePool:NodePool::${name}`;
            if (bench().there(id) === undefined) await bench().make("pool", { ...POOL, name });
            const { properties: state } = await bench().provider.read(urn, id);
            const made = {
                urn,
                id,
                state,
                inputs: await bench().provider.check(urn, { ...POOL, name }),
            };
            const plan = await bench().plan(made, { ...POOL, name, ...change });
            expect(plan.isChanged).toBe(true);
            expect(plan.replaces).toEqual(replaces);
        });

        it("with autoscaling and no count begins with its least number", async () => {
            const args = without(POOL, "nodeCount");
            const made = await bench().make("pool", {
                ...args,
                name: "auto",
                autoscaling: { minNodeCount: 2, maxNodeCount: 4 },
            });
            expect(bench().there(made.id)!.status["nodes"]).toHaveLength(2);
        });

        it("that the machines cannot make stays in the state, and the next update tries again", async () => {
            bench().machines.refuses.set("broken", "no room on this machine");
            const args = { ...POOL, name: "broken" };
            const failure = await bench()
                .make("pool", args)
                .catch((error: unknown) => error as ProviderFailure);
            expect(failure).toBeInstanceOf(ProviderFailure);
            const { message, partial } = failure as ProviderFailure;
            expect(message).toMatch(
                /^Error waiting for creating NodePool: NodePool .*\/broken is in state ERROR: no room on this machine\.$/,
            );
            expect(partial).toMatchObject({
                id: expect.stringMatching(/\/nodePools\/broken$/) as string,
            });
            bench().machines.refuses.delete("broken");
            const made: Made = {
                urn: "urn:pulumi:test::stand-ins::gcp:container/nodePool:NodePool::broken",
                id: partial!.id,
                inputs: args,
                state: partial!.properties,
            };
            await bench().update(made, args);
            expect(bench().there(made.id)!.status).toMatchObject({
                state: "RUNNING",
                revision: 2,
                observed: 2,
            });
        });

        it("is waited for as long as customTimeouts say", async () => {
            bench().machines.asleep = true;
            const failure = await bench()
                .make("pool", { ...POOL, name: "slow" }, { timeout: 0.5 })
                .catch((error: unknown) => error as Error);
            bench().machines.asleep = false;
            expect((failure as Error).message).toMatch(
                /timeout while waiting for state to become 'DONE' \(timeout: 0\.5s\): the sandbox's machines work on NodePool .*\/slow \(PROVISIONING\)/,
            );
        });

        it("that was deleted in the console is made again", async () => {
            const args = { ...POOL, name: "gone" };
            const made = await bench().make("pool", args);
            await bench().console(made.id, {}, { state: "STOPPING" });
            await expect.poll(() => bench().there(made.id)).toBeUndefined();
            expect((await bench().refresh(made)).id).toBe("");
            await bench().make("pool", args);
            expect(bench().there(made.id)!.status["state"]).toBe("RUNNING");
        });

        it("goes when its nodes are gone", async () => {
            const made = await bench().make("pool", { ...POOL, name: "leaves" });
            await bench().remove(made);
            expect(bench().there(made.id)).toBeUndefined();
        });
    });
}
