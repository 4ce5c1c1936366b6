// Disks: a file of bytes each, which the sandbox's CSI driver attaches to nodes.

import { closeSync, ftruncateSync, mkdirSync, openSync, truncateSync } from "node:fs";
import { dirname } from "node:path";
import { regionOf } from "../../../cloud/paths.js";
import type { DiskStatus } from "../../../cloud/status.js";
import type { TreeObject } from "../../property-tree.js";
import {
    LONGEST_NAME,
    type Deletion,
    type Google,
    type Kind,
    type Problem,
    type Update,
} from "../kind.js";
import { COMPUTE_NAME, nameProblems } from "../names.js";
import { nameIn, selfLinkOf } from "../references.js";
import { invalid, notHere } from "../refusal.js";
import { numberAt, textAt, textsAt } from "../values.js";
import { unknownZone } from "../zones.js";

const GIB = 2 ** 30;

/**
 * Types of zonal disks and the smallest of each, in GiB: hyperdisk-balanced by Red Hat's page on the
 * CSI driver (OpenShift 4.20), the others by Google's pages on disks.
 */
const ZONAL: Readonly<Record<string, number>> = {
    "pd-standard": 10,
    "pd-balanced": 10,
    "pd-ssd": 10,
    "hyperdisk-balanced": 4,
};

/** Of disks in two zones (Google's page on regional disks). */
const REGIONAL: Readonly<Record<string, number>> = {
    "pd-standard": 200,
    "pd-balanced": 10,
    "pd-ssd": 10,
    "hyperdisk-balanced-high-availability": 4,
};

/** Types whose speed is bought apart. */
const WITH_SPEED = /^hyperdisk-/;

/** Google takes a new speed of a hyperdisk once in this time (@pulumi/gcp, Disk.provisionedIops). */
const BETWEEN_SPEEDS_MILLISECONDS = 4 * 60 * 60 * 1000;

const diskName = (inputs: TreeObject): Problem[] => nameProblems(inputs, "name", COMPUTE_NAME);

function refuseSpeed(properties: TreeObject): void {
    const type = nameIn(textAt(properties, "type"));
    if (WITH_SPEED.test(type)) return;
    for (const field of ["provisionedIops", "provisionedThroughput"]) {
        if (properties[field] === undefined) continue;
        throw invalid(
            `Invalid value for field 'resource.${field}': '${numberAt(properties, field) ?? ""}'. It cannot be set for disk type ${type}.`,
        );
    }
}

function refuseSize(properties: TreeObject, smallest: Readonly<Record<string, number>>): void {
    const type = nameIn(textAt(properties, "type"));
    const least = smallest[type];
    if (least === undefined) throw notHere(`Disk type "${type}"`);
    const size = numberAt(properties, "size");
    if (size === undefined) {
        throw notHere(`A disk without "size" (Google has a default for each type)`);
    }
    if (!Number.isInteger(size) || size < least) {
        throw invalid(
            `Invalid value for field 'resource.sizeGb': '${size}'. Disk size cannot be smaller than ${least} GB for ${type}`,
        );
    }
}

/** What a new disk could be made from; here all are empty. */
const SOURCES = [
    "image",
    "snapshot",
    "sourceDisk",
    "sourceInstantSnapshot",
    "sourceStorageObject",
    "asyncPrimaryDisk",
];

function createDisk(inputs: TreeObject, smallest: Readonly<Record<string, number>>): TreeObject {
    const source = SOURCES.find((name) => textAt(inputs, name) !== "");
    if (source !== undefined) throw notHere(`A disk that is made from something ("${source}")`);
    const disk = {
        accessMode: "READ_WRITE_SINGLE",
        physicalBlockSizeBytes: 4096,
        ...inputs,
        type: nameIn(textAt(inputs, "type")),
    };
    refuseSize(disk, smallest);
    refuseSpeed(disk);
    return disk;
}

/** Makes the file of bytes as long as the disk is large; it takes room only where it is written. */
function fitBytes(google: Google, path: string, properties: TreeObject): void {
    const file = google.cloud.bytesOf(path);
    mkdirSync(dirname(file), { recursive: true });
    const opened = openSync(file, "a", 0o600);
    ftruncateSync(opened, numberAt(properties, "size")! * GIB);
    closeSync(opened);
}

