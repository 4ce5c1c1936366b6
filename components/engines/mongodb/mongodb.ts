// MongoDB 7.0 to 8.3: one replica set. Its members elect the primary, and clients find it by asking any of them.

import * as path from "path";
import { GIB, MIB, parseQuantity } from "../../quantity";
import type { Problem } from "../../problems";
import { seriesOf } from "../../series";
import type { CompleteSpec } from "../../spec";
import { SINGLE_ROLE, type Member } from "../../topology";
import {
    script,
    type ContainerPlan,
    type Engine,
    type JobFacts,
    type PodFacts,
    type MemberPlan,
    type Port,
} from "../engine";
import { deletesClaims, recordAccess, SHARED_SCRIPTS } from "../shared";

const MONGODB: Port = { name: "mongodb", port: 27017, scope: "client" };

/** The official image's user. */
const MONGODB_USER = 999;

const DISK = "/quorum/data";
/** Files that mongod accepts only with a mode that no mounted Secret has: in memory, of the database container only. */
const PRIVATE = "/run/quorum";

/** https://www.mongodb.com/docs/v8.0/replica-set-configuration/: "A replica set can have up to 50 members, but only 7 voting members". */
const MAX_VOTERS = 7;
/** The preferred primary wins an election against members that are as far as it is; all others are equal. */
const PRIMARY_PRIORITY = 2;

/**
 * https://www.mongodb.com/docs/v8.0/reference/configuration-options/, storage.wiredTiger.engineConfig.cacheSizeGB:
 * "50% of (RAM - 1 GB)" or 256 MB, whichever is larger. Given explicitly, though mongod reads the container's limit too.
 */
const CACHE_SHARE = 0.5;
const MEMORY_BESIDE_CACHE = GIB;
const LEAST_CACHE = 256 * MIB;
/**
 * The smallest cache, and beside it the index builds' 200 MB (maxIndexBuildMemoryUsageMegabytes; an initial sync builds
 * all), 100 MB for each sort, 1 MB for each connection, and mongosh, which runs in the same container when the set is
 * formed, before a stop, and for operators: it takes 157 MB (measured). All else is from the manual.
 */
const LEAST_MEMORY = "1Gi";

/** A primary steps down (10 s at most for a secondary to catch up) and mongod writes a last checkpoint. */
const GRACE_SECONDS = 300;
/** Waiting to be formed, and recovery of the journal: the start is bounded generously and looked at often. */
const STARTUP_SECONDS = 600;
/** Longer than an election takes (electionTimeoutMillis, 10 s), which no probe should turn into an outage of reads. */
const READINESS_SECONDS = 15;
const READINESS_PERIOD_SECONDS = 5;

/**
 * 8.0 is the release series that is supported longest (until October 2029). The series between two major ones end when
 * the next comes out, so none of them is a default that can be pinned.
 */
const DEFAULT_VERSION = "8.0.26";

/**
 * Release series, each with those from which its servers take over data: their feature compatibility version must be
 * one of these (https://www.mongodb.com/docs/manual/release-notes/, "Upgrade").
 */
const SERIES: Readonly<Record<string, readonly string[]>> = {
    "7.0": [],
    "8.0": ["7.0"],
    "8.2": ["8.0"],
    "8.3": ["8.0", "8.2"],
};

/** WiredTiger's cache for a memory limit, in GiB. */
export function cacheSize(memoryLimit: string): number {
    const free = (parseQuantity(memoryLimit) - MEMORY_BESIDE_CACHE) * CACHE_SHARE;
    // Down to whole MiB: the option takes decimals.
    return Math.floor(Math.max(free, LEAST_CACHE) / MIB) / (GIB / MIB);
}

/**
 * The members that vote: an odd number, at most {@link MAX_VOTERS}, spread over the zones, the preferred primary among
 * them. The others hold all data, vote for nobody and are never elected.
 */
export function votersOf(members: readonly Member[], primary: Member): Member[] {
    const count = Math.min(MAX_VOTERS, members.length - ((members.length + 1) % 2));
    const voters = [primary];
    const inZone = (zone: string) => voters.filter((voter) => voter.zone === zone).length;
    while (voters.length < count) {
        const [next] = members
            .filter((member) => !voters.includes(member))
            .sort((a, b) => inZone(a.zone) - inZone(b.zone) || (a.name < b.name ? -1 : 1));
        voters.push(next!);
    }
    return voters;
}

