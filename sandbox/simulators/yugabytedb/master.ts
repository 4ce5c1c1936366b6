// yb-master, simulated: the masters are one etcd group, made by all of them at once as the real ones make theirs. Its
// leader counts tservers by their heartbeats, places the copies of a few tablets, and moves them one at a time.

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
    ask,
    CommandError,
    listen,
    log,
    otherwise,
    Refusal,
    serve,
    serverOf,
    Store,
    toStore,
    type Call,
    type Entry,
    type StoreOptions,
} from "../shared/index.js";
import { NOT_THE_LEADER } from "./leader.js";
import {
    identify,
    isOlder,
    labelOf,
    MASTER_FLAGS,
    printVersion,
    RELEASE,
    versionAnswer,
    type Self,
} from "./process.js";

/** The real tserver_unresponsive_timeout_ms is 60 s; tests need not wait for that. */
const UNRESPONSIVE_MS = 10_000;
/** One move of a tablet's copy; a real one takes as long as its data. */
const MOVE_MS = 500;
/** User tablets that the simulated universe has. */
const TABLETS = 6;

/** A tserver, as the masters remember it. */
export interface Tserver {
    readonly uuid: string;
    readonly host: string;
    readonly port: number;
    readonly zone: string;
    readonly release: string;
}

/** What a tserver tells with each heartbeat, and what it is told. */
export type Heartbeat = Tserver & { readonly universe: string | undefined };
export interface HeartbeatAnswer {
    readonly universe: string;
    /** Whether it keeps data; one on the blacklist that holds no tablet keeps none. */
    readonly keeps: boolean;
    /** Whether it is the one that makes the data group. */
    readonly forms: boolean;
    /** Others that keep data. */
    readonly others: readonly { readonly host: string; readonly port: number }[];
    /** The tablets that it holds. */
    readonly tablets: readonly string[];
}

interface Blacklist {
    readonly hosts: readonly { readonly host: string; readonly port: number }[];
    /** Copies on them when they were put on it. */
    readonly initial: number;
}

class Master {
    private store: Store | undefined;
    private wasLeader = false;
    private readonly heard = new Map<string, number>();

    public constructor(private readonly self: Self) {}

    public async run(): Promise<never> {
        const { self } = this;
        const routes = {
            "POST /whoami": () => ({ uuid: self.uuid, host: self.host }),
            "POST /masters": this.led(() => this.masters()),
            "POST /tservers": this.led(() => this.listTservers()),
            "POST /config": this.led(() => this.config()),
            "POST /heartbeat": this.led((call: Call<Heartbeat>) => this.heartbeat(call.body)),
            "POST /blacklist": this.led(
                (call: Call<{ verb: string; host: string; port: number }>) =>
                    this.changeBlacklist(call.body),
            ),
            "POST /completion": this.led(() => this.completion()),
            "POST /placement": this.led((call: Call<{ info: string; factor: number }>) =>
                this.place(call.body),
            ),
            "POST /promote-flags": this.led(() => this.promoteFlags()),
            "POST /upgrade-ysql": this.led(() => this.upgradeYsql()),
        };
        await listen(self.port, toStore(), otherwise(serverOf(routes, self.tls)));
        await serve(7000, {
            "GET /api/v1/version": versionAnswer,
            "GET /api/v1/is-leader": this.led(() => ({ STATUS: "OK" })),
            "GET /api/v1/health-check": this.led(() => this.health()),
        });
        log(`yb-master ${self.uuid} listens on ${self.host}:${self.port}`);
        await this.openStore();
        for (;;) {
            await this.turn().catch((error: unknown) => log(String(error)));
            await sleep(MOVE_MS);
        }
    }

