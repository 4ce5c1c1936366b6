// Kubernetes clusters: each is one of the control planes that the sandbox has.

import { createHash } from "node:crypto";
import { EVERY_CLUSTER, regionOf } from "../../../cloud/paths.js";
import type { ClusterStatus, ControlPlane } from "../../../cloud/status.js";
import { PluginError } from "../../grpc-handler.js";
import type { TreeObject } from "../../property-tree.js";
import { LONGEST_NAME, type Google, type Kind, type Problem } from "../kind.js";
import { CLUSTER_NAME, nameProblems } from "../names.js";
import { idFrom, nameIn } from "../references.js";
import { notFound, notHere, Refusal } from "../refusal.js";
import { objectAt, objectsAt, textAt, textsAt } from "../values.js";
import { unknownZone, zonesIn } from "../zones.js";

const HTTPS = 443;

function problems(inputs: TreeObject): Problem[] {
    const found = nameProblems(inputs, "name", CLUSTER_NAME);
    if (inputs["initialNodeCount"] === undefined && inputs["nodePools"] === undefined) {
        found.push({
            property: "initialNodeCount",
            reason: "A cluster needs a first node pool: initialNodeCount of at least 1, and removeDefaultNodePool to have it taken away at once.",
        });
    }
    return found;
}

/** Node pools are resources of their own here. */
function refuseUnsupported(inputs: TreeObject): void {
    if (inputs["enableAutopilot"] === true) throw notHere(`Autopilot ("enableAutopilot")`);
    if (inputs["nodePools"] !== undefined)
        throw notHere(`A node pool within a cluster ("nodePools")`);
    if (inputs["removeDefaultNodePool"] !== true) {
        throw notHere(
            `A cluster that keeps its first node pool ("removeDefaultNodePool" is not true)`,
        );
    }
}

/** Network and subnetwork, which must exist, and the ranges of pods and Services in them. */
function networking(inputs: TreeObject, google: Google): TreeObject {
    const project = textAt(inputs, "project");
    const region = textAt(inputs, "region");
    const network = idFrom(textAt(inputs, "network"), `projects/${project}/global/networks/`);
    if (google.cloud.read(network) === undefined) throw notFound(network);
    const named = textAt(inputs, "subnetwork");
    if (named === "") return { network };
    const subnetwork = idFrom(named, `projects/${project}/regions/${region}/subnetworks/`);
    const found = google.cloud.read(subnetwork);
    if (found === undefined) throw notFound(subnetwork);
    return { network, subnetwork, ...rangesOf(inputs, found.properties) };
}

/** Ranges that are named must be ranges of the subnetwork; with them come their numbers. */
function rangesOf(inputs: TreeObject, subnetwork: TreeObject): TreeObject {
    const policy = objectAt(inputs, "ipAllocationPolicy");
    const rangeNamed = (field: string, what: string): string => {
        const name = textAt(policy, field);
        if (name === "") return "";
        const range = objectsAt(subnetwork, "secondaryIpRanges").find(
            (each) => textAt(each, "rangeName") === name,
        );
        if (range !== undefined) return textAt(range, "ipCidrRange");
        throw new Refusal(
            400,
            `${what} secondary range '${name}' not found in subnet '${textAt(subnetwork, "name")}'.`,
            "badRequest",
        );
    };
    const pods = rangeNamed("clusterSecondaryRangeName", "Pod");
    const services = rangeNamed("servicesSecondaryRangeName", "Services");
    const filled = {
        ...policy,
        ...(pods === "" ? {} : { clusterIpv4CidrBlock: pods }),
        ...(services === "" ? {} : { servicesIpv4CidrBlock: services }),
    };
    return {
        ipAllocationPolicy: filled,
        clusterIpv4Cidr: textAt(filled, "clusterIpv4CidrBlock"),
        servicesIpv4Cidr: textAt(filled, "servicesIpv4CidrBlock"),
    };
}