/** What the replica set's configuration should say of a member. */
export interface SetMember {
    readonly name: string;
    readonly host: string;
    readonly zone: string;
    readonly votes: 0 | 1;
    readonly priority: number;
}

/** The replica set that a specification asks for: the membership job brings its configuration there. */
export function replicaSetOf(facts: JobFacts): SetMember[] {
    const voters = votersOf(facts.members, facts.primary);
    return facts.members.map((member) => {
        const votes = voters.includes(member) ? 1 : 0;
        return {
            name: member.name,
            host: hostOf(facts, member),
            zone: member.zone,
            votes,
            priority: member === facts.primary ? PRIMARY_PRIORITY : votes,
        };
    });
}

const hostOf = (facts: PodFacts, member: Member): string =>
    `${facts.address(member)}:${MONGODB.port}`;

/** mongod's configuration: YAML, of which JSON is a part. */
function configuration({ spec }: PodFacts): Record<string, string> {
    const mongod = {
        net: {
            port: MONGODB.port,
            bindIpAll: true,
            // Its directory belongs to no volume, and nothing uses it.
            unixDomainSocket: { enabled: false },
        },
        // It also turns authorization on.
        security: { keyFile: `${PRIVATE}/keyfile` },
        replication: { replSetName: spec.name },
        storage: {
            dbPath: `${DISK}/db`,
            wiredTiger: { engineConfig: { cacheSizeGB: cacheSize(spec.resources.memory) } },
        },
    };
    return { "mongod.conf": `${JSON.stringify(mongod, undefined, 2)}\n` };
}

const environment = (facts: PodFacts): Record<string, string> => ({
    QUORUM_CLUSTER: facts.spec.name,
    QUORUM_NAMESPACE: facts.spec.namespace,
    QUORUM_CLUSTER_DOMAIN: facts.spec.clusterDomain,
    QUORUM_MEMBER_DOMAIN: facts.memberDomain,
    QUORUM_RECORD: facts.record,
    QUORUM_DATABASE: facts.spec.database,
    // mongosh keeps a history and its settings there.
    HOME: "/tmp",
});

function member(facts: PodFacts, self: Member): MemberPlan {
    return {
        graceSeconds: GRACE_SECONDS,
        // mongod looks once, at its start, which member of the stored configuration it is; one that finds none is REMOVED and
        // waits for another's heartbeat, which nobody sends after an outage of all (findSelfInConfig, log 21405). DNS may not
        // have the new pod's address by then. A name of 127.0.0.0/8 is itself, where all addresses are bound (isself.cpp).
        ownNames: [facts.address(self)],
        init: [],
        containers: [
            {
                name: "mongodb",
                command: script("serve.sh"),
                env: {
                    ...environment(facts),
                    QUORUM_MEMBER: self.name,
                    QUORUM_HOST: hostOf(facts, self),
                    QUORUM_ZONE: self.zone,
                },
                ports: [MONGODB],
                credentials: true,
                api: true,
                data: DISK,
                scratch: { private: PRIVATE, tmp: "/tmp" },
                resources: "spec",
                startup: {
                    tcp: MONGODB.port,
                    periodSeconds: 2,
                    timeoutSeconds: 5,
                    failureThreshold: STARTUP_SECONDS / 2,
                },
                readiness: {
                    command: script("health.sh", "ready"),
                    periodSeconds: READINESS_PERIOD_SECONDS,
                    timeoutSeconds: 5,
                    failureThreshold: READINESS_SECONDS / READINESS_PERIOD_SECONDS,
                },
                liveness: {
                    tcp: MONGODB.port,
                    periodSeconds: 10,
                    timeoutSeconds: 5,
                    failureThreshold: 6,
                },
                preStop: script("hand-over.sh"),
            },
        ],
    };
}

/** What both jobs are: they ask the replica set by mongosh, which is a Node.js program. */
function job(facts: PodFacts, name: string, env: Record<string, string>): ContainerPlan {
    return {
        name,
        command: script(`${name}.sh`),
        api: true,
        credentials: true,
        scratch: { tmp: "/tmp" },
        resources: { cpu: "50m", memory: "256Mi" },
        env: { ...environment(facts), ...env },
    };
}

