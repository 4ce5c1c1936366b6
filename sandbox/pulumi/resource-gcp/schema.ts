// What Terraform's schemas say of optional inputs, as far as plans depend on it. Read where
// force-new.ts was read (hashicorp/terraform-provider-google-beta 93c65b2); defaults and names that
// Pulumi changes are in pulumi/pulumi-gcp ed6078a, provider/resources.go.

import type { TreeObject } from "../property-tree.js";

function list(text: string): readonly string[] {
    return text.trim().split(/\s+/);
}

/** Optional and computed: Google fills them in, and taking one out of the program changes nothing. */
export const KEPT_WHEN_UNSET: Readonly<Record<string, readonly string[]>> = {
    "gcp:container/cluster:Cluster": list(`
        addonsConfig anonymousAuthenticationConfig authenticatorGroupsConfig
        autopilotClusterPolicyConfig autopilotPrivilegedAdmissions clusterAutoscaling clusterIpv4Cidr
        clusterTelemetry confidentialNodes controlPlaneEndpointsConfig costManagementConfig
        databaseEncryption datapathProvider defaultMaxPodsPerNode defaultSnatStatus
        enableIntranodeVisibility enableL4IlbSubsetting enableTpu enterpriseConfig gatewayApiConfig
        gkeAutoUpgradeConfig identityServiceConfig ipAllocationPolicy location loggingConfig
        loggingService managedMachineLearningDiagnosticsConfig managedOpentelemetryConfig masterAuth
        masterAuthorizedNetworksConfig meshCertificates monitoringConfig monitoringService
        networkingMode nodeConfig nodeCreationConfig nodeLocations nodePoolAutoConfig nodePoolDefaults
        nodePools nodeVersion notificationConfig podAutoscaling privateClusterConfig
        privateIpv6GoogleAccess project protectConfig rbacBindingConfig releaseChannel
        securityPostureConfig serviceExternalIpsConfig subnetwork tpuConfig verticalPodAutoscaling
        workloadAltsConfig workloadIdentityConfig`),
    "gcp:container/nodePool:NodePool": list(`
        initialNodeCount location management maxPodsPerNode name namePrefix networkConfig nodeConfig
        nodeCount nodeDrainConfigs nodeLocations project upgradeSettings version`),
    "gcp:compute/network:Network": list(`
        bgpAlwaysCompareMed bgpBestPathSelectionMode bgpInterRegionCost internalIpv6Range mtu project
        routingMode`),
    "gcp:compute/subnetwork:Subnetwork": list(`
        allowSubnetCidrRoutesOverlap externalIpv6Prefix internalIpv6Prefix ipCidrRange
        privateIpGoogleAccess privateIpv6GoogleAccess project purpose region secondaryIpRanges
        stackType`),
    "gcp:compute/router:Router": list("project region"),
    "gcp:compute/routerNat:RouterNat": list(`
        autoNetworkTier drainNatIps enableDynamicPortAllocation enableEndpointIndependentMapping
        endpointTypes minPortsPerVm natIps project region`),
    "gcp:compute/firewall:Firewall": list("destinationRanges direction enableLogging project"),
    "gcp:compute/address:Address": list(
        "address networkTier prefixLength project purpose region subnetwork",
    ),
    "gcp:compute/disk:Disk": list(`
        accessMode enableConfidentialCompute guestOsFeatures licenses physicalBlockSizeBytes project
        provisionedIops provisionedThroughput resourcePolicies size zone`),
    "gcp:compute/regionDisk:RegionDisk": list(`
        accessMode guestOsFeatures licenses physicalBlockSizeBytes project provisionedIops
        provisionedThroughput region size`),
    "gcp:compute/resourcePolicy:ResourcePolicy": list("project region"),
    "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment": list("project zone"),
    "gcp:compute/regionDiskResourcePolicyAttachment:RegionDiskResourcePolicyAttachment":
        list("project region"),
    "gcp:serviceaccount/account:Account": list("project"),
    "gcp:projects/iAMMember:IAMMember": [],
    "gcp:dns/managedZone:ManagedZone": list("cloudLoggingConfig dnssecConfig project"),
    "gcp:dns/recordSet:RecordSet": list("project"),
    "gcp:secretmanager/secret:Secret": list("expireTime project"),
    "gcp:secretmanager/secretVersion:SecretVersion": list("project"),
};

