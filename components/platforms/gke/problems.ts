// What is wrong with a specification for Google Cloud, before anything is asked of it: all problems at once, each with its key.

import { at } from "../../input";
import { DOORS } from "../../outside";
import type { Problem } from "../../problems";
import type { CompleteSpec } from "../../spec";
import type { Plan } from "../../topology";
import {
    CSI_DRIVER,
    DISK_TYPES,
    disksOf,
    KNOWN_FAMILIES,
    familyOf,
    smallestDisk,
    takesRegionalDisks,
    type DiskType,
} from "./families";
import { diskPlanOf, gibOf, membersOf, rangesIn, regionOf } from "./plan";
import { addressesIn, isAligned, overlap } from "../../ranges";

/** What can be said of an input that names this platform, as far as it can be read. */
export function inputProblems(input: unknown): Problem[] {
    const missing = (path: string, reason: string): Problem[] =>
        at(input, path.split(".")) === undefined ? [{ path, value: undefined, reason }] : [];
    return [
        ...missing(
            "gke.project",
            "platform gke needs the project that it makes everything in, here or in gcp:project",
        ),
        ...missing(
            "machines.type",
            "platform gke needs the machine type of the members' nodes, for example n4-standard-4",
        ),
    ];
}

/** What is wrong with a readable specification, given who its members are. */
export function planProblems(spec: CompleteSpec, plan: Plan): Problem[] {
    return [
        ...zoneProblems(spec),
        ...machineProblems(spec, plan),
        ...diskProblems(spec, plan),
        ...networkProblems(spec),
        ...perZoneProblems(spec),
        ...addressProblems(spec),
        ...maintenanceProblems(spec),
    ];
}

type Refuse = (path: string, value: unknown, reason: string) => void;

function collected(find: (refuse: Refuse) => void): Problem[] {
    const problems: Problem[] = [];
    find((path, value, reason) => problems.push({ path, value, reason }));
    return problems;
}

const zoneProblems = ({ zones }: CompleteSpec): Problem[] =>
    collected((refuse) => {
        const odd = zones.filter((zone) => !/^[a-z]+(-[a-z]+\d+)?-[a-z]$/.test(zone));
        if (odd.length > 0) {
            refuse(
                "zones",
                zones,
                `${odd.join(", ")}: must be zones of Google's, such as europe-west1-b`,
            );
            return;
        }
        const regions = [...new Set(zones.map(regionOf))];
        if (regions.length > 1) {
            refuse(
                "zones",
                zones,
                `are of several regions (${regions.join(", ")}): one Kubernetes cluster, its network and its addresses are of one region`,
            );
        }
    });

const machineProblems = (spec: CompleteSpec, plan: Plan): Problem[] =>
    collected((refuse) => {
        const machines = spec.machines!;
        for (const key of ["type", "system"] as const) {
            if (disksOf(machines[key]).length === 0) {
                refuse(
                    `machines.${key}`,
                    machines[key],
                    `is of family ${familyOf(machines[key])}, whose disks Quorum does not know; known are ${KNOWN_FAMILIES.join(", ")}`,
                );
            }
        }
        const { count } = machines;
        const short = spec.zones.filter((zone) => (count ?? Infinity) < membersOf(plan, zone));
        if (short.length > 0) {
            const most = Math.max(...spec.zones.map((zone) => membersOf(plan, zone)));
            refuse(
                "machines.count",
                count,
                `zone ${short.join(", ")} has up to ${most} members, and no two share a node: use ${most} or more, or leave it out`,
            );
        }
        if (!Number.isInteger(gibOf(machines.bootDisk))) {
            refuse("machines.bootDisk", machines.bootDisk, "must be whole Gi");
        }
    });

