// Who may open connections to the members: the cluster's own pods to every port, clients to the ports that are theirs.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Engine, JobFacts, Port } from "./engines/engine";
import { clusterLabels, memberSelector } from "./names";
import { DOORS, isOpen, type Surroundings } from "./outside";
import type { Site } from "./site";
import type { ClusterSpec } from "./spec";

export interface NetworkPolicyArgs {
    readonly engine: Engine;
    readonly facts: JobFacts;
    readonly surroundings: Surroundings;
    readonly site: Pick<Site, "named">;
    readonly namespace: pulumi.Resource;
    readonly parent: pulumi.Resource;
}

/**
 * Client and console ports are open to {@link clientsOf}, peer ports only to the cluster's own pods, and where members are in
 * several Kubernetes clusters to what may be these; nothing else gets in.
 */
export function registerNetworkPolicy(args: NetworkPolicyArgs): void {
    const { engine, facts, surroundings, site, namespace, parent } = args;
    const { spec } = facts;
    const tcp = (ports: readonly Port[]) => ports.map(({ port }) => ({ port, protocol: "TCP" }));
    const open = engine.ports(spec).filter(({ scope }) => scope !== "peer");
    const clients = clientsOf(spec, surroundings);
    const own = { matchLabels: { "app.kubernetes.io/instance": spec.name } };
    new k8s.networking.v1.NetworkPolicy(
        site.named(`${spec.name}-ingress`),
        {
            metadata: { name: spec.name, namespace: spec.namespace, labels: clusterLabels(spec) },
            spec: {
                podSelector: { matchLabels: memberSelector(spec) },
                policyTypes: ["Ingress"],
                ingress: [
                    { ports: tcp(open), ...(clients && { from: clients }) },
                    {
                        from: [{ podSelector: own }, ...surroundings.peerRanges.map(ipBlock)],
                        ports: tcp(engine.ports(spec)),
                    },
                ],
            },
        },
        { parent, dependsOn: [namespace] },
    );
}

/**
 * Who the clients may be; `undefined`: everybody. What a load balancer brings comes from a node's address, so `sourceRanges`
 * alone would keep its clients out: without the nodes' ranges nobody can be kept out here, only by the load balancer.
 */
export function clientsOf(
    { access }: Pick<ClusterSpec, "access">,
    surroundings: Pick<Surroundings, "nodeRanges" | "peerRanges">,
): k8s.types.input.networking.v1.NetworkPolicyPeer[] | undefined {
    const nodeRanges = [...surroundings.nodeRanges, ...surroundings.peerRanges];
    const doors = DOORS.map((name) => access[name]).filter(isOpen);
    const isBalanced = doors.some(({ type }) => type === "LoadBalancer");
    const isUnbounded = doors.some(({ sourceRanges }) => sourceRanges.length === 0);
    if (doors.length === 0 || isUnbounded || (isBalanced && nodeRanges.length === 0)) {
        return undefined;
    }
    const ranges = new Set([...doors.flatMap(({ sourceRanges }) => sourceRanges), ...nodeRanges]);
    return [{ namespaceSelector: {} }, ...[...ranges].map(ipBlock)];
}

const ipBlock = (cidr: string) => ({ ipBlock: { cidr } });
