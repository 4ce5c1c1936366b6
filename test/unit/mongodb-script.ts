// replica-set.js without mongosh: the script runs with everything that mongosh gives it, against servers that answer what
// a test says. Sleeping moves the clock, so that waiting costs nothing.
import { readFileSync } from "node:fs";
import path from "node:path";

const SCRIPT = path.resolve(
    import.meta.dirname,
    "../../components/engines/mongodb/scripts/replica-set.js",
);
const DOMAIN = "orders.svc.cluster.local:27017";

export type Document = Record<string, unknown>;

export interface SetMember {
    readonly _id: number;
    readonly host: string;
    readonly votes: number;
    readonly priority: number;
    readonly tags: Document;
}

/** An error as mongosh throws it for an answer of a server. */
export const serverError = (code: number, message: string, codeName?: string): Error =>
    Object.assign(new Error(message), { name: "MongoServerError", code, codeName });

/** An error of the driver. */
export const driverError = (name: string, message = "no answer"): Error =>
    Object.assign(new Error(message), { name });

export const hostOf = (member: string): string => `${member}.${DOMAIN}`;

/** A replica set that does what it is told, and answers some commands as a test wants. */
export class FakeSet {
    public members: SetMember[];
    public status: Document[];
    public version = 1;
    public committed = true;
    public compatibility: Document = { version: "8.0" };
    public primary: string;
    public setName: string | undefined = "orders";
    public readonly asked: Document[] = [];
    private readonly scripted: { name: string; answer: (command: Document) => unknown }[] = [];

    public constructor(names: readonly string[], votes: readonly number[] = names.map(() => 1)) {
        this.members = names.map((name, _id) => ({
            _id,
            host: hostOf(name),
            votes: votes[_id]!,
            priority: votes[_id]!,
            tags: { zone: name.split("-")[1] },
        }));
        this.primary = hostOf(names[0]!);
        this.status = names.map((name, index) => ({
            name: hostOf(name),
            health: 1,
            stateStr: index === 0 ? "PRIMARY" : "SECONDARY",
            optimeDate: new Date(0),
        }));
    }

    /** The next time that this command is sent it is answered so; what is an Error is thrown. */
    public once(name: string, answer: unknown): this {
        this.scripted.push({ name, answer: () => answer });
        return this;
    }

    /** From now on this command is answered so. */
    public always(name: string, answer: (command: Document) => unknown): this {
        this.commands[name] = answer;
        return this;
    }

    public votes(): Record<string, number> {
        return Object.fromEntries(
            this.members.map(({ host, votes }) => [host.split(".")[0]!, votes]),
        );
    }

    private readonly commands: Record<string, (command: Document, host: string) => unknown> = {
        hello: (_, host) => ({
            isWritablePrimary: host === this.primary,
            secondary: host !== this.primary,
            setName: this.setName,
        }),
        replSetGetConfig: (command) => ({
            config: {
                _id: "orders",
                version: this.version,
                members: this.members,
                settings: { replicaSetId: "0123456789abcdef01234567" },
            },
            ...(command["commitmentStatus"] === true && { commitmentStatus: this.committed }),
        }),
        replSetGetStatus: () => ({ set: "orders", members: this.status }),
        replSetReconfig: ({ replSetReconfig }) => {
            const { version, members } = replSetReconfig as {
                version: number;
                members: SetMember[];
            };
            this.version = version;
            this.members = members;
            return {};
        },
        replSetInitiate: () => ({}),
        replSetStepDown: () => ({}),
        createUser: () => ({}),
        usersInfo: () => ({ users: [] }),
        buildInfo: () => ({ version: "8.0.26" }),
        getParameter: () => ({ featureCompatibilityVersion: this.compatibility }),
        setFeatureCompatibilityVersion: ({ setFeatureCompatibilityVersion: version }) => {
            this.compatibility = { version };
            return {};
        },
    };

    public answer(host: string, command: Document): unknown {
        const [name = ""] = Object.keys(command);
        this.asked.push(command);
        const at = this.scripted.findIndex((each) => each.name === name);
        const answer =
            at >= 0
                ? this.scripted.splice(at, 1)[0]!.answer(command)
                : this.commands[name]!(command, host);
        if (answer instanceof Error) throw answer;
        return answer;
    }
}

/** How a run ended. */
export interface Outcome {
    /** `undefined`: it went through. An exit status, or what mongosh would have printed as uncaught. */
    readonly end: number | Error | undefined;
    readonly output: string;
    readonly files: Readonly<Record<string, string>>;
    /** Connection strings that were used. */
    readonly uris: readonly string[];
    /** Seconds that it waited. */
    readonly took: number;
}

class Quit extends Error {
    public override readonly name = "Quit";
    public constructor(public readonly status: number) {
        super(`quit ${status}`);
    }
}

/** Runs the script with these variables in its environment. */
export function runScript(
    set: FakeSet,
    env: Readonly<Record<string, string>>,
    { password = "secret", seconds = 60 } = {},
): Outcome {
    const lines: string[] = [];
    const files: Record<string, string> = {};
    const uris: string[] = [];
    const begin = Date.now();
    let now = begin;
    class Clock extends Date {
        public constructor(...args: [] | [string | number | Date]) {
            super(...((args.length === 0 ? [now] : args) as [number]));
        }
        public static override now(): number {
            return now;
        }
    }
    const database = (host: string): Document => ({
        runCommand: (command: Document) => set.answer(host, command),
        getSiblingDB: () => database(host),
    });
    class Mongo {
        public constructor(private readonly uri: string) {
            uris.push(uri);
        }
        public getDB(): Document {
            return database(/^mongodb:\/\/(?:[^@]*@)?([^/]*)/.exec(this.uri)![1]!);
        }
        public close(): void {
            // Nothing is open.
        }
    }
    const process = {
        env: {
            QUORUM_CLUSTER: "orders",
            QUORUM_NAMESPACE: "orders",
            QUORUM_CLUSTER_DOMAIN: "cluster.local",
            QUORUM_MEMBER_DOMAIN: "orders.svc.cluster.local",
            QUORUM_DATABASE: "app",
            QUORUM_HOST: set.primary,
            QUORUM_MEMBER: "orders-a-0",
            QUORUM_ZONE: "a",
            OUTPUT: "output",
            KNOWN: set.members.map(({ host }) => host.split(".")[0]).join(","),
            DEADLINE: `${begin / 1000 + seconds}`,
            ...env,
        },
    };
    const fs = {
        readFileSync: () => `${password}\n`,
        writeFileSync: (file: string, text: string) => (files[file] = text),
    };
    const scope = {
        require: () => fs,
        process,
        Mongo,
        Date: Clock,
        print: (line: string) => lines.push(line),
        sleep: (milliseconds: number) => (now += milliseconds),
        quit: (status: number) => {
            throw new Quit(status);
        },
    };
    let end: Outcome["end"];
    try {
        // eslint-disable-next-line @typescript-eslint/no-implied-eval -- it is no module: mongosh loads it as a script
        const script = new Function(...Object.keys(scope), readFileSync(SCRIPT, "utf8"));
        Reflect.apply(script, undefined, Object.values(scope));
    } catch (error) {
        end = error instanceof Quit ? error.status : (error as Error);
    }
    return { end, output: lines.join("\n"), files, uris, took: (now - begin) / 1000 };
}
