// What can be asked for: the specification of one database cluster, key by key, with its defaults.

import { z } from "zod";
import { accessSchema, namesSchema } from "./access-keys";
import { kineSchema } from "./addons/kine-keys";
import { gkeSchema, machinesSchema } from "./platforms/gke-keys";
import { pricesSchema } from "./platforms/gke/prices-schema";
import {
    bytes,
    dnsLabel,
    dnsName,
    imageReference,
    isCpu,
    nonEmpty,
    ownName,
    quantity,
} from "./schema";
import { dynamicKeys } from "./storage/dynamic-keys";
import { gceDiskKeys } from "./storage/gce-disk-keys";
import { localKeys } from "./storage/local-keys";

/** The engines Quorum knows. One is usable when it is in the registry of `engines/index.ts`. */
export const ENGINE_NAMES = [
    "kaiwudb",
    "cockroachdb",
    "yugabytedb",
    "mongodb",
    "mysql",
    "postgresql",
] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

/** How members follow one another, for engines that leave the choice. */
export const REPLICATIONS = ["group", "async"] as const;
export type Replication = (typeof REPLICATIONS)[number];

/** When a write counts as done: on the primary's disk, or on the disks of a majority of the members. */
export const DURABILITIES = ["quorum", "async"] as const;
export type Durability = (typeof DURABILITIES)[number];

/**
 * What `allowChanges` may name: the refusals that can be overridden.
 *
 * - `combination`: several risky changes in one update
 * - `failover`: what only a lost leader had acknowledged is given up
 * - `image`: another vendor's image, or one that contradicts `version`
 * - `kubernetes`: the cluster's objects are looked for in another Kubernetes
 * - `majorityLeaves`: half or more of the members leave at once
 * - `membersAway`: members are restarted although others are away
 * - `unfinished`: what an update that did not complete had asked for is taken back
 * - `version`: a version that goes back or skips one
 */
export const OVERRIDES = [
    "combination",
    "failover",
    "image",
    "kubernetes",
    "majorityLeaves",
    "membersAway",
    "unfinished",
    "version",
] as const;
export type Override = (typeof OVERRIDES)[number];

/** Either of these lets members be restarted while others are away: they may be so because of what the update mends. */
export const AWAY_OVERRIDES: readonly Override[] = ["membersAway", "version"];

/** How members, zones and Kubernetes clusters belong together. */
export const LAYOUTS = ["single-zone", "multi-zone", "cluster-per-zone"] as const;

/** Where Kubernetes can come from. */
export const PLATFORM_NAMES = ["existing", "gke"] as const;

/** Where disks can come from. */
export const DRIVER_NAMES = ["dynamic", "local", "gce-disk"] as const;
export type DriverName = (typeof DRIVER_NAMES)[number];

/** What can run beside the database. */
export const ADDON_NAMES = ["kine"] as const;
export type AddonName = (typeof ADDON_NAMES)[number];

/** From this many members on, a majority survives the loss of one: the default is then to wait for it. */
const QUORUM_REPLICAS = 3;

/** Longest cluster name: a pod name, `<cluster>-<zone>-<index>-0`, must fit a label (63 characters). */
const MAX_NAME_LENGTH = 25;
/** More members than this in one cluster is a mistake in the configuration, not a wish. */
const MAX_REPLICAS = 50;
/** A bound on the job is there to end it: a week is longer than any copy takes. */
const MAX_TIMEOUT = 7 * 24 * 3600;

/** What a quantity may be, both ends included. Outside of it, it is a mistake: a unit too many, or none. */
const BOUNDS = {
    /** The largest machines on offer have about 2000 cores. */
    cpu: ["10m", "2048"],
    /** No engine starts with less; no machine on offer has more. */
    memory: ["256Mi", "64Ti"],
    /** Logs and what a server writes when it is made fill less. */
    disk: ["1Gi", "1Pi"],
} as const;

/** Docker's official image: bash, coreutils, curl, and openssl, which its ca-certificates needs. */
const TOOLS_IMAGE = "buildpack-deps:bookworm-curl";

/** Longest zone name; the longest cloud zones today (`northamerica-northeast1-a`) have 25. */
const MAX_ZONE_LENGTH = 26;
const zoneName = z
    .string()
    .max(MAX_ZONE_LENGTH, `must have at most ${MAX_ZONE_LENGTH} characters`)
    .regex(
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
        "must be a zone as nodes carry it in topology.kubernetes.io/zone: lower-case letters, digits and '-'",
    );

const storageSchema = z.strictObject({
    /**
     * Where the disks come from: `dynamic` (a StorageClass makes them), `local` (directories on named nodes) or `gce-disk`
     * (Google's disks, made beside Kubernetes; on platform `gke`, where it is the default). Elsewhere the default is
     * `dynamic`. It cannot be changed later.
     */
    driver: z.enum(DRIVER_NAMES).optional(),
    /** Size of each member's disk. It can grow (not with driver `local`), never shrink. */
    size: bytes("a disk size", "10Gi", BOUNDS.disk).default("10Gi"),
    ...dynamicKeys,
    ...localKeys,
    ...gceDiskKeys,
    /**
     * What `pulumi destroy` does with the data: `keep` (claims, disks, namespace and credentials stay; a later
     * stack takes them over with `adopt`) or `delete`. A member that leaves by scaling in is always removed with
     * its claim, after its data was moved.
     */
    onDelete: z.enum(["keep", "delete"]).default("keep"),
});

