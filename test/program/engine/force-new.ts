// Which changes of a Kubernetes object make the provider replace it (pulumi-kubernetes
// provider/pkg/provider/diff.go, 4.34). Everything else is updated in place.

import type { PathElement } from "./property-path.js";
import { parsePath, valueAt, WILDCARD } from "./property-path.js";
import type { PropertyMap, Value } from "./values.js";

/** `kubernetes:apps/v1:StatefulSet` -> group "apps", version "v1", kind "StatefulSet". */
export interface Kind {
    group: string;
    version: string;
    kind: string;
}

export function kindOf(type: string): Kind | undefined {
    const match = /^kubernetes:([^/:]+)\/([^:]+):(.+)$/.exec(type);
    return match === null ? undefined : { group: match[1]!, version: match[2]!, kind: match[3]! };
}

const IDENTITY = ["metadata.name", "metadata.namespace"];
const SELECTOR = ["spec.selector"];
const STATEFUL_SET = [
    ...SELECTOR,
    "spec.podManagementPolicy",
    "spec.revisionHistoryLimit",
    "spec.serviceName",
    "spec.volumeClaimTemplates",
];
const JOB = [...SELECTOR, "spec.completions", "spec.parallelism", "spec.template"];
const VOLUME_SOURCES = [
    "awsElasticBlockStore",
    "azureDisk",
    "azureFile",
    "cephfs",
    "cinder",
    "csi",
    "fc",
    "flexVolume",
    "flocker",
    "gcePersistentDisk",
    "glusterfs",
    "hostPath",
    "iscsi",
    "local",
    "nfs",
    "photonPersistentDisk",
    "portworxVolume",
    "quobyte",
    "rbd",
    "scaleIO",
    "storageos",
    "vsphereVolume",
];
const POD_FIELDS = [
    "affinity",
    "automountServiceAccountToken",
    "dnsConfig",
    "dnsPolicy",
    "enableServiceLinks",
    "hostAliases",
    "hostIPC",
    "hostNetwork",
    "hostPID",
    "hostname",
    "imagePullSecrets",
    "nodeName",
    "nodeSelector",
    "overhead",
    "preemptionPolicy",
    "priority",
    "priorityClassName",
    "readinessGates",
    "restartPolicy",
    "runtimeClassName",
    "schedulerName",
    "securityContext",
    "serviceAccount",
    "serviceAccountName",
    "shareProcessNamespace",
    "subdomain",
    "terminationGracePeriodSeconds",
    "volumes",
];
const CONTAINER_FIELDS = [
    "args",
    "command",
    "env",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "stdin",
    "stdinOnce",
    "terminationMessagePath",
    "terminationMessagePolicy",
    "tty",
    "volumeDevices",
    "volumeMounts",
    "workingDir",
];
const POD = [
    ...POD_FIELDS.map((field) => `spec.${field}`),
    ...["containers", "initContainers"].flatMap((list) =>
        CONTAINER_FIELDS.map((field) => `spec.${list}[*].${field}`),
    ),
];

/** By group, then version (`*`: all of them), then kind. */
const FORCE_NEW: Record<string, Record<string, Record<string, string[]>>> = {
    apps: {
        v1beta1: { StatefulSet: STATEFUL_SET },
        v1beta2: { DaemonSet: SELECTOR, Deployment: SELECTOR, StatefulSet: STATEFUL_SET },
        v1: { DaemonSet: SELECTOR, Deployment: SELECTOR, StatefulSet: STATEFUL_SET },
    },
    core: {
        v1: {
            PersistentVolume: VOLUME_SOURCES.map((source) => `spec.${source}`),
            PersistentVolumeClaim: [
                ...SELECTOR,
                "spec.accessModes",
                "spec.storageClassName",
                "spec.volumeName",
            ],
            Pod: POD,
            ResourceQuota: ["spec.scopes"],
            Secret: ["type"],
            Service: ["spec.clusterIP"],
        },
    },
    policy: { v1beta1: { PodDisruptionBudget: ["spec"] } },
    "rbac.authorization.k8s.io": {
        "*": { ClusterRoleBinding: ["roleRef"], RoleBinding: ["roleRef"] },
    },
    "storage.k8s.io": { v1: { StorageClass: ["parameters", "provisioner"] } },
    batch: { v1: { Job: JOB }, v1beta1: { Job: JOB }, v2alpha1: { Job: JOB } },
};

/** What the provider's own configuration says about ConfigMaps and Secrets. */
export interface Mutability {
    enableConfigMapMutable: boolean;
    enableSecretMutable: boolean;
}

/** The paths of an object whose change replaces it. */
export function forceNewPaths(kind: Kind, inputs: PropertyMap, mutability: Mutability): string[] {
    const immutable = valueAt(inputs, "immutable") === true;
    if (kind.group === "core" && kind.kind === "Secret") {
        const replaced = immutable || !mutability.enableSecretMutable;
        return [...IDENTITY, ...(replaced ? ["type", "stringData", "data"] : ["type"])];
    }
    if (kind.group === "core" && kind.kind === "ConfigMap") {
        const replaced = immutable || !mutability.enableConfigMapMutable;
        return [...IDENTITY, ...(replaced ? ["binaryData", "data"] : [])];
    }
    const versions = FORCE_NEW[kind.group];
    const kinds = versions?.[kind.version] ?? versions?.["*"];
    return [...IDENTITY, ...(kinds?.[kind.kind] ?? [])];
}

/**
 * Whether a change replaces. It does where it is at or below a force-new path, or above one that the new
 * value fills (`spec` added with a `selector` in it).
 */
export function forcesNew(
    path: readonly PathElement[],
    value: Value | undefined,
    forceNew: readonly string[],
): boolean {
    return forceNew.some((text) => {
        const pattern = parsePath(text);
        const common = Math.min(pattern.length, path.length);
        const agree = pattern
            .slice(0, common)
            .every((element, index) => element === WILDCARD || element === path[index]);
        if (!agree || pattern.length <= path.length) {
            return agree;
        }
        return (
            value !== undefined && valueAt(value, firstOfEach(pattern.slice(common))) !== undefined
        );
    });
}

function firstOfEach(pattern: PathElement[]): PathElement[] {
    return pattern.map((element) => (element === WILDCARD ? 0 : element));
}
