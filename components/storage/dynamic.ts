// Disks from a StorageClass: a named one, one that Quorum makes, or the cluster's default.

import * as k8s from "@pulumi/kubernetes";
import { clusterLabels, memberLabels, objectNames } from "../names";
import { CLAIM_FOR_EVER, classForEver, type StorageDriver } from "./driver";

/** The driver `dynamic`. */
export const dynamicStorage: StorageDriver = ({ spec, namespace, parent }) => {
    const { storage } = spec;
    const keep = storage.onDelete === "keep";
    const made =
        storage.provisioner === undefined
            ? undefined
            : new k8s.storage.v1.StorageClass(
                  `${spec.name}-disks`,
                  {
                      metadata: {
                          name: objectNames(spec).storageClass,
                          labels: clusterLabels(spec),
                      },
                      provisioner: storage.provisioner,
                      parameters: storage.parameters,
                      allowVolumeExpansion: true,
                      // A disk is made in the zone where its pod is placed, not where the provisioner likes.
                      volumeBindingMode: "WaitForFirstConsumer",
                      // A disk lives as long as its claim, as with most clouds' own classes. `storage.onDelete` decides about
                      // the claim: this cannot change afterwards, and would leave disks behind that were to be deleted.
                      reclaimPolicy: "Delete",
                  },
                  { parent, ignoreChanges: classForEver(spec) },
              );
    // Plain text: a class that is made anew must not take the claims with it.
    const className = made ? objectNames(spec).storageClass : storage.className;
    return {
        diskOf: (member, owner) => {
            const claim = new k8s.core.v1.PersistentVolumeClaim(
                `${member.name}-disk`,
                {
                    metadata: {
                        name: member.name,
                        namespace: spec.namespace,
                        labels: memberLabels(spec, member),
                    },
                    spec: {
                        accessModes: ["ReadWriteOnce"],
                        storageClassName: className,
                        resources: { requests: { storage: storage.size } },
                    },
                },
                // `keep`: destroy leaves the claim; the membership job deletes that of a member it retired.
                {
                    parent: owner,
                    dependsOn: [namespace, ...(made ? [made] : [])],
                    retainOnDelete: keep,
                    ignoreChanges: CLAIM_FOR_EVER,
                },
            );
            return {
                claim: claim.metadata.name,
                dependencies: [claim],
                place: `StorageClass ${className ?? "(default)"}`,
            };
        },
    };
};
