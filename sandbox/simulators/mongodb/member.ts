// One simulated mongod as a member of its replica set: its state, what it knows of the others, and the changes of the
// set. Everything that is replicated is in the store; the primary is etcd's leader, if its priority lets it be one.

import { EJSON } from "bson";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
    ask,
    atomicJson,
    log,
    NoQuorumError,
    readJson,
    Refusal,
    serverOf,
    Store,
    UnreachableError,
    type Grant,
} from "../shared/index.js";
import { findSelf } from "./own-name.js";
import { checkChange, checkMembers, type ConfigMember, type SetConfig } from "./set-config.js";
import { COMPATIBLE, SERIES, VERSION } from "./versions.js";
import { CommandFailure } from "./wire.js";

/** heartbeatIntervalMillis is 2000; a second, because tests wait for what it tells. */
const HEARTBEAT_MS = 1000;
const HEARTBEAT_TIMEOUT_MS = 1500;
/** electionTimeoutMillis: a member of a higher priority takes over after this long. */
const TAKEOVER_MS = 10_000;
const TICK_MS = 250;
/** At SIGTERM a mongod goes on for 15 s (shutdownTimeoutMillisForSignaledShutdown), in which `hello` says that it will end. */
const QUIESCE_MS = 1500;

/** Member states that are simulated (https://www.mongodb.com/docs/v8.0/reference/replica-states/). */
export type State = "STARTUP" | "STARTUP2" | "PRIMARY" | "SECONDARY" | "REMOVED";
export const STATE_NUMBERS: Readonly<Record<string, number>> = {
    STARTUP: 0,
    PRIMARY: 1,
    SECONDARY: 2,
    STARTUP2: 5,
    REMOVED: 10,
};

/** What a member tells of itself. */
interface Heartbeat {
    readonly state: State;
    /** The set whose data it has; "" when it has none. */
    readonly set: string;
    readonly etcd: string;
    readonly configVersion: number;
    readonly optime: number;
    readonly version: string;
    /** It has a configuration, and is none of its members. */
    readonly isLost: boolean;
}

/** What is on the disk beside the store. */
interface Identity {
    readonly set: string;
    readonly removed: boolean;
    /**
     * What the store says of the set, as extended JSON. etcd answers nobody before it has a majority, and a mongod that starts
     * alone is SECONDARY with what it has. Left out until all data was copied.
     */
    readonly config?: string;
    /** The feature compatibility version of the data. */
    readonly compatibility?: string;
}

const notPrimary = (message = "not primary"): CommandFailure =>
    new CommandFailure(message, 10107, "NotWritablePrimary");
const hostname = (host: string): string => host.split(":")[0]!;
const portOf = (host: string): number => Number(host.split(":")[1]);
const labelOf = (host: string): string => host.split(".")[0]!;

export interface MemberOptions {
    readonly setName: string;
    readonly dataPath: string;
    readonly keyfile: string;
}

export class Member {
    public store: Store | undefined;
    public config: SetConfig | undefined;
    public state: State = "STARTUP";
    /** host:port of this member, as the configuration names it. */
    public self = "";
    /** Of the primary, as far as this member knows. */
    public primary: string | undefined;
    private etcd = "";
    private identity: Identity = { set: "", removed: false };
    private readonly key: string;
    private readonly beats = new Map<string, { beat: Heartbeat; at: number }>();
    private frozenUntil = 0;
    private higherSince = 0;
    private handingOver = false;
    private reconfiguring = false;
    private admitting = false;
    private lockedAt: number | undefined;
    private ending = false;
    /** It finds itself in no member of its configuration. */
    private isLost = false;
    private looking = false;
    public isQuiescing = false;
    /** Ends whatever still runs when the member is stopped. */
    public readonly interrupted: Promise<never>;
    private interrupt: () => void = () => undefined;

    public constructor(private readonly options: MemberOptions) {
        this.interrupted = new Promise((_, reject) => {
            this.interrupt = () =>
                reject(
                    new CommandFailure("interrupted at shutdown", 11600, "InterruptedAtShutdown"),
                );
        });
        this.interrupted.catch(() => undefined);
        this.key = createHash("sha256").update(options.keyfile).digest("hex");
    }

