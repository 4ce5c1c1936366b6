// Layout `cluster-per-zone`: what it asks for beside zones, and what of it never changes.

import type { Engine } from "../engines/engine";
import type { Problem } from "../problems";
import type { CompleteSpec } from "../spec";
import { homeOf } from "../topology";
import { changeOf, found, type Rule } from "./rule";

/** What is wrong with a specification's layout. */
export function layoutProblems(spec: CompleteSpec, engine: Engine): Problem[] {
    const { access, layout, zones } = spec;
    if (layout !== "cluster-per-zone") {
        const reason = "belongs to layout cluster-per-zone";
        return access.peerRanges.length > 0
            ? [{ path: "access.peerRanges", value: access.peerRanges, reason }]
            : [];
    }
    const refuse = (path: string, value: unknown, reason: string): Problem => ({
        path,
        value,
        reason,
    });
    const refusal = engine.clusterPerZoneRefusal(spec);
    return [
        ...(refusal === undefined ? [] : [refuse("layout", layout, `${refusal}.`)]),
        ...(zones.length > 1
            ? []
            : [refuse("zones", zones, "layout cluster-per-zone takes at least two zones")]),
        ...(spec.names.domain === undefined
            ? [
                  refuse(
                      "names.domain",
                      undefined,
                      "members of different Kubernetes clusters know one another by names: give the domain in which <member>.<domain> is the address of the member's load balancer, in the DNS of all clusters",
                  ),
              ]
            : []),
        ...(access.members.type === "LoadBalancer"
            ? []
            : [
                  refuse(
                      "access.members.type",
                      access.members.type,
                      "must be LoadBalancer: members of the other Kubernetes clusters come by it",
                  ),
              ]),
        // Of a network that Quorum makes they are known.
        ...(access.peerRanges.length > 0 ||
        (spec.platform === "gke" && spec.gke?.network === undefined)
            ? []
            : [
                  refuse(
                      "access.peerRanges",
                      undefined,
                      "name the networks of the nodes and pods of all the Kubernetes clusters: members take connections of other members from these",
                  ),
              ]),
        ...Object.entries(access.clients.addresses).map(([name, value]) =>
            refuse(
                `access.clients.addresses.${name}`,
                value,
                "each Kubernetes cluster has such a Service, and they cannot have one address: remove the key",
            ),
        ),
        ...(spec.addons.length > 0
            ? [
                  refuse(
                      "addons",
                      spec.addons,
                      "run in one Kubernetes cluster, and would go with it: with layout cluster-per-zone make them beside it",
                  ),
              ]
            : []),
    ];
}

/** The Kubernetes cluster with the record and the jobs is chosen once. */
export const homeRule: Rule = (old, wanted) => {
    const [before, after] = [homeOf(old), homeOf(wanted)];
    return found(
        before !== undefined &&
            after !== undefined &&
            before !== after &&
            changeOf("zones", [old, wanted], {
                severity: "refused",
                reason: `the Kubernetes cluster of zone ${before} holds the cluster record, and that is the first zone by name for ever: keep it, and name new zones so that they come after it.`,
            }),
    );
};