function membership(facts: JobFacts): ContainerPlan {
    const { spec } = facts;
    return job(facts, "membership", {
        // In the order in which they are started: the next one is, when the one before it has entered.
        MEMBERS: facts.chain.map(({ name }) => name).join(","),
        FIRST: facts.first.name,
        PRIMARY: facts.primary.name,
        REPLICA_SET: JSON.stringify(replicaSetOf(facts)),
        TIMEOUT: `${spec.membershipTimeout}`,
        FINALIZE: spec.finalizeUpgrade ?? "",
        ADOPT: `${spec.adopt}`,
        DELETE_CLAIMS: `${deletesClaims(spec)}`,
    });
}

/** Not the members: scaling is no upgrade. */
function upgradeCheck(facts: JobFacts): ContainerPlan {
    const { spec } = facts;
    const series = seriesOf(spec.version);
    return job(facts, "upgrade-check", {
        SERIES: series,
        SOURCES: [series, ...SERIES[series]!].join(","),
    });
}

function validate(spec: CompleteSpec): Problem[] {
    const problems: Problem[] = [];
    const { version } = spec;
    if (!(seriesOf(version) in SERIES)) {
        problems.push({
            path: "version",
            value: version,
            reason: `must be MongoDB ${Object.keys(SERIES).join(", ")}, for example ${DEFAULT_VERSION}`,
        });
    }
    const { memory } = spec.resources;
    if (parseQuantity(memory) < parseQuantity(LEAST_MEMORY)) {
        problems.push({
            path: "resources.memory",
            value: memory,
            reason: `MongoDB needs at least ${LEAST_MEMORY}`,
        });
    }
    return problems;
}

function upgradeRefusal(from: string, to: string): string | undefined {
    const [old, wanted] = [seriesOf(from), seriesOf(to)];
    if (old === wanted) {
        return undefined;
    }
    const known = Object.keys(SERIES);
    if (known.indexOf(wanted) < known.indexOf(old)) {
        return (
            `MongoDB cannot go back from ${from} to ${to}: a server of an older series does not start on data whose ` +
            `feature compatibility version is newer`
        );
    }
    const sources = SERIES[wanted] ?? [];
    return sources.includes(old)
        ? undefined
        : `MongoDB cannot go from ${from} to ${to}: a server of ${wanted} takes over data of ${sources.join(" or ")} only, so go there first`;
}

/** MongoDB. */
export const mongodb: Engine = {
    name: "mongodb",
    title: "MongoDB",
    defaultVersion: DEFAULT_VERSION,
    image: (version) => `mongo:${version}`,
    container: "mongodb",
    user: MONGODB_USER,
    roles: SINGLE_ROLE,
    ports: () => [MONGODB],
    // Every ready member tells a client who leads: drivers go to the primary by themselves.
    services: [
        { suffix: "", ports: [MONGODB], target: { kind: "ready" } },
        { suffix: "-read", ports: [MONGODB], target: { kind: "ready" } },
    ],
    credentials: [
        { key: "keyfile", purpose: "the members among themselves", length: 512 },
        {
            key: "admin-password",
            purpose: "quorum: the membership job and the members' hooks",
            length: 32,
        },
        { key: "app-password", purpose: "the application's user", length: 32 },
    ],
    reservedNames: [
        {
            // https://www.mongodb.com/docs/manual/reference/method/db.createUser/: rights on admin are rights on all.
            names: ["admin", "local", "config"],
            reason: "is a database of MongoDB's own: whoever owns it is its administrator",
        },
        { names: ["quorum"], reason: "is an account that Quorum works with" },
    ],
    versionForm: /^\d+\.\d+(\.\d+)?$/,
    minimumReplicas: 1,
    // Of an even number of members one has no vote.
    votes: () => false,
    clearText:
        "MongoDB has no TLS here: who can read on the way between sees all data, and the application's password when its user is made.",
    validate,
    clusterPerZoneRefusal: () => undefined,
    upgradeRefusal,
    choices: {
        finalizeUpgrade: {
            series: seriesOf,
            effect: "setFeatureCompatibilityVersion, after which data is kept as no older series can read it",
        },
    },
    upgradeCheck,
    configuration,
    scripts: () => [SHARED_SCRIPTS, path.join(__dirname, "scripts")],
    member,
    memberAccess: (facts) => [recordAccess(facts)],
    membership,
    connection: ({ spec, service }, credentials) =>
        `mongodb://${spec.database}:${encodeURIComponent(credentials["app-password"]!)}@${service("")}:${MONGODB.port}/${spec.database}` +
        `?replicaSet=${spec.name}&authSource=${spec.database}`,
};
