// Node pools: the sandbox's machines follow what is written of them here.

import { createHash } from "node:crypto";
import { regionOf } from "../../../cloud/paths.js";
import type { NodePoolStatus } from "../../../cloud/status.js";
import { PluginError } from "../../grpc-handler.js";
import type { TreeObject } from "../../property-tree.js";
import { LONGEST_NAME, type Google, type Kind, type Update } from "../kind.js";
import { refuseDiskType } from "../machine-families.js";
import { CLUSTER_NAME, nameProblems } from "../names.js";
import { nameIn, selfLinkOf } from "../references.js";
import { Refusal } from "../refusal.js";
import { numberAt, objectAt, textAt, textsAt } from "../values.js";
import { zonesIn } from "../zones.js";
import { clusterIdOf } from "./clusters.js";

/**
 * Fields of nodeConfig that Terraform's provider sends in calls of their own, one after another, each
 * of which recreates the nodes (nodePoolNodeConfigUpdate of node_config.go, in its order).
 */
const ROUNDS_OF_NODE_CONFIG: readonly (readonly string[])[] = [
    ["loggingVariant"],
    ["taintConfig"],
    ["containerdConfig"],
    ["confidentialNodes"],
    ["diskSizeGb", "diskType", "machineType", "storagePools", "bootDisk"],
    ["taints"],
    ["tags"],
    ["resourceManagerTags"],
    ["resourceLabels"],
    ["labels"],
    ["imageType"],
    ["workloadMetadataConfig"],
    ["gcfsConfig"],
    ["gvnic"],
    ["kubeletConfig"],
    ["linuxNodeConfig"],
    ["windowsNodeConfig"],
    ["nodeImageConfigs"],
    ["fastSocket"],
];

/** What of a pool its machines follow. */
const FOLLOWED = /^(nodeConfig|nodeCount|nodeLocations|version|autoscaling)\b/;

