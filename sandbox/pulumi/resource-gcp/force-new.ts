// Which inputs replace a resource of Google's when they change, and which a resource cannot be made
// without. Read out of the schemas of Terraform's provider, from which Pulumi's is built:
// hashicorp/terraform-provider-google-beta 93c65b2 (2026-08-21), google-beta/services/*/resource_*.go,
// container/node_config.go, tpgiamresource/resource_iam_member.go; fields with ForceNew, fields with
// Required, and what CustomizeDiff makes of them. Names are Pulumi's. Everything else changes in place.

/** Words as a list. */
function list(text: string): readonly string[] {
    return text.trim().split(/\s+/);
}

/** The fields below one block. */
function below(block: string, fields: string): readonly string[] {
    return list(fields).map((field) => `${block}.${field}`);
}

/** Blocks of nodeConfig of which every field replaces the pool, and single fields. */
const NODE_CONFIG = `
    advancedMachineFeatures bootDiskKmsKey confidentialNodes.confidentialInstanceType
    enableConfidentialStorage ephemeralStorageConfig ephemeralStorageLocalSsdConfig flexStart
    guestAccelerators hostMaintenancePolicy localNvmeSsdBlockConfig localSsdCount
    localSsdEncryptionMode maxRunDuration metadata minCpuPlatform nodeGroup oauthScopes preemptible
    reservationAffinity secondaryBootDisks serviceAccount shieldedInstanceConfig
    soleTenantConfig.nodeAffinities spot`;

const DISK = `
    asyncPrimaryDisk description diskEncryptionKey eraseWindowsVssSignature
    guestOsFeatures image interface licenses name physicalBlockSizeBytes project snapshot sourceDisk
    sourceImageEncryptionKey sourceSnapshotEncryptionKey type`;

/**
 * Type -> paths. A change at such a path or below it replaces the resource. For blocks with fields of
 * both kinds the fields stand here; see FORCE_NEW_BLOCKS.
 */
export const FORCE_NEW: Readonly<Record<string, readonly string[]>> = {
    "gcp:container/cluster:Cluster": [
        ...list(`
            clusterIpv4Cidr dataplaneOptimizationMode datapathProvider defaultMaxPodsPerNode description
            enableAutopilot enableKubernetesAlpha enableTpu initialNodeCount location name network
            networkingMode nodePools project subnetwork tpuConfig confidentialNodes.enabled
            confidentialNodes.confidentialInstanceType
            clusterAutoscaling.autoProvisioningDefaults.bootDiskKmsKey`),
        ...below(
            "ipAllocationPolicy",
            "clusterIpv4CidrBlock clusterSecondaryRangeName podCidrOverprovisionConfig servicesIpv4CidrBlock servicesSecondaryRangeName",
        ),
        ...below("masterAuth", "clientCertificateConfig"),
        ...below("nodeConfig", NODE_CONFIG),
        ...below("privateClusterConfig", "masterIpv4CidrBlock privateEndpointSubnetwork"),
        ...below("userManagedKeysConfig", "aggregationCa clusterCa etcdApiCa etcdPeerCa"),
    ],
    "gcp:container/nodePool:NodePool": [
        ...list(`
            cluster initialNodeCount location maxPodsPerNode name namePrefix placementPolicy.policyName
            project queuedProvisioning`),
        ...below(
            "networkConfig",
            "acceleratorNetworkProfile additionalNodeNetworkConfigs additionalPodNetworkConfigs createPodRange podCidrOverprovisionConfig podIpv4CidrBlock podRange subnetwork",
        ),
        ...below("nodeConfig", NODE_CONFIG),
    ],
    "gcp:compute/network:Network": list(
        "autoCreateSubnetworks description internalIpv6Range name networkProfile params project",
    ),
    "gcp:compute/subnetwork:Subnetwork": list(`
        description externalIpv6Prefix internalIpv6Prefix name network params project region
        reservedInternalRange resolveSubnetMask`),
    "gcp:compute/router:Router": list(
        "encryptedInterconnectRouter name nccGateway network params project region",
    ),
    "gcp:compute/routerNat:RouterNat": list(
        "endpointTypes initialNatIps name project region router type",
    ),
    "gcp:compute/firewall:Firewall": list("direction name params project"),
    "gcp:compute/address:Address": list(`
        address addressType description ipCollection ipVersion ipv6EndpointType name network networkTier
        prefixLength project purpose region subnetwork`),
    "gcp:compute/disk:Disk": [
        ...list(DISK),
        ...list(`
            architecture enableConfidentialCompute multiWriter params resourcePolicies sourceInstantSnapshot
            sourceStorageObject storagePool zone`),
    ],
    "gcp:compute/regionDisk:RegionDisk": [...list(DISK), "region", "replicaZones"],
    "gcp:compute/resourcePolicy:ResourcePolicy": list(`
        diskConsistencyGroupPolicy.enabled groupPlacementPolicy.gpuTopology
        groupPlacementPolicy.tpuTopology project region workloadPolicy`),
    "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment":
        list("disk name project zone"),
    "gcp:compute/regionDiskResourcePolicyAttachment:RegionDiskResourcePolicyAttachment": list(
        "disk name project region",
    ),
    "gcp:serviceaccount/account:Account": list("accountId project"),
    "gcp:projects/iAMMember:IAMMember": list("condition member project role"),
    "gcp:dns/managedZone:ManagedZone": list(
        "dnsName name project reverseLookup serviceDirectoryConfig visibility",
    ),
    // Not `type`: the provider's update deletes the record of the old type and adds the new one.
    "gcp:dns/recordSet:RecordSet": list("managedZone name project routingPolicy.healthCheck"),
    "gcp:secretmanager/secret:Secret": list("project replication secretId tags"),
    "gcp:secretmanager/secretVersion:SecretVersion": list(
        "isSecretDataBase64 project secret secretData secretDataWoVersion",
    ),
};

