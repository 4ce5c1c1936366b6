// A job of the cluster's: one of an engine's scripts, run to its end, once; and again when it failed or its plan changed.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { createHash } from "crypto";
import type { Account } from "./account";
import type { AccessRule, ContainerPlan, Engine, JobFacts } from "./engines/engine";
import { deletesClaims, recordAccess } from "./engines/shared";
import {
    container,
    layTools,
    LOST_NODE,
    podSecurity,
    reachingRemotes,
    REPLACED_WHEN_FAILED,
    volumes,
} from "./pod";

/** Beyond the script's own bound: scheduling, and starting the container. */
const MARGIN_SECONDS = 120;

/** What every job of the cluster's is made from. */
export interface ClusterJobArgs {
    readonly engine: Engine;
    readonly facts: JobFacts;
    readonly foundation: readonly pulumi.Resource[];
    readonly parent: pulumi.Resource;
}

export interface JobArgs {
    /** Of the Pulumi resource. The object's own is generated: the next one is made, and succeeds, before this one goes. */
    readonly name: string;
    readonly engine: Engine;
    readonly facts: JobFacts;
    readonly labels: Record<string, string>;
    /** Of the pod, where another value runs the job again. */
    readonly annotations?: Record<string, string>;
    readonly plan: ContainerPlan;
    /** Environment beside that of the plan; another value runs the job again, also one that is known during the update only. */
    readonly env?: Readonly<Record<string, pulumi.Input<string>>>;
    /** Bound on the script, in seconds. */
    readonly seconds: number;
    /** How often a pod that failed is started again: 0 where trying again by itself would not change the outcome. */
    readonly retries: number;
    /** Whether a new image, of the members or of the tools, runs it again. Default: false. */
    readonly followsImage?: boolean;
    /** Who it is to the API server. Left out: nobody. */
    readonly account?: Account;
    /** Whether it reaches the other Kubernetes clusters, where there are any. Default: false. */
    readonly reachesRemotes?: boolean;
    readonly mounts?: readonly k8s.types.input.core.v1.VolumeMount[];
    readonly volumes?: readonly k8s.types.input.core.v1.Volume[];
    readonly dependsOn: readonly pulumi.Resource[];
    readonly parent: pulumi.Resource;
}

/**
 * Names a job's plan, for the annotations of the cluster record: the job of an older update finds another one there and
 * writes nothing more (shared/record.sh, `is_superseded`).
 */
export const planHash = (plan: unknown): string =>
    createHash("sha256").update(JSON.stringify(plan)).digest("hex").slice(0, 16);

/** The cluster's jobs change the record, delete claims where that is theirs to do, and what the engine's need beside. */
export function jobAccess({
    engine,
    facts,
}: Pick<ClusterJobArgs, "engine" | "facts">): AccessRule[] {
    return [
        recordAccess(facts),
        ...(engine.jobAccess?.(facts) ?? []),
        // Which members leave is not in the plan, so no names are given.
        ...(deletesClaims(facts.spec)
            ? [{ apiGroup: "", resource: "persistentvolumeclaims", verbs: ["delete"] }]
            : []),
    ];
}

/** Registers the job. It is replaced, and so runs again, when its environment changes. */
export function registerJob(args: JobArgs): k8s.batch.v1.Job {
    const { engine, facts, labels, annotations, account } = args;
    const { spec } = facts;
    const plan =
        args.reachesRemotes && facts.remoteZones.length > 0
            ? reachingRemotes(spec, args.plan)
            : args.plan;
    const deadline = args.seconds + MARGIN_SECONDS;
    const tools = layTools(spec, engine, [plan]);
    const main = container({ spec, engine, image: facts.image }, plan);
    return new k8s.batch.v1.Job(
        args.name,
        {
            // One that failed is made anew by the next update; without this, that would only wait for it again.
            metadata: { namespace: spec.namespace, labels, annotations: REPLACED_WHEN_FAILED },
            spec: {
                backoffLimit: args.retries,
                activeDeadlineSeconds: deadline,
                template: {
                    metadata: { labels, ...(annotations && { annotations }) },
                    spec: {
                        restartPolicy: "Never",
                        ...(account && { serviceAccountName: account.name }),
                        automountServiceAccountToken: false,
                        enableServiceLinks: false,
                        terminationGracePeriodSeconds: 5,
                        tolerations: LOST_NODE,
                        securityContext: podSecurity(engine.user),
                        ...(tools.length > 0 && { initContainers: tools }),
                        containers: [
                            {
                                ...main,
                                env: [
                                    ...(main.env as k8s.types.input.core.v1.EnvVar[]),
                                    ...Object.entries(args.env ?? {}).map(([name, value]) => ({
                                        name,
                                        value,
                                    })),
                                ],
                                volumeMounts: [
                                    ...(main.volumeMounts as k8s.types.input.core.v1.VolumeMount[]),
                                    ...(args.mounts ?? []),
                                ],
                            },
                        ],
                        volumes: [...volumes(spec, [plan], engine), ...(args.volumes ?? [])],
                    },
                },
            },
        },
        {
            parent: args.parent,
            dependsOn: [...args.dependsOn, ...(account?.dependencies ?? [])],
            ...(!args.followsImage && {
                ignoreChanges: [
                    "spec.template.spec.containers[0].image",
                    ...tools.map((_, at) => `spec.template.spec.initContainers[${at}].image`),
                ],
            }),
            customTimeouts: { create: `${deadline + MARGIN_SECONDS}s` },
        },
    );
}
