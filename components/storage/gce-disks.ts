// The resources of the driver `gce-disk`: Disk -> PersistentVolume -> claim, for each member.

import { Disk as ZonalDisk } from "@pulumi/gcp/compute/disk";
import { DiskResourcePolicyAttachment } from "@pulumi/gcp/compute/diskResourcePolicyAttachment";
import { RegionDisk } from "@pulumi/gcp/compute/regionDisk";
import { RegionDiskResourcePolicyAttachment } from "@pulumi/gcp/compute/regionDiskResourcePolicyAttachment";
import { ResourcePolicy } from "@pulumi/gcp/compute/resourcePolicy";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { cloudLabels, clusterLabels, objectNames } from "../names";
import { CSI_DRIVER } from "../platforms/gke/families";
import { diskPlanOf, regionOf, type DiskPlan } from "../platforms/gke/plan";
import type { ClusterSpec } from "../spec";
import { registerBoundVolume } from "./bound-volume";
import { classForEver, type Storage, type StorageContext } from "./driver";

/** The label by which Google's CSI driver tells zones. */
const ZONE = "topology.gke.io/zone";

/**
 * The inputs of a disk whose change replaces it (terraform-provider-google-beta 93c65b2, resource_compute_disk.go), and its
 * size: a replacement detaches the disk from the running member and deletes it. They count when the disk is made and never
 * again, whatever the configuration says and whoever grew it by hand. A disk grows through its claim.
 */
const EVERY_DISK_FOR_EVER = [
    ...["name", "project", "type", "size", "diskEncryptionKey", "description", "interface"],
    ...["asyncPrimaryDisk", "guestOsFeatures", "licenses", "physicalBlockSizeBytes"],
    ...["snapshot", "sourceDisk", "sourceImageEncryptionKey", "sourceSnapshotEncryptionKey"],
];
const DISK_FOR_EVER = [
    ...EVERY_DISK_FOR_EVER,
    ...["zone", "architecture", "enableConfidentialCompute", "image", "multiWriter", "params"],
    ...["resourcePolicies", "sourceInstantSnapshot", "sourceStorageObject", "storagePool"],
];
const REGION_DISK_FOR_EVER = [...EVERY_DISK_FOR_EVER, "region", "replicaZones"];

const diskLabels = (spec: ClusterSpec) => ({ ...cloudLabels(spec), "quorum-engine": spec.engine });

/** The disks of one cluster. */
export function openGceDisks({ spec, namespace, site }: StorageContext): Storage {
    const { named, parent } = site;
    const names = objectNames(spec);
    const storageClass = new k8s.storage.v1.StorageClass(
        named(`${spec.name}-disks`),
        {
            metadata: { name: names.storageClass, labels: clusterLabels(spec) },
            provisioner: CSI_DRIVER,
            // Kubernetes lets a claim grow only where its class says so, whoever made the volume.
            allowVolumeExpansion: true,
            volumeBindingMode: "WaitForFirstConsumer",
            reclaimPolicy: "Retain",
        },
        { parent, ignoreChanges: classForEver(spec) },
    );
    const schedule = registerSchedule(spec, parent);
    return {
        diskOf: (member, owner) => {
            const plan = diskPlanOf(spec, member);
            const disk = registerDisk(spec, plan, owner);
            if (schedule) {
                registerAttachment(spec, plan, schedule, disk, owner);
            }
            return registerBoundVolume({
                context: { spec, namespace, site },
                member,
                owner,
                dependsOn: [storageClass, disk],
                source: { csi: { driver: CSI_DRIVER, volumeHandle: plan.id, fsType: "ext4" } },
                nodes: { key: ZONE, values: zonesOf(plan) },
                grows: true,
                annotations: {
                    // The end of growing, in the member's own file system; the provider does not wait for it by itself.
                    "pulumi.com/waitFor": `jsonpath={.status.capacity.storage}=${spec.storage.size}`,
                },
                place: plan.id,
            });
        },
    };
}

const zonesOf = ({ zone, replicaZone }: DiskPlan): string[] =>
    replicaZone === undefined ? [zone] : [zone, replicaZone];

/** The disk itself. With `adopt` it is the one of this name that an earlier stack kept. */
function registerDisk(spec: ClusterSpec, plan: DiskPlan, parent: pulumi.Resource): pulumi.Resource {
    const { disk, onDelete } = spec.storage;
    const args = {
        name: plan.name,
        project: spec.gke!.project!,
        type: plan.type,
        size: plan.gib,
        labels: diskLabels(spec),
        ...(disk?.iops !== undefined && { provisionedIops: disk.iops }),
        ...(disk?.throughput !== undefined && { provisionedThroughput: disk.throughput }),
    };
    const options = {
        parent,
        retainOnDelete: onDelete === "keep",
        ...(spec.adopt && { import: plan.id }),
    };
    const key = disk?.kmsKey;
    // What is imported has no labels to Terraform's eyes, and CLIs of before 2026 refuse an import that differs.
    const ofOthers = spec.adopt ? ["labels"] : [];
    return plan.replicaZone === undefined
        ? new ZonalDisk(
              plan.name,
              {
                  ...args,
                  zone: plan.zone,
                  ...(key !== undefined && { diskEncryptionKey: { kmsKeySelfLink: key } }),
              },
              { ...options, ignoreChanges: [...DISK_FOR_EVER, ...ofOthers] },
          )
        : new RegionDisk(
              plan.name,
              {
                  ...args,
                  region: regionOf(plan.zone),
                  replicaZones: [plan.zone, plan.replicaZone],
                  ...(key !== undefined && { diskEncryptionKey: { kmsKeyName: key } }),
              },
              { ...options, ignoreChanges: [...REGION_DISK_FOR_EVER, ...ofOthers] },
          );
}

/** The schedule of the snapshots, once a cluster. */
function registerSchedule(spec: ClusterSpec, parent: pulumi.Resource): ResourcePolicy | undefined {
    const snapshots = spec.storage.disk?.snapshots;
    return snapshots === undefined
        ? undefined
        : new ResourcePolicy(
              `${spec.name}-snapshots`,
              {
                  name: `${spec.name}-snapshots`,
                  project: spec.gke!.project!,
                  region: regionOf(spec.zones[0]!),
                  snapshotSchedulePolicy: {
                      schedule: { dailySchedule: { daysInCycle: 1, startTime: snapshots.at } },
                      retentionPolicy: {
                          maxRetentionDays: snapshots.keepDays,
                          onSourceDiskDelete: "KEEP_AUTO_SNAPSHOTS",
                      },
                      snapshotProperties: { labels: diskLabels(spec) },
                  },
              },
              { parent },
          );
}

/** Beside the disk and not in it: as the disk's own input it would replace the disk. */
function registerAttachment(
    spec: ClusterSpec,
    plan: DiskPlan,
    schedule: ResourcePolicy,
    disk: pulumi.Resource,
    parent: pulumi.Resource,
): void {
    const name = `${plan.name}-snapshots`;
    const args = { name: schedule.name, disk: plan.name, project: spec.gke!.project! };
    const options = { parent, dependsOn: [disk] };
    if (plan.replicaZone === undefined) {
        new DiskResourcePolicyAttachment(name, { ...args, zone: plan.zone }, options);
    } else {
        const region = regionOf(plan.zone);
        new RegionDiskResourcePolicyAttachment(name, { ...args, region }, options);
    }
}
