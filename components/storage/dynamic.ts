// Disks from a StorageClass: a named one, one that Quorum makes, or the cluster's default.

import * as k8s from "@pulumi/kubernetes";
import { clusterLabels, memberLabels, objectNames } from "../names";
import type { StorageDriver } from "./driver";

/** The driver `dynamic`. */
export const dynamicStorage: StorageDriver = ({ spec, name, namespace, parent }) => {
    const { storage } = spec;
    const keep = storage.onDelete === "keep";
    const made =
        storage.provisioner === undefined
            ? undefined
            : new k8s.storage.v1.StorageClass(
                  `${name}-disks`,
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
                      reclaimPolicy: keep ? "Retain" : "Delete",
                  },
                  { parent },
              );
    return {
        diskOf: (member) => {
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
                        storageClassName: made ? made.metadata.name : storage.className,
                        resources: { requests: { storage: storage.size } },
                    },
                },
                // `keep`: destroy leaves the claim; the membership job deletes that of a member it retired.
                { parent, dependsOn: [namespace], retainOnDelete: keep },
            );
            return {
                claim: claim.metadata.name,
                dependencies: [claim],
                place: `StorageClass ${made ? objectNames(spec).storageClass : (storage.className ?? "(default)")}`,
            };
        },
    };
};
