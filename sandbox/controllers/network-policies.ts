// Enforces network policies, as a network plugin does: writes the packet filter of every node whenever a policy, a label
// or a pod changes. Its rules outlive it: while it is away, what was allowed stays so, and a new pod reaches nobody.
//
// It is our own because kube-network-policies, the agent of Kubernetes' network group, wants nftables' `queue`, which not
// every kernel is built with, and because it would be one more process on each of six nodes.

import type { KubernetesObject } from "@kubernetes/client-node";
import { setPacketFilter } from "../cluster/network.js";
import type { Sandbox, SandboxNode } from "../cluster/plan.js";
import { powerOnOf } from "../cluster/processes.js";
import { nodesOf } from "../cluster/registry.js";
import { Listing, type Api } from "./api.js";
import { log, type Controller } from "./controller.js";
import { PodAddresses } from "./pod-addresses.js";
import { rulesFor, type PolicyPod, type PolicyView, type PolicyWorld } from "./policy-rules.js";

/** What this controller reads of a pod. */
interface PodView extends KubernetesObject {
    readonly spec?: Readonly<
        Record<
            "containers" | "initContainers",
            readonly { readonly ports?: PolicyPod["ports"] }[] | undefined
        >
    >;
}

type PolicyObject = PolicyView & KubernetesObject;

export class NetworkPolicyController implements Controller {
    readonly name = "the network plugin's policies";
    readonly sources: Controller["sources"];
    readonly #policies: Listing<PolicyObject>;
    readonly #namespaces: Listing<KubernetesObject>;
    readonly #pods: Listing<PodView>;
    readonly #addresses: PodAddresses;
    /** By node, what it was last given and at which power-on. */
    readonly #applied = new Map<string, string>();

    constructor(
        api: Api,
        private readonly sandbox: Sandbox,
    ) {
        this.#addresses = new PodAddresses(sandbox);
        this.#policies = new Listing(api, "/apis/networking.k8s.io/v1/networkpolicies");
        this.#namespaces = new Listing(api, "/api/v1/namespaces");
        this.#pods = new Listing(api, "/api/v1/pods");
        this.sources = [this.#policies, this.#namespaces, this.#pods, this.#addresses];
    }

    async reconcile(): Promise<void> {
        const world = this.#world();
        // A node may lose its power while it is spoken to; the others are to hear nevertheless.
        const outcomes = await Promise.allSettled(
            nodesOf(this.sandbox).map((node) => this.#apply(node, world)),
        );
        for (const outcome of outcomes) {
            if (outcome.status === "rejected") throw outcome.reason;
        }
    }

    #world(): PolicyWorld {
        const pods = new Map(this.#pods.list().map((pod) => [pod.metadata?.uid, pod]));
        return {
            policies: this.#policies.list(),
            namespaces: new Map(
                this.#namespaces
                    .list()
                    .map(({ metadata }) => [metadata?.name ?? "", metadata?.labels ?? {}]),
            ),
            pods: this.#addresses.list().flatMap(({ uid, address, node }) => {
                const pod = pods.get(uid);
                if (pod === undefined) return [];
                const { containers = [], initContainers = [] } = pod.spec ?? {};
                const ports = [...initContainers, ...containers].flatMap((one) => one.ports ?? []);
                return [
                    {
                        namespace: pod.metadata?.namespace ?? "",
                        labels: pod.metadata?.labels ?? {},
                        ...{ address, node, ports },
                    },
                ];
            }),
        };
    }

    async #apply(node: SandboxNode, world: PolicyWorld): Promise<void> {
        const powerOn = powerOnOf(node);
        if (powerOn === undefined) return;
        const rules = rulesFor(node, world);
        const wanted = `${powerOn}\n${rules}`;
        if (this.#applied.get(node.name) === wanted) return;
        await setPacketFilter(node, rules);
        this.#applied.set(node.name, wanted);
        log(this.name, `${node.name} has new rules`);
    }
}
