// What lies outside of Kubernetes: how a Service is reached from there, where that leads, and what is known of the nodes.

import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClientService, JobFacts } from "./engines/engine";
import type { ClusterSpec } from "./spec";
import { MAIN_ROLE, type Member } from "./topology";

/** What `access` can open: each member by itself, and the Services of the clients. */
export const DOORS = ["members", "clients"] as const;
export type DoorName = (typeof DOORS)[number];
export type Door = ClusterSpec["access"][DoorName];
export const isOpen = ({ type }: Door): boolean => type !== "ClusterIP";

/** What whoever makes the machines knows of the world around the members. */
export interface Surroundings {
    /** The fixed address of a member's load balancer; `undefined` leaves it to the cloud. */
    readonly addressOf: (member: Member) => pulumi.Input<string> | undefined;
    /** Networks of the nodes' addresses; none: they are not known. */
    readonly nodeRanges: readonly string[];
    /** Layout `cluster-per-zone`: networks of the nodes and pods of all Kubernetes clusters. Otherwise none. */
    readonly peerRanges: readonly string[];
}

/** What the specification says: of a network that Quorum makes, also where its nodes are. */
export const surroundingsOf = ({
    access,
    gke,
}: Pick<ClusterSpec, "access" | "gke">): Surroundings => ({
    addressOf: ({ name }) => access.members.addresses[name],
    // In a network of the user's own nobody here knows the addresses.
    nodeRanges:
        access.nodeRanges.length > 0 || !gke || gke.network !== undefined
            ? access.nodeRanges
            : [gke.ranges.nodes],
    peerRanges: access.peerRanges,
});

/** The annotations by which a platform's load balancers are internal ones; none: it is not known which. */
const INTERNAL: Readonly<Record<ClusterSpec["platform"], Readonly<Record<string, string>>>> = {
    existing: {},
    gke: { "networking.gke.io/load-balancer-type": "Internal" },
};

/** By it external-dns makes the record of a Service's address (its own documentation, "annotations"). */
const HOSTNAME = "external-dns.alpha.kubernetes.io/hostname";

/** How the configuration names a Service of the clients. */
export const endpointName = ({ suffix }: Pick<ClientService, "suffix">): string =>
    suffix === "" ? "write" : suffix.slice(1);

/** The member's name in the users' DNS. */
export const externalName = (
    { names }: Pick<ClusterSpec, "names">,
    member: Member,
): string | undefined =>
    names.domain === undefined ? undefined : `${member.name}.${names.domain}`;

/**
 * What the members' certificates must say of outside, comma separated: one name for all members, so that scaling needs no
 * other certificate, and the addresses that are fixed. Those of the cloud's choice are not known before, and may change.
 */
export const certifiedOutside = (
    { spec, ofRole }: Pick<JobFacts, "spec" | "ofRole">,
    { addressOf }: Surroundings,
): pulumi.Output<string> =>
    pulumi
        .all([
            ...(spec.names.domain === undefined ? [] : [`*.${spec.names.domain}`]),
            ...ofRole(MAIN_ROLE).flatMap((member) => addressOf(member) ?? []),
            ...Object.values(spec.access.clients.addresses).sort(),
        ])
        .apply((names) => names.join(","));

/** Annotations that Quorum sets on load balancers, whatever the configuration says of others. */
export function ownAnnotations(
    { platform }: Pick<ClusterSpec, "platform">,
    { type, internal }: Door,
    hostname?: string,
): Readonly<Record<string, string>> {
    return type === "LoadBalancer"
        ? {
              ...(internal && INTERNAL[platform]),
              // On Google Cloud the platform makes the records.
              ...(hostname !== undefined && platform === "existing" && { [HOSTNAME]: hostname }),
          }
        : {};
}

/**
 * How the clouds' annotations for it look: `networking.gke.io/load-balancer-type: Internal`,
 * `service.beta.kubernetes.io/aws-load-balancer-scheme: internal`, `.../azure-load-balancer-internal: "true"`.
 */