const resourcesSchema = z.strictObject({
    /** CPU request of a member's database container; there is no CPU limit (throttling hurts commit latency). */
    cpu: quantity("cores, or thousandths of one", "500m or 2", BOUNDS.cpu, isCpu).default("250m"),
    /** Memory request and limit of a member's database container. The engine's caches are derived from it. */
    memory: bytes("memory", "2Gi", BOUNDS.memory).default("1Gi"),
});

const licenceSchema = z.strictObject({
    /** The organisation that the licence was issued to. */
    organization: z
        .string()
        .max(200, "must have at most 200 characters")
        // Kubernetes would replace what follows a `$` in a container's environment.
        .regex(/^[^\p{C}$]+$/u, "must be one line of text without '$'"),
    /** Name of a Secret in the cluster's namespace, made by you, whose key `licence` holds it. */
    secret: dnsLabel(63),
});

export const specSchema = z.strictObject({
    /** Name of the cluster: the prefix of every object. Default: the stack's name. It cannot be changed later. */
    name: ownName(MAX_NAME_LENGTH),
    /** Which database. It cannot be changed later. */
    engine: z.enum(ENGINE_NAMES),
    /** Version of the engine, used for the default image and for the upgrade rules. */
    version: z
        .string()
        .regex(
            /^(0|[1-9]\d{0,3})(\.(0|[1-9]\d{0,3}))*([-+][0-9A-Za-z][0-9A-Za-z.+-]{0,30})?$/,
            "must be a version such as 9.7.1",
        )
        .optional(),
    /**
     * The release series whose features are switched on for good, for engines that upgrade in two steps, for example
     * `26.2`. Until a series is named here, its features are off and the members can go back to the release before.
     * Name it after every member runs it and has proven itself. It cannot be taken back.
     */
    finalizeUpgrade: z
        .string()
        .regex(/^(0|[1-9]\d{0,3})(\.(0|[1-9]\d{0,3}))*$/, "must be a release series such as 26.2")
        .optional(),
    /** Image of the members, in place of the engine's default image. Changing it upgrades member by member. */
    image: imageReference.optional(),
    /**
     * Image from which every pod takes curl and openssl, so that the members' own image needs neither: with these two, ldd
     * and a shell, and glibc 2.34 or newer, or musl. Default: Docker's official `buildpack-deps:bookworm-curl`, which has
     * bash, coreutils, curl, and openssl by its ca-certificates. Changing it restarts the members one after the other.
     */
    toolsImage: imageReference.default(TOOLS_IMAGE),
    imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).default("IfNotPresent"),
    /** Number of members. */
    replicas: z
        .int("must be a whole number")
        .min(1, "must be at least 1")
        .max(MAX_REPLICAS, `must be at most ${MAX_REPLICAS}`)
        .default(3),
    /** Zones, as the nodes carry them in `topology.kubernetes.io/zone`. */
    zones: z
        .array(zoneName)
        .min(1, "must name at least one zone")
        .max(MAX_REPLICAS, `must be at most ${MAX_REPLICAS}`),
    /**
     * `multi-zone`: members spread over the zones. `single-zone`: all in the one zone. `cluster-per-zone`: each zone is a
     * Kubernetes cluster of its own, and members reach those of other zones by load balancers (`access.members`) and names
     * (`names.domain`). Cannot be changed later.
     */
    layout: z.enum(LAYOUTS).optional(),
    /**
     * Where Kubernetes comes from: `existing` (one that is there, by its kubeconfig) or `gke` (made on Google Cloud, with
     * network, node pools and disks). It cannot be changed later.
     */
    platform: z.enum(PLATFORM_NAMES).default("existing"),
    /** Platform `gke`: the Kubernetes cluster and its network. */
    gke: gkeSchema.optional(),
    /** Platform `gke`: the members' machines. */
    machines: machinesSchema.optional(),
    /** Platform `gke`: what you pay, in place of list prices and where these have gaps. It changes what is said, and nothing else. */
    prices: pricesSchema.optional(),
    /** Namespace of the cluster. Default: the cluster's name. */
    namespace: ownName(63).optional(),
    /** DNS domain of the Kubernetes cluster. */
    clusterDomain: dnsName("a DNS domain, such as cluster.local").default("cluster.local"),
    storage: storageSchema.prefault({}),
    resources: resourcesSchema.prefault({}),
    /** The member that leads, by name. Default: the first by name. Changing it is a switchover. */
    primary: nonEmpty.optional(),
    /**
     * How members follow one another, for engines that leave the choice (MySQL). `group`: they vote, and elect a new
     * primary when theirs is gone. `async`: the primary is that of the configuration. Default: `group`. It cannot be
     * changed later.
     */
    replication: z.enum(REPLICATIONS).optional(),
    /**
     * When a write is acknowledged, for engines that leave the choice. `quorum`: when a majority of the members has
     * it on disk, so that the loss of any one machine loses nothing. `async`: when the primary has it; what the
     * replicas had not received yet is lost with the primary. Default: `quorum` from three members on, else `async`.
     * A change takes effect at once and restarts nobody.
     */
    durability: z.enum(DURABILITIES).optional(),
    /**
     * Runs the members as root in privileged containers, and lets the namespace have them. For engines whose vendor's
     * image may need it (KaiwuDB); refused for all others. Changing it restarts the members one after the other.
     */
    privileged: z.boolean().default(false),
    /** The licence of engines that have one (CockroachDB). Without it the vendor's free terms apply. */
    licence: licenceSchema.optional(),
    /** How many members may be down at once, in an upgrade and for the disruption budget. */
    maxUnavailable: z.int("must be a whole number").min(1, "must be at least 1").default(1),
    /** Name of the application's database and of its user. */
    database: z
        .string()
        .regex(
            /^[a-z][a-z0-9_]{0,30}$/,
            "must be lower-case letters, digits and '_', at most 31 characters",
        )
        .default("app"),
    /**
     * Bound on the membership job (forming, joining, retiring), in seconds, and on the time in which each member must become
     * ready: an update that fails ends by then. Raise it for data that takes longer to copy to a new member.
     */
    membershipTimeout: z
        .int("must be a whole number")
        .min(60, "must be at least 60 seconds")
        .max(MAX_TIMEOUT, `must be at most ${MAX_TIMEOUT} seconds, a week`)
        .default(1800),
    /**
     * What runs beside the database. `kine`: an etcd endpoint for a Kubernetes control plane, which keeps everything in
     * a database of its own in this cluster. Taking it out stops Kine and leaves that database.
     */
    addons: z.array(z.enum(ADDON_NAMES)).default([]),
    /** Settings of the add-on `kine`. */
    kine: kineSchema.optional(),
    /** Who reaches the database from outside of Kubernetes. Default: nobody. A change restarts nobody. */
    access: accessSchema.prefault({}),
    /** The members' names outside of Kubernetes. */
    names: namesSchema.prefault({}),
    /** Takes over what an earlier stack left behind (`storage.onDelete: keep`): namespace, claims, credentials. */
    adopt: z.boolean().default(false),
    /** Change rules to override, by the name that their refusal prints. For one update: take it out again after that. */
    allowChanges: z.array(z.enum(OVERRIDES)).default([]),
});