    private async openStore(): Promise<void> {
        const { self } = this;
        const options: StoreOptions = {
            directory: join(self.directory, "store"),
            name: labelOf(self.host),
            host: self.host,
            peerPort: self.port,
            log,
            ended: () => process.exit(1),
        };
        if (Store.exists(options)) {
            this.store = await Store.open(options);
            return;
        }
        if (self.flags["master_join_existing_universe"] !== undefined) {
            log(
                "shell mode: master_join_existing_universe is set and this disk is empty; waits to be added",
            );
            for (;;) await sleep(60_000);
        }
        const all = Object.fromEntries(
            self.masters.map(({ host, port }) => [labelOf(host), `${host}:${port}`]),
        );
        log(`makes a new universe with ${Object.keys(all).join(", ")}`);
        this.store = await Store.form(options, "masters", all);
    }

    private async leads(): Promise<boolean> {
        if (!this.store) return false;
        const { id, leader } = await this.store.status();
        return id === leader;
    }

    /** Only the leader answers these. */
    private led<T>(handler: (call: Call<T>) => unknown): (call: Call<T>) => Promise<unknown> {
        return async (call) => {
            if (!(await this.leads().catch(() => false))) throw new Refusal(NOT_THE_LEADER, 503);
            return handler(call);
        };
    }

    private get kept(): Store {
        if (!this.store) throw new Refusal(NOT_THE_LEADER, 503);
        return this.store;
    }

    // --- the leader's own work ---

    private async turn(): Promise<void> {
        const leads = await this.leads();
        if (leads && !this.wasLeader) {
            log("leads");
            await this.kept.create("universe", randomUUID());
            await this.kept.create("auto-flags", RELEASE);
            await this.kept.create("ysql", RELEASE);
            for (const { uuid } of await this.tservers()) this.heard.set(uuid, Date.now());
        }
        this.wasLeader = leads;
        if (leads) await this.balance();
    }

    private isAlive = ({ uuid }: Tserver): boolean =>
        Date.now() - (this.heard.get(uuid) ?? 0) < UNRESPONSIVE_MS;

    private async tservers(): Promise<Tserver[]> {
        return (await this.kept.list("ts/")).map(({ value }) => JSON.parse(value) as Tserver);
    }

    private async blacklist(): Promise<Blacklist> {
        const text = await this.kept.get("blacklist");
        return text === undefined ? { hosts: [], initial: 0 } : (JSON.parse(text) as Blacklist);
    }

    private async tablets(): Promise<{ entry: Entry; name: string; copies: string[] }[]> {
        return (await this.kept.list("tablet/")).map((entry) => ({
            entry,
            name: entry.key.slice("tablet/".length),
            copies: JSON.parse(entry.value) as string[],
        }));
    }

    private async placement(): Promise<{ zones: string[]; factor: number }> {
        const text = await this.kept.get("placement");
        return text === undefined
            ? { zones: [], factor: Number(this.self.flags["replication_factor"] ?? 3) }
            : (JSON.parse(text) as { zones: string[]; factor: number });
    }

    /** Moves one copy: to where one is missing, away from the blacklist, or from the fullest to the emptiest. */
    private async balance(): Promise<void> {
        const all = await this.tservers();
        const { zones, factor } = await this.placement();
        const { hosts } = await this.blacklist();
        const isListed = ({ host }: Tserver) => hosts.some((each) => each.host === host);
        const takers = all.filter((each) => this.isAlive(each) && !isListed(each));
        if ((await this.kept.list("tablet/")).length === 0) {
            // Tables are made when there are as many tservers as copies.
            if (takers.length < factor) return;
            for (let n = 0; n < TABLETS; n++) await this.kept.create(`tablet/${n}`, "[]");
        }
        const tablets = await this.tablets();
        const load = (uuid: string) => tablets.filter(({ copies }) => copies.includes(uuid)).length;
        const zoneOf = (uuid: string) => all.find((each) => each.uuid === uuid)?.zone;
        const covers = (copies: readonly string[]) =>
            zones.every((zone) => copies.some((uuid) => zoneOf(uuid) === zone));
        for (const { entry, name, copies } of tablets) {
            const known = copies.filter((uuid) => all.some((each) => each.uuid === uuid));
            const free = takers
                .filter(({ uuid }) => !known.includes(uuid))
                .sort((a, b) => load(a.uuid) - load(b.uuid));
            if (known.length < factor) {
                const missing = zones.filter(
                    (zone) => !known.some((uuid) => zoneOf(uuid) === zone),
                );
                const taker =
                    free.find(({ zone }) => missing.includes(zone)) ??
                    (missing.length < factor - known.length || missing.length === 0
                        ? free[0]
                        : undefined);
                if (taker) {
                    await this.kept.replace(entry, JSON.stringify([...known, taker.uuid]));
                    return;
                }
            }
            const leaver = known.find((uuid) => isListed(all.find((each) => each.uuid === uuid)!));
            const moved = (from: string, to: string) => [
                ...known.filter((uuid) => uuid !== from),
                to,
            ];
            const taker =
                leaver && free.find(({ uuid }) => covers(moved(leaver, uuid)) || !covers(known));
            if (leaver && taker) {
                await this.kept.replace(entry, JSON.stringify(moved(leaver, taker.uuid)));
                log(`tablet ${name} moves from ${leaver} to ${taker.uuid}`);
                return;
            }
            const fullest = [...known].sort((a, b) => load(b) - load(a))[0];
            const emptiest = free[0];
            if (
                fullest &&
                emptiest &&
                load(fullest) > load(emptiest.uuid) + 1 &&
                covers(moved(fullest, emptiest.uuid))
            ) {
                await this.kept.replace(entry, JSON.stringify(moved(fullest, emptiest.uuid)));
                return;
            }
        }
    }

