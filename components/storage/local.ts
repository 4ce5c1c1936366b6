// Disks that are directories on named nodes: local PersistentVolumes, bound to their claims from the start.
// Kubernetes never deletes what is on a local volume: a directory stays until somebody removes it.

import * as k8s from "@pulumi/kubernetes";
import { clusterLabels, memberLabels, objectNames } from "../names";
import { REPLACED_WHEN_FAILED } from "../pod";
import type { Member } from "../topology";
import { CLAIM_FOR_EVER, classForEver, VOLUME_FOR_EVER, type StorageDriver } from "./driver";

/** The driver `local`. */
export const localStorage: StorageDriver = ({ spec, user, image, namespace, parent }) => {
    const { storage } = spec;
    const names = objectNames(spec);
    const storageClass = new k8s.storage.v1.StorageClass(
        `${spec.name}-disks`,
        {
            metadata: { name: names.storageClass, labels: clusterLabels(spec) },
            provisioner: "kubernetes.io/no-provisioner",
            volumeBindingMode: "WaitForFirstConsumer",
            reclaimPolicy: "Retain",
        },
        { parent, ignoreChanges: classForEver(spec) },
    );
    // The pods that prepare directories mount host paths, which the restricted profile forbids in the cluster's
    // own namespace. Nothing stays running in this one.
    const workshop = new k8s.core.v1.Namespace(
        `${spec.name}-storage`,
        {
            metadata: {
                name: names.storageNamespace,
                labels: {
                    ...clusterLabels(spec),
                    "pod-security.kubernetes.io/enforce": "privileged",
                },
            },
        },
        { parent },
    );

    const nodeOf = (member: Member): string => storage.nodes![member.zone]![member.index]!;

    return {
        diskOf: (member, owner) => {
            const node = nodeOf(member);
            const directory = `${storage.path}/${spec.namespace}/${member.name}`;
            const labels = memberLabels(spec, member);
            const prepared = new k8s.batch.v1.Job(
                `${member.name}-directory`,
                {
                    metadata: {
                        namespace: names.storageNamespace,
                        labels,
                        annotations: REPLACED_WHEN_FAILED,
                    },
                    spec: {
                        backoffLimit: 3,
                        activeDeadlineSeconds: 300,
                        template: {
                            metadata: { labels },
                            spec: {
                                restartPolicy: "Never",
                                nodeSelector: { "kubernetes.io/hostname": node },
                                automountServiceAccountToken: false,
                                enableServiceLinks: false,
                                terminationGracePeriodSeconds: 0,
                                containers: [
                                    {
                                        name: "directory",
                                        image,
                                        imagePullPolicy: spec.imagePullPolicy,
                                        // The mount makes the directory; what is left is whose it is.
                                        command: ["chown", `${user}:${user}`, "/disk"],
                                        securityContext: { runAsUser: 0 },
                                        resources: {
                                            requests: { cpu: "10m", memory: "32Mi" },
                                            limits: { memory: "32Mi" },
                                        },
                                        volumeMounts: [{ name: "disk", mountPath: "/disk" }],
                                    },
                                ],
                                volumes: [
                                    {
                                        name: "disk",
                                        hostPath: { path: directory, type: "DirectoryOrCreate" },
                                    },
                                ],
                            },
                        },
                    },
                },
                {
                    parent: owner,
                    dependsOn: [workshop],
                    // A new image must not make the directory again.
                    ignoreChanges: ["spec.template.spec.containers[0].image"],
                },
            );
            // Plain text in all that follows: nothing that is made anew takes a volume or a claim with it.
            const volumeName = `${spec.namespace}-${member.name}`;
            const volume = new k8s.core.v1.PersistentVolume(
                `${member.name}-volume`,
                {
                    metadata: { name: volumeName, labels },
                    spec: {
                        accessModes: ["ReadWriteOnce"],
                        capacity: { storage: storage.size },
                        storageClassName: names.storageClass,
                        persistentVolumeReclaimPolicy: "Retain",
                        claimRef: { namespace: spec.namespace, name: member.name },
                        local: { path: directory },
                        nodeAffinity: {
                            required: {
                                nodeSelectorTerms: [
                                    {
                                        matchExpressions: [
                                            {
                                                key: "kubernetes.io/hostname",
                                                operator: "In",
                                                values: [node],
                                            },
                                        ],
                                    },
                                ],
                            },
                        },
                    },
                },
                {
                    parent: owner,
                    dependsOn: [storageClass, prepared],
                    ignoreChanges: VOLUME_FOR_EVER,
                },
            );
            const claim = new k8s.core.v1.PersistentVolumeClaim(
                `${member.name}-disk`,
                {
                    metadata: { name: member.name, namespace: spec.namespace, labels },
                    spec: {
                        accessModes: ["ReadWriteOnce"],
                        storageClassName: names.storageClass,
                        volumeName,
                        resources: { requests: { storage: storage.size } },
                    },
                },
                { parent: owner, dependsOn: [namespace, volume], ignoreChanges: CLAIM_FOR_EVER },
            );
            return {
                claim: claim.metadata.name,
                dependencies: [claim],
                place: `${node}:${directory}`,
            };
        },
    };
};
