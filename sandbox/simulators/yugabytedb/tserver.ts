// yb-tserver, simulated: it tells the masters that it lives, keeps its part of the rows in a group with the other
// tservers, and answers SQL. A real universe has a group of three per tablet; here all that hold tablets are one group.

import { lookup } from "node:dns/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
    ask,
    atomicJson,
    done,
    listen,
    log,
    otherwise,
    readJson,
    Refusal,
    rowsOf,
    runStatement,
    serve,
    serverOf,
    Store,
    toStore,
    type Call,
    type Grant,
    type StoreOptions,
    type Table,
} from "../shared/index.js";
import { askLeader } from "./leader.js";
import type { HeartbeatAnswer } from "./master.js";
import {
    identify,
    labelOf,
    localEndpointMismatch,
    printVersion,
    RELEASE,
    TSERVER_FLAGS,
    versionAnswer,
    type Self,
} from "./process.js";

const HEARTBEAT_MS = 1000;
const YSQL_PORT = 5433;

/** A request to the SQL port. */
export interface SqlRequest {
    readonly user: string;
    readonly password: string;
    readonly statement: string;
}

class Tserver {
    private store: Store | undefined;
    private isReady = false;
    private universe: string | undefined;
    private view: HeartbeatAnswer | undefined;
    private readonly options: StoreOptions;
    private readonly universeFile: string;

    public constructor(private readonly self: Self) {
        this.universeFile = join(self.directory, "universe.json");
        this.universe = (readJson(this.universeFile) as { universe: string } | undefined)?.universe;
        this.options = {
            directory: join(self.directory, "store"),
            name: labelOf(self.host),
            host: self.host,
            peerPort: self.port,
            log,
            ended: ({ removed }) => {
                if (!removed) process.exit(1);
                log("its last tablet has moved away: what it kept is removed");
                this.store = undefined;
                Store.erase(this.options);
            },
        };
    }

    public async run(): Promise<never> {
        const { self } = this;
        const routes = {
            "POST /admit": (call: Call<{ name: string; host: string; port: number }>) =>
                this.kept.admit(call.body.name, call.body.host, call.body.port),
            "POST /promote": (call: Call<{ id: string }>) => this.kept.promote(call.body.id),
            "POST /expel": (call: Call<{ host: string }>) => this.expel(call.body.host),
            "POST /ready": () => ({ pending: this.isReady ? 0 : 1 }),
            "POST /tablets": () => this.view?.tablets ?? [],
            "POST /sql": (call: Call<SqlRequest>) => this.sql(call.body),
        };
        await listen(self.port, toStore(), otherwise(serverOf(routes, self.tls)));
        await serve(9000, { "GET /api/v1/version": versionAnswer });
        await serve(
            YSQL_PORT,
            { "POST /sql": (call: Call<SqlRequest>) => this.backend(call.body) },
            self.tls,
        );
        log(`yb-tserver ${self.uuid} listens on ${self.host}:${self.port}`);
        if (Store.exists(this.options)) this.store = await Store.open(this.options);
        for (;;) {
            await this.turn().catch((error: unknown) => log(String(error)));
            await sleep(HEARTBEAT_MS);
        }
    }

    private get kept(): Store {
        if (!this.store) throw new Refusal("this tserver holds no tablet", 503);
        return this.store;
    }

    private async turn(): Promise<void> {
        const { uuid, host, port, zone } = this.self;
        const beat = { uuid, host, port, zone, release: RELEASE, universe: this.universe };
        this.view = await askLeader<HeartbeatAnswer>(this.self.masters, "/heartbeat", beat);
        if (this.universe === undefined) {
            this.universe = this.view.universe;
            atomicJson(this.universeFile, { universe: this.universe });
        }
        const { keeps, forms, others } = this.view;
        if (keeps && !this.store) await this.enter(forms, others);
        if (keeps && this.store && !this.isReady) await this.settle(others);
        if (!keeps && this.store) await this.leave(others);
        if (!keeps && !this.store) this.isReady = true;
    }

    /** Into the data group: the first of the universe makes it, every other one is let in by one that is there. */
    private async enter(forms: boolean, others: HeartbeatAnswer["others"]): Promise<void> {
        if (forms) {
            this.store = await Store.form(this.options, this.universe!);
            await this.store.create("role/yugabyte", "yugabyte");
            await this.store.create("database/yugabyte", "yugabyte");
            return;
        }
        for (const { host, port } of others) {
            const to = this.self.to(host, port);
            const who = { name: this.options.name, host: this.self.host, port: this.self.port };
            const grant = await ask<Grant>(to, "/admit", who).catch((error: unknown) => {
                log(`${host} does not let it in yet: ${String(error)}`);
            });
            if (grant) {
                this.store = await Store.join(this.options, grant);
                return;
            }
        }
    }

