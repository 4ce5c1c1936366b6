// The cluster record, and in the other Kubernetes clusters of a database the address that it names.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { Engine, JobFacts } from "./engines/engine";
import { componentLabels } from "./names";
import type { Site } from "./site";

export interface RecordArgs {
    readonly engine: Engine;
    readonly facts: JobFacts;
    readonly namespace: pulumi.Resource;
    readonly parent: pulumi.Resource;
}

/** What the cluster record says of the newest update: `quorum.dev/NAME` -> value. */
export type Newest = Readonly<Record<"plan" | "pods" | "first", string>>;

const leaderService = ({ services }: Engine) =>
    services.find(({ target }) => target.kind === "leader");

/**
 * The cluster record (scripts: record.sh): annotations that the members and the membership job keep. Where a Service
 * reaches the one address that the record names, it is that Service's EndpointSlice: both change in one write.
 */
export function registerRecord(args: RecordArgs, newest: Newest): k8s.discovery.v1.EndpointSlice {
    const annotations: Record<string, string> = Object.fromEntries(
        Object.entries(newest).map(([name, value]) => [`quorum.dev/${name}`, value]),
    );
    return registerSlice(args, args.facts.record, annotations);
}

/**
 * Where the Service for writes leads in another Kubernetes cluster than the record's: the members there keep it. Nothing for
 * engines without such a Service.
 */
export const registerMirror = (args: RecordArgs, site: Site): pulumi.Resource[] =>
    leaderService(args.engine) ? [registerSlice(args, site.named(args.facts.record))] : [];

function registerSlice(
    { engine, facts, namespace, parent }: RecordArgs,
    name: string,
    annotations?: Record<string, string>,
): k8s.discovery.v1.EndpointSlice {
    const { spec } = facts;
    const leader = leaderService(engine);
    return new k8s.discovery.v1.EndpointSlice(
        name,
        {
            metadata: {
                name: facts.record,
                namespace: spec.namespace,
                labels: {
                    ...componentLabels(spec, "client"),
                    ...(leader && { "kubernetes.io/service-name": `${spec.name}${leader.suffix}` }),
                    "endpointslice.kubernetes.io/managed-by": "quorum.dev",
                },
                ...(annotations && { annotations }),
            },
            addressType: "IPv4",
            endpoints: [],
            ...(leader && {
                ports: leader.ports.map(({ name, port }) => ({ name, port, protocol: "TCP" })),
            }),
        },
        { parent, dependsOn: [namespace], ignoreChanges: ["endpoints"] },
    );
}
