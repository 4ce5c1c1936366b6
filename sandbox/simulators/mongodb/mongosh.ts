// `mongosh`: runs the same JavaScript as the real one, as far as Quorum's scripts and a curious user need it.

import { ObjectId, type Document } from "bson";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { inspect } from "node:util";
import { runInThisContext } from "node:vm";
import { CommandError, standardInput } from "../shared/index.js";
import { Driver } from "./client-thread.js";
import { VERSION } from "./versions.js";

/** Its thread is made with the first connection: the thread itself loads this file too. */
let driver: Driver | undefined;

/** One server or replica set. */
class Mongo {
    private readonly driver = (driver ??= new Driver());
    private readonly connection: number;
    public constructor(private readonly uri: string) {
        this.connection = this.driver.connect(uri);
    }
    public getDB(name: string): Database {
        return database(this, name);
    }
    public close(): void {
        this.driver.close(this.connection);
    }
    public run(name: string, command: Document): Document {
        // Over one server, reads are meant for that one.
        const isDirect = this.uri.includes("directConnection=true");
        const mode = isDirect ? { $readPreference: { mode: "primaryPreferred" } } : {};
        return this.driver.command(this.connection, name, { ...command, ...mode });
    }
}

class Collection {
    public constructor(
        private readonly owner: Database,
        private readonly name: string,
    ) {}
    public insertOne(document: Document): Document {
        const complete = { _id: new ObjectId(), ...document };
        const answer = this.owner.runCommand({ insert: this.name, documents: [complete] });
        if (answer["writeErrors"]) throw new Error(inspect(answer["writeErrors"]));
        return { acknowledged: true, insertedId: complete._id };
    }
    public find(filter: Document = {}): { toArray: () => Document[] } {
        const answer = this.owner.runCommand({ find: this.name, filter });
        const { firstBatch } = answer["cursor"] as { firstBatch: Document[] };
        return { toArray: () => firstBatch };
    }
    public findOne(filter: Document = {}): Document | null {
        return this.find(filter).toArray()[0] ?? null;
    }
    public countDocuments(filter: Document = {}): number {
        return Number(this.owner.runCommand({ count: this.name, query: filter })["n"]);
    }
    public drop(): boolean {
        this.owner.runCommand({ drop: this.name });
        return true;
    }
}

class Database {
    public constructor(
        private readonly mongo: Mongo,
        private readonly name: string,
    ) {}
    public runCommand(command: Document): Document {
        return this.mongo.run(this.name, command);
    }
    public adminCommand(command: Document): Document {
        return this.mongo.run("admin", command);
    }
    public hello(): Document {
        return this.runCommand({ hello: 1 });
    }
    public getSiblingDB(name: string): Database {
        return database(this.mongo, name);
    }
    public getMongo(): Mongo {
        return this.mongo;
    }
    public getName(): string {
        return this.name;
    }
    public getCollection(name: string): Collection {
        return new Collection(this, name);
    }
    public createUser(user: Document): Document {
        const { user: name, ...rest } = user;
        return this.runCommand({ createUser: String(name), ...rest });
    }
}

/** `db.name` is a collection when it is nothing else. */
function database(mongo: Mongo, name: string): Database {
    return new Proxy(new Database(mongo, name), {
        get: (target, key) =>
            typeof key !== "string" || key in target
                ? (Reflect.get(target, key) as unknown)
                : target.getCollection(key),
    });
}

const scope = globalThis as unknown as Record<string, unknown> & { db?: Database };

const admin = (command: Document): Document => {
    if (!scope.db) throw new Error("No connected database");
    return scope.db.adminCommand(command);
};

const conf = (): Document => admin({ replSetGetConfig: 1 })["config"] as Document;