    // --- what others ask ---

    private async heartbeat(beat: Heartbeat): Promise<HeartbeatAnswer> {
        const universe = (await this.kept.get("universe"))!;
        if (beat.universe !== undefined && beat.universe !== universe) {
            throw new Refusal(
                `wrong universe: tserver ${beat.uuid} belongs to ${beat.universe}, this is ${universe}`,
            );
        }
        const flags = (await this.kept.get("auto-flags"))!;
        if (isOlder(beat.release, flags)) {
            throw new Refusal(
                `AutoFlags of ${flags} are promoted, and ${beat.release} does not know them`,
            );
        }
        const { uuid, host, port, zone, release } = beat;
        const tserver: Tserver = { uuid, host, port, zone, release };
        for (const former of await this.tservers()) {
            if (former.host === beat.host && former.uuid !== beat.uuid) {
                log(`${beat.host} has come back as ${beat.uuid}: its former self is gone`);
                await this.kept.remove(`ts/${former.uuid}`);
            }
        }
        await this.kept.put(`ts/${beat.uuid}`, JSON.stringify(tserver));
        this.heard.set(beat.uuid, Date.now());
        const tablets = (await this.tablets())
            .filter(({ copies }) => copies.includes(beat.uuid))
            .map(({ name }) => name);
        const { hosts } = await this.blacklist();
        const isListed = hosts.some(({ host }) => host === beat.host);
        await this.kept.create("data-group", beat.uuid);
        return {
            universe,
            keeps: !isListed || tablets.length > 0,
            forms: (await this.kept.get("data-group")) === beat.uuid,
            others: (await this.tservers())
                .filter((each) => each.uuid !== beat.uuid && this.isAlive(each))
                .filter(({ host }) => !hosts.some((each) => each.host === host))
                .map(({ host, port }) => ({ host, port })),
            tablets,
        };
    }

    private async masters(): Promise<object[]> {
        const { id } = await this.kept.status();
        const members = await this.kept.members();
        return Promise.all(
            members.map(async (member) => {
                const where = this.self.masters.find(({ host }) => host === member.host);
                const seen =
                    where &&
                    (await ask<{ uuid: string }>(where, "/whoami", {}, 1000).catch(
                        () => undefined,
                    ));
                return {
                    uuid: seen?.uuid ?? "",
                    address: `${member.host}:${where?.port ?? 7100}`,
                    state: seen ? "ALIVE" : "NETWORK_ERROR",
                    role: !seen ? "UNKNOWN_ROLE" : member.id === id ? "LEADER" : "FOLLOWER",
                };
            }),
        );
    }

    private async listTservers(): Promise<object[]> {
        return (await this.tservers()).map((each) => ({
            ...each,
            delay: (Date.now() - (this.heard.get(each.uuid) ?? 0)) / 1000,
            status: this.isAlive(each) ? "ALIVE" : "DEAD",
        }));
    }

