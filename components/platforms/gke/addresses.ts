// The members' addresses and names outside of Kubernetes (`access.members`, `names.domain`): made before the Services that use
// them, so that they are known beforehand and stay when a Service is made anew.

import { Address } from "@pulumi/gcp/compute/address";
import { ManagedZone } from "@pulumi/gcp/dns/managedZone";
import { RecordSet } from "@pulumi/gcp/dns/recordSet";
import type * as pulumi from "@pulumi/pulumi";
import { externalName, surroundingsOf, type Surroundings } from "../../outside";
import type { ClusterSpec } from "../../spec";
import type { Member } from "../../topology";
import type { Placed } from "./network";
import type { AddressPlan, GkePlan } from "./plan";

/** Everything of an address replaces it, and another number is another place for its clients (Terraform: Address has no update). */
const FOR_EVER = [
    ...["name", "project", "region", "address", "addressType", "subnetwork", "network", "purpose"],
    ...["networkTier", "description", "ipVersion", "ipCollection", "prefixLength"],
];

/** Seconds that a name may be remembered: a member that comes back elsewhere has the same address. */
const TTL_SECONDS = 300;

export interface AddressesArgs {
    readonly spec: ClusterSpec;
    readonly plan: GkePlan;
    readonly placed: Placed;
}

/** Makes the addresses of the plan, and the names; those that the configuration names are there already. */
export function registerAddresses(args: AddressesArgs, parent: pulumi.Resource): Surroundings {
    const { spec, plan } = args;
    const known = surroundingsOf(spec);
    const made = new Map(
        plan.addresses.map((each) => [
            each.member.name,
            registerAddress(args, each, parent).address,
        ]),
    );
    const addressOf = (member: Member) => known.addressOf(member) ?? made.get(member.name);
    registerNames(args, addressOf, parent);
    return { ...known, addressOf };
}

/**
 * With `adopt` it is the one of this name that an earlier stack kept. An internal one is of a subnetwork, and Google deletes no
 * subnetwork that has one: where that goes with the stack, so does the address, and names lead to the next one.
 */
function registerAddress(
    { spec, plan: { project, region, network }, placed }: AddressesArgs,
    { name, id, internal }: AddressPlan,
    parent: pulumi.Resource,
): Address {
    const outlivesStack = !internal || network === undefined;
    return new Address(
        `${name}-address`,
        {
            name,
            project,
            region,
            ...(internal
                ? { addressType: "INTERNAL", subnetwork: placed.subnetwork }
                : { addressType: "EXTERNAL" }),
        },
        {
            parent,
            retainOnDelete: spec.storage.onDelete === "keep" && outlivesStack,
            ignoreChanges: FOR_EVER,
            ...(spec.adopt && outlivesStack && { import: id }),
        },
    );
}

/** A zone that only the network sees, with one name for each member. */
function registerNames(
    { spec, plan, placed }: AddressesArgs,
    addressOf: Surroundings["addressOf"],
    parent: pulumi.Resource,
): void {
    const { domain } = spec.names;
    if (domain === undefined || plan.named.length === 0) {
        return;
    }
    const { project } = plan;
    const zone = new ManagedZone(
        `${spec.name}-names`,
        {
            name: spec.name,
            project,
            dnsName: `${domain}.`,
            description: `Members of the database ${spec.name}`,
            visibility: "private",
            privateVisibilityConfig: { networks: [{ networkUrl: placed.networkUrl }] },
        },
        { parent },
    );
    for (const member of plan.named) {
        new RecordSet(
            `${member.name}-name`,
            {
                name: `${externalName(spec, member)!}.`,
                project,
                managedZone: zone.name,
                type: "A",
                ttl: TTL_SECONDS,
                rrdatas: [addressOf(member)!],
            },
            { parent },
        );
    }
}
