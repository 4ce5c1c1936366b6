// The engine contract: everything Quorum must know about one database, as data and pure functions.
// An engine never imports a platform, and nothing outside an engine's folder knows its commands.

import type { Problem } from "../problems";
import type {
    ClusterSpec,
    CompleteSpec,
    Durability,
    EngineName,
    PodSpec,
    Replication,
} from "../spec";
import type { Member, Plan, Role } from "../topology";

/** A port that the members listen on. */
export interface Port {
    readonly name: string;
    readonly port: number;
    /** `client`: open to the applications; `peer`: to the members only; `console`: to operators. */
    readonly scope: "client" | "peer" | "console";
}

/** A Service that clients use. */
export interface ClientService {
    /** Appended to the cluster's name: "" is the service for writes. */
    readonly suffix: string;
    readonly ports: readonly Port[];
    /**
     * What stands behind it. `leader`: the one address that the cluster record names, kept by the members
     * themselves (see scripts/record.sh). `ready`: every ready member. `labels`: ready members that also carry
     * these labels, which the engine sets on its own pods. The cluster record exists in each case.
     */
    readonly target:
        | { readonly kind: "leader" }
        | { readonly kind: "ready" }
        | { readonly kind: "labels"; readonly labels: Readonly<Record<string, string>> };
}

/** Names that `database` may not have: it is the name of the application's user too. */
export interface ReservedNames {
    readonly names: readonly string[] | RegExp;
    /** What such a name is, as a clause that begins with "is". */
    readonly reason: string;
}

/** A password that Quorum makes, keeps in the cluster's Secret and mounts as a file. */
export interface Credential {
    /** Key in the Secret and name of the file. */
    readonly key: string;
    /** What it is for, for the documentation. */
    readonly purpose: string;
    readonly length: number;
}

/** A check of a container: it runs one of the cluster's scripts, asks over HTTP, or opens a connection. */
export interface Probe {
    readonly command?: readonly string[];
    /** With scheme HTTPS the certificate is not verified (Kubernetes never does). Default: HTTP. */
    readonly http?: {
        readonly path: string;
        readonly port: number;
        readonly scheme?: "HTTP" | "HTTPS";
    };
    /** A port that must take connections; the cheapest check, since nothing is started for it. */
    readonly tcp?: number;
    readonly periodSeconds: number;
    readonly timeoutSeconds: number;
    readonly failureThreshold: number;
}

/** A directory in memory. What is in it counts towards the memory limits of the containers that write it. */
export interface Scratch {
    readonly path: string;
    /** Bound on its content, as a Kubernetes quantity. */
    readonly size: string;
}

/** One container of a member or of the membership job. */
export interface ContainerPlan {
    readonly name: string;
    readonly command: readonly string[];
    readonly env?: Readonly<Record<string, string>>;
    readonly ports?: readonly Port[];
    readonly startup?: Probe;
    readonly readiness?: Probe;
    readonly liveness?: Probe;
    readonly preStop?: readonly string[];
    /** Mounts the credentials as files below {@link PATHS.credentials}. */
    readonly credentials?: boolean;
    /** Mounts the members' certificates ({@link Engine.certificates}) below {@link PATHS.certificates}. */
    readonly certificates?: boolean;
    /** Mounts Secrets beside those of the cluster's own: path -> name of the Secret. */
    readonly secrets?: Readonly<Record<string, string>>;
    /** Mounts the member's disk at this path. */
    readonly data?: string;
    /** Writable, empty directories in memory, shared by name between the containers of a pod. */
    readonly scratch?: Readonly<Record<string, string | Scratch>>;
    /** Mounts single configuration files at paths of their own: path -> key of {@link Engine.configuration}. */
    readonly files?: Readonly<Record<string, string>>;
    /** Mounts a token of the pod's service account below {@link PATHS.api}, and curl and openssl below {@link PATHS.tools}. */
    readonly api?: boolean;
    /** Requests and limits; the database container takes those of the specification. */
    readonly resources?: { readonly cpu: string; readonly memory: string } | "spec";
}

/** The pod of a member, without what is the same for every engine (identity, volumes, security, placement). */
export interface MemberPlan {
    readonly init: readonly ContainerPlan[];
    readonly containers: readonly ContainerPlan[];
    /** Time between SIGTERM and SIGKILL: as long as the engine's documents ask. */
    readonly graceSeconds: number;
    readonly labels?: Readonly<Record<string, string>>;
    /** Names that mean the pod itself inside of it, whatever DNS says of them. */
    readonly ownNames?: readonly string[];
}

