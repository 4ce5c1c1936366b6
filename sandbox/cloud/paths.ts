// Where the sandbox's cloud keeps what more than one of its parts reads.

import { pathOf } from "./store.js";

/** A zone's region: all but its last part. */
export function regionOf(zone: string): string {
    return zone.slice(0, zone.lastIndexOf("-"));
}

export function zonalDiskPath(project: string, zone: string, name: string): string {
    return pathOf("projects", project, "zones", zone, "disks", name);
}

export function regionalDiskPath(project: string, region: string, name: string): string {
    return pathOf("projects", project, "regions", region, "disks", name);
}

export function addressPath(project: string, region: string, name: string): string {
    return pathOf("projects", project, "regions", region, "addresses", name);
}

export function clusterPath(project: string, location: string, name: string): string {
    return pathOf("projects", project, "locations", location, "clusters", name);
}

export function nodePoolPath(
    project: string,
    location: string,
    cluster: string,
    name: string,
): string {
    return pathOf(
        ...["projects", project, "locations", location, "clusters", cluster],
        ...["nodePools", name],
    );
}

/** Patterns for Cloud.find. */
export const EVERY_CLUSTER = "projects/*/locations/*/clusters/*";
export const EVERY_NODE_POOL = "projects/*/locations/*/clusters/*/nodePools/*";
export const EVERY_ZONAL_DISK = "projects/*/zones/*/disks/*";
export const EVERY_REGIONAL_DISK = "projects/*/regions/*/disks/*";
export const EVERY_ADDRESS = "projects/*/regions/*/addresses/*";
export const EVERY_MANAGED_ZONE = "projects/*/managedZones/*";
export const EVERY_RECORD_SET = "projects/*/managedZones/*/recordSets/*";
