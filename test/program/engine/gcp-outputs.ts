// What Google's provider would answer: ids in Terraform's format, and the outputs that Google computes, as far as programs
// ask for them. The values are made up, deterministic, and tell nobody's truth; their names and types are the package's
// (gcp-types.test.ts). In a preview, none of them is known of what would be created.

import { gcpTypeOf } from "./gcp-types.js";
import { hashOf } from "./planner.js";
import type { Registration } from "./registration.js";
import { isMap, Secret, UNKNOWN, withoutSecrets, type PropertyMap, type Value } from "./values.js";

/** Google writes a project's number where the program wrote its id. */
const PROJECT_NUMBER = "100000000001";
const CREATED = "2026-01-01T00:00:00.000-00:00";
const COMPUTE = "https://www.googleapis.com/compute/v1/";

/** What a computed output is made of. */
interface Facts {
    /** The checked inputs, without secret envelopes. */
    inputs: PropertyMap;
    name: string;
    project: string;
    region: string;
    zone: string;
    location: string;
    /** Nothing else has it, and it stays with the resource. */
    bytes: Buffer;
    generation: number;
}

export interface GcpAnswer {
    id: string;
    outputs: PropertyMap;
}

/** The answer to one step; undefined for resources of other packages. `early`: of what a preview would create. */
export function gcpAnswer(
    registration: Registration,
    providerInputs: PropertyMap,
    early: boolean,
): GcpAnswer | undefined {
    const type = gcpTypeOf(registration.type);
    if (type === undefined) {
        return undefined;
    }
    const facts = factsOf(registration, providerInputs);
    const placed = placesIn(type.id, facts);
    const computed = { ...placed, ...COMPUTED[registration.type]?.(facts) };
    if (early) {
        return { id: "", outputs: merged(unknown(computed), registration.checkedInputs) };
    }
    const outputs = merged(computed, registration.checkedInputs);
    const id = filled(type.id, outputs, registration.urn);
    return { id, outputs: { ...outputs, ...linksOf(registration.type, id) } };
}

/** What is found under an id: where it is and what it is called stands in the id. */
export function gcpFound(registration: Registration, providerInputs: PropertyMap): PropertyMap {
    const template = gcpTypeOf(registration.type)?.id;
    if (template === undefined) {
        return {};
    }
    const pattern = new RegExp(`^${template.replace(/\{(\w+)\}/g, "(?<$1>.+)")}$`);
    const groups = pattern.exec(registration.id)?.groups;
    if (groups === undefined) {
        throw new Error(`${registration.urn}: ${registration.id} is no id of the form ${template}`);
    }
    const checkedInputs = { ...groups, ...registration.inputs };
    return gcpAnswer({ ...registration, checkedInputs }, providerInputs, false)!.outputs;
}

/** Project, region and zone come from the resource, else from the provider; a location is the first of them that is there. */
function factsOf(registration: Registration, provider: PropertyMap): Facts {
    const inputs = withoutSecrets(registration.checkedInputs) as PropertyMap;
    const own = (key: string): string => textOf(inputs[key]) || textOf(provider[key]);
    return {
        inputs,
        name: textOf(inputs["name"]),
        project: own("project"),
        region: own("region"),
        zone: own("zone"),
        location: textOf(inputs["location"]) || own("region") || own("zone"),
        bytes: Buffer.from(hashOf(registration, "google"), "hex"),
        generation: registration.generation,
    };
}

/** What the id says of where a resource is, it also has as an output. */
function placesIn(id: string, facts: Facts): PropertyMap {
    const places = ["project", "region", "zone", "location"] as const;
    return Object.fromEntries(
        places.filter((key) => id.includes(`{${key}}`)).map((key) => [key, facts[key]]),
    );
}

function filled(id: string, outputs: PropertyMap, urn: string): string {
    return id.replace(/\{(\w+)\}/g, (_, key: string) => {
        const text = textOf(outputs[key]);
        if (text === "") {
            throw new Error(`${urn}: ${key}: required field is not set, here or in the provider`);
        }
        return text;
    });
}

const LINKED = new Set(["global", "regions", "zones"]);

function linksOf(type: string, id: string): PropertyMap {
    const [, , place] = id.split("/");
    return type.startsWith("gcp:compute/") && id.startsWith("projects/") && LINKED.has(place!)
        ? { selfLink: `${COMPUTE}${id}` }
        : {};
}