    private async settle(others: HeartbeatAnswer["others"]): Promise<void> {
        const { id, isLearner } = await this.kept.status();
        for (const { host, port } of isLearner ? others : []) {
            await ask(this.self.to(host, port), "/promote", { id }).catch(() => undefined);
        }
        this.isReady = !(await this.kept.status()).isLearner && (await this.kept.hasQuorum());
        if (this.isReady) log("its tablets have caught up");
    }

    private async leave(others: HeartbeatAnswer["others"]): Promise<void> {
        for (const { host, port } of others) {
            const asked = await ask(this.self.to(host, port), "/expel", {
                host: this.self.host,
            }).then(
                () => true,
                () => false,
            );
            if (asked) return;
        }
    }

    private async expel(host: string): Promise<object> {
        const member = (await this.kept.members()).find((each) => each.host === host);
        if (member) await this.kept.expel(member.id);
        return {};
    }

    /** One of PostgreSQL's processes, which goes to its own tserver. */
    private async backend(request: SqlRequest): Promise<Table> {
        const { host, flags, tls } = this.self;
        const { address } = await lookup(host);
        const mismatch = localEndpointMismatch(flags, tls.cert, address);
        if (mismatch !== undefined) throw new Refusal(`FATAL:  ${mismatch}`);
        return this.sql(request);
    }

    private async sql(request: SqlRequest): Promise<Table> {
        if (!this.store) {
            // Every tserver answers SQL, whatever it holds.
            const other = this.view?.others[0];
            if (!other) throw new Refusal("no tserver with tablets is known", 503);
            return ask<Table>(this.self.to(other.host, other.port), "/sql", request);
        }
        const { user, password, statement } = request;
        const known = await this.store.get(`role/${user}`);
        if (known === undefined || known !== password) {
            throw new Refusal(`FATAL:  password authentication failed for user "${user}"`, 401);
        }
        return (await this.ownStatement(statement)) ?? runStatement(this.store, statement);
    }

    /** Accounts, databases and definitions, as far as the scripts of Quorum use them. */
    private async ownStatement(text: string): Promise<Table | undefined> {
        const store = this.kept;
        const statement = text.trim().replace(/;$/, "").replace(/\s+/g, " ").trim();
        const match = (pattern: RegExp) => pattern.exec(statement);
        let found = match(/^alter role (\w+) (?:login )?password '([^']*)'$/i);
        if (found) {
            await store.put(`role/${found[1]!}`, found[2]!);
            return done("ALTER ROLE");
        }
        found = match(/^create role (\w+) login(?: password '([^']*)')?$/i);
        if (found) {
            if (!(await store.create(`role/${found[1]!}`, found[2] ?? ""))) {
                throw new Refusal(`ERROR:  role "${found[1]!}" already exists`);
            }
            return done("CREATE ROLE");
        }
        found = match(/^select count\(\*\) from pg_roles where rolname = '(\w+)'$/i);
        if (found) {
            const has = (await store.get(`role/${found[1]!}`)) !== undefined;
            return rowsOf(["count"], [[has ? "1" : "0"]]);
        }
        found = match(/^create database (\w+)(?: owner (\w+))?$/i);
        if (found) {
            if (!(await store.create(`database/${found[1]!}`, found[2] ?? "yugabyte"))) {
                throw new Refusal(`ERROR:  database "${found[1]!}" already exists`);
            }
            return done("CREATE DATABASE");
        }
        found = match(/^select count\(\*\) from pg_database where datname = '(\w+)'$/i);
        if (found) {
            const has = (await store.get(`database/${found[1]!}`)) !== undefined;
            return rowsOf(["count"], [[has ? "1" : "0"]]);
        }
        found = match(/^alter database (\w+) set (\w+) = (.+)$/i);
        if (found) {
            if ((await store.get(`database/${found[1]!}`)) === undefined) {
                throw new Refusal(`ERROR:  database "${found[1]!}" does not exist`);
            }
            await store.put(`setting/${found[1]!}/${found[2]!}`, found[3]!);
            return done("ALTER DATABASE");
        }
        if (match(/^set \w+ = /i)) return done("SET");
        found = match(/^create (?:unique )?index if not exists (\w+) on (\w+) \(.*\)$/i);
        found ??= match(
            /^create unique index if not exists (\w+) on (\w+) \(.*\) include \(.*\)$/i,
        );
        if (found) {
            if ((await store.get(`tables/${found[2]!}`)) === undefined) {
                throw new Refusal(`ERROR:  relation "${found[2]!}" does not exist`);
            }
            await store.create(`index/${found[1]!}`, statement);
            return done("CREATE INDEX");
        }
        return undefined;
    }
}

/** Runs yb-tserver until the process is ended. */
export async function tserver(args: readonly string[]): Promise<void> {
    if (args.includes("--version")) {
        printVersion("yb-tserver");
        return;
    }
    const self = identify("tserver", args, TSERVER_FLAGS);
    process.on("SIGTERM", () => process.exit(0));
    log(`yb-tserver, release ${RELEASE}; this is a simulator, not YugabyteDB`);
    await new Tserver(self).run();
}