/** A control plane that no other cluster has. */
function freeControlPlane(google: Google): ControlPlane {
    const { controlPlanes } = google.machines();
    const taken = new Set(
        google.cloud
            .find<ClusterStatus>(EVERY_CLUSTER)
            .map(({ resource }) => resource.status.controlPlane),
    );
    const free = controlPlanes.find(({ name }) => !taken.has(name));
    if (free !== undefined) return free;
    throw new Refusal(
        403,
        `Insufficient quota to satisfy the request: the sandbox has control planes for ${controlPlanes.length} cluster(s), and all are in use.`,
        "quotaExceeded",
    );
}

function controlPlaneOf(status: TreeObject, google: Google): ControlPlane {
    const name = textAt(status, "controlPlane");
    const found = google.machines().controlPlanes.find((each) => each.name === name);
    if (found !== undefined) return found;
    throw new PluginError(
        `The sandbox no longer has the control plane "${name}" of a cluster in its cloud: "make stop", then start it again.`,
    );
}

function create(inputs: TreeObject, google: Google): TreeObject {
    refuseUnsupported(inputs);
    const { zones } = google.machines();
    const location = textAt(inputs, "location");
    const available = zonesIn(location, zones);
    if (available.length === 0) throw unknownZone(location, zones);
    const isZonal = available.includes(location);
    const region = isZonal ? regionOf(location) : location;
    for (const zone of textsAt(inputs, "nodeLocations")) {
        if (!zones.includes(zone) || regionOf(zone) !== region) throw unknownZone(zone, zones);
    }
    return {
        networkingMode: "VPC_NATIVE",
        datapathProvider: "LEGACY_DATAPATH",
        nodeLocations: isZonal ? [] : available,
        releaseChannel: { channel: "REGULAR" },
        ...inputs,
        ...networking({ ...inputs, region }, google),
    };
}

/** Where it answers, as the program needs it for a kubeconfig. */
function endpoints(plane: ControlPlane, properties: TreeObject): TreeObject {
    const endpoint = plane.port === HTTPS ? plane.endpoint : `${plane.endpoint}:${plane.port}`;
    const given = objectAt(properties, "controlPlaneEndpointsConfig");
    return {
        endpoint,
        masterAuth: {
            ...objectAt(properties, "masterAuth"),
            clusterCaCertificate: plane.certificateAuthority,
        },
        // The sandbox has no names of Google's: the number stands in for one.
        controlPlaneEndpointsConfig: {
            ...given,
            dnsEndpointConfig: { ...objectAt(given, "dnsEndpointConfig"), endpoint },
        },
        privateClusterConfig: {
            ...objectAt(properties, "privateClusterConfig"),
            privateEndpoint: endpoint,
            publicEndpoint: endpoint,
        },
        ...(plane.version === undefined ? {} : { masterVersion: plane.version }),
    };
}

const cluster: Kind = {
    type: "gcp:container/cluster:Cluster",
    title: "cluster",
    id: "projects/{project}/locations/{location}/clusters/{name}",
    place: "location",
    naming: { property: "name", longest: LONGEST_NAME },
    labels: "resourceLabels",
    minutes: 90,
    followed: true,
    problems,
    create,
    status: (_properties, google) => ({
        state: "PROVISIONING",
        controlPlane: freeControlPlane(google).name,
    }),
    outputs: (_properties, id) => ({
        selfLink: `https://container.googleapis.com/v1/${id}`,
        labelFingerprint: createHash("sha256").update(id).digest("hex").slice(0, 8),
    }),
    live: ({ status, properties }, google) => endpoints(controlPlaneOf(status, google), properties),
    refuseDelete: ({ state }) => {
        if (state["deletionProtection"] === false) return;
        throw new PluginError(
            "Cannot destroy cluster because deletion_protection is set to true. Set it to false to proceed with cluster deletion.",
        );
    },
};

export const CLUSTERS: readonly Kind[] = [cluster];

/** The cluster that a pool names, by name or by id. */
export function clusterIdOf(inputs: TreeObject): string {
    const given = textAt(inputs, "cluster");
    const prefix = `projects/${textAt(inputs, "project")}/locations/${textAt(inputs, "location")}/clusters/`;
    return given.includes("/") ? given : `${prefix}${nameIn(given)}`;
}