const ASKS_FOR_INTERNAL = /internal|intranet|private/i;

/** Whether nothing asks the cloud for an internal load balancer, so that it may be one on the Internet. */
export function mayBeOnTheInternet(spec: Pick<ClusterSpec, "platform">, door: Door): boolean {
    const annotations = { ...door.annotations, ...ownAnnotations(spec, door) };
    const asks = Object.entries(annotations).some(
        ([key, value]) => value !== "false" && ASKS_FOR_INTERNAL.test(`${key}: ${value}`),
    );
    return door.type === "LoadBalancer" && !(door.internal && asks);
}

/** The part of a Service that says how it is reached from outside. */
export interface Entrance {
    readonly annotations: Readonly<Record<string, pulumi.Input<string>>>;
    readonly spec: Pick<
        k8s.types.input.core.v1.ServiceSpec,
        "type" | "externalTrafficPolicy" | "loadBalancerIP" | "loadBalancerSourceRanges"
    >;
}

/**
 * How a Service is reached. Pulumi waits for an address and never for pods behind it: members come one after the other, a
 * lost one must not stop an update that closes a network's way in, and where members talk by such addresses they have
 * to be there before anybody is ready.
 */
export function entranceOf(
    platform: Pick<ClusterSpec, "platform">,
    door: Door,
    fixed: { readonly address?: pulumi.Input<string>; readonly hostname?: string } = {},
    peerRanges: readonly string[] = [],
): Entrance {
    const { type } = door;
    const sourceRanges =
        door.sourceRanges.length > 0 ? [...new Set([...door.sourceRanges, ...peerRanges])] : [];
    if (type !== "LoadBalancer") {
        return {
            annotations: { ...door.annotations, "pulumi.com/skipAwait": "true" },
            // The policy keeps `sourceRanges`, and must see who comes: with `Cluster` everybody comes from a node's address.
            spec: { type, ...(type === "NodePort" && { externalTrafficPolicy: "Local" }) },
        };
    }
    const { address, hostname } = fixed;
    const ingress = "jsonpath={.status.loadBalancer.ingress[0]";
    return {
        annotations: {
            ...door.annotations,
            ...ownAnnotations(platform, door, hostname),
            // A cloud that does not know loadBalancerIP gives another one, and says nothing.
            "pulumi.com/waitFor":
                address === undefined
                    ? `${ingress}}`
                    : pulumi.interpolate`${ingress}.ip}=${address}`,
        },
        spec: {
            type,
            // With `Local` a load balancer asks each node whether a ready pod is on it: it would take minutes to follow a
            // failover, and would not lead to members before they are ready, where that is needed.
            externalTrafficPolicy: "Cluster",
            ...(address !== undefined && { loadBalancerIP: address }),
            ...(sourceRanges.length > 0 && { loadBalancerSourceRanges: [...sourceRanges] }),
        },
    };
}

/** What is read of a Service. In a preview nothing of it need be known, whatever the SDK's types say. */
interface Reached {
    readonly status?: {
        readonly loadBalancer?: { readonly ingress?: { ip?: string; hostname?: string }[] };
    };
    readonly spec?: {
        readonly type?: string;
        readonly ports?: { port: number; nodePort?: number }[];
    };
}

/** Where a Service is reached from outside, host and port; of NodePort the host is any node that runs a member. */
export const outsideOf = (service: k8s.core.v1.Service): pulumi.Output<string> =>
    pulumi.all([service.status, service.spec]).apply(placeOf);

function placeOf([status, spec]: readonly [Reached["status"], Reached["spec"]]): string {
    const [ingress] = status?.loadBalancer?.ingress ?? [];
    const [port] = spec?.ports ?? [];
    return spec?.type === "LoadBalancer"
        ? `${ingress?.ip ?? ingress?.hostname ?? "<address>"}:${port?.port ?? "<port>"}`
        : `<node>:${port?.nodePort ?? "<port>"}`;
}