    /** What members ask one another, on MongoDB's own port. */
    public readonly peers: Server = serverOf({
        "POST /heartbeat": ({ body }) =>
            this.asPeer(body, () => {
                void this.lookAgain();
                return this.beat();
            }),
        "POST /join": ({ body }) =>
            this.asPeer(body, (grant) => this.join(grant as unknown as Grant & { set: string })),
        "POST /promote": ({ body }) =>
            this.asPeer(body, async ({ id }) => this.required().promote(String(id))),
    });

    /** Goes on with what is on the disk, and with the others. */
    public async start(): Promise<void> {
        const { dataPath } = this.options;
        mkdirSync(dataPath, { recursive: true });
        this.identity = (readJson(this.identityFile()) as Identity | undefined) ?? this.identity;
        if (this.identity.removed) this.state = "REMOVED";
        else if (this.identity.set !== "" && Store.exists(this.storeOptions())) {
            await this.checkCompatibility(this.identity.compatibility);
            await this.resume();
            if (this.isLost) {
                log(
                    "Locally stored replica set configuration does not have a valid entry for the current node; waiting for reconfig or remote heartbeat",
                );
            }
        }
        void this.loop(() => this.tick(), TICK_MS);
        void this.loop(() => this.heartbeats(), HEARTBEAT_MS);
    }

    /** Goes on as the member of the stored configuration that it is; REMOVED when it is none of them. */
    private async resume(): Promise<void> {
        this.state = "STARTUP2";
        if (this.identity.config !== undefined) {
            const config = EJSON.parse(this.identity.config) as SetConfig;
            const self = await findSelf(config.members.map(({ host }) => host));
            this.isLost = self === undefined;
            if (self === undefined) {
                this.state = "REMOVED";
                return;
            }
            this.config = config;
            if (this.own()) this.state = "SECONDARY";
        }
        void this.reopen();
    }

    /** A heartbeat of another member is the one thing that makes a mongod look for itself again. */
    private async lookAgain(): Promise<void> {
        if (!this.isLost || this.looking) return;
        this.looking = true;
        await this.resume().finally(() => (this.looking = false));
    }

    /** Returns when a majority is there. */
    private async reopen(): Promise<void> {
        try {
            const store = await Store.open(this.storeOptions());
            this.store = store;
            await this.checkCompatibility(await this.compatibility(true));
            await this.settle(store);
        } catch (error) {
            log(`the data cannot be opened: ${String(error)}`);
            process.exit(14);
        }
    }

    /** Steps down if it leads, and ends etcd. */
    public async stop(): Promise<void> {
        this.ending = true;
        if (this.state === "PRIMARY") await this.stepDown(60, 10).catch(() => undefined);
        this.isQuiescing = true;
        await sleep(QUIESCE_MS);
        this.interrupt();
        // What was interrupted is answered before the process ends.
        await sleep(TICK_MS);
        await this.store?.stop();
    }

    private readonly identityFile = () => join(this.options.dataPath, "simulator.json");
    private readonly storeOptions = () => ({
        directory: join(this.options.dataPath, "simulator"),
        name: labelOf(this.ownHost()),
        host: hostname(this.ownHost()),
        peerPort: portOf(this.ownHost()),
        ended: ({ removed }: { removed: boolean }) => {
            if (removed) {
                this.wasRemoved();
                return;
            }
            log("etcd ended, and the simulated mongod with it");
            process.exit(14);
        },
    });

    /** Before there is a configuration, the member does not know the name that others call it by. */
    private ownHost(): string {
        return process.env["QUORUM_HOST"] ?? `${process.env["HOSTNAME"] ?? "localhost"}:27017`;
    }

    private keep(identity: Identity): void {
        this.identity = identity;
        atomicJson(this.identityFile(), identity);
        // The real one's file, by which scripts see that a disk has data.
        writeFileSync(
            join(this.options.dataPath, "WiredTiger"),
            `simulator of MongoDB ${VERSION}\n`,
        );
    }

    private keepSettings(config?: string, compatibility?: string): void {
        const { identity } = this;
        if (config === undefined || compatibility === undefined) return;
        if (identity.config === config && identity.compatibility === compatibility) return;
        this.keep({ ...identity, config, compatibility });
    }

