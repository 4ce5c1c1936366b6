// `cockroach start` and `kwbase start`: one node. It waits for init or for a node that takes it in, and then serves.

import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
    ask,
    atomicJson,
    CommandError,
    commandLine,
    listen,
    log,
    otherwise,
    readJson,
    Refusal,
    serve,
    serverOf,
    Store,
    toStore,
    type Call,
    type Certificates,
    type CommandLine,
    type Grant,
    type Routes,
    type StoreOptions,
} from "../shared/index.js";
import { Cluster, HEARTBEAT_MS } from "./cluster.js";
import type { Dialect } from "./dialect.js";
import { execute } from "./sql.js";

/** What stands on the node's own disk. */
interface Identity {
    readonly clusterId: string;
    readonly nodeId: number;
    readonly address: string;
    /** The active series when it was last seen: a binary that cannot read it must not start. */
    readonly version: string;
    readonly decommissioned?: boolean;
}

const FLAGS = {
    store: "string",
    "listen-addr": "string",
    "advertise-addr": "string",
    "http-addr": "string",
    join: "string",
    locality: "string",
    cache: "string",
    "max-sql-memory": "string",
    "certs-dir": "string",
    insecure: "boolean",
} as const;

const PERMANENTLY_REMOVED =
    "node was permanently removed from the cluster; it is not allowed to rejoin the cluster";

/** Runs a node until it is told to end. */
export async function start(dialect: Dialect, args: readonly string[]): Promise<void> {
    const line = commandLine(args, { ...FLAGS, ...dialect.startFlags });
    for (const flag of dialect.requiredFlags) {
        if (!line.has(flag)) {
            throw new CommandError(`failed to start server: --${flag}'s port not specified`);
        }
    }
    if (!line.has("join")) throw new CommandError("no --join flags provided to 'start' command");
    const node = new Node(dialect, line);
    await node.run();
}

class Node {
    private readonly directory: string;
    private readonly address: string;
    private readonly host: string;
    private readonly port: number;
    private readonly certificates: Certificates | undefined;
    private readonly startedAt = new Date().toISOString();
    private store: Store | undefined;
    private cluster: Cluster | undefined;
    private draining = false;
    private removed = false;
    private serving = false;
    private forming = false;

    public constructor(
        private readonly dialect: Dialect,
        private readonly line: CommandLine,
    ) {
        const flag = (name: keyof typeof FLAGS, fallback: string) => line.flags[name] ?? fallback;
        this.directory = flag("store", "data");
        this.address = flag("advertise-addr", "localhost:26257");
        const [host, port] = this.address.split(":");
        this.host = host!;
        this.port = Number(port);
        this.certificates = line.has("certs-dir")
            ? readCertificates(flag("certs-dir", ""), dialect)
            : undefined;
    }

    public async run(): Promise<void> {
        const { dialect, directory } = this;
        log(`this is no ${dialect.title}: a simulator of ${dialect.program} ${dialect.version}`);
        mkdirSync(directory, { recursive: true });
        const identity = this.identity();
        if (identity?.decommissioned) throw new CommandError(PERMANENTLY_REMOVED);
        if (identity) {
            const refusal = dialect.upgradeRefusal(
                identity.version,
                dialect.series(dialect.version),
            );
            if (refusal !== undefined) throw new CommandError(refusal);
        }
        const stop = (): void => void this.stop();
        process.on("SIGTERM", stop).on("SIGINT", stop);
        const http = this.line.flags["http-addr"]?.split(":").at(-1) ?? "8080";
        await listen(this.port, toStore(), otherwise(serverOf(this.rpc(), this.certificates)));
        await serve(Number(http), this.http(), this.certificates);
        log(`node starting; listening on ${this.address}`);
        if (identity) {
            await this.open(() => Store.open(this.storeOptions(identity.nodeId)), identity);
        } else {
            await this.comeIn();
        }
        await this.live();
    }

    private identity(): Identity | undefined {
        return readJson(join(this.directory, "identity.json")) as Identity | undefined;
    }

    private keep(identity: Identity): void {
        atomicJson(join(this.directory, "identity.json"), identity);
    }

