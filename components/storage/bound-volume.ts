// A volume for a disk that is there already, and the claim that it is bound to from the start.

import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { memberLabels, objectNames } from "../names";
import type { Member } from "../topology";
import { CLAIM_FOR_EVER, type Disk, type StorageContext } from "./driver";

/**
 * The fields of a volume that count when it is made and never again: what it stands for replaces it, and Kubernetes refuses
 * to change the rest.
 */
const VOLUME_FOR_EVER = [
    "accessModes",
    "claimRef",
    "nodeAffinity",
    "persistentVolumeReclaimPolicy",
];

export interface BoundVolumeArgs {
    readonly context: Pick<StorageContext, "spec" | "namespace" | "site">;
    readonly member: Member;
    /** The member's component. */
    readonly owner: pulumi.Resource;
    /** The class, and what the volume stands for. */
    readonly dependsOn: readonly pulumi.Resource[];
    /** What it stands for. */
    readonly source: Pick<k8s.types.input.core.v1.PersistentVolumeSpec, "csi" | "local">;
    /** The nodes that reach it, by a label. */
    readonly nodes: { readonly key: string; readonly values: readonly string[] };
    /** Whether Kubernetes grows it: its capacity is then what it has grown to. */
    readonly grows: boolean;
    readonly annotations?: Readonly<Record<string, string>>;
    /** {@link Disk.place} */
    readonly place: string;
}

/** Registers both. Plain text in all of it: nothing that is made anew takes a volume or a claim with it. */
export function registerBoundVolume(args: BoundVolumeArgs): Disk {
    const { context, member, owner, source, nodes, annotations } = args;
    const { spec, namespace, site } = context;
    const { size } = spec.storage;
    const labels = memberLabels(spec, member);
    const volumeName = `${spec.namespace}-${member.name}`;
    const common = {
        accessModes: ["ReadWriteOnce"],
        storageClassName: objectNames(spec).storageClass,
    };
    const expression = { key: nodes.key, operator: "In", values: [...nodes.values] };
    const forEver = [
        ...VOLUME_FOR_EVER,
        ...Object.keys(source),
        "storageClassName",
        ...(args.grows ? ["capacity"] : []),
    ];
    const volume = new k8s.core.v1.PersistentVolume(
        `${member.name}-volume`,
        {
            metadata: { name: volumeName, labels },
            spec: {
                ...common,
                capacity: { storage: size },
                // With Delete, whoever knows how to would delete the disk beside Pulumi.
                persistentVolumeReclaimPolicy: "Retain",
                claimRef: { namespace: spec.namespace, name: member.name },
                ...source,
                nodeAffinity: {
                    required: { nodeSelectorTerms: [{ matchExpressions: [expression] }] },
                },
            },
        },
        {
            parent: owner,
            dependsOn: [...args.dependsOn],
            ignoreChanges: forEver.map((field) => `spec.${field}`),
        },
    );
    const claim = new k8s.core.v1.PersistentVolumeClaim(
        `${member.name}-disk`,
        {
            metadata: {
                name: member.name,
                namespace: spec.namespace,
                labels,
                ...(annotations && { annotations }),
            },
            spec: { ...common, volumeName, resources: { requests: { storage: size } } },
        },
        {
            parent: owner,
            dependsOn: [namespace, volume],
            ignoreChanges: CLAIM_FOR_EVER,
            ...site.kept,
        },
    );
    return { claim: claim.metadata.name, dependencies: [claim], place: args.place };
}
