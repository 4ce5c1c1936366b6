// Networks and what is in them: subnetworks, routers, NAT, firewall rules.

import { EVERY_CLUSTER } from "../../../cloud/paths.js";
import type { TreeObject } from "../../property-tree.js";
import { fill } from "../identity.js";
import { LONGEST_NAME, type Deletion, type Google, type Kind, type Problem } from "../kind.js";
import { COMPUTE_NAME, nameProblems } from "../names.js";
import { addressText, overlap, parseRange, type Range } from "../ranges.js";
import { idFrom, isSameReference, selfLinkOf } from "../references.js";
import { inUse, invalid, notFound } from "../refusal.js";
import { objectsAt, textAt } from "../values.js";

const MINUTES = 20;

/** Networks and all that is in them have this bound of Pulumi's names. */
const LONGEST_NETWORK_NAME = 63;

const NETWORK = "projects/{project}/global/networks/{name}";
const SUBNETWORK = "projects/{project}/regions/{region}/subnetworks/{name}";
const ROUTER = "projects/{project}/regions/{region}/routers/{name}";

const computeName = (inputs: TreeObject) => nameProblems(inputs, "name", COMPUTE_NAME);
const selfLink = (_properties: TreeObject, id: string) => ({ selfLink: selfLinkOf(id) });

/** The id of a network that an input names; it must exist. */
export function networkId(inputs: TreeObject, google: Google): string {
    const project = textAt(inputs, "project");
    const id = idFrom(textAt(inputs, "network"), `projects/${project}/global/networks/`);
    if (google.cloud.read(id) === undefined) throw notFound(id);
    return id;
}

/** The network that an input names, as Compute Engine writes it; for an input that names none, nothing. */
function withNetwork(inputs: TreeObject, google: Google): TreeObject {
    if (textAt(inputs, "network") === "") return { ...inputs };
    return { ...inputs, network: selfLinkOf(networkId(inputs, google)) };
}

/** What keeps a network: everything that names it, and what load balancers left. */
const USERS_OF_NETWORKS = [
    "projects/*/regions/*/subnetworks/*",
    "projects/*/regions/*/routers/*",
    "projects/*/global/firewalls/*",
    "projects/*/regions/*/forwardingRules/*",
    EVERY_CLUSTER,
];

function refuseUsed(
    what: "network" | "subnetwork",
    { google, now }: Deletion,
    patterns: readonly string[],
): void {
    const user = patterns
        .flatMap((pattern) => google.cloud.find(pattern))
        .find(({ resource }) => isSameReference(textAt(resource.properties, what), now.id));
    if (user !== undefined) throw inUse(what, now.id, user.resource.id);
}

const network: Kind = {
    type: "gcp:compute/network:Network",
    title: "Network",
    id: NETWORK,
    naming: { property: "name", longest: LONGEST_NETWORK_NAME },
    minutes: MINUTES,
    problems: computeName,
    create: (inputs) => ({ routingMode: "REGIONAL", mtu: 1460, ...inputs }),
    outputs: selfLink,
    refuseDelete: (deletion) => refuseUsed("network", deletion, USERS_OF_NETWORKS),
};

/** The ranges of a subnetwork, with what to call them. */
function rangesOf(properties: TreeObject): (readonly [string, Range])[] {
    const secondary = objectsAt(properties, "secondaryIpRanges").map((each) =>
        textAt(each, "ipCidrRange"),
    );
    return [textAt(properties, "ipCidrRange"), ...secondary].flatMap((cidr) => {
        const range = parseRange(cidr);
        return range === undefined ? [] : [[cidr, range] as const];
    });
}

/** No range of a network may overlap with another one. */
function refuseOverlap(properties: TreeObject, google: Google): void {
    const own = rangesOf(properties);
    own.forEach(([cidr, range], index) => {
        const twice = own.slice(0, index).find(([, other]) => overlap(range, other));
        if (twice !== undefined) {
            throw invalid(
                `Invalid IPCidrRange: ${cidr} conflicts with ${twice[0]} of the same subnetwork.`,
            );
        }
    });
    for (const { resource } of google.cloud.find("projects/*/regions/*/subnetworks/*")) {
        const isOther = resource.id !== fill(SUBNETWORK, properties);
        const isNear = isSameReference(
            textAt(resource.properties, "network"),
            textAt(properties, "network"),
        );
        if (!isOther || !isNear) continue;
        for (const [cidr, range] of own) {
            const clash = rangesOf(resource.properties).find(([, other]) => overlap(range, other));
            if (clash === undefined) continue;
            throw invalid(
                `Invalid IPCidrRange: ${cidr} conflicts with existing subnetwork '${textAt(resource.properties, "name")}' in region '${textAt(resource.properties, "region")}' (${clash[0]}).`,
            );
        }
    }
}

