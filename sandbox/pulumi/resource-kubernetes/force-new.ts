// Which fields cannot change in place, so that a change of them replaces the object. The table is
// that of the real provider (provider/pkg/provider/diff.go); it is wider and narrower than what
// Kubernetes itself refuses: revisionHistoryLimit is in it, resources of a claim are not.

import { parsePath, type PropertyPath } from "../property-path.js";
import { isKind, textAt, type KubernetesObject } from "./kubernetes-object.js";
import { isSecretObject } from "./normalize.js";

/** Which kinds may change their data in place. */
export interface Mutability {
    readonly configMaps: boolean;
    readonly secrets: boolean;
}

/** spec.a, spec.b from "a b". */
function spec(fields: string): string[] {
    return fields.split(" ").map((field) => `spec.${field}`);
}

const CONTAINER_FIELDS =
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext stdin stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir";

const POD_FIELDS =
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork hostPID hostname imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName readinessGates restartPolicy runtimeClassName schedulerName securityContext serviceAccount serviceAccountName shareProcessNamespace subdomain terminationGracePeriodSeconds volumes";

/** Every source that a PersistentVolume can have. */
const VOLUME_SOURCES =
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs hostPath iscsi local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume";

const containers = ["containers", "initContainers"].flatMap((list) =>
    CONTAINER_FIELDS.split(" ").map((field) => `spec.${list}[*].${field}`),
);

const job = spec("completions parallelism selector template");
const roleBinding = ["roleRef"];

/** apiVersion/kind -> paths, beside metadata.name and metadata.namespace, which every kind has. */
const TABLE: Readonly<Record<string, readonly string[]>> = {
    "apps/v1/StatefulSet": spec(
        "podManagementPolicy revisionHistoryLimit selector serviceName volumeClaimTemplates",
    ),
    "apps/v1/Deployment": spec("selector"),
    "apps/v1/DaemonSet": spec("selector"),
    "batch/v1/Job": job,
    "v1/PersistentVolume": spec(VOLUME_SOURCES),
    "v1/PersistentVolumeClaim": spec("accessModes selector storageClassName volumeName"),
    "v1/Pod": [...spec(POD_FIELDS), ...containers],
    "v1/ResourceQuota": spec("scopes"),
    "v1/Secret": ["type"],
    "v1/Service": spec("clusterIP"),
    "policy/v1beta1/PodDisruptionBudget": ["spec"],
    "rbac.authorization.k8s.io/v1/RoleBinding": roleBinding,
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": roleBinding,
    "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
};

export const IDENTITY: readonly string[] = ["metadata.name", "metadata.namespace"];

/** The paths whose change replaces this object. */
export function forceNewPaths(object: KubernetesObject, mutable: Mutability): PropertyPath[] {
    const immutable = object["immutable"] === true;
    const key = `${textAt(object, "apiVersion")}/${textAt(object, "kind")}`;
    let fields = TABLE[key] ?? [];
    if (isSecretObject(object) && (!mutable.secrets || immutable)) {
        fields = ["type", "stringData", "data"];
    } else if (isKind(object, "v1", "ConfigMap") && (!mutable.configMaps || immutable)) {
        fields = ["binaryData", "data"];
    }
    return [...IDENTITY, ...fields].map(parsePath);
}
