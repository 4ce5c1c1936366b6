// The types of Google's provider that the fake engine knows: their ids, the names of what the program leaves unnamed, and
// what a name means for a replacement.
//
// Ids: hashicorp/terraform-provider-google-beta 93c65b2 (SetId of each resource). Names and deletions: pulumi/pulumi-gcp
// ed6078a (provider/resources.go, secret_manager.go) and pulumi/pulumi-terraform-bridge 59de6c6
// (pkg/tfbridge/info/autonaming.go, and nameRequiresDeleteBeforeReplace in pkg/tfbridge/schema.go).

import type { Registration } from "./registration.js";
import type { PropertyMap } from "./values.js";

export interface GcpType {
    /** The id, with outputs in braces. */
    id: string;
    /** The input that is generated where the program leaves it out. */
    named?: "name" | "accountId" | "secretId";
    /** Of a generated name. Default: 255, which is more than Google takes. */
    maxLength?: number;
    /** A generated name has no capital letters. */
    lowerCase?: true;
    /** A replacement deletes first, whatever its name. */
    deletesFirst?: true;
}

const IN_LOWER_CASE = { named: "name", maxLength: 63, lowerCase: true } as const;

const TYPES: Readonly<Record<string, GcpType>> = {
    "gcp:container/cluster:Cluster": {
        id: "projects/{project}/locations/{location}/clusters/{name}",
        named: "name",
    },
    "gcp:container/nodePool:NodePool": {
        id: "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
        named: "name",
    },
    "gcp:compute/network:Network": {
        id: "projects/{project}/global/networks/{name}",
        ...IN_LOWER_CASE,
    },
    "gcp:compute/subnetwork:Subnetwork": {
        id: "projects/{project}/regions/{region}/subnetworks/{name}",
        ...IN_LOWER_CASE,
    },
    "gcp:compute/router:Router": {
        id: "projects/{project}/regions/{region}/routers/{name}",
        ...IN_LOWER_CASE,
    },
    "gcp:compute/routerNat:RouterNat": {
        id: "{project}/{region}/{router}/{name}",
        ...IN_LOWER_CASE,
    },
    "gcp:compute/firewall:Firewall": {
        id: "projects/{project}/global/firewalls/{name}",
        named: "name",
    },
    "gcp:compute/address:Address": {
        id: "projects/{project}/regions/{region}/addresses/{name}",
        named: "name",
    },
    "gcp:compute/disk:Disk": {
        id: "projects/{project}/zones/{zone}/disks/{name}",
        named: "name",
    },
    "gcp:compute/regionDisk:RegionDisk": {
        id: "projects/{project}/regions/{region}/disks/{name}",
        named: "name",
    },
    "gcp:compute/resourcePolicy:ResourcePolicy": {
        id: "projects/{project}/regions/{region}/resourcePolicies/{name}",
        named: "name",
    },
    "gcp:compute/diskResourcePolicyAttachment:DiskResourcePolicyAttachment": {
        id: "{project}/{zone}/{disk}/{name}",
        named: "name",
    },
    "gcp:compute/regionDiskResourcePolicyAttachment:RegionDiskResourcePolicyAttachment": {
        id: "{project}/{region}/{disk}/{name}",
        named: "name",
    },
    "gcp:serviceaccount/account:Account": {
        id: "projects/{project}/serviceAccounts/{email}",
        named: "accountId",
        maxLength: 30,
    },
    "gcp:projects/iAMMember:IAMMember": { id: "{project}/{role}/{member}", deletesFirst: true },
    "gcp:dns/managedZone:ManagedZone": {
        id: "projects/{project}/managedZones/{name}",
        named: "name",
    },
    // Its name is a domain name, and so is never generated.
    "gcp:dns/recordSet:RecordSet": {
        id: "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
    },
    "gcp:secretmanager/secret:Secret": {
        id: "projects/{project}/secrets/{secretId}",
        named: "secretId",
        deletesFirst: true,
    },
    "gcp:secretmanager/secretVersion:SecretVersion": { id: "{name}" },
};

/** undefined for the types of other packages; throws for one of gcp that is not in the table. */
export function gcpTypeOf(type: string): GcpType | undefined {
    if (type.startsWith("gcp:") && TYPES[type] === undefined) {
        throw new Error(
            `the fake engine does not know ${type}: write its id and names into engine/gcp-types.ts`,
        );
    }
    return TYPES[type];
}

/** Whether Google refuses a second one of the same id. Rights and versions of secrets may be given twice. */
export function hasNameOfItsOwn(type: string): boolean {
    return gcpTypeOf(type)?.named !== undefined;
}

/** Of the bridge: seven hexadecimal digits behind the name of the resource in the program. */
const RANDOM_LENGTH = 7;

/** The inputs with a name: the one given, the one that was generated before, or a new one. */
export function gcpNamed(
    registration: Registration,
    inputs: PropertyMap,
    old: Registration | undefined,
    hash: string,
): PropertyMap {
    const type = gcpTypeOf(registration.type);
    const key = type?.named;
    if (type === undefined || key === undefined || isGiven(inputs, key)) {
        return inputs;
    }
    const before =
        old === undefined || isGiven(old.inputs, key) ? undefined : old.checkedInputs[key];
    return { ...inputs, [key]: before ?? generatedName(registration, type, hash) };
}

function generatedName({ name, type }: Registration, known: GcpType, hash: string): string {
    const { maxLength = 255, lowerCase } = known;
    const prefix = `${lowerCase === true ? name.toLowerCase() : name}-`;
    if (prefix.length + RANDOM_LENGTH > maxLength) {
        throw new Error(
            `could not make instance of '${type}': name '${prefix}' plus ${RANDOM_LENGTH} random chars ` +
                `is longer than maximum length ${maxLength}`,
        );
    }
    return `${prefix}${hash.slice(0, RANDOM_LENGTH)}`;
}

function isGiven(inputs: PropertyMap, key: string): boolean {
    return inputs[key] !== undefined && inputs[key] !== null;
}

/**
 * Whether the provider, where it replaces, deletes first: always where the program named the resource, also when it is the
 * name that changed.
 */
export function gcpDeletesFirst({ type, inputs }: Registration): boolean {
    const known = gcpTypeOf(type);
    return (
        known !== undefined &&
        (known.deletesFirst === true || (known.named !== undefined && isGiven(inputs, known.named)))
    );
}
