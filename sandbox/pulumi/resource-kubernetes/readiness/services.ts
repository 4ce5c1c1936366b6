// When a Service counts as ready: its pods are, and its load balancer has an address.

import type { Cluster } from "../cluster.js";
import {
    nameOf,
    namespaceOf,
    objectAt,
    objectsAt,
    textAt,
    type KubernetesObject,
} from "../kubernetes-object.js";
import { equalTrees, type Tree } from "../../property-tree.js";
import { unless, type Phase, type Rule, type Verdict } from "./rule.js";

const ENDPOINTS = { apiVersion: "v1", kind: "Endpoints" };

/** How long endpoints must stay as they are before "no pods at all" counts as an answer. */
const SETTLE_MILLISECONDS = 10_000;

/** Services without pods of their own: nothing to wait for. */
function hasPods(service: KubernetesObject): boolean {
    return (
        textAt(service, "spec", "type") !== "ExternalName" &&
        textAt(service, "spec", "clusterIP") !== "None" &&
        Object.keys(objectAt(service, "spec", "selector")).length > 0
    );
}

/** Looks at the endpoints over time, because stragglers come one by one. */
class EndpointWatch {
    #last: Tree | undefined;
    #changed = Date.now();

    constructor(private readonly phase: Phase) {}

    async check(service: KubernetesObject, cluster: Cluster): Promise<string | false> {
        const endpoints = await cluster.find(ENDPOINTS, namespaceOf(service), nameOf(service));
        const subsets = objectsAt(endpoints, "subsets");
        if (!equalTrees(this.#last, subsets)) {
            this.#last = subsets;
            this.#changed = Date.now();
        }
        if (subsets.some((subset) => objectsAt(subset, "notReadyAddresses").length > 0)) {
            return "some of the pods that it selects are not ready";
        }
        if (subsets.some((subset) => objectsAt(subset, "addresses").length > 0)) return false;
        // As the real provider: endpoints that stay empty are taken for an answer, none at all is not.
        const settled =
            this.phase === "read" ||
            (endpoints !== undefined && Date.now() - this.#changed >= SETTLE_MILLISECONDS);
        return settled
            ? false
            : "it does not target any pods: they may not be ready, or spec.selector may not match their labels";
    }
}

export function service(phase: Phase): Rule {
    const endpoints = new EndpointWatch(phase);
    const check = async (live: KubernetesObject, cluster: Cluster): Promise<Verdict> => {
        const isBalanced = textAt(live, "spec", "type") === "LoadBalancer";
        const addresses = objectsAt(live, "status", "loadBalancer", "ingress");
        return unless([
            hasPods(live) && (await endpoints.check(live, cluster)),
            isBalanced &&
                addresses.length === 0 &&
                "it was not given an address: is there a load balancer controller?",
        ]);
    };
    return { check, judgedOnRead: true };
}
