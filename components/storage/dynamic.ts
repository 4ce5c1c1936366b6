// Disks from a StorageClass: a named one, one that Quorum makes, or the cluster's default.

import * as k8s from "@pulumi/kubernetes";
import { clusterLabels, memberLabels, objectNames } from "../names";
import { at } from "../input";
import type { Problem } from "../problems";
import { settled, type RulesOf } from "../rules/rule";
import {
    CLAIM_FOR_EVER,
    classForEver,
    EMPTY_DISKS,
    unboundClaims,
    type DriverKey,
    type Storage,
    type StorageContext,
    type StorageDriver,
} from "./driver";
import { dynamicKeys } from "./dynamic-keys";

function problems(input: unknown): Problem[] {
    const has = (key: DriverKey) => at(input, ["storage", key]) !== undefined;
    const refuse = (key: DriverKey, reason: string): Problem[] => [
        { path: `storage.${key}`, value: at(input, ["storage", key]), reason },
    ];
    return [
        ...(has("className") && has("provisioner")
            ? refuse(
                  "provisioner",
                  "name an existing class (className) or make one (provisioner), not both",
              )
            : []),
        ...(has("parameters") && !has("provisioner")
            ? refuse(
                  "parameters",
                  "are those of a class that Quorum makes: give storage.provisioner too",
              )
            : []),
    ];
}

/** What changes of the driver's keys mean. */
export const DYNAMIC_RULES: RulesOf<
    "storage.className" | "storage.provisioner" | "storage.parameters"
> = {
    "storage.className": settled("storage.className", unboundClaims(EMPTY_DISKS)),
    "storage.provisioner": settled("storage.provisioner", unboundClaims(EMPTY_DISKS)),
    "storage.parameters": settled("storage.parameters", unboundClaims(EMPTY_DISKS)),
};

/** The driver `dynamic`. */
export const dynamicStorage: StorageDriver = {
    keys: dynamicKeys,
    problems,
    planProblems: () => [],
    bindsAtOnce: false,
    leavesClaims: ({ storage }) => storage.onDelete === "keep",
    open,
};

function open({ spec, namespace, site }: StorageContext): Storage {
    const { storage } = spec;
    const { named, parent, kept } = site;
    const keep = storage.onDelete === "keep";
    const made =
        storage.provisioner === undefined
            ? undefined
            : new k8s.storage.v1.StorageClass(
                  named(`${spec.name}-disks`),
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
                    ...kept,
                },
            );
            return {
                claim: claim.metadata.name,
                dependencies: [claim],
                place: `StorageClass ${className ?? "(default)"}`,
            };
        },
    };
}
