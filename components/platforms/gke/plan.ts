// spec -> what there will be on Google Cloud: clusters, pools, disks, ranges. Pure, and plain values only: preview and update see
// the same. Nothing here loads the package of Google Cloud.

import { createHash } from "crypto";
import { parseQuantity } from "../../quantity";
import type { ClusterSpec } from "../../spec";
import { MAIN_ROLE, type Member, type Plan } from "../../topology";
import { DISK_TYPES, disksOf, familyOf, type DiskType } from "./families";
import { rangeAfter } from "../../ranges";

/** The network of a database's own; not there where the configuration names an existing one. */
export interface NetworkPlan {
    readonly name: string;
    /** Range of nodes and load balancers. */
    readonly nodes: string;
    /** Range of pods or Services of a cluster, by name. */
    readonly secondary: readonly { readonly name: string; readonly range: string }[];
}

/** One Kubernetes cluster. */
export interface KubernetesPlan {
    readonly name: string;
    /**
     * A region, whose control plane stands in three zones and answers through its own upgrades; with a cluster for each zone, the
     * zone.
     */
    readonly location: string;
    readonly zones: readonly string[];
    readonly pods: string;
    readonly services: string;
    /** Names of the two as secondary ranges of {@link NetworkPlan}. */
    readonly podsName: string;
    readonly servicesName: string;
}

/** Nodes of one kind in one zone. */
export interface PoolPlan {
    /** Of the Pulumi resource; with what replaces a pool in it, so that such a change is a new pool first. */
    readonly resource: string;
    /** The pool's name, within the cluster. */
    readonly name: string;
    readonly cluster: string;
    readonly zone: string;
    /** `member`: for the members of this database only. `system`: for everything else. */
    readonly purpose: "member" | "system";
    readonly machineType: string;
    readonly count: number;
    readonly bootDisk: { readonly type: DiskType; readonly gib: number };
}

/** The disk of one member. */
export interface DiskPlan {
    /** Name of the disk: that of the member. */
    readonly name: string;
    /** What a PersistentVolume calls it, and Pulumi's id. */
    readonly id: string;
    readonly zone: string;
    /** The second zone of a regional disk. */
    readonly replicaZone?: string;
    readonly type: DiskType;
    readonly gib: number;
}

/** The address at which clients outside of Kubernetes reach one member. */
export interface AddressPlan {
    readonly member: Member;
    /** Name of the address: that of the member. */
    readonly name: string;
    readonly id: string;
    /** Reached from within the network only. */
    readonly internal: boolean;
}

/** Everything that a specification asks of Google Cloud. */
export interface GkePlan {
    readonly project: string;
    readonly region: string;
    /** Id of the nodes' service account, 6 to 30 characters. */
    readonly account: string;
    readonly network?: NetworkPlan;
    readonly clusters: readonly KubernetesPlan[];
    /** Zone after zone, the system's before the members'. */
    readonly pools: readonly PoolPlan[];
    readonly disks: readonly DiskPlan[];
    /** Those that Quorum makes; others are the user's own. */
    readonly addresses: readonly AddressPlan[];
    /** The members that have an address outside. */
    readonly named: readonly Member[];
}

const GIB = 2 ** 30;

export const gibOf = (quantity: string): number => parseQuantity(quantity) / GIB;

/** `europe-west1` of `europe-west1-b`. */
export const regionOf = (zone: string): string => zone.replace(/-[a-z]$/, "");
/** `b` of `europe-west1-b`. */
const letterOf = (zone: string): string => zone.split("-").at(-1)!;

/** The members whose nodes one zone needs: those of one role never share a node, those of two do. */
export function membersOf({ members }: Plan, zone: string): number {
    const roles = new Set(members.map(({ role }) => role));
    return Math.max(
        0,
        ...[...roles].map(
            (role) => members.filter((each) => each.role === role && each.zone === zone).length,
        ),
    );
}

/** How many nodes a zone has for members. */
export const nodesOf = ({ machines }: ClusterSpec, plan: Plan, zone: string): number =>
    machines?.count ?? membersOf(plan, zone);

/** The plan of an accepted specification. */
export function gkePlanOf(spec: ClusterSpec, plan: Plan): GkePlan {
    const gke = spec.gke!;
    const clusters = clustersOf(spec);
    const { members: door } = spec.access;
    const named = door.type === "LoadBalancer" ? plan.ofRole(MAIN_ROLE) : [];
    const region = regionOf(spec.zones[0]!);
    return {
        project: gke.project!,
        region,
        account: `${spec.name}-node`,
        ...(gke.network === undefined && {
            network: {
                name: spec.name,
                nodes: gke.ranges.nodes,
                secondary: clusters.flatMap(({ podsName, pods, servicesName, services }) => [
                    { name: podsName, range: pods },
                    { name: servicesName, range: services },
                ]),
            },
        }),
        clusters,
        pools: clusters.flatMap((cluster) =>
            cluster.zones.flatMap((zone) => [
                systemPool(spec, cluster, zone),
                memberPool(spec, plan, cluster, zone),
            ]),
        ),
        disks: plan.members.map((member) => diskPlanOf(spec, member)),
        named,
        addresses: named
            .filter(({ name }) => door.addresses[name] === undefined)
            .map((member) => ({
                member,
                name: member.name,
                id: `projects/${gke.project!}/regions/${region}/addresses/${member.name}`,
                internal: door.internal,
            })),
    };
}

