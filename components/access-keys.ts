// The keys of `access` and `names`: who reaches the database beside the pods of the Kubernetes cluster, and under which names.

import { z } from "zod";
import { alignedRange, isAligned } from "./ranges";
import { dnsName, QUALIFIED_NAME } from "./schema";

/** How a Service is reached. */
export const SERVICE_TYPES = ["ClusterIP", "NodePort", "LoadBalancer"] as const;

/** Kubernetes takes one with host bits too, and warns: whether the one address or the network was meant, nobody can tell. */
const network = z
    .cidrv4("must be networks in CIDR notation, for example 192.0.2.0/24")
    .refine((text) => !isCidr(text) || isAligned(text), {
        error: ({ input }) => {
            const [address] = String(input).split("/");
            return `is an address with the length of a network: write ${alignedRange(String(input))}, or ${address!}/32 for that address alone`;
        },
    });

const isCidr = (text: string): boolean => z.cidrv4().safeParse(text).success;

const networks = z.array(network);

/** Also refused: this host, loopback, link-local, multicast, reserved. */
const address = z
    .ipv4("must be an IPv4 address, for example 192.0.2.10")
    .regex(
        /^(?!0\.|127\.|169\.254\.|22[4-9]\.|2[34]\d\.|25\d\.)/,
        "is an address that no load balancer can have",
    );

const annotations = z.record(
    z
        .string()
        .regex(QUALIFIED_NAME, "is no key of an annotation, such as example.com/type")
        .regex(/^(?!pulumi\.com\/)/, "is an annotation by which Pulumi waits, and Quorum sets it"),
    z.string(),
);

/** What the members' Services and those of the clients have in common. */
const door = {
    /**
     * `ClusterIP`: nobody outside reaches them. `NodePort`: clients go to the address of a node that runs a member, at a
     * port that Kubernetes chooses. `LoadBalancer`: at an address of the cloud's. A change restarts nobody, and clients
     * outside must go elsewhere.
     */
    type: z.enum(SERVICE_TYPES).default("ClusterIP"),
    /**
     * `LoadBalancer`: an address inside of the network, not one on the Internet. Kubernetes knows no such thing, clouds are
     * asked for it by an annotation: on an existing cluster the one that you give below `annotations`. Changing it gives
     * another load balancer: connections end.
     */
    internal: z.boolean().default(true),
    /**
     * Networks whose clients are let in, in CIDR notation. Required where others than those of an internal network may come;
     * `0.0.0.0/0` lets everybody in. A change cuts off who is in none of them any more.
     */
    sourceRanges: networks.default([]),
    /** Annotations of these Services: how a cloud is told which kind of load balancer. They change in place. */
    annotations: annotations.default({}),
};

const membersSchema = z.strictObject({
    ...door,
    /**
     * `LoadBalancer`: member -> its fixed IPv4 address. One that is not named gets an address of the cloud's choice, which
     * may be another one whenever the Service is made anew. An address changes hands in two updates.
     */
    addresses: z.record(z.string(), address).default({}),
});

const clientsSchema = z.strictObject({
    ...door,
    /** `LoadBalancer`: `write` or `read` -> the fixed IPv4 address of that Service. Each has one of its own. */
    addresses: z.record(z.string(), address).default({}),
});

export const accessSchema = z.strictObject({
    /**
     * Each member by itself, in a Service `<member>-external` of its own: for clients that choose among the members, and
     * with layout `cluster-per-zone` for the members of the other clusters.
     */
    members: membersSchema.prefault({}),
    /** The Services of the clients: `<cluster>` for writes, `<cluster>-read` where the engine has one. */
    clients: clientsSchema.prefault({}),
    /**
     * Networks of the nodes' addresses. What comes by a load balancer comes to a member from a node, so the network policy
     * must let nodes in. Where these are named it lets in them, all pods, and the `sourceRanges`, and nobody else; where
     * they are not, and there is a load balancer, it lets every address reach the clients' ports. A change is in place.
     */
    nodeRanges: networks.default([]),
    /**
     * Layout `cluster-per-zone`, where it is required on platform `existing`: networks of the nodes and pods of all the
     * clusters. Members take connections of other members from these, at every port. A change is in place.
     */
    peerRanges: networks.default([]),
});

export const namesSchema = z.strictObject({
    /**
     * DNS domain in which members have names outside of Kubernetes: `<member>.<domain>`. On an existing cluster it makes no
     * record: the members' load balancers carry the name for external-dns, or you make the records. Default: none. With
     * layout `cluster-per-zone` it is required, and cannot be changed later: members know one another by these names.
     */
    domain: dnsName("a DNS domain, such as db.example.com", 200).optional(),
});
