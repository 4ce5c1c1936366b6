// CockroachDB and KaiwuDB, which was forked from it: everything in which they do not differ. Every member takes writes;
// ranges of the data are replicated three times over the members, each by a consensus of its own.

import * as path from "path";
import { parseQuantity, MIB } from "../../quantity";
import { seriesOf } from "../../series";
import { SINGLE_ROLE, type Member } from "../../topology";
import {
    script,
    type ContainerPlan,
    type Engine,
    type JobFacts,
    type PodFacts,
    type MemberPlan,
    type Port,
    type Probe,
} from "../engine";
import { deletesClaims, recordAccess, SHARED_SCRIPTS } from "../shared";
import { sqlKeywords } from "../sql-keywords";

/** SQL, and the nodes among themselves. */
export const SQL: Port = { name: "sql", port: 26257, scope: "client" };
/** Health and metrics; the console, or a REST API. */
const HTTP = { name: "http", port: 8080 } as const;

/** How one of the two differs from the other. */
export interface Kin extends Pick<
    Engine,
    "name" | "title" | "defaultVersion" | "image" | "upgradeRefusal" | "validate" | "choices"
> {
    /** The program's name, and that of its container. */
    readonly container: string;
    /** Whether there are pages on the HTTP port. */
    readonly hasConsole: boolean;
    /** Ports beside SQL and HTTP. */
    readonly ports: readonly Port[];
    /** Folder with its dialect.sh. */
    readonly dialect: string;
    /** Its memory flags, for a memory limit. */
    readonly memory: (limit: string) => Readonly<Record<string, string>>;
}

/** The user id of CockroachDB's chart. KaiwuDB's image runs as root unless told otherwise. */
const USER = 1000;

/** Both charts and manuals: time for a drain, which moves leases and waits for clients. */
const GRACE_SECONDS = 300;
/** A store with much data is opened in minutes. */
const STARTUP_SECONDS = 600;

const DISK = "/quorum/data";
/** Copies of the certificates with the rights that the program wants. */
const PRIVATE = { path: "/run/quorum", size: "1Mi" };

/**
 * The memory flags for a memory limit, in MiB: a fraction would follow the node's memory where limits are not seen. Each
 * of the cache and SQL gets the share, the rest is for the process itself.
 */
export function memoryFlags(limit: string, share: number): { CACHE: string; SQL_MEMORY: string } {
    const part = `${Math.floor((parseQuantity(limit) * share) / MIB)}MiB`;
    return { CACHE: part, SQL_MEMORY: part };
}

const http = ({ hasConsole }: Kin): Port => ({
    ...HTTP,
    scope: hasConsole ? "console" : "peer",
});

const identity = ({ spec, record, seeds, memberDomain }: PodFacts): Record<string, string> => ({
    QUORUM_CLUSTER: spec.name,
    QUORUM_NAMESPACE: spec.namespace,
    QUORUM_CLUSTER_DOMAIN: spec.clusterDomain,
    QUORUM_MEMBER_DOMAIN: memberDomain,
    QUORUM_RECORD: record,
    QUORUM_DATABASE: spec.database,
    SEEDS: seeds.map(({ name }) => name).join(","),
});

function member(kin: Kin, facts: PodFacts, self: Member): MemberPlan {
    const health = (probe: Pick<Probe, "periodSeconds" | "failureThreshold">): Probe => ({
        http: { path: "/health", port: HTTP.port, scheme: "HTTPS" },
        timeoutSeconds: 5,
        ...probe,
    });
    return {
        graceSeconds: GRACE_SECONDS,
        init: [],
        containers: [
            {
                name: kin.container,
                command: script("start.sh"),
                env: {
                    ...identity(facts),
                    ...kin.memory(facts.spec.resources.memory),
                    QUORUM_MEMBER: self.name,
                    QUORUM_ZONE: self.zone,
                },
                ports: [SQL, http(kin), ...kin.ports],
                api: true,
                certificates: true,
                data: DISK,
                scratch: { private: PRIVATE, tmp: "/tmp" },
                resources: "spec",
                // The process answers as soon as it runs, whether it has been let in or not.
                startup: health({
                    periodSeconds: 2,
                    failureThreshold: STARTUP_SECONDS / 2,
                }),
                readiness: {
                    command: script("ready.sh"),
                    periodSeconds: 2,
                    timeoutSeconds: 5,
                    failureThreshold: 2,
                },
                liveness: health({ periodSeconds: 10, failureThreshold: 6 }),
            },
        ],
    };
}