/** Blocks that have fields of both kinds, and replace the resource when they come or go as a whole. */
export const FORCE_NEW_BLOCKS: Readonly<Record<string, readonly string[]>> = {
    "gcp:container/cluster:Cluster": list("confidentialNodes ipAllocationPolicy nodeConfig"),
    "gcp:container/nodePool:NodePool": list(
        "nodeConfig placementPolicy nodeConfig.sandboxConfig nodeConfig.soleTenantConfig",
    ),
};

/** What of a change decides; `news` are all new inputs. */
export type ReplacesWhen = (
    old: unknown,
    wanted: unknown,
    news: Readonly<Record<string, unknown>>,
) => boolean;

const isSmaller: ReplacesWhen = (old, wanted) => Number(wanted) < Number(old);
const isSwitchedOff: ReplacesWhen = (old, wanted) => old === true && wanted !== true;
/** hyperDiskIopsUpdateDiffSuppress of resource_compute_disk.go. */
const isNoHyperdisk: ReplacesWhen = (_old, _wanted, news) => {
    const type = news["type"];
    return typeof type !== "string" || !type.includes("hyperdisk");
};
/** IsShrinkageIpCidr: the new range does not hold all of the old one. */
const isShrunkRange: ReplacesWhen = (old, wanted) => {
    if (typeof old !== "string" || typeof wanted !== "string") return false;
    const [before, after] = [rangeOf(old), rangeOf(wanted)];
    return after.bits > before.bits || !holds(after, before.address);
};

interface Range {
    readonly address: number;
    readonly bits: number;
}

function rangeOf(cidr: string): Range {
    const [address = "", bits = "32"] = cidr.split("/");
    const value = address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
    return { address: value, bits: Number(bits) };
}

function holds(range: Range, address: number): boolean {
    const size = 2 ** (32 - range.bits);
    return Math.floor(range.address / size) === Math.floor(address / size);
}

/** Type -> top-level input -> when its change replaces. */
export const FORCE_NEW_WHEN: Readonly<Record<string, Readonly<Record<string, ReplacesWhen>>>> = {
    "gcp:container/cluster:Cluster": {
        enableFqdnNetworkPolicy: isSwitchedOff,
        enableL4IlbSubsetting: isSwitchedOff,
    },
    "gcp:compute/disk:Disk": { provisionedIops: isNoHyperdisk, size: isSmaller },
    "gcp:compute/regionDisk:RegionDisk": { provisionedIops: isNoHyperdisk, size: isSmaller },
    "gcp:compute/subnetwork:Subnetwork": { ipCidrRange: isShrunkRange },
};

/**
 * Inputs without which Terraform's schema or Google's API refuses a resource. Names that Pulumi makes
 * up when they are missing (autonaming) are not among them. project, region, zone and a cluster's
 * location may come from the provider's configuration.
 */
export const REQUIRED: Readonly<Record<string, readonly string[]>> = {
    "gcp:container/cluster:Cluster": [],
    "gcp:container/nodePool:NodePool": ["cluster"],
    "gcp:compute/network:Network": [],
    "gcp:compute/subnetwork:Subnetwork": ["network"],
    "gcp:compute/router:Router": [],
    "gcp:compute/routerNat:RouterNat": ["router", "sourceSubnetworkIpRangesToNat"],
    "gcp:compute/firewall:Firewall": ["network"],
    "gcp:compute/address:Address": [],
    "gcp:compute/disk:Disk": [],
    "gcp:compute/regionDisk:RegionDisk": ["replicaZones"],
    "gcp:compute/resourcePolicy:ResourcePolicy": [],
    "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment": ["disk"],
    "gcp:compute/regionDiskResourcePolicyAttachment:RegionDiskResourcePolicyAttachment": ["disk"],
    "gcp:serviceaccount/account:Account": [],
    "gcp:projects/iAMMember:IAMMember": ["member", "project", "role"],
    "gcp:dns/managedZone:ManagedZone": ["dnsName"],
    "gcp:dns/recordSet:RecordSet": ["managedZone", "name", "type"],
    "gcp:secretmanager/secret:Secret": ["replication"],
    "gcp:secretmanager/secretVersion:SecretVersion": ["secret"],
};