    private wasRemoved(): void {
        log("this member was removed from the replica set");
        this.keep({ set: this.identity.set, removed: true });
        this.state = "REMOVED";
        this.store = undefined;
        this.config = undefined;
        this.primary = undefined;
    }

    private async checkCompatibility(found: string | undefined): Promise<void> {
        if (found === undefined || COMPATIBLE.includes(found)) return;
        log(
            `UPGRADE PROBLEM: Found an invalid featureCompatibilityVersion document (ERROR: Invalid feature compatibility version value '${found}'; ` +
                `expected one of ${COMPATIBLE.join(", ")}). MongoDB ${VERSION} does not start on it.`,
        );
        await this.store?.stop();
        process.exit(62);
    }

    /** The feature compatibility version of the data. */
    public async compatibility(local = false): Promise<string | undefined> {
        const entries = await this.required().list("settings/fcv", local);
        return entries[0]?.value;
    }

    public required(): Store {
        if (!this.store) {
            throw new CommandFailure(
                "no replset config has been received",
                94,
                "NotYetInitialized",
            );
        }
        return this.store;
    }

    private async loop(work: () => Promise<void>, interval: number): Promise<void> {
        let said = "";
        for (;;) {
            await work().catch((error: unknown) => {
                const message = String(error);
                if (!(error instanceof NoQuorumError) && message !== said) log(message);
                said = message;
            });
            await sleep(interval);
        }
    }

    private asPeer(body: unknown, work: (body: Record<string, unknown>) => unknown): unknown {
        const { key, ...rest } = body as Record<string, unknown>;
        if (key !== this.key) throw new Refusal("the keyfile is another one", 403);
        return work(rest);
    }

    private askPeer<T>(
        host: string,
        path: string,
        body: object = {},
        timeout = 10_000,
    ): Promise<T> {
        const destination = { host: hostname(host), port: portOf(host) };
        return ask<T>(destination, path, { ...body, key: this.key }, timeout);
    }

    private async beat(): Promise<Heartbeat> {
        return {
            state: this.state,
            set: this.identity.set,
            etcd: this.etcd,
            configVersion: this.config?.version ?? 0,
            optime: await this.optime(),
            version: VERSION,
            isLost: this.isLost,
        };
    }

    /** Time of the last write that this member has, in seconds. */
    private async optime(): Promise<number> {
        if (this.lockedAt !== undefined) return this.lockedAt;
        if (!this.store) return 0;
        const [entry] = await this.store.list("oplog/", true).catch(() => []);
        return Number(entry?.value ?? 0);
    }

    /** `fsync` with lock on a secondary: what it applies, and so its position, stands still. */
    public async lock(locked: boolean): Promise<void> {
        this.lockedAt = locked ? await this.optime() : undefined;
    }

    private async tick(): Promise<void> {
        const { store } = this;
        if (!store || this.ending) return;
        const status = await store.status();
        this.etcd = status.id;
        const settings = await store.list("settings/", true);
        const setting = (name: string) =>
            settings.find(({ key }) => key === `settings/${name}`)?.value;
        const config = setting("config");
        if (config !== undefined) this.config = EJSON.parse(config) as SetConfig;
        // A learner answers no question about the group.
        const members = status.isLearner ? [] : await store.members();
        const leader = members.find(({ id }) => id === status.leader);
        const own = this.own();
        if (status.isLearner || !own) {
            this.state = "STARTUP2";
            this.primary = undefined;
            return;
        }
        this.keepSettings(config, setting("fcv"));
        const leads = status.leader === status.id;
        const mayLead = own.priority > 0 && Date.now() >= this.frozenUntil && !this.handingOver;
        this.state = leads && mayLead ? "PRIMARY" : "SECONDARY";
        this.primary = this.config?.members.find(
            ({ host }) => leader && hostname(host) === leader.host,
        )?.host;
        if (leads && !mayLead) {
            this.primary = undefined;
            await this.handOver();
        }
    }

    private own(): ConfigMember | undefined {
        const own = this.config?.members.find(({ host }) => host === this.ownHost());
        this.self = own?.host ?? "";
        return own;
    }

