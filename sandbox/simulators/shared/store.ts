// What a simulated database replicates and must not lose, in a real etcd: one etcd process per member, on the member's
// own disk. Quorum, outages and lost disks are therefore etcd's and not ours to pretend.

import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { atomicJson, readJson } from "./identity.js";

/** Where the image has etcd's binary. */
const ETCD = "/usr/local/bin/etcd";

/** etcd's defaults (100 and 1000 ms) are for idle machines; six nodes of a sandbox share two cores. */
const HEARTBEAT_MS = 200;
const ELECTION_MS = 2000;

/** A request that takes longer has no quorum behind it: twice an election. */
const REQUEST_MS = 2 * ELECTION_MS;

/** etcd's 5 s (HealthInterval in its server), and an election. */
const RECENTLY_CONNECTED_MS = 5000 + ELECTION_MS;

/** How one member keeps its part of the store. */
export interface StoreOptions {
    /** A directory on the member's disk, for the store alone. */
    readonly directory: string;
    /** The member's name. */
    readonly name: string;
    /** Where the others reach it: a host name, which may have no address yet. */
    readonly host: string;
    /** The port of `host` by which they reach it: the database's own, which leads to `storePort` (peer-port.ts). */
    readonly peerPort: number;
    /** Where etcd itself waits for them, on the loopback interface only. Default: 2380. */
    readonly storePort?: number;
    /** On the loopback interface only. Default: 2379. */
    readonly clientPort?: number;
    /** Path of etcd's binary. Default: where the image has it. */
    readonly etcd?: string;
    /** Takes etcd's own log lines, warnings and worse. Default: they are dropped. */
    readonly log?: (line: string) => void;
    /** Called when etcd ends without having been told to; `removed`: the others removed this member. */
    readonly ended?: (reason: { readonly removed: boolean }) => void;
}

/** What a joiner needs to know; an existing member makes it. Plain JSON, to be sent over the network. */
export interface Grant {
    readonly token: string;
    /** etcd's `--initial-cluster`. */
    readonly cluster: string;
    /** etcd's own id of the joiner. */
    readonly id: string;
}

/** One member of the consensus group, as etcd lists it. */
export interface StoreMember {
    readonly id: string;
    /** Empty until it has started once. */
    readonly name: string;
    /** The host of {@link StoreOptions}. */
    readonly host: string;
    readonly isLearner: boolean;
}

/** etcd did not answer in time, or has no leader: the real database would have no quorum. */
export class NoQuorumError extends Error {
    public constructor(detail: string) {
        super(`no quorum: ${detail}`);
        this.name = "NoQuorumError";
    }
}

/** etcd refused a request; the message is etcd's. */
export class StoreError extends Error {}

const encode = (text: string): string => Buffer.from(text).toString("base64");
const decode = (text: string): string => Buffer.from(text, "base64").toString();

/** The first key after all keys with this prefix. */
const afterPrefix = (prefix: string): string =>
    prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

interface KeyValue {
    readonly key: string;
    readonly value?: string;
    readonly mod_revision: string;
}

interface RawMember {
    readonly ID: string;
    readonly name?: string;
    readonly peerURLs: readonly string[];
    readonly isLearner?: boolean;
}

/** One entry of the store. `revision` grows with each change of it. */
export interface Entry {
    readonly key: string;
    readonly value: string;
    readonly revision: string;
}

/** What {@link Store} keeps beside etcd's own files: with what it was started. */
interface Group {
    readonly token: string;
    readonly cluster: string;
    readonly state: "new" | "existing";
}

/** One member's part of the store. */
export class Store {
    private child: ChildProcess | undefined;
    private stopping = false;
    private wasRemoved = false;

    private constructor(private readonly options: StoreOptions) {}

    /**
     * Makes a new group. `initial`: name -> peer address (`host:port`) of all of its first members, each of which must
     * be started with the same list; by default this member alone. `token` tells groups apart.
     */
    public static async form(
        options: StoreOptions,
        token: string,
        initial?: Readonly<Record<string, string>>,
    ): Promise<Store> {
        const all = initial ?? { [options.name]: peerOf(options) };
        const cluster = Object.entries(all)
            .map(([name, address]) => `${name}=http://${address}`)
            .join(",");
        return Store.begin(options, { token, cluster, state: "new" });
    }

    /** Starts as a learner with what an existing member granted ({@link Store.admit}); {@link Store.settle} makes a voter of it. */
    public static async join(options: StoreOptions, grant: Grant): Promise<Store> {
        const { token, cluster } = grant;
        return Store.begin(options, { token, cluster, state: "existing" });
    }

    /** Whether this member's disk holds a part of a group. */
    public static exists(options: StoreOptions): boolean {
        return existsSync(join(options.directory, "group.json"));
    }

