// Gives Services of type LoadBalancer an address of the sandbox's load balancer network. kube-proxy
// does the rest: on every node, and in the hub for clients outside.

import { answerFor } from "../cluster/between.js";
import { isLoadBalancerAddress, loadBalancerAddresses, type Sandbox } from "../cluster/plan.js";
import { Listing, type Api } from "./api.js";
import { log, type Controller } from "./controller.js";

/** What this controller reads of a Service. */
export interface ServiceView {
    readonly metadata?: {
        readonly uid?: string;
        readonly name?: string;
        readonly namespace?: string;
        readonly deletionTimestamp?: Date;
    };
    readonly spec?: {
        readonly type?: string;
        readonly loadBalancerIP?: string | undefined;
        readonly loadBalancerClass?: string;
    };
    readonly status?: {
        readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
    };
}

function keyOf(service: ServiceView): string {
    return `${service.metadata?.namespace ?? ""}/${service.metadata?.name ?? ""}`;
}

function addressOf(service: ServiceView): string | undefined {
    return service.status?.loadBalancer?.ingress?.[0]?.ip;
}

function isOurs(service: ServiceView): boolean {
    return (
        service.spec?.type === "LoadBalancer" &&
        service.spec.loadBalancerClass === undefined &&
        service.metadata?.deletionTimestamp === undefined
    );
}

/**
 * Which address each service should have; undefined for one whose wish cannot be granted. An
 * address that was asked for wins over one that was only handed out.
 */
export function assignAddresses(
    sandbox: Sandbox,
    services: readonly ServiceView[],
): Map<ServiceView, string | undefined> {
    const ours = services
        .filter(isOurs)
        .sort((left, right) => keyOf(left).localeCompare(keyOf(right)));
    const assigned = new Map<ServiceView, string | undefined>();
    const taken = new Set<string>();
    const take = (service: ServiceView, address: string | undefined): void => {
        const free = address !== undefined && !taken.has(address);
        assigned.set(service, free ? address : undefined);
        if (free) taken.add(address);
    };
    for (const service of ours) {
        const wish = service.spec?.loadBalancerIP;
        if (wish !== undefined && wish !== "") {
            take(service, isLoadBalancerAddress(wish) ? wish : undefined);
        }
    }
    const others = ours.filter((service) => !assigned.has(service));
    for (const service of others) {
        const present = addressOf(service);
        if (present !== undefined && !taken.has(present)) take(service, present);
    }
    for (const service of others.filter((one) => !assigned.has(one))) {
        take(
            service,
            loadBalancerAddresses(sandbox).find((address) => !taken.has(address)),
        );
    }
    return assigned;
}

export class LoadBalancerController implements Controller {
    readonly name = "the cloud's load balancers";
    readonly sources: Controller["sources"];
    readonly #services: Listing<ServiceView>;

    constructor(
        private readonly api: Api,
        private readonly sandbox: Sandbox,
    ) {
        this.#services = new Listing<ServiceView>(api, "/api/v1/services");
        this.sources = [this.#services];
    }

    async reconcile(): Promise<void> {
        const services = this.#services.list();
        const assigned = assignAddresses(this.sandbox, services);
        await answerFor([...assigned.values()].filter((address) => address !== undefined));
        for (const service of services) {
            const address = assigned.get(service);
            if (address === addressOf(service)) continue;
            await this.#setAddress(service, address);
            log(
                this.name,
                address === undefined
                    ? `${keyOf(service)} has no address`
                    : `${keyOf(service)} has ${address}`,
            );
        }
    }

    async #setAddress(service: ServiceView, address: string | undefined): Promise<void> {
        const ingress = address === undefined ? null : [{ ip: address }];
        const { name, namespace } = service.metadata!;
        await this.api.request(
            "PATCH",
            `/api/v1/namespaces/${namespace!}/services/${name!}/status`,
            { status: { loadBalancer: { ingress } } },
        );
    }
}