const diskProblems = (spec: CompleteSpec, plan: Plan): Problem[] =>
    collected((refuse) => {
        const { driver, onDelete, size, disk } = spec.storage;
        const takes = disksOf(spec.machines!.type);
        if (driver === "local") {
            refuse(
                "storage.driver",
                driver,
                "local disks go with Google's nodes at every repair and upgrade: use gce-disk",
            );
        }
        if (driver === "dynamic" && onDelete === "keep") {
            refuse(
                "storage.onDelete",
                onDelete,
                "the claims of driver dynamic go with the Kubernetes cluster, and nothing finds their disks again: use storage.driver gce-disk, or delete",
            );
        }
        if (driver === "dynamic") {
            dynamicProblems(spec, refuse);
        }
        if (driver === "local" || takes.length === 0) {
            return;
        }
        const { type, gib } = diskPlanOf(spec, plan.members[0]!);
        if (!takes.includes(type)) {
            refuse(
                driver === "dynamic" ? "storage.parameters" : "storage.disk.type",
                type,
                `machines of type ${spec.machines!.type} attach ${takes.join(", ")} only`,
            );
        }
        const smallest = smallestDisk(type, disk?.replicaZone !== undefined);
        if (!Number.isInteger(gib)) {
            refuse("storage.size", size, "Google's disks have whole Gi");
        } else if (gib < smallest) {
            refuse("storage.size", size, `a ${type} has at least ${smallest}Gi`);
        }
        for (const key of ["iops", "throughput"] as const) {
            if (disk?.[key] !== undefined && !isHyperdisk(type)) {
                refuse(
                    `storage.disk.${key}`,
                    disk[key],
                    `is of hyperdisks, and the disks are ${type}, whose speed follows their size`,
                );
            }
        }
        regionalProblems(spec, refuse);
    });

/** A class that is there may be of any disks, and of any zone. */
function dynamicProblems({ storage }: CompleteSpec, refuse: Refuse): void {
    const { provisioner, parameters } = storage;
    if (provisioner !== CSI_DRIVER) {
        refuse(
            "storage.provisioner",
            provisioner,
            `on platform gke, driver dynamic takes a class that Quorum makes: ${CSI_DRIVER}`,
        );
    } else if (!DISK_TYPES.some((type) => type === parameters?.type)) {
        refuse(
            "storage.parameters",
            parameters,
            `must name the type of the disks, one of ${DISK_TYPES.join(", ")}`,
        );
    }
}

export const isHyperdisk = (type: DiskType): boolean => type.startsWith("hyperdisk");

function regionalProblems(spec: CompleteSpec, refuse: Refuse): void {
    const replicaZone = spec.storage.disk?.replicaZone;
    if (replicaZone === undefined) {
        return;
    }
    const refuseIt = (reason: string) => refuse("storage.disk.replicaZone", replicaZone, reason);
    const [zone] = spec.zones;
    if (spec.replicas > 1) {
        refuseIt(
            "is for a single member: several members keep copies themselves, and a second copy of each costs twice and gives nothing",
        );
    } else if (!takesRegionalDisks(spec.machines!.type)) {
        refuseIt(`machines of type ${spec.machines!.type} attach no regional disks`);
    } else if (replicaZone === zone || regionOf(replicaZone) !== regionOf(zone!)) {
        refuseIt(`must be another zone of ${regionOf(zone!)}`);
    }
}

const networkProblems = ({ gke }: CompleteSpec): Problem[] =>
    collected((refuse) => {
        const { ranges, network, subnetwork, endpoint, authorizedNetworks } = gke!;
        const named = Object.entries(ranges);
        for (const [name, range] of named) {
            if (!isAligned(range)) {
                refuse(`gke.ranges.${name}`, range, "must begin at the first address of its range");
            }
        }
        named.forEach(([name, range], position) => {
            const other = named.slice(0, position).find(([, before]) => overlap(before, range));
            if (other) {
                refuse(`gke.ranges.${name}`, range, `overlaps gke.ranges.${other[0]} ${other[1]}`);
            }
        });
        if (addressesIn(ranges.pods) < PODS_OF_A_NODE) {
            refuse("gke.ranges.pods", ranges.pods, "must hold a /24 for each node");
        }
        if ((network === undefined) !== (subnetwork === undefined)) {
            const [path, value] =
                network === undefined ? ["gke.network", network] : ["gke.subnetwork", subnetwork];
            refuse(
                path,
                value,
                "an existing network and its subnetwork are named together, or neither",
            );
        }
        if (endpoint === "public" && authorizedNetworks.length === 0) {
            refuse(
                "gke.authorizedNetworks",
                authorizedNetworks,
                "with endpoint public, name the networks that may reach the control plane, and that of the machine that runs Pulumi among them",
            );
        }
        if (endpoint === "dns" && authorizedNetworks.length > 0) {
            refuse(
                "gke.authorizedNetworks",
                authorizedNetworks,
                "belong to the endpoints public and private: who comes by dns is checked by IAM",
            );
        }
    });