    /** What the others tell; the primary also lets in who is configured and has nothing. */
    private async heartbeats(): Promise<void> {
        if (!this.store || !this.config || this.ending) return;
        const others = this.config.members.filter(({ host }) => host !== this.self);
        await Promise.all(others.map(({ host }) => this.probe(host)));
        if (this.state !== "PRIMARY") return;
        await this.store.put("oplog/last", `${Math.floor(Date.now() / 1000)}`);
        await this.takeover();
        const outside = others.find(({ host }) => {
            const beat = this.beatOf(host);
            return beat?.state === "STARTUP" || (beat?.state === "REMOVED" && !beat.isLost);
        });
        if (outside) void this.admit(outside.host);
    }

    private async probe(host: string): Promise<Heartbeat | undefined> {
        try {
            const beat = await this.askPeer<Heartbeat>(
                host,
                "/heartbeat",
                {},
                HEARTBEAT_TIMEOUT_MS,
            );
            this.beats.set(host, { beat, at: Date.now() });
            return beat;
        } catch (error) {
            if (!(error instanceof UnreachableError)) log(`${host}: ${String(error)}`);
            this.beats.delete(host);
            return undefined;
        }
    }

    /** The last heartbeat of another member; `undefined`: it does not answer. */
    public beatOf(host: string): Heartbeat | undefined {
        const known = this.beats.get(host);
        return known && Date.now() - known.at < 3 * HEARTBEAT_MS + HEARTBEAT_TIMEOUT_MS
            ? known.beat
            : undefined;
    }

    /** A member of a higher priority that has caught up takes over. */
    private async takeover(): Promise<void> {
        const priority = this.own()?.priority ?? 0;
        const better = this.candidates().filter((member) => member.priority > priority);
        if (better.length === 0) {
            this.higherSince = 0;
        } else if (this.higherSince === 0) {
            this.higherSince = Date.now();
        } else if (Date.now() - this.higherSince > TAKEOVER_MS) {
            log(`${better[0]!.host} has a higher priority and takes over`);
            this.higherSince = 0;
            await this.handOver();
        }
    }

    /** Who could lead in this member's place, the best first. */
    private candidates(): ConfigMember[] {
        return (this.config?.members ?? [])
            .filter(({ host, priority, votes }) => host !== this.self && priority > 0 && votes > 0)
            .filter(({ host }) => isElectable(this.beatOf(host)))
            .sort((a, b) => b.priority - a.priority || (a.host < b.host ? -1 : 1));
    }

    private async handOver(): Promise<boolean> {
        const [next] = this.candidates();
        const beat = next && this.beatOf(next.host);
        if (!beat || this.handingOver) return false;
        this.handingOver = true;
        this.state = "SECONDARY";
        try {
            await this.required().moveLeader(beat.etcd);
            return true;
        } finally {
            this.handingOver = false;
        }
    }

    /** Gives up the lead and does not stand again for so long. */
    public async stepDown(seconds: number, catchUpSeconds: number): Promise<void> {
        if (this.state !== "PRIMARY") throw notPrimary("not primary so can't step down");
        const deadline = Date.now() + catchUpSeconds * 1000;
        while (this.candidates().length === 0) {
            if (Date.now() >= deadline) {
                throw new CommandFailure(
                    `No electable secondaries caught up as of ${new Date().toISOString()}. Please use the replSetStepDown command with the argument {force: true} to force node to step down.`,
                    262,
                    "ExceededTimeLimit",
                );
            }
            await sleep(TICK_MS);
        }
        this.frozenUntil = Date.now() + seconds * 1000;
        if (!(await this.handOver())) this.frozenUntil = 0;
    }

