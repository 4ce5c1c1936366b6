// One Kubernetes cluster of Google's, and the provider that reaches it.

import { Cluster, type ClusterArgs } from "@pulumi/gcp/container/cluster";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { cloudLabels } from "../../names";
import type { ClusterSpec } from "../../spec";
import { kubeconfigOf } from "./kubeconfig";
import { firstWindow } from "./maintenance";
import type { Placed } from "./network";
import type { NodeAccount } from "./node-account";
import { peerRangesOf, type GkePlan, type KubernetesPlan } from "./plan";
import { NodePools } from "./pools";

/**
 * What replaces a cluster when it changes (terraform-provider-google-beta 93c65b2, resource_container_cluster.go), what
 * Google changes by itself, and what others add. It counts when the cluster is made: no program and no drift replaces one.
 */
const FOR_EVER = [
    ...["name", "project", "location", "network", "subnetwork", "networkingMode", "description"],
    ...["ipAllocationPolicy", "clusterIpv4Cidr", "datapathProvider", "defaultMaxPodsPerNode"],
    ...["enableAutopilot", "userManagedKeysConfig", "confidentialNodes", "masterAuth"],
    ...["initialNodeCount", "nodeConfig", "nodePools", "nodeLocations", "nodeVersion"],
    ...["minMasterVersion", "resourceLabels", "enableL4IlbSubsetting", "privateClusterConfig"],
];

/** Making, changing or deleting one takes Google up to half an hour; its own module waits for 45 min. */
const TIMEOUT = "60m";

export interface GkeClusterArgs {
    readonly spec: ClusterSpec;
    readonly plan: GkePlan;
    readonly kubernetes: KubernetesPlan;
    readonly placed: Placed;
    readonly account: NodeAccount;
    /** Node pools of clusters in earlier zones. */
    readonly after: readonly pulumi.Resource[];
}

/** A Kubernetes cluster on Google Cloud, with its node pools. */
export class GkeCluster extends pulumi.ComponentResource {
    public readonly cluster: Cluster;
    public readonly pools: NodePools;
    /** Puts objects on it, once it has nodes. */
    public readonly provider: k8s.Provider;
    /** For kubectl; it holds no secret, `gke-gcloud-auth-plugin` gets a token. */
    public readonly kubeconfig: pulumi.Output<string>;
    /** URL of its API server within the network. */
    public readonly server: pulumi.Output<string>;

    public constructor(args: GkeClusterArgs, opts: pulumi.ComponentResourceOptions) {
        const { spec, plan, kubernetes, placed, account } = args;
        super("quorum:index:GkeCluster", kubernetes.name, {}, opts);
        this.cluster = new Cluster(kubernetes.name, clusterArgs(args), {
            parent: this,
            dependsOn: [...placed.ready, ...account.rights],
            protect: spec.gke!.deletionProtection,
            ignoreChanges: FOR_EVER,
            customTimeouts: { create: TIMEOUT, update: TIMEOUT, delete: TIMEOUT },
        });
        this.pools = new NodePools({ ...args, cluster: this.cluster }, { parent: this });
        this.kubeconfig = kubeconfigOf(this.cluster, spec.gke!.endpoint);
        this.server = pulumi.interpolate`https://${this.cluster.privateClusterConfig.privateEndpoint}`;
        this.provider = new k8s.Provider(
            kubernetes.name,
            {
                kubeconfig: this.kubeconfig,
                enableConfigMapMutable: true,
                enableSecretMutable: true,
                // Plain text: while the kubeconfig is not known yet, nothing is planned for replacement.
                clusterIdentifier: `projects/${plan.project}/locations/${kubernetes.location}/clusters/${kubernetes.name}`,
            },
            { parent: this, dependsOn: [...this.pools.all] },
        );
        this.registerOutputs();
    }
}

function clusterArgs({ spec, plan, kubernetes, placed }: GkeClusterArgs): ClusterArgs {
    const gke = spec.gke!;
    const isPublic = gke.endpoint === "public";
    // Pods of the other clusters reach it by address: by name Google asks for more than a token of Kubernetes.
    const isPerZone = spec.layout === "cluster-per-zone";
    const hasAddress = gke.endpoint !== "dns" || isPerZone;
    return {
        name: kubernetes.name,
        project: plan.project,
        location: kubernetes.location,
        network: placed.network,
        subnetwork: placed.subnetwork,
        networkingMode: "VPC_NATIVE",
        ipAllocationPolicy: plan.network
            ? {
                  clusterSecondaryRangeName: kubernetes.podsName,
                  servicesSecondaryRangeName: kubernetes.servicesName,
              }
            : {
                  clusterIpv4CidrBlock: kubernetes.pods,
                  servicesIpv4CidrBlock: kubernetes.services,
              },
        // Enforces network policies.
        datapathProvider: "ADVANCED_DATAPATH",
        // A cluster is made with a pool that goes at once: the members' pools are resources of their own.
        initialNodeCount: 1,
        removeDefaultNodePool: true,
        releaseChannel: { channel: gke.channel },
        maintenancePolicy: {
            recurringWindow: firstWindow(gke.window),
            maintenanceExclusions: gke.exclusions.map(({ name, from, until }) => ({
                exclusionName: name,
                startTime: from,
                endTime: until,
                exclusionOptions: { scope: "NO_MINOR_OR_NODE_UPGRADES" },
            })),
        },
        privateClusterConfig: {
            enablePrivateNodes: true,
            // By name it is reached through Google; by address then from within the network only, where there is one at all.
            enablePrivateEndpoint: gke.endpoint === "private" || (isPerZone && !isPublic),
        },
        controlPlaneEndpointsConfig: {
            dnsEndpointConfig: { allowExternalTraffic: gke.endpoint === "dns" },
            ipEndpointsConfig: { enabled: hasAddress },
        },
        ...(hasAddress && {
            masterAuthorizedNetworksConfig: {
                cidrBlocks: [...gke.authorizedNetworks, ...peerRangesOf(spec, plan)].map(
                    (cidrBlock) => ({ cidrBlock }),
                ),
                gcpPublicCidrsAccessEnabled: false,
            },
        }),
        workloadIdentityConfig: { workloadPool: `${plan.project}.svc.id.goog` },
        addonsConfig: { gcePersistentDiskCsiDriverConfig: { enabled: true } },
        // Internal load balancers reach nodes by groups of their own: without it, at most 250 nodes. Google turns it on from 1.36.
        enableL4IlbSubsetting: true,
        deletionProtection: gke.deletionProtection,
        resourceLabels: cloudLabels(spec),
    };
}