    private async config(): Promise<object> {
        const { hosts, initial } = await this.blacklist();
        return {
            version: 1,
            ...(hosts.length > 0 && { serverBlacklist: { hosts, initialReplicaLoad: initial } }),
            clusterUuid: await this.kept.get("universe"),
            simulator: true,
        };
    }

    private async copiesOn(hosts: readonly { host: string }[]): Promise<number> {
        const listed = (await this.tservers())
            .filter(({ host }) => hosts.some((each) => each.host === host))
            .map(({ uuid }) => uuid);
        return (await this.tablets())
            .flatMap(({ copies }) => copies)
            .filter((uuid) => listed.includes(uuid)).length;
    }

    private async changeBlacklist(change: {
        verb: string;
        host: string;
        port: number;
    }): Promise<object> {
        const { hosts } = await this.blacklist();
        const rest = hosts.filter(({ host }) => host !== change.host);
        if (change.verb !== "ADD" && change.verb !== "REMOVE") {
            throw new Refusal(`Invalid operation: ${change.verb}`);
        }
        const wanted =
            change.verb === "ADD" ? [...rest, { host: change.host, port: change.port }] : rest;
        const initial = await this.copiesOn(wanted);
        await this.kept.put("blacklist", JSON.stringify({ hosts: wanted, initial }));
        log(`blacklist ${change.verb} ${change.host}`);
        return {};
    }

    private async completion(): Promise<object> {
        const { hosts, initial } = await this.blacklist();
        const remaining = await this.copiesOn(hosts);
        const total = Math.max(initial, remaining);
        return {
            percent: total === 0 ? 100 : (100 * (total - remaining)) / total,
            remaining,
            total,
        };
    }

    private async place({ info, factor }: { info: string; factor: number }): Promise<object> {
        const zones = info.split(",").map((each) => each.split(":")[0]!.split(".").at(-1)!);
        if (zones.length > factor) {
            throw new Refusal("Invalid argument: sum of min_num_replicas exceeds num_replicas");
        }
        await this.kept.put("placement", JSON.stringify({ zones, factor }));
        return {};
    }

    /** The real one promotes what its own release knows; whoever is older cannot connect any more. */
    private async promoteFlags(): Promise<object> {
        const before = (await this.kept.get("auto-flags"))!;
        if (!isOlder(before, RELEASE)) return { promoted: false, release: before };
        await this.kept.put("auto-flags", RELEASE);
        return { promoted: true, release: RELEASE };
    }

    private async upgradeYsql(): Promise<object> {
        const flags = await this.kept.get("auto-flags");
        if (flags !== RELEASE) {
            throw new Refusal(`Illegal state: AutoFlags of ${RELEASE} are not promoted yet`);
        }
        await this.kept.put("ysql", RELEASE);
        return {};
    }

    private async health(): Promise<object> {
        const all = await this.tservers();
        const { factor } = await this.placement();
        const alive = all.filter(this.isAlive).map(({ uuid }) => uuid);
        const tablets = await this.tablets();
        return {
            dead_nodes: all.filter((each) => !this.isAlive(each)).map(({ uuid }) => uuid),
            most_recent_uptime: Math.floor(process.uptime()),
            under_replicated_tablets: tablets
                .filter(
                    ({ copies }) => copies.filter((uuid) => alive.includes(uuid)).length < factor,
                )
                .map(({ name }) => name),
        };
    }
}

/** Runs yb-master until the process is ended. */
export async function master(args: readonly string[]): Promise<void> {
    if (args.includes("--version")) {
        printVersion("yb-master");
        return;
    }
    const self = identify("master", args, MASTER_FLAGS);
    if (!self.masters.some(({ host }) => host === self.host)) {
        throw new CommandError(`${self.host} is not one of --master_addresses`);
    }
    process.on("SIGTERM", () => process.exit(0));
    log(`yb-master, release ${RELEASE}; this is a simulator, not YugabyteDB`);
    await new Master(self).run();
}