/** Each cluster has ranges of its own, which follow those of the configuration. */
const perZoneProblems = (spec: CompleteSpec): Problem[] =>
    collected((refuse) => {
        const { nodes } = spec.gke!.ranges;
        if (spec.layout !== "cluster-per-zone") {
            return;
        }
        for (const key of ["pods", "services"] as const) {
            const other = key === "pods" ? "services" : "pods";
            const all = spec.zones.map((zone) => ({ zone, ranges: rangesIn(spec, zone) }));
            const taken = [nodes, ...all.flatMap(({ ranges }) => ranges[other] ?? [])];
            const bad = all.find(
                ({ ranges }) =>
                    ranges[key] === undefined ||
                    taken.some((range) => overlap(range, ranges[key]!)),
            );
            if (bad) {
                refuse(
                    `gke.ranges.${key}`,
                    spec.gke!.ranges[key],
                    `each zone's cluster has a range of this size, one after the other by the zone's letter: that of ${bad.zone} would be ${bad.ranges[key] ?? "beyond the last address"}, which is not free`,
                );
                return;
            }
        }
    });

/** An internal load balancer has an address of the subnetwork that the nodes are in. */
const addressProblems = ({ access, gke }: CompleteSpec): Problem[] =>
    collected((refuse) => {
        const { network, ranges } = gke!;
        for (const door of DOORS.filter((name) => network === undefined && access[name].internal)) {
            for (const [name, address] of Object.entries(access[door].addresses)) {
                if (!overlap(`${address}/32`, ranges.nodes)) {
                    refuse(
                        `access.${door}.addresses.${name}`,
                        address,
                        `is none of the subnetwork's, where internal load balancers are (quorum:gke.ranges.nodes ${ranges.nodes})`,
                    );
                }
            }
        }
    });

/** Google gives each node with up to 110 pods a /24. */
const PODS_OF_A_NODE = 256;

/** Hours that Google asks for in any 32 days; only blocks of four hours count. */
const WINDOW_HOURS = 48;
const WINDOW_BLOCK_HOURS = 4;
/** Every day of the week comes at least so often in 32 days. */
const WEEKS = 4;

const maintenanceProblems = ({ gke }: CompleteSpec): Problem[] =>
    collected((refuse) => {
        const { window, exclusions } = gke!;
        const { days, hours } = readWindow(window);
        if (hours < WINDOW_BLOCK_HOURS || days.length * hours * WEEKS < WINDOW_HOURS) {
            refuse(
                "gke.window",
                window,
                `Google takes blocks of at least ${WINDOW_BLOCK_HOURS} h that make ${WINDOW_HOURS} h in any 32 days; these are ${days.length} a week of ${hours} h`,
            );
        }
        exclusions.forEach((each, position) => {
            if (each.until <= each.from) {
                refuse(`gke.exclusions.${position}`, each, "must end after it begins");
            }
        });
        const names = exclusions.map(({ name }) => name);
        if (new Set(names).size < names.length) {
            refuse("gke.exclusions", exclusions, "must have names of their own");
        }
    });

/** A maintenance window, read. */
export function readWindow(window: string) {
    const [days, times] = window.split(" ");
    const [from, until] = times!.split("-");
    const minutes = (time: string) => Number(time.split(":")[0]) * 60 + Number(time.split(":")[1]);
    const length = (minutes(until!) - minutes(from!) + DAY_MINUTES) % DAY_MINUTES;
    // One that ends when it began lasts a day.
    const hours = (length === 0 ? DAY_MINUTES : length) / 60;
    return { days: [...new Set(days!.split(","))], from: from!, until: until!, hours };
}

const DAY_MINUTES = 24 * 60;