/** What all jobs know. Nothing of it changes by scaling, which must not make certificates or check an upgrade again. */
const job = (facts: PodFacts, name: string, file: string, env: Record<string, string>) => ({
    name,
    command: script(file),
    api: true,
    scratch: { private: PRIVATE, tmp: "/tmp" },
    resources: { cpu: "50m", memory: "256Mi" },
    env: {
        ...identity(facts),
        ...env,
    },
});

const LICENCE = "/quorum/licence";

function membership(kin: Kin, facts: JobFacts): ContainerPlan {
    const { spec } = facts;
    const { licence } = spec;
    return {
        ...job(facts, "membership", "membership.sh", {
            FIRST: facts.first.name,
            TIMEOUT: `${spec.membershipTimeout}`,
            MEMBERS: facts.members.map(({ name }) => name).join(","),
            DATABASE: spec.database,
            SERIES: seriesOf(spec.version),
            FINALIZE: spec.finalizeUpgrade ?? "",
            ADOPT: `${spec.adopt}`,
            DELETE_CLAIMS: `${deletesClaims(spec)}`,
            LICENCE_ORGANIZATION: licence?.organization ?? "",
        }),
        certificates: true,
        credentials: true,
        ...(licence && { secrets: { [LICENCE]: licence.secret } }),
    };
}

/** The engine of one of the two. */
export function familyEngine(kin: Kin): Engine {
    return {
        name: kin.name,
        title: kin.title,
        defaultVersion: kin.defaultVersion,
        image: kin.image,
        container: kin.container,
        user: USER,
        roles: SINGLE_ROLE,
        leaderless: true,
        ports: () => [SQL, http(kin), ...kin.ports],
        services: [{ suffix: "", ports: [SQL], target: { kind: "ready" } }],
        credentials: [{ key: "app-password", purpose: "the application's user", length: 32 }],
        reservedNames: [
            {
                names: ["system", "postgres", "defaultdb", "root", "admin", "node"],
                reason: `is a database or an account of ${kin.title}'s own`,
            },
            {
                // https://www.cockroachlabs.com/docs/stable/create-user: these and these prefixes are refused.
                names: /^(pg_.*|crdb_internal.*|kwdb_internal.*|information_schema|public|none)$/,
                reason: `is a name that ${kin.title} keeps for itself`,
            },
            // sql.y, cockroachdb_extra_reserved_keyword and cockroachdb_extra_type_func_name_keyword.
            sqlKeywords("index", "nothing", "family"),
        ],
        versionForm: /^\d+\.\d+\.\d+$/,
        copies: 3,
        // Every range has three replicas, and with fewer members they have nowhere to be.
        minimumReplicas: 3,
        // Each range votes for itself, among its own replicas.
        votes: () => false,
        validate: kin.validate,
        clusterPerZoneRefusal: () => undefined,
        upgradeRefusal: kin.upgradeRefusal,
        choices: kin.choices,
        certificates: {
            mounted: ["ca.crt", "node.crt", "node.key", "client.root.crt", "client.root.key"],
            job: (facts, secret) =>
                job(facts, "certificates", "certificates.sh", { SECRET: secret }),
        },
        upgradeCheck: (facts) => ({
            ...job(facts, "upgrade-check", "upgrade-check.sh", {
                SERIES: seriesOf(facts.spec.version),
            }),
            certificates: true,
        }),
        configuration: () => ({}),
        scripts: () => [SHARED_SCRIPTS, path.join(__dirname, "scripts"), kin.dialect],
        member: (facts, self) => member(kin, facts, self),
        memberAccess: (facts) => [{ ...recordAccess(facts), verbs: ["get"] }],
        membership: (facts) => membership(kin, facts),
        connection: ({ spec, service }, credentials) =>
            `postgresql://${spec.database}:${credentials["app-password"]!}@${service("")}:${SQL.port}/${spec.database}?sslmode=require`,
    };
}