    private storeOptions(nodeId: number): StoreOptions {
        return {
            directory: join(this.directory, "store"),
            name: `n${nodeId}`,
            host: this.host,
            peerPort: this.port,
            log,
            ended: ({ removed }) => {
                const identity = this.identity();
                if (removed && identity) {
                    this.keep({ ...identity, decommissioned: true });
                    this.removed = true;
                    log(PERMANENTLY_REMOVED);
                } else {
                    log("the store has ended");
                    process.exit(7);
                }
            },
        };
    }

    /** Until somebody calls init, or a node of the join list takes it in. */
    private async comeIn(): Promise<void> {
        const others = (this.line.flags["join"] ?? "")
            .split(",")
            .filter((each) => each !== this.address);
        let said = "";
        while (!this.isForming()) {
            for (const other of others) {
                const [host, port] = other.split(":");
                try {
                    const way = await ask<{ grant: Grant; nodeId: number; clusterId: string }>(
                        { host: host!, port: Number(port), ...this.peerTls() },
                        "/join",
                        {
                            address: this.address,
                            locality: this.line.flags["locality"] ?? "",
                            version: this.dialect.version,
                        },
                        20_000,
                    );
                    await this.enter(way, { host: host!, port: Number(port) });
                    return;
                } catch (error) {
                    const message = error instanceof Error ? error.message : String(error);
                    if (message !== said) log(`no way in yet: ${message}`);
                    said = message;
                }
                if (this.isForming()) break;
            }
            await sleep(500);
        }
    }

    /** Since somebody called init here. */
    private isForming(): boolean {
        return this.forming;
    }

    private peerTls(): { tls?: Certificates } {
        return this.certificates ? { tls: this.certificates } : {};
    }

    private async enter(
        way: { grant: Grant; nodeId: number; clusterId: string },
        through: { host: string; port: number },
    ): Promise<void> {
        const identity = {
            clusterId: way.clusterId,
            nodeId: way.nodeId,
            address: this.address,
            version: this.dialect.series(this.dialect.version),
        };
        const options = this.storeOptions(way.nodeId);
        const opened = await Store.join(options, way.grant);
        await opened.settle((id) => ask({ ...through, ...this.peerTls() }, "/promote", { id }));
        // Only now: a node that died before this comes in again as a new one.
        this.keep(identity);
        this.use(opened);
        await this.cluster!.add({
            id: way.nodeId,
            address: this.address,
            locality: this.line.flags["locality"] ?? "",
            membership: "active",
            replicas: 0,
            state: "",
        });
        log(`node ${way.nodeId} has joined cluster ${way.clusterId}`);
    }

    private async open(opening: () => Promise<Store>, identity: Identity): Promise<void> {
        this.use(await opening());
        if (identity.address !== this.address) {
            while (!(await this.store!.hasQuorum())) await sleep(300);
            await this.cluster!.change(identity.nodeId, () => ({ address: this.address }));
        }
        if (this.line.has("upgrade-complete")) {
            while (!(await this.store!.hasQuorum())) await sleep(300);
            await this.cluster!.change(identity.nodeId, () => ({ state: "" }));
        }
        log(`node ${identity.nodeId} of cluster ${identity.clusterId} is back`);
    }

    private use(store: Store): void {
        this.store = store;
        this.cluster = new Cluster(store, this.dialect);
    }

    /** Heartbeats, and what one node does for all. */
    private async live(): Promise<void> {
        for (;;) {
            await sleep(this.serving ? HEARTBEAT_MS : 200);
            if (this.removed || !this.store || !this.cluster) continue;
            try {
                const identity = this.identity()!;
                await this.cluster.beat(identity.nodeId, {
                    updatedAt: Date.now(),
                    startedAt: this.startedAt,
                    build: this.dialect.version,
                    draining: this.draining,
                });
                this.serving = true;
                const version = await this.cluster.activeVersion();
                if (version !== "" && version !== identity.version) {
                    this.keep({ ...identity, version });
                    log(`active cluster version is now ${version}`);
                }
                const { id, leader } = await this.store.status();
                if (id === leader) await this.cluster.tick();
            } catch (error) {
                this.serving = false;
                log(error instanceof Error ? error.message : String(error));
            }
        }
    }

