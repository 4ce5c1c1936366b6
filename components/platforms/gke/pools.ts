// Node pools: one for each zone and purpose, touched zone after zone.

import type { Cluster } from "@pulumi/gcp/container/cluster";
import { NodePool, type NodePoolArgs } from "@pulumi/gcp/container/nodePool";
import * as pulumi from "@pulumi/pulumi";
import { MEMBERS_LABEL } from "../../names";
import type { ClusterSpec } from "../../spec";
import type { NodeAccount } from "./node-account";
import type { GkePlan, KubernetesPlan, PoolPlan } from "./plan";

export interface NodePoolsArgs {
    readonly spec: ClusterSpec;
    readonly plan: GkePlan;
    readonly kubernetes: KubernetesPlan;
    readonly cluster: Cluster;
    readonly account: NodeAccount;
    /** Nodes of earlier zones in other clusters: they are touched first. */
    readonly after: readonly pulumi.Resource[];
}

/**
 * What replaces a pool when it changes (terraform-provider-google-beta 93c65b2, node_config.go and resource_container_node_pool.go)
 * and what Google changes by itself. A pool that shall be another one has another name: it comes first, and this one goes last.
 */
const FOR_EVER = [
    ...["name", "project", "cluster", "location", "initialNodeCount", "version"],
    ...[
        "maxPodsPerNode",
        "networkConfig",
        "nodeLocations",
        "placementPolicy",
        "queuedProvisioning",
    ],
    ...["metadata", "oauthScopes", "serviceAccount", "spot", "preemptible", "minCpuPlatform"].map(
        (key) => `nodeConfig.${key}`,
    ),
    ...["shieldedInstanceConfig", "bootDiskKmsKey", "localSsdCount", "advancedMachineFeatures"].map(
        (key) => `nodeConfig.${key}`,
    ),
];

/** Google drains a node for at most an hour, and there is one more round than there are nodes. */
const HOURS_OF_A_NODE = 1;

/** The node pools of one Kubernetes cluster. */
export class NodePools extends pulumi.ComponentResource {
    public readonly all: readonly NodePool[];
    readonly #byZone = new Map<string, NodePool[]>();

    public constructor(args: NodePoolsArgs, opts: pulumi.ComponentResourceOptions) {
        const { kubernetes, plan } = args;
        super("quorum:index:NodePools", `${kubernetes.name}-pools`, {}, opts);
        let before: readonly pulumi.Resource[] = [...args.account.rights, ...args.after];
        for (const zone of kubernetes.zones) {
            const pools = plan.pools
                .filter((pool) => pool.cluster === kubernetes.name && pool.zone === zone)
                .map((pool) => this.#register(args, pool, before));
            this.#byZone.set(zone, pools);
            // The nodes of one zone at a time: while they are recreated, the members of the others are a majority.
            before = pools;
        }
        this.all = [...this.#byZone.values()].flat();
        this.registerOutputs();
    }

    /** The pools of a zone. */
    public of(zone: string): readonly NodePool[] {
        return this.#byZone.get(zone) ?? [];
    }

    #register(args: NodePoolsArgs, pool: PoolPlan, before: readonly pulumi.Resource[]): NodePool {
        const timeout = `${(pool.count + 1) * HOURS_OF_A_NODE}h`;
        return new NodePool(pool.resource, poolArgs(args, pool), {
            parent: this,
            dependsOn: [...before],
            ignoreChanges: FOR_EVER,
            customTimeouts: { create: timeout, update: timeout, delete: timeout },
        });
    }
}

function poolArgs(
    { spec, plan, kubernetes, cluster, account }: NodePoolsArgs,
    pool: PoolPlan,
): NodePoolArgs {
    const isMembers = pool.purpose === "member";
    return {
        name: pool.name,
        project: plan.project,
        cluster: cluster.name,
        location: kubernetes.location,
        // One zone, for ever: a pool that moves leaves the disks of its zone behind.
        nodeLocations: [pool.zone],
        nodeCount: pool.count,
        management: { autoRepair: true, autoUpgrade: true },
        upgradeSettings: { strategy: "SURGE", maxSurge: 1, maxUnavailable: 0 },
        // Without it, deleting a pool evicts at once, whatever the disruption budget says.
        nodeDrainConfigs: [{ respectPdbDuringNodePoolDeletion: true }],
        nodeConfig: {
            machineType: pool.machineType,
            diskType: pool.bootDisk.type,
            diskSizeGb: pool.bootDisk.gib,
            imageType: "COS_CONTAINERD",
            serviceAccount: account.email,
            // What a node may do is said by its account's roles.
            oauthScopes: ["https://www.googleapis.com/auth/cloud-platform"],
            metadata: { "disable-legacy-endpoints": "true" },
            workloadMetadataConfig: { mode: "GKE_METADATA" },
            labels: { [MEMBERS_LABEL]: isMembers ? spec.name : "none" },
            ...(isMembers && {
                taints: [{ key: MEMBERS_LABEL, value: spec.name, effect: "NO_SCHEDULE" }],
            }),
        },
    };
}