/** By type, in the order of engine/gcp-types.ts. Links of Compute Engine and places are not repeated. */
const COMPUTED: Readonly<Record<string, (facts: Facts) => PropertyMap>> = {
    "gcp:container/cluster:Cluster": (facts) => {
        const { project, location, name } = facts;
        const endpoint = `34.${octets(facts.bytes, 3)}`;
        const dns = `gke-${facts.bytes.toString("hex").slice(0, 12)}-${PROJECT_NUMBER}`;
        return {
            endpoint,
            masterVersion: "1.34.1-gke.1000000",
            deletionProtection: true,
            selfLink: `https://container.googleapis.com/v1/projects/${project}/locations/${location}/clusters/${name}`,
            masterAuth: {
                clusterCaCertificate: base64(`certificate authority of ${name}`),
                clientCertificate: "",
                clientKey: new Secret(""),
            },
            privateClusterConfig: {
                privateEndpoint: `172.16.${octets(facts.bytes, 2)}`,
                publicEndpoint: endpoint,
            },
            controlPlaneEndpointsConfig: {
                dnsEndpointConfig: { endpoint: `${dns}.${regionOf(location)}.gke.goog` },
            },
            ...labelsOf(facts, "resourceLabels"),
        };
    },
    "gcp:container/nodePool:NodePool": (facts) => {
        const { project, inputs, name, location, bytes } = facts;
        const given = inputs["nodeLocations"];
        const zones = Array.isArray(given) ? given.map(textOf) : [location];
        const groups = (kind: string) =>
            zones.map(
                (zone) =>
                    `${COMPUTE}projects/${project}/zones/${zone}/${kind}/gke-${name}-${bytes.toString("hex").slice(0, 8)}-grp`,
            );
        return {
            nodeCount: 1,
            nodeLocations: zones,
            version: "1.34.1-gke.1000000",
            instanceGroupUrls: groups("instanceGroupManagers"),
            managedInstanceGroupUrls: groups("instanceGroups"),
        };
    },
    "gcp:compute/network:Network": ({ bytes }) => ({
        networkId: numberOf(bytes),
        numericId: numberOf(bytes),
        gatewayIpv4: "",
    }),
    "gcp:compute/subnetwork:Subnetwork": ({ inputs, bytes }) => ({
        subnetworkId: Number(numberOf(bytes)),
        gatewayAddress: textOf(inputs["ipCidrRange"]).replace(/\d+\/\d+$/, "1"),
        creationTimestamp: CREATED,
    }),
    "gcp:compute/router:Router": () => ({ creationTimestamp: CREATED }),
    "gcp:compute/firewall:Firewall": () => ({ direction: "INGRESS", creationTimestamp: CREATED }),
    "gcp:compute/address:Address": (facts) => ({
        address:
            facts.inputs["addressType"] === "INTERNAL"
                ? `10.64.${octets(facts.bytes, 2)}`
                : `34.${octets(facts.bytes, 3)}`,
        addressId: numberOf(facts.bytes),
        users: [],
        creationTimestamp: CREATED,
        ...labelsOf(facts),
    }),
    "gcp:compute/disk:Disk": diskOutputs,
    "gcp:compute/regionDisk:RegionDisk": diskOutputs,
    "gcp:serviceaccount/account:Account": ({ inputs, project, bytes }) => {
        const email = `${textOf(inputs["accountId"])}@${project}.iam.gserviceaccount.com`;
        return {
            email,
            member: `serviceAccount:${email}`,
            name: `projects/${project}/serviceAccounts/${email}`,
            uniqueId: numberOf(bytes),
        };
    },
    "gcp:projects/iAMMember:IAMMember": ({ bytes }) => ({ etag: bytes.toString("base64") }),
    "gcp:dns/managedZone:ManagedZone": (facts) => ({
        managedZoneId: numberOf(facts.bytes),
        nameServers: ["ns-gcp-private.googledomains.com."],
        creationTime: CREATED,
        ...labelsOf(facts),
    }),
    "gcp:secretmanager/secret:Secret": (facts) => ({
        name: `projects/${PROJECT_NUMBER}/secrets/${textOf(facts.inputs["secretId"])}`,
        createTime: CREATED,
        ...labelsOf(facts),
    }),
    // A version is never rewritten: another secretData is another version.
    "gcp:secretmanager/secretVersion:SecretVersion": ({ inputs, generation }) => {
        const secret = textOf(inputs["secret"]).split("/").at(-1)!;
        const version = String(generation + 1);
        return {
            version,
            name: `projects/${PROJECT_NUMBER}/secrets/${secret}/versions/${version}`,
            enabled: true,
            createTime: CREATED,
        };
    },
};

function diskOutputs(facts: Facts): PropertyMap {
    return {
        diskId: numberOf(facts.bytes),
        users: [],
        creationTimestamp: CREATED,
        ...labelsOf(facts),
    };
}

/** The provider adds a label of its own to every resource that has labels, and both outputs are secret. */
function labelsOf({ inputs }: Facts, key = "labels"): PropertyMap {
    const given = inputs[key];
    const labels = { ...(isMap(given) ? given : {}), "goog-pulumi-provisioned": "true" };
    return { effectiveLabels: new Secret(labels), pulumiLabels: new Secret(labels) };
}

/** The inputs, and at any depth what was computed beside them. */
function merged(computed: PropertyMap, inputs: PropertyMap): PropertyMap {
    const result = { ...computed };
    for (const [key, value] of Object.entries(inputs)) {
        const beside = result[key];
        result[key] = isMap(beside) && isMap(value) ? merged(beside, value) : value;
    }
    return result;
}

function unknown(outputs: PropertyMap): PropertyMap {
    return Object.fromEntries(
        Object.entries(outputs).map(([key, value]) => [
            key,
            isMap(value) ? unknown(value) : UNKNOWN,
        ]),
    );
}

function textOf(value: Value | undefined): string {
    return typeof value === "string" ? value : "";
}

function base64(text: string): string {
    return Buffer.from(text).toString("base64");
}

/** Numbers of an address: none is 0 or 255, which would be no host's. */
function octets(bytes: Buffer, count: number): string {
    return [...bytes.subarray(0, count)].map((byte) => 1 + (byte % 254)).join(".");
}

/** Google's numbers are text: they may be longer than what a JavaScript number holds. */
function numberOf(bytes: Buffer): string {
    return String(bytes.readUInt32BE(4));
}

/** `europe-west1-b` -> `europe-west1`. */
function regionOf(location: string): string {
    return location.split("-").slice(0, 2).join("-");
}
