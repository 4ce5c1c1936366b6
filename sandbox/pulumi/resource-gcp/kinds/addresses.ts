// Addresses: reserved ones, of the range that the sandbox's load balancers serve.

import { EVERY_ADDRESS } from "../../../cloud/paths.js";
import type { AddressStatus } from "../../../cloud/status.js";
import type { TreeObject } from "../../property-tree.js";
import { LONGEST_NAME, type Google, type Kind } from "../kind.js";
import { COMPUTE_NAME, nameProblems } from "../names.js";
import { addressNumber, addressText, contains, parseRange } from "../ranges.js";
import { idFrom, selfLinkOf } from "../references.js";
import { inUse, invalid, notFound, Refusal } from "../refusal.js";
import { textAt } from "../values.js";
import { networkId } from "./networks.js";

/** Lower ones are left to people, who write them into spec.loadBalancerIP by hand. */
const FIRST_MADE_UP = 50;

function takenAddresses(google: Google): Set<string> {
    const taken = google.cloud
        .find(EVERY_ADDRESS)
        .map(({ resource }) => textAt(resource.properties, "address"));
    return new Set(taken);
}

/** The wished address, or the first free one. */
function addressFor(inputs: TreeObject, google: Google): string {
    const { addresses } = google.machines();
    const range = parseRange(addresses)!;
    const taken = takenAddresses(google);
    const wished = textAt(inputs, "address");
    if (wished !== "") {
        if (!contains(range, addressNumber(wished))) {
            throw invalid(
                `Invalid value for field 'resource.address': '${wished}'. Requested IP address is outside the range that it is taken from, in the sandbox ${addresses}.`,
            );
        }
        if (taken.has(wished)) {
            throw new Refusal(
                400,
                `Specified IP address is in-use and would result in a conflict: '${wished}'`,
                "IP_IN_USE_BY_ANOTHER_RESOURCE",
            );
        }
        return wished;
    }
    for (let number = range.first + FIRST_MADE_UP; number < range.last; number++) {
        if (!taken.has(addressText(number))) return addressText(number);
    }
    throw new Refusal(403, `Every address of ${addresses} is taken.`, "IP_SPACE_EXHAUSTED");
}

/** An internal address is of a subnetwork; that one must exist. */
function withSubnetwork(inputs: TreeObject, google: Google): TreeObject {
    const reference = textAt(inputs, "subnetwork");
    if (reference === "") return { ...inputs };
    const [project, region] = [textAt(inputs, "project"), textAt(inputs, "region")];
    const id = idFrom(reference, `projects/${project}/regions/${region}/subnetworks/`);
    if (google.cloud.read(id) === undefined) throw notFound(id);
    return { ...inputs, subnetwork: selfLinkOf(id) };
}

/** What addresses have that the program does not say. */
function defaultsOf(inputs: TreeObject): TreeObject {
    return inputs["addressType"] === "INTERNAL"
        ? { purpose: "GCE_ENDPOINT" }
        : { networkTier: "PREMIUM" };
}

function usersOf(status: TreeObject): string[] {
    return [...((status as unknown as AddressStatus).users ?? [])];
}

export const ADDRESSES: readonly Kind[] = [
    {
        type: "gcp:compute/address:Address",
        title: "Address",
        madeAt: "creationTimestamp",
        id: "projects/{project}/regions/{region}/addresses/{name}",
        place: "region",
        naming: { property: "name", longest: LONGEST_NAME },
        labels: "labels",
        minutes: 20,
        problems: (inputs) => nameProblems(inputs, "name", COMPUTE_NAME),
        create: (inputs, google) => {
            const network = textAt(inputs, "network");
            const placed = withSubnetwork(inputs, google);
            return {
                ...defaultsOf(inputs),
                ...placed,
                ...(network === "" ? {} : { network: selfLinkOf(networkId(inputs, google)) }),
                address: addressFor(inputs, google),
            };
        },
        status: () => ({ users: [] }),
        outputs: (_properties, id) => ({ selfLink: selfLinkOf(id) }),
        live: ({ status }) => ({ users: usersOf(status) }),
        refuseDelete: ({ now }) => {
            const [user] = usersOf(now.status);
            if (user !== undefined) throw inUse("address", now.id, user);
        },
    },
];
