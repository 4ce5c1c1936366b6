// Services of type LoadBalancer get an address, and it answers from everywhere.
// Not proven here: externalTrafficPolicy Local, which the sandbox does not do.

import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST } from "../../sandbox/cluster/plan.js";
import { assignAddresses, type ServiceView } from "../../sandbox/controllers/load-balancers.js";
import { ensureSandbox } from "../../sandbox/index.js";
import { eventually, service, shellPod, webPod, World } from "./world.js";

const ADDRESS = "{.status.loadBalancer.ingress[0].ip}";
const WISH = "172.30.8.77";

const world = new World("sandbox-load-balancers");

async function ask(address: string): Promise<string> {
    const answer = await execa("curl", ["--silent", "--max-time", "2", `http://${address}/`], {
        reject: false,
    });
    return answer.stdout;
}

describe("in the cluster", () => {
    beforeAll(async () => {
        await ensureSandbox();
        await world.create();
        await world.apply(
            webPod("web", "b1"),
            shellPod("client", "sleep 3600", { node: "c1" }),
            service("wished", {
                type: "LoadBalancer",
                loadBalancerIP: WISH,
                selector: { app: "web" },
            }),
            service("any", { type: "LoadBalancer", selector: { app: "web" } }),
        );
        await world.ready("web");
        await world.ready("client");
    });

    afterAll(() => world.remove());

    test("a service gets the address that it asks for, and it answers on this machine", async () => {
        const get = () => world.get("service/wished", ADDRESS);
        expect(await eventually(get, (text) => text !== "", 10)).toBe(WISH);
        expect(
            await eventually(
                () => ask(WISH),
                (text) => text !== "",
                10,
            ),
        ).toBe("web");
    });

    test("a service that asks for none gets one, and pods reach it", async () => {
        const get = () => world.get("service/any", ADDRESS);
        const address = await eventually(get, (text) => text !== "", 10);
        expect(address).toMatch(/^172\.30\.8\.\d+$/);
        const fromPod = () =>
            world.kubectl("exec", "client", "--", "curl", "-s", "-m", "2", `http://${address}/`);
        expect(await fromPod()).toBe("web");
    });

    test("a service that is no load balancer any more gives its address back", async () => {
        await world.kubectl("patch", "service", "any", "-p", '{"spec":{"type":"ClusterIP"}}');
        const get = () => world.get("service/any", ADDRESS);
        expect(await eventually(get, (text) => text === "", 10)).toBe("");
    });
});

describe("assigning addresses", () => {
    const balancer = (name: string, more: { wish?: string; has?: string } = {}): ServiceView => ({
        metadata: { name, namespace: "default" },
        spec: { type: "LoadBalancer", loadBalancerIP: more.wish },
        status: more.has === undefined ? {} : { loadBalancer: { ingress: [{ ip: more.has }] } },
    });
    const assign = (...services: ServiceView[]) =>
        Object.fromEntries(
            [...assignAddresses(FIRST, services)].map(([one, address]) => [
                one.metadata!.name!,
                address,
            ]),
        );

    test("a service keeps the address that it has", () => {
        expect(assign(balancer("x"), balancer("y", { has: "172.30.8.100" }))).toEqual({
            x: "172.30.8.101",
            y: "172.30.8.100",
        });
    });

    test("of two that ask for one address, the second waits", () => {
        const wish = "172.30.8.9";
        expect(assign(balancer("x", { wish }), balancer("y", { wish }))).toEqual({
            x: wish,
            y: undefined,
        });
    });

    test("an address outside the sandbox's range is not given", () => {
        expect(assign(balancer("x", { wish: "192.0.2.7" }))).toEqual({ x: undefined });
    });
});