function rounds(changed: readonly string[]): string[][] {
    const fieldOf = (path: string) => path.split(/[.[]/)[1] ?? "";
    const inNodeConfig = changed.filter((path) => path.startsWith("nodeConfig"));
    const known = new Set(ROUNDS_OF_NODE_CONFIG.flat());
    const steps = ROUNDS_OF_NODE_CONFIG.map((fields) =>
        inNodeConfig.filter((path) => fields.includes(fieldOf(path))),
    );
    const rest = inNodeConfig.filter((path) => !known.has(fieldOf(path)));
    const others = changed.filter((path) => !path.startsWith("nodeConfig"));
    const nodeCount = others.filter((path) => /^(nodeCount|autoscaling)/.test(path));
    const locations = others.filter((path) => path.startsWith("nodeLocations"));
    const last = others.filter((path) => !nodeCount.includes(path) && !locations.includes(path));
    return [...steps, rest, nodeCount, locations, last].filter((paths) => paths.length > 0);
}

/** How many nodes each zone has: what is said, else what the autoscaler would bring it to. */
function nodeCount(inputs: TreeObject, zones: readonly string[]): number {
    const said = numberAt(inputs, "nodeCount") ?? numberAt(inputs, "initialNodeCount");
    const scaling = objectAt(inputs, "autoscaling");
    const least =
        numberAt(scaling, "minNodeCount") ??
        Math.ceil((numberAt(scaling, "totalMinNodeCount") ?? 0) / zones.length);
    return Math.max(said ?? 0, least);
}

/** Zones of a pool: those that it names, each of the cluster's region and of the sandbox. */
function zonesOf(inputs: TreeObject, google: Google): string[] {
    const location = textAt(inputs, "location");
    const known = google.machines().zones;
    const named = textsAt(inputs, "nodeLocations").map(nameIn);
    const wanted = named.length > 0 || !known.includes(location) ? named : [location];
    const region = known.includes(location) ? regionOf(location) : location;
    if (wanted.length === 0) {
        throw new PluginError(
            `nodeLocations is missing: the sandbox's stand-in for Google Cloud makes pools of zones that are named, as every pool with zonal disks needs it.`,
        );
    }
    const wrong = wanted.find((zone) => !zonesIn(region, known).includes(zone));
    if (wrong === undefined) return wanted;
    throw new Refusal(
        400,
        `Location "${wrong}" is not a zone of the cluster's region "${region}" (the sandbox has ${known.join(", ")}).`,
        "badRequest",
    );
}

function refuseDisk(properties: TreeObject): void {
    const config = objectAt(properties, "nodeConfig");
    const bootDisk = textAt(config, "bootDisk", "diskType");
    const type = bootDisk === "" ? textAt(config, "diskType") : bootDisk;
    refuseDiskType(textAt(config, "machineType"), type);
}

function create(inputs: TreeObject, google: Google): TreeObject {
    const id = clusterIdOf(inputs);
    const cluster = google.cloud.read(id);
    if (cluster === undefined) throw new Refusal(404, `Not found: ${id}.`, "notFound");
    if (inputs["nodeCount"] !== undefined && inputs["initialNodeCount"] !== undefined) {
        throw new PluginError(
            `Cannot set both initial_node_count and node_count on node pool ${textAt(inputs, "name")}`,
        );
    }
    const location = id.split("/")[3]!;
    const zones = zonesOf({ ...inputs, location }, google);
    refuseDisk(inputs);
    return {
        management: { autoRepair: true, autoUpgrade: true },
        upgradeSettings: { strategy: "SURGE", maxSurge: 1, maxUnavailable: 0 },
        ...inputs,
        cluster: nameIn(id),
        location,
        nodeLocations: zones,
        nodeCount: nodeCount(inputs, zones),
        nodeConfig: { machineType: "e2-medium", ...objectAt(inputs, "nodeConfig") },
    };
}

function update({ google, now, properties, changed }: Update) {
    const zones = zonesOf(properties, google);
    refuseDisk(properties);
    const next = { ...properties, nodeCount: nodeCount(properties, zones) };
    const status = now.status as unknown as NodePoolStatus;
    const follows = changed.some((path) => FOLLOWED.test(path));
    return {
        ...now,
        properties: next,
        status: follows
            ? { ...now.status, state: "RECONCILING", revision: status.revision + 1 }
            : now.status,
    };
}

/** The groups of machines that Compute Engine has for the pool, one a zone. */
function groups(properties: TreeObject, kind: "instanceGroups" | "instanceGroupManagers") {
    const [project, cluster, name] = ["project", "cluster", "name"].map((each) =>
        textAt(properties, each),
    );
    return textsAt(properties, "nodeLocations").map((zone) => {
        const hash = createHash("sha256").update(`${project}/${cluster}/${name}/${zone}`);
        const group = `gke-${cluster}-${name}-${hash.digest("hex").slice(0, 8)}-grp`;
        return selfLinkOf(`projects/${project}/zones/${zone}/${kind}/${group}`);
    });
}

const nodePool: Kind = {
    type: "gcp:container/nodePool:NodePool",
    title: "NodePool",
    id: "projects/{project}/locations/{location}/clusters/{cluster}/nodePools/{name}",
    place: "location",
    naming: { property: "name", longest: LONGEST_NAME },
    minutes: 120,
    followed: true,
    // Clusters' rule; whether pools allow one character less is not known.
    problems: (inputs) => nameProblems(inputs, "name", CLUSTER_NAME),
    create,
    status: () => ({ state: "PROVISIONING", revision: 1 }),
    update,
    rounds,
    outputs: (properties) => ({
        instanceGroupUrls: groups(properties, "instanceGroups"),
        managedInstanceGroupUrls: groups(properties, "instanceGroupManagers"),
    }),
};

export const NODE_POOLS: readonly Kind[] = [nodePool];