const rs = {
    status: () => admin({ replSetGetStatus: 1 }),
    conf,
    config: conf,
    hello: () => admin({ hello: 1 }),
    initiate: (config: Document) => admin({ replSetInitiate: config }),
    reconfig: (config: Document) =>
        admin({ replSetReconfig: { ...config, version: Number(conf()["version"]) + 1 } }),
    add: (added: string | Document) => {
        const config = conf();
        const members = config["members"] as Document[];
        const _id = Math.max(...members.map((each) => Number(each["_id"]))) + 1;
        const member = typeof added === "string" ? { host: added } : added;
        return rs.reconfig({ ...config, members: [...members, { _id, ...member }] });
    },
    remove: (host: string) => {
        const config = conf();
        const members = config["members"] as Document[];
        return rs.reconfig({ ...config, members: members.filter((each) => each["host"] !== host) });
    },
    stepDown: (seconds = 60, catchUp = 10) =>
        admin({ replSetStepDown: seconds, secondaryCatchUpPeriodSecs: catchUp }),
};

const show = (value: unknown): string =>
    typeof value === "string" ? value : inspect(value, { depth: 8 });
const print = (...values: unknown[]): void => console.log(...values.map(show));
const runFile = (file: string): unknown => runInThisContext(readFileSync(file, "utf8"), file);

const pause = new Int32Array(new SharedArrayBuffer(4));

function makeScope(): void {
    Object.assign(scope, {
        Mongo,
        ObjectId,
        rs,
        print,
        printjson: print,
        connect: (uri: string) => {
            const path = /^mongodb:\/\/[^/]*\/([^?]*)/.exec(uri)?.[1];
            return new Mongo(uri).getDB(path ? path : "test");
        },
        load: (file: string) => {
            runFile(file);
            return true;
        },
        sleep: (milliseconds: number) => void Atomics.wait(pause, 0, 0, milliseconds),
        quit: (code = 0) => process.exit(code),
        exit: (code = 0) => process.exit(code),
        require: createRequire("/usr/local/lib/"),
    });
}

function evaluate(text: string): void {
    const value: unknown = runInThisContext(text);
    if (value !== undefined) print(value);
}

/** Reads and runs lines until the end of the input. */
async function converse(): Promise<void> {
    if (!process.stdin.isTTY) {
        for (const line of (await standardInput())
            .split("\n")
            .filter((each) => each.trim() !== "")) {
            evaluate(line);
        }
        return;
    }
    const terminal = createInterface({
        input: process.stdin,
        output: process.stdout,
        prompt: "simulator> ",
    });
    terminal.prompt();
    for await (const line of terminal) {
        try {
            evaluate(line);
        } catch (error) {
            console.log(String(error));
        }
        terminal.prompt();
    }
}

export async function mongosh(args: readonly string[]): Promise<void> {
    const evals: string[] = [];
    const words: string[] = [];
    const flags = new Set<string>();
    for (let at = 0; at < args.length; at++) {
        const arg = args[at]!;
        if (arg === "--eval") evals.push(args[++at] ?? "");
        else if (["--quiet", "--norc", "--nodb", "--shell", "--version"].includes(arg))
            flags.add(arg);
        else if (arg.startsWith("-"))
            throw new CommandError(`Error parsing command line: unrecognized option: ${arg}`);
        else words.push(arg);
    }
    if (flags.has("--version")) {
        console.log(`simulator of mongosh for MongoDB ${VERSION}`);
        return;
    }
    console.error("This is Quorum's simulator of mongosh and of MongoDB, not MongoDB.");
    makeScope();
    const uri = flags.has("--nodb")
        ? undefined
        : (words[0] ?? "").endsWith(".js")
          ? ""
          : words.shift();
    if (!flags.has("--nodb")) {
        const address =
            uri === undefined || uri === ""
                ? "127.0.0.1:27017/test"
                : uri.replace(/^mongodb:\/\//, "");
        scope.db = (scope["connect"] as (uri: string) => Database)(
            `mongodb://${address.includes("/") ? address : `${address}/test`}${address.includes("?") ? "" : "?directConnection=true"}`,
        );
    }
    try {
        for (const text of evals) {
            const value: unknown = runInThisContext(text);
            if (
                text === evals.at(-1) &&
                words.length === 0 &&
                value !== undefined &&
                !flags.has("--shell")
            )
                print(value);
        }
        for (const file of words) runFile(file);
    } catch (error) {
        const { name, message, stack } = error as Error;
        throw new CommandError(`${name}: ${message}\n${stack ?? ""}`);
    }
    if (flags.has("--shell") || (evals.length === 0 && words.length === 0)) await converse();
}