/** A specification as a user writes it: everything with a default may be left out. */
export type ClusterSpecInput = z.input<typeof specSchema>;

/** A specification with the defaults that do not depend on the engine; also one that an older release of Quorum stored. */
export type ClusterSpec = Omit<ParsedSpec, "layout" | "namespace" | "storage"> & {
    layout: (typeof LAYOUTS)[number];
    namespace: string;
    storage: ParsedSpec["storage"] & { driver: DriverName };
};

type ParsedSpec = z.output<typeof specSchema>;

/**
 * A complete specification: every default filled in, `replication` and `durability` where the engine leaves the choice.
 * Plain values only, so that it decides the topology. It is accepted again as it is, by this release and by later ones
 * whose defaults are others.
 */
export type CompleteSpec = ClusterSpec & { version: string; image: string };

/**
 * What a pod may be made from. Whatever is left out (members, zones, disks, add-ons, bounds) can change without a restart, and
 * a pod that would depend on it does not compile.
 */
export type PodSpec = Pick<
    CompleteSpec,
    | "name"
    | "engine"
    | "namespace"
    | "clusterDomain"
    | "database"
    | "version"
    | "image"
    | "toolsImage"
    | "imagePullPolicy"
    | "replication"
    | "resources"
    | "privileged"
    | "platform"
>;

/** The replication of a specification, its default included. */
export function replicationOf(spec: Pick<ClusterSpec, "replication">): Replication {
    return spec.replication ?? "group";
}

/** The durability of a specification, its default included. */
export function durabilityOf(spec: Pick<ClusterSpec, "durability" | "replicas">): Durability {
    return spec.durability ?? (spec.replicas >= QUORUM_REPLICAS ? "quorum" : "async");
}

/** The defaults that follow from other keys. */
export function withDerived({ layout, namespace, storage, ...rest }: ParsedSpec): ClusterSpec {
    return {
        ...rest,
        ...(rest.platform === "gke" && { gke: rest.gke ?? gkeSchema.parse({}) }),
        storage: { ...storage, driver: storage.driver ?? defaultDriver(rest.platform) },
        ...(rest.addons.includes("kine") && { kine: rest.kine ?? kineSchema.parse({}) }),
        layout: layout ?? (rest.zones.length > 1 ? "multi-zone" : "single-zone"),
        namespace: namespace ?? rest.name,
    };
}

/** The driver of a configuration that names none. */
export const defaultDriver = (platform: unknown): DriverName =>
    platform === "gke" ? "gce-disk" : "dynamic";

/** The configuration keys of a stack, for reading them and for the documentation. */
export const SPEC_KEYS: readonly string[] = Object.keys(specSchema.shape);