    /** SIGTERM: leaves the load balancers, waits as the cluster's setting says, and ends. */
    private async stop(): Promise<void> {
        if (this.draining) process.exit(1);
        this.draining = true;
        log("initiating graceful shutdown of server");
        if (this.serving && this.cluster && !this.removed) {
            const name = this.dialect.isModern
                ? "server.shutdown.initial_wait"
                : "server.shutdown.drain_wait";
            const wait = await this.cluster.setting(name).catch(() => "0s");
            await sleep(1000 * (Number(/^(\d+)s$/.exec(wait)?.[1]) || 0));
        }
        await this.store?.stop();
        log("server drained and shutdown completed");
        process.exit(0);
    }

    private requireCluster(): Cluster {
        if (this.removed) throw new Refusal(PERMANENTLY_REMOVED, 503);
        if (!this.cluster || !this.store) {
            throw new Refusal("node is waiting for cluster initialization", 503);
        }
        return this.cluster;
    }

    /** Nodes and root only, where there are certificates. */
    private requireUser(user: string | undefined, ...allowed: string[]): void {
        if (this.certificates && (user === undefined || !allowed.includes(user))) {
            throw new Refusal(`user ${user ?? "without a certificate"} may not do this`, 403);
        }
    }

    private http(): Routes {
        const metrics = async (): Promise<string> =>
            `# simulator\nranges_underreplicated ${await this.requireCluster().underReplicated()}\nranges_unavailable 0\n`;
        return {
            "GET /health": ({ query }: Call) => {
                if (query.get("ready") !== "1") return {};
                this.requireCluster();
                if (this.draining) throw new Refusal("node is shutting down", 503);
                if (!this.serving) throw new Refusal("node is not healthy", 503);
                return {};
            },
            "GET /_status/vars": metrics,
            ...(this.dialect.hasConsole && {
                "GET /": () => `A simulator of ${this.dialect.title} has no console.\n`,
            }),
        };
    }

    private rpc(): Routes {
        return {
            "POST /init": ({ user }: Call) => this.init(user),
            "POST /join": (call: Call<{ address: string; locality: string; version: string }>) =>
                this.takeIn(call),
            "POST /promote": async ({ body, user }: Call<{ id: string }>) => {
                this.requireUser(user, "node");
                this.requireCluster();
                await this.store!.promote(body.id);
            },
            "POST /node": (call: Call<{ verb: string; ids: number[]; dryRun?: boolean }>) =>
                this.nodeCommand(call),
            "POST /sql": async ({
                body,
                user,
            }: Call<{
                statement: string;
                user?: string;
                password?: string;
                unsafe?: boolean;
            }>) => {
                const cluster = this.requireCluster();
                if (this.draining) throw new Refusal("server is not accepting clients", 503);
                const who = await this.authenticate(user, body);
                return execute(
                    {
                        store: this.store!,
                        cluster,
                        dialect: this.dialect,
                        user: who,
                        clusterId: this.identity()!.clusterId,
                        ...(body.unsafe !== undefined && { unsafe: body.unsafe }),
                    },
                    body.statement,
                );
            },
        };
    }

    private async authenticate(
        certificate: string | undefined,
        { user, password }: { user?: string; password?: string },
    ): Promise<string> {
        if (!this.certificates || certificate === "root") return user ?? "root";
        const wanted = user ?? "";
        const known = await this.store!.get(`users/${wanted}`);
        const hash = createHash("sha256")
            .update(password ?? "")
            .digest("hex");
        if (known === undefined || known !== hash) {
            throw new Refusal(`password authentication failed for user ${wanted}`, 401);
        }
        return wanted;
    }

    private async init(user: string | undefined): Promise<object> {
        this.requireUser(user, "root", "node");
        const identity = this.identity();
        if (identity && identity.nodeId !== 1 && !this.dialect.isModern) {
            throw new Refusal("rpc error: code = Unknown desc = already connected to cluster");
        }
        if (identity || this.forming) {
            throw new Refusal("cluster has already been initialized");
        }
        this.forming = true;
        const clusterId = randomUUID();
        const version = this.dialect.series(this.dialect.version);
        const opened = await Store.form(this.storeOptions(1), clusterId);
        const cluster = new Cluster(opened, this.dialect);
        const id = await cluster.nextId();
        await opened.put("cluster/version", version);
        await cluster.add({
            id,
            address: this.address,
            locality: this.line.flags["locality"] ?? "",
            membership: "active",
            replicas: 24,
            state: "",
        });
        this.keep({ clusterId, nodeId: id, address: this.address, version });
        this.use(opened);
        log(`cluster ${clusterId} is initialized`);
        return { clusterId };
    }

