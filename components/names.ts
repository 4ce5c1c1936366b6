// Names and labels: one place says how every object of a cluster is called and found.

import type { ClusterSpec } from "./spec";
import type { Member } from "./topology";

/** What names and labels are made from. */
type Named = Pick<ClusterSpec, "name" | "namespace" | "engine" | "clusterDomain">;

/** Labels that find everything of a cluster: `kubectl get all,pvc,cm,secret -l app.kubernetes.io/instance=orders`. */
export function clusterLabels(spec: Named): Record<string, string> {
    return {
        "app.kubernetes.io/name": spec.engine,
        "app.kubernetes.io/instance": spec.name,
        "app.kubernetes.io/part-of": "quorum",
        "app.kubernetes.io/managed-by": "pulumi",
    };
}

/** Labels of what serves a purpose within a cluster, for example the membership job. */
export function componentLabels(spec: Named, component: string): Record<string, string> {
    return { ...clusterLabels(spec), "app.kubernetes.io/component": component };
}

/** Selects the pods of all members. */
export function memberSelector(spec: Named): Record<string, string> {
    return { "app.kubernetes.io/instance": spec.name, "app.kubernetes.io/component": "member" };
}

/** Labels of what belongs to one member. */
export function memberLabels(spec: Named, member: Member): Record<string, string> {
    return {
        ...componentLabels(spec, "member"),
        "quorum.dev/member": member.name,
        "quorum.dev/role": member.role,
        "quorum.dev/zone": member.zone,
    };
}

/** Selects the pod of one member. */
export function oneMemberSelector(spec: Named, member: Member): Record<string, string> {
    return { "app.kubernetes.io/instance": spec.name, "quorum.dev/member": member.name };
}

/** DNS name of a Service of the cluster. */
export function serviceAddress(spec: Named, service: string): string {
    return `${service}.${spec.namespace}.svc.${spec.clusterDomain}`;
}

/**
 * The domain of the members' names. Names of Services mean nothing in another Kubernetes cluster: with one for each zone
 * they are those of the users' DNS.
 */
export const memberDomain = (spec: Named & Pick<ClusterSpec, "layout" | "names">): string =>
    spec.layout === "cluster-per-zone"
        ? (spec.names.domain ?? "")
        : `${spec.namespace}.svc.${spec.clusterDomain}`;

/** Names of the objects that exist once a cluster. */
export const objectNames = (spec: Named) => ({
    peers: `${spec.name}-peers`,
    configuration: `${spec.name}-configuration`,
    scripts: `${spec.name}-scripts`,
    credentials: `${spec.name}-credentials`,
    certificates: `${spec.name}-certificates`,
    record: `${spec.name}-write`,
    membership: `${spec.name}-membership`,
    recordAccess: `${spec.name}-record-access`,
    remotes: `${spec.name}-remotes`,
    storageClass: `${spec.namespace}-${spec.name}`,
    storageNamespace: `${spec.namespace}-storage`,
});

/** Label and taint of the nodes of one database's members; the value is its name. Pods and node pools meet by it. */
export const MEMBERS_LABEL = "quorum.dev/members";

/** Labels of what a cluster has in a cloud; Google's have lower-case letters, digits, '-' and '_' only. */
export const cloudLabels = ({ name }: Pick<ClusterSpec, "name">): Record<string, string> => ({
    "quorum-cluster": name,
});
