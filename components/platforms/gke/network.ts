// The network of a database's own: one subnetwork with ranges for nodes, pods and Services, and a way out for private nodes.

import { Network } from "@pulumi/gcp/compute/network";
import { Router } from "@pulumi/gcp/compute/router";
import { RouterNat } from "@pulumi/gcp/compute/routerNat";
import { Subnetwork } from "@pulumi/gcp/compute/subnetwork";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterSpec } from "../../spec";
import type { GkePlan } from "./plan";

/** Where clusters and addresses are put. */
export interface Placed {
    readonly network: pulumi.Input<string>;
    readonly subnetwork: pulumi.Input<string>;
    /** The network as Cloud DNS wants it. */
    readonly networkUrl: pulumi.Input<string>;
    /** What nodes need of it before they start: without the way out they get no image. */
    readonly ready: readonly pulumi.Resource[];
}

/** Makes the network, or names the existing one, which is not touched. */
export function registerNetwork(
    spec: ClusterSpec,
    { project, region, network: own }: GkePlan,
    parent: pulumi.Resource,
): Placed {
    const { network: existing, subnetwork: part } = spec.gke!;
    if (own === undefined) {
        return {
            network: existing!,
            subnetwork: part!,
            networkUrl: `projects/${project}/global/networks/${existing!}`,
            ready: [],
        };
    }
    const { name } = own;
    const network = new Network(
        `${name}-network`,
        { name, project, autoCreateSubnetworks: false },
        { parent },
    );
    const subnetwork = new Subnetwork(
        `${name}-subnetwork`,
        {
            name,
            project,
            region,
            network: network.id,
            ipCidrRange: own.nodes,
            secondaryIpRanges: own.secondary.map(({ name, range }) => ({
                rangeName: name,
                ipCidrRange: range,
            })),
            // Nodes without public addresses reach Google's own services by it.
            privateIpGoogleAccess: true,
        },
        { parent },
    );
    const router = new Router(
        `${name}-router`,
        { name, project, region, network: network.id },
        { parent },
    );
    const nat = new RouterNat(
        `${name}-nat`,
        {
            name,
            project,
            region,
            router: router.name,
            natIpAllocateOption: "AUTO_ONLY",
            sourceSubnetworkIpRangesToNat: "ALL_SUBNETWORKS_ALL_IP_RANGES",
        },
        { parent },
    );
    return {
        network: network.id,
        subnetwork: subnetwork.id,
        networkUrl: network.id,
        ready: [subnetwork, nat],
    };
}