/** The verbs that a pod's service account may use; names may contain {@link PodFacts} values only. */
export interface AccessRule {
    readonly apiGroup: string;
    readonly resource: string;
    readonly names?: readonly string[];
    readonly verbs: readonly string[];
}

/**
 * What an engine's pods may depend on: nothing that scaling, another primary or a larger disk changes, so that none of them
 * restarts anybody. Nothing of it is an output of a resource.
 */
export interface PodFacts extends Pick<Plan, "seeds" | "pinned"> {
    readonly spec: PodSpec;
    readonly image: string;
    /** The members' names are `<member>.<memberDomain>`. */
    readonly memberDomain: string;
    /** Stable DNS name of a member. */
    readonly address: (member: Member) => string;
    /** Whether a member is in another Kubernetes cluster than the cluster record (layout `cluster-per-zone`). */
    readonly isRemote: (member: Pick<Member, "zone">) => boolean;
    /** DNS name of the Service with this suffix ("" for writes). */
    readonly service: (suffix: string) => string;
    /** Name of the object that holds the cluster record. */
    readonly record: string;
}

/** What jobs and outputs may depend on beside that: they run again when it changes. */
export interface JobFacts extends PodFacts, Plan {
    readonly spec: CompleteSpec;
    /** The zones whose Kubernetes cluster is another than the cluster record's, with members or without. */
    readonly remoteZones: readonly string[];
}

/** How an engine carries the add-on Kine (addons/kine.ts). */
export interface KinePart {
    /** Why a cluster of this specification cannot carry Kine. */
    readonly validate: (spec: CompleteSpec) => Problem[];
    /** Kine's `--endpoint`: the driver and the write Service, as the user {@link KINE_USER}. */
    readonly endpoint: (facts: PodFacts, password: string) => string;
    /** Folder with what is mounted below {@link PATHS.kine}. */
    readonly scripts: string;
    /**
     * What the job needs that makes the database, its user and the schema, whatever of them is missing: `database.sh` of
     * {@link scripts}. It is told KINE_DATABASE, KINE_USER and TIMEOUT (seconds) beside what is said here, and finds the
     * user's password in the file `password` below {@link PATHS.kinePassword}.
     */
    readonly database: (facts: PodFacts) => Omit<ContainerPlan, "name" | "command">;
}

/** Kine's database, and the user that owns it and nothing else. */
export const KINE_DATABASE = "kine";
export const KINE_USER = "kine";

/** Certificates that Quorum's own job makes for the members, in the Secret `<cluster>-certificates`. */
export interface CertificatesPart {
    /** Keys of the Secret that members and jobs may see; never the CA's own key. */
    readonly mounted: readonly string[];
    /**
     * The job that makes what is missing in the Secret of this name (scripts: shared/authority.sh). It is told beside what is
     * said here what clients outside call members (OUTSIDE), for the members' certificate (scripts: shared/outside.sh).
     */
    readonly job: (facts: JobFacts, secret: string) => ContainerPlan;
}

/** The second step of an upgrade. */
export interface Finalize {
    /** The release series of a version, for example `26.2` of `26.2.3`. */
    readonly series: (version: string) => string;
    /** What finalising does to a running cluster, as a sentence without its full stop. */
    readonly effect: string;
}

/** The keys that only some engines take. One that is not here is refused. */
export interface Choices {
    /** What `replication` may be. */
    readonly replication?: readonly Replication[];
    /** What `durability` may be. */
    readonly durability?: readonly Durability[];
    /** Why its image may need `privileged`, as a clause. */
    readonly privileged?: string;
    /** It takes a `licence`. */
    readonly licence?: true;
    /**
     * How a release's features are switched on for good after all members run it. The membership job does it: it takes the
     * series from the environment variable FINALIZE, which the engine passes and which is empty when the key is not set.
     */
    readonly finalizeUpgrade?: Finalize;
}

/**
 * One database. By convention its scripts have a `client.sh`, an interactive client, and a `status.sh`, a short table of the
 * members' state.
 */
