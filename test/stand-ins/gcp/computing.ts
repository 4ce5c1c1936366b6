// Networks, what is in them, and addresses.

import { describe, expect, it } from "vitest";
import { textAt } from "../../../sandbox/pulumi/resource-gcp/values.js";
import type { Bench } from "./bench.js";

export function computing(bench: () => Bench): void {
    describe("a network", () => {
        it("goes only when nothing is left in it, also of what load balancers left", async () => {
            const { network, subnetwork } = await bench().network("last");
            const router = await bench().make("router", { name: "last", network: network.id });
            const firewall = await bench().make("firewall", {
                name: "last",
                network: "last",
                allows: [{ protocol: "tcp" }],
                sourceRanges: ["10.0.0.0/8"],
            });
            const refusal = (user: string) =>
                `Error deleting Network: googleapi: Error 400: The network resource '${network.id}' is already being used by '${user}'`;
            for (const each of [subnetwork, router, firewall]) {
                await expect(bench().remove(network)).rejects.toThrow(refusal(each.id));
                await bench().remove(each);
            }
            const rule = "projects/acme/regions/sandbox/forwardingRules/k8s-1";
            await bench().cloud.change((writer) =>
                writer.write(rule, {
                    type: "compute#forwardingRule",
                    id: rule,
                    properties: { network: "last" },
                    status: {},
                }),
            );
            await expect(bench().remove(network)).rejects.toThrow(refusal(rule));
            await bench().cloud.change((writer) => writer.remove(rule));
            await bench().remove(network);
            expect(bench().there(network.id)).toBeUndefined();
        });

        it("is the same by name, by id and by self link", async () => {
            const { network, subnetwork } = await bench().network("named", 80);
            const plan = (reference: string) =>
                bench().plan(subnetwork, { ...subnetwork.inputs, network: reference });
            for (const reference of ["named", network.id, textAt(network.state, "selfLink")]) {
                expect((await plan(reference)).isChanged).toBe(false);
            }
            expect((await plan("other")).replaces).toEqual(["network"]);
        });

        it("that is not there is refused", async () => {
            await expect(
                bench().make("router", { name: "lost", network: "nowhere" }),
            ).rejects.toThrow(
                "The resource 'projects/acme/global/networks/nowhere' was not found, notFound",
            );
        });
    });

    describe("a subnetwork", () => {
        it("has ranges that overlap with no other one of its network", async () => {
            const { network } = await bench().network("ranges", 96);
            await expect(
                bench().make("subnetwork", {
                    name: "other",
                    network: network.id,
                    ipCidrRange: "10.97.128.0/20",
                }),
            ).rejects.toThrow(
                "Invalid IPCidrRange: 10.97.128.0/20 conflicts with existing subnetwork 'ranges' in region 'sandbox' (10.97.0.0/16).",
            );
        });

        it("grows in place and shrinks by replacement", async () => {
            const { network } = await bench().network("grows", 112);
            const args = { name: "narrow", network: network.id, ipCidrRange: "10.120.0.0/24" };
            const made = await bench().make("subnetwork", args);
            expect(made.state["gatewayAddress"]).toBe("10.120.0.1");
            const wide = await bench().update(made, { ...args, ipCidrRange: "10.120.0.0/20" });
            expect(wide.state["ipCidrRange"]).toBe("10.120.0.0/20");
            const back = await bench().plan(wide, args);
            expect(back.replaces).toEqual(["ipCidrRange"]);
        });
    });

    describe("a NAT", () => {
        it("is of a router, and goes with it", async () => {
            const { network } = await bench().network("nat", 128);
            const router = await bench().make("router", { name: "way", network: network.id });
            const nat = await bench().make("nat", {
                name: "out",
                router: "way",
                natIpAllocateOption: "AUTO_ONLY",
                sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
            });
            expect(nat.id).toBe("acme/sandbox/way/out");
            await bench().remove(router);
            expect((await bench().refresh(nat)).id).toBe("");
            await bench().remove(nat);
        });
    });

    describe("a firewall rule", () => {
        it("says what it allows or denies, and from where", async () => {
            await expect(
                bench().make("firewall", { name: "open", network: "named" }),
            ).rejects.toThrow(
                `Give "allows" or "denies", and not both.\none of sourceTags, sourceRanges, or sourceServiceAccounts must be defined`,
            );
        });
    });

    describe("an address", () => {
        it("is of the load balancers' range, and no other has it", async () => {
            const [first, second] = [
                await bench().make("address", { name: "first" }),
                await bench().make("address", { name: "second" }),
            ];
            expect(first.state["address"]).toMatch(/^172\.30\.8\.\d+$/);
            expect(second.state["address"]).not.toBe(first.state["address"]);
            await expect(
                bench().make("address", { name: "third", address: first.state["address"]! }),
            ).rejects.toThrow("Specified IP address is in-use and would result in a conflict");
            await expect(
                bench().make("address", { name: "third", address: "10.0.0.1" }),
            ).rejects.toThrow(
                "outside the range that it is taken from, in the sandbox 172.30.8.0/24",
            );
        });

        it("is kept by its load balancer", async () => {
            const made = await bench().make("address", { name: "used" });
            await bench().console(made.id, {}, { users: ["orders/orders-a-0"] });
            await expect(bench().remove(made)).rejects.toThrow(
                `The address resource '${made.id}' is already being used by 'orders/orders-a-0', resourceInUseByAnotherResource`,
            );
            await bench().console(made.id, {}, { users: [] });
            await bench().remove(made);
        });

        it("is replaced by every change but that of its labels", async () => {
            const { subnetwork } = await bench().network("internal", 144);
            const args = { name: "inside", addressType: "INTERNAL", subnetwork: subnetwork.id };
            const made = await bench().make("address", args);
            const plan = (change: object) => bench().plan(made, { ...args, ...change });
            expect((await plan({ description: "x" })).replaces).toEqual(["description"]);
            expect((await plan({ addressType: "EXTERNAL" })).replaces).toEqual(["addressType"]);
            expect(await plan({ labels: { a: "b" } })).toMatchObject({
                replaces: [],
                isChanged: true,
            });
            await expect(bench().remove(subnetwork)).rejects.toThrow(
                `is already being used by '${made.id}'`,
            );
        });
    });
}