    public async initiate(name: string, members: readonly ConfigMember[]): Promise<void> {
        if (this.identity.set !== "") {
            throw new CommandFailure("already initialized", 23, "AlreadyInitialized");
        }
        if (name !== this.options.setName) {
            throw new CommandFailure(
                `Attempting to initiate a replica set with name ${name}, but command line reports ${this.options.setName}; rejecting`,
                93,
                "InvalidReplicaSetConfig",
            );
        }
        checkMembers(members);
        const self = await findSelf(members.map(({ host }) => host));
        if (self === undefined) {
            throw new CommandFailure(
                `No host described in new configuration with {version: 1, term: 0} for replica set ${name} maps to this node`,
                93,
                "InvalidReplicaSetConfig",
            );
        }
        for (const { host } of members.filter((each) => each.host !== self)) {
            const beat = await this.probe(host);
            if (!beat) throw unanswered([host]);
            if (beat.set !== "") {
                throw new CommandFailure(
                    `'${host}' has data already, cannot initiate set.`,
                    110,
                    "CannotInitializeNodeWithData",
                );
            }
        }
        const set = randomBytes(12).toString("hex");
        Store.erase(this.storeOptions());
        const store = await Store.form(this.storeOptions(), set);
        await store.put("settings/fcv", SERIES);
        await store.put("oplog/last", `${Math.floor(Date.now() / 1000)}`);
        const config: SetConfig = {
            _id: name,
            version: 1,
            term: 1,
            members,
            settings: { replicaSetId: set },
        };
        await store.put("settings/config", EJSON.stringify(config));
        this.keep({ set, removed: false });
        this.store = store;
        this.state = "STARTUP2";
        log(`replica set ${name} with id ${set} was initiated`);
    }

    /**
     * As the real one does it (replset_commands.cpp): it waits for the present configuration to be on a majority, installs
     * the new one, and waits for a majority to have that. Without `maxTimeMS` it does so for ever, whether or not whoever
     * asked is still there.
     */
    public async reconfigure(
        next: Omit<SetConfig, "settings">,
        maxTimeMS = Infinity,
    ): Promise<void> {
        const deadline = Date.now() + maxTimeMS;
        const old = this.leading();
        await this.committed(old, deadline, () => {
            throw new CommandFailure(
                "New config is rejected :: caused by :: operation exceeded time limit",
                308,
                "CurrentConfigNotCommittedYet",
            );
        });
        if (this.reconfiguring) {
            throw new CommandFailure(
                "Cannot run replSetReconfig because the node is currently updating its configuration",
                109,
                "ConfigurationInProgress",
            );
        }
        this.reconfiguring = true;
        try {
            await this.change(this.leading(), next);
        } finally {
            this.reconfiguring = false;
        }
        await this.committed(this.leading(), deadline, () => {
            throw new CommandFailure(
                "Reconfig finished but failed to propagate to a majority :: caused by :: operation exceeded time limit",
                50,
                "MaxTimeMSExpired",
            );
        });
    }

    /** The configuration in force, of a primary. */
    private leading(): SetConfig {
        if (this.state !== "PRIMARY" || !this.config) {
            throw notPrimary(
                `New config is rejected :: caused by :: replSetReconfig should only be run on a writable PRIMARY. Current state ${this.state};`,
            );
        }
        return this.config;
    }

    private async committed(config: SetConfig, deadline: number, late: () => never): Promise<void> {
        while (!this.isInstalled(config)) {
            if (Date.now() >= deadline) late();
            await this.heartbeats();
            await sleep(TICK_MS);
            this.leading();
        }
    }

    /** `commitmentStatus` of replSetGetConfig: whether the next reconfiguration may begin. */
    public isCommitted(): boolean {
        return this.isInstalled(this.leading());
    }

    private async change(old: SetConfig, wanted: Omit<SetConfig, "settings">): Promise<void> {
        const store = this.required();
        const next: SetConfig = { ...wanted, term: old.term, settings: old.settings };
        checkChange(old, next, this.self);
        await this.checkOthers(next);
        await store.put("settings/config", EJSON.stringify(next));
        this.config = next;
        const gone = old.members.filter(
            ({ host }) => !next.members.some((each) => each.host === host),
        );
        for (const { host } of gone) {
            const member = (await store.members()).find((each) => each.host === hostname(host));
            if (member) await store.expel(member.id);
            this.beats.delete(host);
            log(`${host} was removed`);
        }
    }

    /** Whether a majority of the voters has this configuration. */
    private isInstalled({ members, version }: SetConfig): boolean {
        const voters = members.filter(({ votes }) => votes > 0);
        const having = voters.filter(
            ({ host }) => host === this.self || (this.beatOf(host)?.configVersion ?? 0) >= version,
        );
        return having.length * 2 > voters.length;
    }

