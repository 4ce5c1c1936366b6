// Kinds of Kubernetes itself that have no namespace, so that a plan needs no cluster to know it.

import type { KindOfObject } from "./kubernetes-object.js";

const CLUSTER_SCOPED: ReadonlySet<string> = new Set(
    `v1/Namespace v1/Node v1/PersistentVolume v1/ComponentStatus
    admissionregistration.k8s.io/v1/MutatingWebhookConfiguration
    admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy
    admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding
    admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration
    apiextensions.k8s.io/v1/CustomResourceDefinition apiregistration.k8s.io/v1/APIService
    certificates.k8s.io/v1/CertificateSigningRequest
    flowcontrol.apiserver.k8s.io/v1/FlowSchema
    flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration
    networking.k8s.io/v1/IngressClass node.k8s.io/v1/RuntimeClass
    rbac.authorization.k8s.io/v1/ClusterRole rbac.authorization.k8s.io/v1/ClusterRoleBinding
    scheduling.k8s.io/v1/PriorityClass
    storage.k8s.io/v1/CSIDriver storage.k8s.io/v1/CSINode storage.k8s.io/v1/StorageClass
    storage.k8s.io/v1/VolumeAttachment`.split(/\s+/),
);

export function isClusterScoped(of: KindOfObject): boolean {
    return CLUSTER_SCOPED.has(`${of.apiVersion}/${of.kind}`);
}