/** One cluster over the zones, or one in each. Of each the ranges are its own. */
function clustersOf(spec: ClusterSpec): KubernetesPlan[] {
    const zones = [...spec.zones].sort();
    const { name, gke } = spec;
    if (spec.layout !== "cluster-per-zone") {
        return [kubernetesPlan(name, regionOf(zones[0]!), zones, gke!.ranges)];
    }
    return zones.map((zone) => {
        const ranges = rangesIn(spec, zone);
        // The rules refuse ranges after which there are not enough others.
        return kubernetesPlan(`${name}-${letterOf(zone)}`, zone, [zone], {
            pods: ranges.pods ?? gke!.ranges.pods,
            services: ranges.services ?? gke!.ranges.services,
        });
    });
}

function kubernetesPlan(
    name: string,
    location: string,
    zones: readonly string[],
    { pods, services }: Pick<KubernetesPlan, "pods" | "services">,
): KubernetesPlan {
    return {
        name,
        location,
        zones,
        pods,
        services,
        podsName: `${name}-pods`,
        servicesName: `${name}-services`,
    };
}

/**
 * Ranges of the cluster in one zone: they follow those of the configuration, by the zone's letter, so that no other zone which
 * comes or goes changes them. Beyond the last address there are none.
 */
export function rangesIn({ gke }: Pick<ClusterSpec, "gke">, zone: string) {
    const steps = letterOf(zone).charCodeAt(0) - "a".charCodeAt(0);
    const { pods, services } = gke!.ranges;
    return { pods: rangeAfter(pods, steps), services: rangeAfter(services, steps) };
}

/** Where members of other clusters come from: nodes and pods of all of them. One cluster has no others. */
export const peerRangesOf = (
    { gke, layout, access }: ClusterSpec,
    { clusters }: Pick<GkePlan, "clusters">,
): string[] =>
    layout === "cluster-per-zone"
        ? [
              // In a network of the user's own nobody here knows the nodes' addresses.
              ...(gke!.network === undefined ? [gke!.ranges.nodes] : []),
              ...clusters.map(({ pods }) => pods),
              ...access.peerRanges,
          ]
        : [];

/** What makes another pool of it: Google replaces a pool for no other input that we set, and a family is no way back. */
const poolHash = (parts: readonly string[]): string =>
    createHash("sha256").update(parts.join("\n")).digest("hex").slice(0, 6);

function poolPlan(
    spec: ClusterSpec,
    cluster: KubernetesPlan,
    zone: string,
    rest: Pick<PoolPlan, "purpose" | "machineType" | "count">,
): PoolPlan {
    const type = disksOf(rest.machineType)[0]!;
    const hash = poolHash([familyOf(rest.machineType), type]);
    const kind = rest.purpose === "system" ? "system-" : "";
    return {
        ...rest,
        resource: `${spec.name}-${kind}pool-${zone}-${hash}`,
        name: `${kind}${letterOf(zone)}-${hash}`,
        cluster: cluster.name,
        zone,
        bootDisk: { type, gib: gibOf(spec.machines!.bootDisk) },
    };
}

const memberPool = (spec: ClusterSpec, plan: Plan, cluster: KubernetesPlan, zone: string) =>
    poolPlan(spec, cluster, zone, {
        purpose: "member",
        machineType: spec.machines!.type,
        count: nodesOf(spec, plan, zone),
    });

/** One node in each zone: name service and jobs outlive the loss of a zone. */
const systemPool = (spec: ClusterSpec, cluster: KubernetesPlan, zone: string) =>
    poolPlan(spec, cluster, zone, {
        purpose: "system",
        machineType: spec.machines!.system,
        count: 1,
    });

/** The disk of a member, made by Quorum or by a class of the CSI driver. */
export function diskPlanOf(spec: ClusterSpec, { name, zone }: Member): DiskPlan {
    const { disk, size, parameters } = spec.storage;
    const type = spec.storage.driver === "dynamic" ? parameters?.type : disk?.type;
    const { project } = spec.gke!;
    const at = disk?.replicaZone === undefined ? `zones/${zone}` : `regions/${regionOf(zone)}`;
    return {
        name,
        id: `projects/${project!}/${at}/disks/${name}`,
        zone,
        ...(disk?.replicaZone !== undefined && { replicaZone: disk.replicaZone }),
        type: DISK_TYPES.find((each) => each === type) ?? disksOf(spec.machines!.type)[0]!,
        gib: gibOf(size),
    };
}
