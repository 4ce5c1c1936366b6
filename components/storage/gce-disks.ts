// The resources of the driver `gce-disk`: Disk -> PersistentVolume -> claim, for each member.

import { Disk as ZonalDisk } from "@pulumi/gcp/compute/disk";
import { DiskResourcePolicyAttachment } from "@pulumi/gcp/compute/diskResourcePolicyAttachment";
import { RegionDisk } from "@pulumi/gcp/compute/regionDisk";
import { ResourcePolicy } from "@pulumi/gcp/compute/resourcePolicy";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { clusterLabels, memberLabels, objectNames } from "../names";
import { CSI_DRIVER } from "../platforms/gke/families";
import { diskPlanOf, regionOf, type DiskPlan } from "../platforms/gke/plan";
import type { ClusterSpec } from "../spec";
import {
    CLAIM_FOR_EVER,
    classForEver,
    CLOUD_VOLUME_FOR_EVER,
    type Storage,
    type StorageContext,
} from "./driver";

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

/** Keys and values of labels on Google Cloud: lower-case letters, digits, '-' and '_'. */
const googleLabels = ({ name, engine }: ClusterSpec) => ({
    "quorum-cluster": name,
    "quorum-engine": engine,
});

/** The disks of one cluster. */
export function openGceDisks({ spec, namespace, parent }: StorageContext): Storage {
    const names = objectNames(spec);
    const storageClass = new k8s.storage.v1.StorageClass(
        `${spec.name}-disks`,
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
            const labels = memberLabels(spec, member);
            const disk = registerDisk(spec, plan, owner);
            if (schedule) {
                registerAttachment(spec, plan, schedule, disk, owner);
            }
            // Plain text in all that follows: nothing that is made anew takes a volume or a claim with it.
            const volumeName = `${spec.namespace}-${member.name}`;
            const volume = new k8s.core.v1.PersistentVolume(
                `${member.name}-volume`,
                {
                    metadata: { name: volumeName, labels },
                    spec: {
                        accessModes: ["ReadWriteOnce"],
                        capacity: { storage: spec.storage.size },
                        storageClassName: names.storageClass,
                        // With Delete the CSI driver would delete the disk beside Pulumi.
                        persistentVolumeReclaimPolicy: "Retain",
                        claimRef: { namespace: spec.namespace, name: member.name },
                        csi: { driver: CSI_DRIVER, volumeHandle: plan.id, fsType: "ext4" },
                        nodeAffinity: { required: { nodeSelectorTerms: [inZonesOf(plan)] } },
                    },
                },
                {
                    parent: owner,
                    dependsOn: [storageClass, disk],
                    ignoreChanges: CLOUD_VOLUME_FOR_EVER,
                },
            );
            const claim = new k8s.core.v1.PersistentVolumeClaim(
                `${member.name}-disk`,
                {
                    metadata: {
                        name: member.name,
                        namespace: spec.namespace,
                        labels,
                        // The end of growing, in the member's own file system; the provider does not wait for it by itself.
                        annotations: {
                            "pulumi.com/waitFor": `jsonpath={.status.capacity.storage}=${spec.storage.size}`,
                        },
                    },
                    spec: {
                        accessModes: ["ReadWriteOnce"],
                        storageClassName: names.storageClass,
                        volumeName,
                        resources: { requests: { storage: spec.storage.size } },
                    },
                },
                { parent: owner, dependsOn: [namespace, volume], ignoreChanges: CLAIM_FOR_EVER },
            );
            return {
                claim: claim.metadata.name,
                dependencies: [claim],
                place: plan.id,
            };
        },
    };
}

const inZonesOf = ({ zone, replicaZone }: DiskPlan) => ({
    matchExpressions: [
        {
            key: ZONE,
            operator: "In",
            values: [zone, ...(replicaZone === undefined ? [] : [replicaZone])],
        },
    ],
});

/** The disk itself. With `adopt` it is the one of this name that an earlier stack kept. */
function registerDisk(spec: ClusterSpec, plan: DiskPlan, parent: pulumi.Resource): pulumi.Resource {
    const { disk, onDelete } = spec.storage;
    const args = {
        name: plan.name,
        project: spec.gke!.project!,
        type: plan.type,
        size: plan.gib,
        labels: googleLabels(spec),
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
                      snapshotProperties: { labels: googleLabels(spec) },
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
    new DiskResourcePolicyAttachment(
        `${plan.name}-snapshots`,
        { name: schedule.name, disk: plan.name, zone: plan.zone, project: spec.gke!.project! },
        { parent, dependsOn: [disk] },
    );
}
