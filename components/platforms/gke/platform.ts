// The platform `gke`: network, node account, Kubernetes clusters and their node pools on Google Cloud. This file and those beside it
// that import Google Cloud's package are loaded for this platform only.

import * as pulumi from "@pulumi/pulumi";
import type { AcceptedSpec } from "../../rules/accept";
import type { Surroundings } from "../../outside";
import type { Platform } from "../platform";
import { registerAddresses } from "./addresses";
import { costOutput, costTable } from "./cost-table";
import { requirePlugin } from "./kubeconfig";
import { GkeCluster } from "./kubernetes";
import { registerNetwork } from "./network";
import { registerNodeAccount } from "./node-account";
import { gkePlanOf, type GkePlan } from "./plan";
import { costOfPlan } from "./plan-cost";
import { openVault } from "./vault";

/** What a database stands on in Google Cloud, in Pulumi's tree. */
export class GkePlatform extends pulumi.ComponentResource {
    public readonly plan: GkePlan;
    public readonly cluster: GkeCluster;
    /** Where members are reached from outside. */
    public readonly surroundings: Surroundings;

    public constructor({ spec, plan }: AcceptedSpec, opts: pulumi.ComponentResourceOptions = {}) {
        super("quorum:index:GkePlatform", `${spec.name}-platform`, {}, opts);
        this.plan = gkePlanOf(spec, plan);
        const placed = registerNetwork(spec, this.plan, this);
        this.surroundings = registerAddresses({ spec, plan: this.plan, placed }, this);
        const account = registerNodeAccount(spec, this.plan, this);
        const [kubernetes] = this.plan.clusters;
        this.cluster = new GkeCluster(
            { spec, plan: this.plan, kubernetes: kubernetes!, placed, account },
            { parent: this },
        );
        this.registerOutputs();
    }
}

/**
 * Makes the platform of an accepted specification.
 *
 * @throws RunError when the plugin is missing by which its Kubernetes is reached.
 */
export function gkePlatform(accepted: AcceptedSpec): Platform {
    requirePlugin();
    const made = new GkePlatform(accepted);
    const cost = costOfPlan(accepted.spec, made.plan);
    if (pulumi.runtime.isDryRun()) {
        void pulumi.log.info(costTable(cost, { today: new Date() }), made);
    }
    return {
        options: { provider: made.cluster.provider },
        machinesOf: (zone) => made.cluster.pools.of(zone),
        surroundings: made.surroundings,
        cost: costOutput(cost),
        kubeconfig: made.cluster.kubeconfig,
        vault: openVault(accepted.spec, made.plan),
    };
}