export interface Engine {
    readonly name: EngineName;
    readonly title: string;
    /** Newest supported release, pinned. */
    readonly defaultVersion: string;
    /** The vendor's image of a version. */
    readonly image: (version: string) => string;
    /**
     * The version that the repository's name carries, for vendors whose tags count something else (`spilo-18:4.1-p2`);
     * `undefined` for any other repository. Left out when the version stands in the tag.
     */
    readonly versionOfRepository?: (repository: string) => string | undefined;
    /** Name of the container in which the database runs. */
    readonly container: string;
    /** Name of the container in which `status.sh` can run; default: that of the database. */
    readonly statusContainer?: string;
    /** User and group id of the processes, and group of the disk. */
    readonly user: number;
    readonly roles: readonly Role[];
    readonly ports: (spec: PodSpec) => readonly Port[];
    readonly services: readonly ClientService[];
    /**
     * Whether every ready member takes writes. Then there is nothing to lead: `primary` is refused, the Service for
     * writes reaches every ready member (target `ready`), and {@link Plan.primary} is only the end of the chain.
     */
    readonly leaderless?: boolean;
    readonly credentials: readonly Credential[];
    /** Databases and accounts of the engine and of Quorum, and words that the engine does not take for a name. */
    readonly reservedNames: readonly ReservedNames[];
    /** Fewest members that may be asked for. */
    readonly minimumReplicas: number;
    /** How many members hold each piece of the data, where that is not all of them. */
    readonly copies?: number;
    /** Whether members vote for a leader, so that an even number of them is refused. */
    readonly votes: (spec: ClusterSpec) => boolean;
    readonly choices: Choices;
    /** The versions that {@link image} can be asked for: of others the vendor has no image. */
    readonly versionForm: RegExp;
    /** What goes unencrypted between clients and members, as a sentence; left out where members have TLS. */
    readonly clearText?: string;
    /** The engine's own rules over a specification. */
    readonly validate: (spec: CompleteSpec) => Problem[];
    /**
     * Why members cannot be in several Kubernetes clusters (layout `cluster-per-zone`), as a sentence without its full stop;
     * `undefined` when they can.
     */
    readonly clusterPerZoneRefusal: (spec: CompleteSpec) => string | undefined;
    /** Why a running cluster may not go from one version to another; `undefined` when it may. */
    readonly upgradeRefusal: (from: string, to: string) => string | undefined;
    /** Left out when members need no CA that they share. */
    readonly certificates?: CertificatesPart;
    /**
     * What must hold before members are restarted, for an upgrade or anything else, asked by a job before the first one is
     * touched. It ends at once while the record has no cluster. It is told beside what is said here: TIMEOUT (seconds) and
     * AWAY_ALLOWED (true: members that are away are no reason to stop); and by the record, who is touched first and may be
     * away (`quorum.dev/first`).
     */
    readonly upgradeCheck?: (facts: JobFacts) => ContainerPlan;
    /** Configuration files; changing one restarts the members one after the other. */
    readonly configuration: (facts: PodFacts) => Readonly<Record<string, string>>;
    /** Folders with the scripts that are mounted below {@link PATHS.scripts}, later ones win. */
    readonly scripts: (spec: PodSpec) => readonly string[];
    readonly member: (facts: PodFacts, member: Member) => MemberPlan;
    readonly memberAccess: (facts: PodFacts, member: Member) => readonly AccessRule[];
    readonly membership: (facts: JobFacts) => ContainerPlan;
    /** What its jobs may do beside changing the cluster record and deleting the claims of members that left. */
    readonly jobAccess?: (facts: JobFacts) => readonly AccessRule[];
    /** The connection string of the application's user, from the Secret's values. */
    readonly connection: (facts: JobFacts, credentials: Readonly<Record<string, string>>) => string;
    /** Left out when the engine cannot carry Kine; the add-on is refused then. */
    readonly kine?: KinePart;
}

/** Where things are mounted in every container. */
export const PATHS = {
    scripts: "/quorum/scripts",
    configuration: "/quorum/configuration",
    credentials: "/quorum/credentials",
    certificates: "/quorum/certificates",
    /** In members of another Kubernetes cluster than the cluster record: how they reach it (scripts: shared/record.sh). */
    recordAccess: "/quorum/record-access",
    /** In the membership job: how it reaches the other Kubernetes clusters (scripts: shared/job.sh). */
    remotes: "/quorum/remotes",
    /** curl and openssl, whatever the engine's image has (scripts: shared/lay-tools.sh). */
    tools: "/quorum/tools",
    /** Only in the jobs of the add-on Kine. */
    kine: "/quorum/kine",
    kinePassword: "/quorum/kine-password",
    /** Where every client of Kubernetes looks for it; Patroni looks nowhere else. */
    api: "/var/run/secrets/kubernetes.io/serviceaccount",
} as const;

/** A script of the cluster as a command line. */
export function script(name: string, ...args: string[]): readonly string[] {
    return ["bash", `${PATHS.scripts}/${name}`, ...args];
}
