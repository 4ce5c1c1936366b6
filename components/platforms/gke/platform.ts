// The platform `gke`: network, node account, Kubernetes clusters and their node pools on Google Cloud. This file and those beside it
// that import Google Cloud's package are loaded for this platform only.

import * as pulumi from "@pulumi/pulumi";
import type { AcceptedSpec } from "../../rules/accept";
import type { Surroundings } from "../../outside";
import type { Platform, ZoneCluster } from "../platform";
import { registerAddresses } from "./addresses";
import { costOutput, costTable } from "./cost-table";
import { mergedKubeconfig, requirePlugin } from "./kubeconfig";
import { GkeCluster } from "./kubernetes";
import { registerNetwork } from "./network";
import { registerNodeAccount } from "./node-account";
import { gkePlanOf, peerRangesOf, type GkePlan } from "./plan";
import { costOfPlan } from "./plan-cost";
import { openVault } from "./vault";

/** What a database stands on in Google Cloud, in Pulumi's tree. */
export class GkePlatform extends pulumi.ComponentResource {
    public readonly plan: GkePlan;
    /** Zone -> its Kubernetes cluster: one for all, or one in each. */
    public readonly clusters: ReadonlyMap<string, GkeCluster>;
    /** Where members are reached from outside. */
    public readonly surroundings: Surroundings;

    public constructor({ spec, plan }: AcceptedSpec, opts: pulumi.ComponentResourceOptions = {}) {
        super("quorum:index:GkePlatform", `${spec.name}-platform`, {}, opts);
        this.plan = gkePlanOf(spec, plan);
        const placed = registerNetwork(spec, this.plan, this);
        this.surroundings = {
            ...registerAddresses({ spec, plan: this.plan, placed }, this),
            peerRanges: peerRangesOf(spec, this.plan),
        };
        const account = registerNodeAccount(spec, this.plan, this);
        const clusters = new Map<string, GkeCluster>();
        let after: readonly pulumi.Resource[] = [];
        for (const kubernetes of this.plan.clusters) {
            const cluster = new GkeCluster(
                { spec, plan: this.plan, kubernetes, placed, account, after },
                { parent: this },
            );
            kubernetes.zones.forEach((zone) => clusters.set(zone, cluster));
            after = cluster.pools.all;
        }
        this.clusters = clusters;
        this.registerOutputs();
    }

    /** That of the first zone by name. */
    public get first(): GkeCluster {
        return [...this.clusters.values()][0]!;
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
    const several = [...new Set(made.clusters.values())];
    return {
        options: { provider: made.first.provider },
        ...(several.length > 1 && { clusters: zoneClusters(made) }),
        machinesOf: (zone) => made.clusters.get(zone)?.pools.of(zone) ?? [],
        surroundings: made.surroundings,
        cost: costOutput(cost),
        kubeconfig: mergedKubeconfig(several.map(({ kubeconfig }) => kubeconfig)),
        vault: openVault(accepted.spec, made.plan),
    };
}

const zoneClusters = ({ clusters }: GkePlatform): Record<string, ZoneCluster> =>
    Object.fromEntries(
        [...clusters].map(([zone, { provider, server }]) => [
            zone,
            { options: { provider }, server },
        ]),
    );