    /** The quorum check: a majority of the voters answers, and nobody has the data of another set. */
    private async checkOthers({ members, settings }: SetConfig): Promise<void> {
        const silent: ConfigMember[] = [];
        for (const member of members.filter(({ host }) => host !== this.self)) {
            const beat = await this.probe(member.host);
            if (!beat) {
                silent.push(member);
            } else if (beat.set !== "" && beat.set !== settings.replicaSetId) {
                throw new CommandFailure(
                    `Our replica set ID of ${settings.replicaSetId} did not match that of ${member.host}, which is ${beat.set}`,
                    103,
                    "NewReplicaSetConfigurationIncompatible",
                );
            }
        }
        const voters = members.filter(({ votes }) => votes > 0).length;
        const missing = silent.filter(({ votes }) => votes > 0);
        if ((voters - missing.length) * 2 <= voters) {
            throw unanswered(missing.map(({ host }) => host));
        }
    }

    /** On the primary: lets a configured member that has nothing copy the data. */
    private async admit(host: string): Promise<void> {
        if (this.admitting) return;
        this.admitting = true;
        try {
            const store = this.required();
            const grant = await store.admit(labelOf(host), hostname(host), portOf(host));
            log(`${host} copies the data (initial sync)`);
            await this.askPeer(host, "/join", { ...grant, set: this.identity.set });
            await sleep(2 * HEARTBEAT_MS);
        } finally {
            this.admitting = false;
        }
    }

    /** On the joiner. */
    private async join({ set, ...grant }: Grant & { set: string }): Promise<object> {
        if (this.store) throw new Refusal("has a store already");
        if (this.identity.set !== "" && this.identity.set !== set) {
            throw new Refusal(`has data of replica set ${this.identity.set}`);
        }
        Store.erase(this.storeOptions());
        this.keep({ set, removed: false });
        this.state = "STARTUP2";
        void this.copy(grant);
        return Promise.resolve({});
    }

    private async copy(grant: Grant): Promise<void> {
        try {
            const store = await Store.join(this.storeOptions(), grant);
            this.store = store;
            await this.settle(store);
            await this.checkCompatibility(await this.compatibility(true));
            log("initial sync is done");
        } catch (error) {
            log(`initial sync failed: ${String(error)}`);
            process.exit(14);
        }
    }

    /** Returns when this member has all data: any of the others can say that it counts from now on. */
    private async settle(store: Store): Promise<void> {
        await store.settle(async (id) => {
            const [entry] = await store.list("settings/config", true);
            const { members } = EJSON.parse(entry?.value ?? '{"members":[]}') as SetConfig;
            const others = members.filter(({ host }) => host !== this.ownHost());
            await Promise.any(others.map(({ host }) => this.askPeer(host, "/promote", { id })));
        });
    }

    /** The members as replSetGetStatus lists them. */
    public async statusMembers(): Promise<Record<string, unknown>[]> {
        if (this.state === "REMOVED") {
            throw new CommandFailure(
                "Our replica set config is invalid or we are not a member of it",
                93,
                "InvalidReplicaSetConfig",
            );
        }
        if (!this.config) {
            throw new CommandFailure(
                "no replset config has been received",
                94,
                "NotYetInitialized",
            );
        }
        const own = await this.beat();
        return this.config.members.map(({ _id, host }) => {
            const isSelf = host === this.self;
            const beat = isSelf ? own : this.beatOf(host);
            const stateStr = beat?.state ?? "(not reachable/healthy)";
            return {
                _id,
                name: host,
                health: beat ? 1 : 0,
                state: beat ? STATE_NUMBERS[beat.state] : 8,
                stateStr,
                optimeDate: new Date((beat?.optime ?? 0) * 1000),
                configVersion: beat?.configVersion ?? -1,
                ...(isSelf && { self: true }),
            };
        });
    }

    public requirePrimary(): Store {
        if (this.state !== "PRIMARY") throw notPrimary();
        return this.required();
    }
}

/** One whose store has no majority yet has no name in etcd. */
const isElectable = (beat?: Heartbeat): boolean => beat?.state === "SECONDARY" && beat.etcd !== "";

const unanswered = (hosts: readonly string[]): CommandFailure =>
    new CommandFailure(
        `Quorum check failed because not enough voting nodes responded; the following nodes did not respond affirmatively: ${hosts.join(", ")}`,
        74,
        "NodeNotFound",
    );