/** The schema's defaults: an input that is left out has this value. */
export const DEFAULTS: Readonly<Record<string, TreeObject>> = {
    "gcp:container/cluster:Cluster": {
        deletionProtection: true,
        disableL4LbFirewallReconciliation: false,
        enableCiliumClusterwideNetworkPolicy: false,
        enableFqdnNetworkPolicy: false,
        enableKubernetesAlpha: false,
        enableLegacyAbac: false,
        enableMultiNetworking: false,
        enableShieldedNodes: true,
        network: "default",
    },
    "gcp:compute/network:Network": {
        autoCreateSubnetworks: true,
        deleteBgpAlwaysCompareMed: false,
        deleteDefaultRoutesOnCreate: false,
        networkFirewallPolicyEnforcementOrder: "AFTER_CLASSIC_FIREWALL",
    },
    "gcp:compute/routerNat:RouterNat": {
        icmpIdleTimeoutSec: 30,
        tcpEstablishedIdleTimeoutSec: 1200,
        tcpTimeWaitTimeoutSec: 120,
        tcpTransitoryIdleTimeoutSec: 30,
        type: "PUBLIC",
        udpIdleTimeoutSec: 30,
    },
    "gcp:compute/firewall:Firewall": { priority: 1000 },
    "gcp:compute/address:Address": { addressType: "EXTERNAL" },
    "gcp:compute/disk:Disk": {
        createSnapshotBeforeDestroy: false,
        eraseWindowsVssSignature: false,
        interface: "SCSI",
        type: "pd-standard",
    },
    "gcp:compute/regionDisk:RegionDisk": {
        createSnapshotBeforeDestroy: false,
        eraseWindowsVssSignature: false,
        interface: "SCSI",
        type: "pd-standard",
    },
    "gcp:serviceaccount/account:Account": { disabled: false },
    "gcp:dns/managedZone:ManagedZone": {
        description: "Managed by Pulumi",
        forceDestroy: false,
        visibility: "public",
    },
    "gcp:secretmanager/secret:Secret": { deletionProtection: false },
    "gcp:secretmanager/secretVersion:SecretVersion": { enabled: true },
};

/** On every type; what a delete does is decided from the state. */
const EVERYWHERE = "deletionPolicy";

/**
 * Inputs that Google never hears of: they steer the provider and live in the state alone. An import
 * gives them their defaults.
 */
const STATE_ONLY: Readonly<Record<string, readonly string[]>> = {
    "gcp:container/cluster:Cluster": list(
        "deletionProtection ignoreNodeCountChanges removeDefaultNodePool skipNodePoolRefresh",
    ),
    "gcp:container/nodePool:NodePool": list("ignoreNodeCountChanges"),
    "gcp:compute/network:Network": list("deleteBgpAlwaysCompareMed deleteDefaultRoutesOnCreate"),
    "gcp:compute/subnetwork:Subnetwork": list("sendSecondaryIpRangeIfEmpty"),
    "gcp:compute/disk:Disk": list(`
        createSnapshotBeforeDestroy createSnapshotBeforeDestroyPrefix eraseWindowsVssSignature
        interface`),
    "gcp:compute/regionDisk:RegionDisk": list(`
        createSnapshotBeforeDestroy createSnapshotBeforeDestroyPrefix eraseWindowsVssSignature
        interface`),
    "gcp:serviceaccount/account:Account": list("createIgnoreAlreadyExists"),
    "gcp:dns/managedZone:ManagedZone": list("forceDestroy"),
    "gcp:secretmanager/secret:Secret": list("deletionProtection"),
    "gcp:secretmanager/secretVersion:SecretVersion": list("isSecretDataBase64"),
};

export function stateOnly(type: string): readonly string[] {
    return [EVERYWHERE, ...(STATE_ONLY[type] ?? [])];
}

/** Inputs that name another resource: by its name, its id or its self link, as the program likes. */
const REFERENCES: Readonly<Record<string, readonly string[]>> = {
    "gcp:container/cluster:Cluster": ["network", "subnetwork"],
    "gcp:container/nodePool:NodePool": ["cluster"],
    "gcp:compute/subnetwork:Subnetwork": ["network"],
    "gcp:compute/router:Router": ["network"],
    "gcp:compute/routerNat:RouterNat": ["router"],
    "gcp:compute/firewall:Firewall": ["network"],
    "gcp:compute/address:Address": ["network", "subnetwork"],
    "gcp:compute/disk:Disk": ["type", "zone"],
    "gcp:compute/regionDisk:RegionDisk": ["region", "type"],
    "gcp:dns/recordSet:RecordSet": ["managedZone"],
};

export function isReference(type: string, input: string): boolean {
    return REFERENCES[type]?.includes(input) ?? false;
}

/** Lists whose order says something; all other lists of plain values are sets. */
const ORDERED: Readonly<Record<string, readonly string[]>> = {
    "gcp:compute/regionDisk:RegionDisk": ["replicaZones"],
};

export function isOrdered(type: string, input: string): boolean {
    return ORDERED[type]?.includes(input) ?? false;
}