function speedStatus({ now, changed }: Update): TreeObject {
    const isFaster = changed.some((path) => /^provisioned(Iops|Throughput)$/.test(path));
    if (!isFaster) return now.status;
    const last = Date.parse(textAt(now.status, "speedChanged"));
    if (Date.now() - last < BETWEEN_SPEEDS_MILLISECONDS) {
        throw invalid(
            `Cannot update provisioned iops or throughput of '${now.id}' due to being rate limited: once in 4 hours`,
        );
    }
    return { ...now.status, speedChanged: new Date().toISOString() };
}

function updateDisk(change: Update, smallest: Readonly<Record<string, number>>) {
    const { google, path, now, properties } = change;
    const [before, after] = [numberAt(now.properties, "size"), numberAt(properties, "size")];
    if (before !== undefined && after !== undefined && after < before) {
        throw invalid(
            `Invalid value for field 'sizeGb': '${after}'. New disk size '${after}' GB must be larger than existing size '${before}' GB`,
        );
    }
    refuseSize(properties, smallest);
    refuseSpeed(properties);
    const status = speedStatus(change);
    fitBytes(google, path, properties);
    return { ...now, properties, status };
}

/**
 * Terraform's provider takes a disk from the machine that has it before it deletes it
 * (resourceComputeDiskDelete): a running database loses it under its feet. What is open stays
 * readable on Linux, so the bytes go first.
 */
function detachAndEmpty({ google, path, now }: Deletion): void {
    const { attachedTo } = now.status as unknown as DiskStatus;
    if (attachedTo === null) return;
    truncateSync(google.cloud.bytesOf(path), 0);
}

function usersOf(status: TreeObject, properties: TreeObject, zone: string): string[] {
    const node = textAt(status, "attachedTo");
    const project = textAt(properties, "project");
    return node === "" ? [] : [selfLinkOf(`projects/${project}/zones/${zone}/instances/${node}`)];
}

function zoneProblems(zones: readonly string[], region: string, google: Google): void {
    const known = google.machines().zones;
    for (const zone of zones) {
        if (!known.includes(zone) || regionOf(zone) !== region) throw unknownZone(zone, known);
    }
}

/** What both kinds of disk have in common. */
const EVERY_DISK = {
    naming: { property: "name", longest: LONGEST_NAME },
    labels: "labels",
    madeAt: "creationTimestamp",
    minutes: 20,
    status: () => ({ attachedTo: null }),
    outputs: (_properties: TreeObject, id: string) => ({ selfLink: selfLinkOf(id) }),
    beforeDelete: detachAndEmpty,
} as const;

export const DISKS: readonly Kind[] = [
    {
        ...EVERY_DISK,
        type: "gcp:compute/disk:Disk",
        title: "Disk",
        id: "projects/{project}/zones/{zone}/disks/{name}",
        place: "zone",
        problems: diskName,
        create: (inputs, google) => {
            const zone = nameIn(textAt(inputs, "zone"));
            zoneProblems([zone], regionOf(zone), google);
            return createDisk({ ...inputs, zone }, ZONAL);
        },
        created: fitBytes,
        update: (change) => updateDisk(change, ZONAL),
        live: ({ status, properties }) => ({
            users: usersOf(status, properties, textAt(properties, "zone")),
        }),
    },
    {
        ...EVERY_DISK,
        type: "gcp:compute/regionDisk:RegionDisk",
        title: "RegionDisk",
        id: "projects/{project}/regions/{region}/disks/{name}",
        place: "region",
        problems: (inputs) => {
            const zones = inputs["replicaZones"];
            const wrong = Array.isArray(zones) && new Set(zones).size !== 2;
            return [
                ...diskName(inputs),
                ...(wrong
                    ? [{ property: "replicaZones", reason: "A regional disk is in two zones." }]
                    : []),
            ];
        },
        create: (inputs, google) => {
            const zones = textsAt(inputs, "replicaZones").map(nameIn);
            zoneProblems(zones, textAt(inputs, "region"), google);
            return createDisk({ ...inputs, replicaZones: zones }, REGIONAL);
        },
        created: fitBytes,
        update: (change) => updateDisk(change, REGIONAL),
        live: ({ status, properties }) => ({
            users: usersOf(status, properties, textsAt(properties, "replicaZones")[0] ?? ""),
        }),
    },
];