    private async takeIn({
        body,
        user,
    }: Call<{ address: string; locality: string; version: string }>): Promise<object> {
        this.requireUser(user, "node");
        const cluster = this.requireCluster();
        const active = await cluster.activeVersion();
        const refusal = this.dialect.upgradeRefusal(active, this.dialect.series(body.version));
        if (refusal !== undefined) throw new Refusal(refusal, 503);
        await cluster.requireHealthy("a node cannot join", body.address);
        const nodeId = await cluster.nextId();
        const [host, port] = body.address.split(":");
        const grant = await this.store!.admit(`n${nodeId}`, host!, Number(port));
        return { grant, nodeId, clusterId: this.identity()!.clusterId };
    }

    private async nodeCommand({
        body,
        user,
    }: Call<{ verb: string; ids: number[]; dryRun?: boolean }>): Promise<unknown> {
        this.requireUser(user, "root", "node");
        const cluster = this.requireCluster();
        const { verb, ids } = body;
        const nodes = await cluster.nodes();
        for (const id of ids) {
            if (!nodes.some((node) => node.id === id)) {
                throw new Refusal(`node ${id} does not exist`);
            }
        }
        switch (verb) {
            case "status":
                return nodes;
            case "check":
                return { blocked: await cluster.blocked(ids) };
            case "decommission": {
                // Nothing else is asked: it runs with a dead node, and below the replica count. An UPGRADING one refuses.
                const marked = nodes.find(({ state }) => state === "UPGRADING");
                if (marked) {
                    throw new Refusal(
                        "can not run node decommission when cluster has node UPGRADING",
                    );
                }
                for (const id of ids) {
                    await cluster.change(id, ({ membership }) => ({
                        membership: membership === "active" ? "decommissioning" : membership,
                    }));
                }
                return cluster.nodes();
            }
            case "finish":
                return this.finish(cluster, ids);
            case "recommission":
                for (const id of ids) {
                    await cluster.change(id, ({ membership }) => {
                        if (membership === "decommissioned" && this.dialect.isModern) {
                            throw new Refusal(
                                `can not recommission node ${id}: node is decommissioned`,
                            );
                        }
                        return { membership: "active" };
                    });
                }
                return cluster.nodes();
            case "upgrade": {
                if (!this.dialect.joinsSerially) throw new Refusal("unknown command");
                await cluster.requireHealthy("a node cannot be upgraded");
                for (const id of ids) await cluster.change(id, () => ({ state: "UPGRADING" }));
                return cluster.nodes();
            }
            default:
                throw new Refusal(`${verb} is not simulated`);
        }
    }

    /** What `decommission --wait=all` does when no replica is left. */
    private async finish(cluster: Cluster, ids: readonly number[]): Promise<unknown> {
        for (const id of ids) {
            const node = await cluster.change(id, ({ replicas, membership }) => ({
                membership:
                    replicas === 0 && membership !== "active" ? "decommissioned" : membership,
            }));
            if (node.membership !== "decommissioned") continue;
            const name = `n${id}`;
            const member = (await this.store!.members()).find((each) => each.name === name);
            if (member) await this.store!.expel(member.id);
        }
        return cluster.nodes();
    }
}

/** The files that the real one wants, with the rights that it wants. */
function readCertificates(directory: string, dialect: Dialect): Certificates {
    const read = (name: string): string => {
        const file = join(directory, name);
        if (!existsSync(file))
            throw new CommandError(`cannot load certificates: ${file} is missing`);
        const { mode, uid } = statSync(file);
        // KaiwuDB: no rights for the group; CockroachDB: read by the group when root owns the file.
        const allowed = dialect.isModern && uid === 0 ? 0o740 : 0o700;
        if (name.endsWith(".key") && (mode & 0o777 & ~allowed) !== 0) {
            throw new CommandError(
                `key file ${file} has permissions ${(mode & 0o777).toString(8)}, exceeds ${allowed.toString(8)}`,
            );
        }
        return readFileSync(file, "utf8");
    };
    return { ca: read("ca.crt"), cert: read("node.crt"), key: read("node.key") };
}