    /** Starts again with what is on the disk. */
    public static async open(options: StoreOptions): Promise<Store> {
        const group = readJson(join(options.directory, "group.json")) as Group | undefined;
        if (group === undefined) throw new StoreError(`${options.directory} holds no store`);
        const store = new Store(options);
        await store.start(group);
        return store;
    }

    /** Removes everything of the store from this member's disk. */
    public static erase(options: StoreOptions): void {
        rmSync(options.directory, { recursive: true, force: true });
    }

    private static async begin(options: StoreOptions, group: Group): Promise<Store> {
        Store.erase(options);
        mkdirSync(options.directory, { recursive: true, mode: 0o700 });
        atomicJson(join(options.directory, "group.json"), group);
        const store = new Store(options);
        await store.start(group);
        return store;
    }

    /** Returns when etcd answers this member; that says nothing about a quorum. */
    private async start({ token, cluster, state }: Group): Promise<void> {
        const { options } = this;
        const client = `http://127.0.0.1:${options.clientPort ?? 2379}`;
        const child = spawn(
            // etcd must not outlive this process.
            "setpriv",
            [
                "--pdeathsig=KILL",
                options.etcd ?? ETCD,
                `--name=${options.name}`,
                `--data-dir=${join(options.directory, "etcd")}`,
                `--listen-client-urls=${client}`,
                `--advertise-client-urls=${client}`,
                `--listen-peer-urls=http://127.0.0.1:${options.storePort ?? 2380}`,
                `--initial-advertise-peer-urls=http://${peerOf(options)}`,
                `--initial-cluster=${cluster}`,
                `--initial-cluster-state=${state}`,
                `--initial-cluster-token=${token}`,
                `--heartbeat-interval=${HEARTBEAT_MS}`,
                `--election-timeout=${ELECTION_MS}`,
                "--log-level=warn",
            ],
            { stdio: ["ignore", "ignore", "pipe"] },
        );
        this.child = child;
        let tail = "";
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
            if (/permanently removed|removed from the cluster|member has been removed/.test(text)) {
                this.wasRemoved = true;
            }
            tail = (tail + text).slice(-2000);
            for (const line of text.split("\n").filter(Boolean)) options.log?.(`etcd: ${line}`);
        });
        child.on("exit", () => {
            if (this.child !== child) return;
            this.child = undefined;
            if (!this.stopping) options.ended?.({ removed: this.wasRemoved });
        });
        while (!(await this.answers())) {
            if (child.exitCode !== null || child.signalCode !== null)
                throw new StoreError(`etcd ended at its start: ${tail}`);
            await sleep(50);
        }
    }

    /** Ends etcd; the data stays. */
    public async stop(): Promise<void> {
        const { child } = this;
        this.stopping = true;
        if (child === undefined) return;
        const ended = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGTERM");
        const killing = setTimeout(() => child.kill("SIGKILL"), 2 * ELECTION_MS);
        await ended;
        clearTimeout(killing);
    }

    /** Process id of etcd, for tests that kill it. */
    public get pid(): number | undefined {
        return this.child?.pid;
    }

    /** The value of a key; `undefined`: there is none. It is read with a quorum. */
    public async get(key: string): Promise<string | undefined> {
        const { kvs } = await this.call<{ kvs?: KeyValue[] }>("kv/range", { key: encode(key) });
        return kvs?.[0] && decode(kvs[0].value ?? "");
    }

    /** All entries below a prefix, by key. With `local` this member's own view, without a quorum. */
    public async list(prefix: string, local = false): Promise<Entry[]> {
        const { kvs = [] } = await this.call<{ kvs?: KeyValue[] }>("kv/range", {
            key: encode(prefix),
            range_end: encode(afterPrefix(prefix)),
            serializable: local,
        });
        return kvs.map(({ key, value = "", mod_revision }) => ({
            key: decode(key),
            value: decode(value),
            revision: mod_revision,
        }));
    }

    /** How many entries there are below a prefix. */
    public async count(prefix: string, local = false): Promise<number> {
        const { count = "0" } = await this.call<{ count?: string }>("kv/range", {
            key: encode(prefix),
            range_end: encode(afterPrefix(prefix)),
            count_only: true,
            serializable: local,
        });
        return Number(count);
    }

    /** Resolves when a majority has it on disk. */
    public async put(key: string, value: string): Promise<void> {
        await this.call("kv/put", { key: encode(key), value: encode(value) });
    }

    /** Sets a key that must not be there; false: it is. */
    public async create(key: string, value: string): Promise<boolean> {
        return this.when(
            { key: encode(key), target: "CREATE", create_revision: "0", result: "EQUAL" },
            { request_put: { key: encode(key), value: encode(value) } },
        );
    }

    /** Sets a key that is unchanged since `entry` was read; false: somebody else was quicker. */
    public async replace(entry: Entry, value: string): Promise<boolean> {
        const key = encode(entry.key);
        return this.when(
            { key, target: "MOD", mod_revision: entry.revision, result: "EQUAL" },
            { request_put: { key, value: encode(value) } },
        );
    }

    public async remove(key: string): Promise<void> {
        await this.call("kv/deleterange", { key: encode(key) });
    }

    private async when(compare: object, success: object): Promise<boolean> {
        const { succeeded } = await this.call<{ succeeded?: boolean }>("kv/txn", {
            compare: [compare],
            success: [success],
        });
        return succeeded === true;
    }

    /** The members as this one knows them; needs no quorum. */
    public async members(): Promise<StoreMember[]> {
        const { members } = await this.call<{ members: RawMember[] }>("cluster/member/list", {});
        return members.map((member) => ({
            id: member.ID,
            name: member.name ?? "",
            host: new URL(member.peerURLs[0]!).hostname,
            isLearner: member.isLearner === true,
        }));
    }

    /**
     * Lets a member join, with an empty disk, as a learner. One that was at the same address before has lost its disk
     * and is removed first. Only one may be a learner at a time: etcd refuses a second one.
     */
    public async admit(name: string, host: string, peerPort: number): Promise<Grant> {
        const peer = `http://${host}:${peerPort}`;
        const { members: before } = await this.call<{ members: RawMember[] }>(
            "cluster/member/list",
            { linearizable: true },
        );
        const former = before.find(({ peerURLs }) => peerURLs.includes(peer));
        if (former) await this.expel(former.ID);
        const { member, members } = await this.change<{ member: RawMember; members: RawMember[] }>(
            "add",
            { peerURLs: [peer], isLearner: true },
        );
        const cluster = members
            .map((each) => `${each.ID === member.ID ? name : each.name!}=${each.peerURLs[0]!}`)
            .join(",");
        const group = readJson(join(this.options.directory, "group.json")) as Group;
        return { token: group.token, cluster, id: member.ID };
    }

    /** Makes a voter of a learner. etcd refuses until it has caught up. */
    public async promote(id: string): Promise<void> {
        await this.call("cluster/member/promote", { ID: id });
    }

    /** Takes a member out of the group for good. */
    public async expel(id: string): Promise<void> {
        await this.change("remove", { ID: id });
    }

    /** etcd refuses a change of members until they have been connected for 5 s; it is asked again for that long. */
    private async change<T>(verb: "add" | "remove", body: object): Promise<T> {
        const deadline = Date.now() + RECENTLY_CONNECTED_MS;
        for (;;) {
            try {
                return await this.call<T>(`cluster/member/${verb}`, body);
            } catch (error) {
                const isEarly =
                    error instanceof NoQuorumError && error.message.includes("unhealthy");
                if (!isEarly || Date.now() > deadline) throw error;
                await sleep(300);
            }
        }
    }

    /** Waits until this member votes. `promote` asks an existing member to {@link Store.promote} the id it is given. */
    public async settle(promote: (id: string) => Promise<void>): Promise<void> {
        for (;;) {
            const { id, isLearner } = await this.status();
            if (!isLearner) return;
            await promote(id).catch(() => sleep(300));
        }
    }

    /** This member's own ids and the leader's; `leader` is "0" when it knows none. */
    public async status(): Promise<{ id: string; leader: string; isLearner: boolean }> {
        const status = await this.call<{
            header: { member_id: string };
            leader?: string;
            isLearner?: boolean;
        }>("maintenance/status", {});
        return {
            id: status.header.member_id,
            leader: status.leader ?? "0",
            isLearner: status.isLearner === true,
        };
    }

    /** Moves the group's leadership; only its leader can. */
    public async moveLeader(id: string): Promise<void> {
        await this.call("maintenance/transfer-leadership", { targetID: id });
    }

    /** Whether a majority answers now. */
    public async hasQuorum(): Promise<boolean> {
        return this.get("quorum").then(
            () => true,
            () => false,
        );
    }

    private async answers(): Promise<boolean> {
        return this.status().then(
            () => true,
            () => false,
        );
    }

    /** etcd's own JSON gateway. */
    private async call<T>(path: string, body: object): Promise<T> {
        const url = `http://127.0.0.1:${this.options.clientPort ?? 2379}/v3/${path}`;
        let response: Response;
        let text: string;
        try {
            response = await fetch(url, {
                method: "POST",
                body: JSON.stringify(body),
                signal: AbortSignal.timeout(REQUEST_MS),
            });
            text = await response.text();
        } catch (error) {
            throw new NoQuorumError(`etcd does not answer (${String(error)})`);
        }
        if (response.ok) return JSON.parse(text) as T;
        const message = /"message":"([^"]*)"/.exec(text)?.[1] ?? text;
        if (/no leader|timed out|leader changed|unhealthy cluster/.test(message)) {
            throw new NoQuorumError(message);
        }
        throw new StoreError(message);
    }
}

const peerOf = ({ host, peerPort }: StoreOptions): string => `${host}:${peerPort}`;