function rangeProblems(inputs: TreeObject): Problem[] {
    const secondary = objectsAt(inputs, "secondaryIpRanges").map((each) => each["ipCidrRange"]);
    return [inputs["ipCidrRange"], ...secondary]
        .filter((cidr) => typeof cidr === "string" && /^[\d./]+$/.test(cidr))
        .filter((cidr) => parseRange(cidr as string) === undefined)
        .map((cidr) => ({
            property: "ipCidrRange",
            reason: `"${cidr as string}" is no range of IPv4 addresses, such as 10.64.0.0/20.`,
        }));
}

const subnetwork: Kind = {
    type: "gcp:compute/subnetwork:Subnetwork",
    title: "Subnetwork",
    madeAt: "creationTimestamp",
    id: SUBNETWORK,
    place: "region",
    naming: { property: "name", longest: LONGEST_NETWORK_NAME },
    minutes: MINUTES,
    problems: (inputs) => [...computeName(inputs), ...rangeProblems(inputs)],
    create: (inputs, google) => {
        const placed = withNetwork(inputs, google);
        if (textAt(placed, "ipCidrRange") === "") {
            throw invalid("Invalid value for field 'resource.ipCidrRange': ''. It is required.");
        }
        refuseOverlap(placed, google);
        return {
            privateIpGoogleAccess: false,
            purpose: "PRIVATE",
            stackType: "IPV4_ONLY",
            ...placed,
        };
    },
    update: ({ google, now, properties }) => {
        refuseOverlap(properties, google);
        return { ...now, properties };
    },
    outputs: (properties, id) => ({
        selfLink: selfLinkOf(id),
        // The first address of a subnetwork is its gateway's.
        gatewayAddress: addressText(parseRange(textAt(properties, "ipCidrRange"))!.first + 1),
    }),
    refuseDelete: (deletion) =>
        refuseUsed("subnetwork", deletion, [EVERY_CLUSTER, "projects/*/regions/*/addresses/*"]),
};

const router: Kind = {
    type: "gcp:compute/router:Router",
    title: "Router",
    madeAt: "creationTimestamp",
    id: ROUTER,
    place: "region",
    naming: { property: "name", longest: LONGEST_NETWORK_NAME },
    minutes: MINUTES,
    problems: computeName,
    create: withNetwork,
    outputs: selfLink,
};

const routerNat: Kind = {
    type: "gcp:compute/routerNat:RouterNat",
    title: "RouterNat",
    id: "{project}/{region}/{router}/{name}",
    // A part of its router: it goes with it.
    path: "projects/{project}/regions/{region}/routers/{router}/nats/{name}",
    place: "region",
    naming: { property: "name", longest: LONGEST_NETWORK_NAME },
    minutes: MINUTES,
    problems: computeName,
    create: (inputs, google) => {
        const owner = fill(ROUTER, { ...inputs, name: inputs["router"] ?? "" });
        if (google.cloud.read(owner) === undefined) throw notFound(owner);
        return { ...inputs };
    },
};

/** resourceComputeFirewallSourceFieldsCustomizeDiff, and ExactlyOneOf allow, deny. */
function firewallProblems(inputs: TreeObject): Problem[] {
    const has = (name: string) => inputs[name] !== undefined;
    const problems: Problem[] = [...computeName(inputs)];
    if (has("allows") === has("denies")) {
        problems.push({ property: "allows", reason: `Give "allows" or "denies", and not both.` });
    }
    const isIngress = inputs["direction"] === undefined || inputs["direction"] === "INGRESS";
    if (isIngress && !["sourceRanges", "sourceTags", "sourceServiceAccounts"].some(has)) {
        problems.push({
            property: "sourceRanges",
            reason: "one of sourceTags, sourceRanges, or sourceServiceAccounts must be defined",
        });
    }
    return problems;
}

const firewall: Kind = {
    type: "gcp:compute/firewall:Firewall",
    title: "Firewall",
    madeAt: "creationTimestamp",
    id: "projects/{project}/global/firewalls/{name}",
    naming: { property: "name", longest: LONGEST_NAME },
    minutes: MINUTES,
    problems: firewallProblems,
    create: (inputs, google) => ({ direction: "INGRESS", ...withNetwork(inputs, google) }),
    outputs: selfLink,
};

export const NETWORKS: readonly Kind[] = [network, subnetwork, router, routerNat, firewall];
