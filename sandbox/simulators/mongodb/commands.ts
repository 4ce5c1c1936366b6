// The commands that a simulated mongod answers, with the errors of the real one. Commands that are not here are refused.

import { BSON, EJSON, ObjectId, type Document } from "bson";
import { completeMembers, type SetConfig } from "./set-config.js";
import { NoQuorumError, type Store } from "../shared/index.js";
import {
    begin,
    credentialsOf,
    finish,
    firstMessage,
    type Credentials,
    type Login,
} from "./scram.js";
import { STATE_NUMBERS, type Member } from "./member.js";
import { COMPATIBLE, SERIES, VERSION } from "./versions.js";
import { CommandFailure, type Answer, type Connection } from "./wire.js";

const bad = (message: string) => new CommandFailure(message, 2, "BadValue");
const unauthorized = (message: string) => new CommandFailure(message, 13, "Unauthorized");
const authenticationFailed = () =>
    new CommandFailure("Authentication failed.", 18, "AuthenticationFailed");

/** Maximum wire version of MongoDB 8.0. */
const WIRE_VERSION = 25;

/** Answered before a login. */
const OPEN = new Set([
    ..."hello isMaster ismaster ping buildInfo saslStart saslContinue endSessions logout connectionStatus".split(
        " ",
    ),
]);
/** What the localhost exception lets through as long as there is no user. */
const EXCEPTION = new Set(["replSetInitiate", "createUser"]);

interface User {
    readonly credentials: Credentials;
    readonly roles: readonly (string | { readonly role: string; readonly db: string })[];
}

interface Context {
    readonly member: Member;
    readonly command: Document;
    readonly connection: Connection;
    readonly database: string;
}

type Command = (context: Context) => Document | Promise<Document>;

const userKey = (database: string, name: string): string => `users/${database}.${name}`;

async function findUser(member: Member, database: string, name: string): Promise<User | undefined> {
    const [entry] = (await member.store?.list(userKey(database, name), true)) ?? [];
    return entry && (JSON.parse(entry.value) as User);
}

const hello: Command = async ({ member, command, connection }) => {
    const { config, state } = member;
    if (member.isQuiescing) {
        throw new CommandFailure(
            "The server is in quiesce mode and will shut down",
            91,
            "ShutdownInProgress",
        );
    }
    const isPrimary = state === "PRIMARY";
    const mechanisms = String(command["saslSupportedMechs"] ?? "").split(/\.(.*)/s);
    const user = mechanisms[1] ? await findUser(member, mechanisms[0]!, mechanisms[1]) : undefined;
    return {
        helloOk: true,
        simulator: "not MongoDB: Quorum's contract simulator",
        ...(config && state !== "REMOVED"
            ? {
                  setName: config._id,
                  setVersion: config.version,
                  hosts: config.members
                      .filter(({ priority }) => priority > 0)
                      .map(({ host }) => host),
                  passives: config.members
                      .filter(({ priority }) => priority === 0)
                      .map(({ host }) => host),
                  ...(member.primary && { primary: member.primary }),
                  me: member.self,
                  tags: config.members.find(({ host }) => host === member.self)?.tags ?? {},
              }
            : { info: "Does not have a valid replica set config", isreplicaset: true }),
        ismaster: isPrimary,
        isWritablePrimary: isPrimary,
        secondary: state === "SECONDARY",
        ...(user && { saslSupportedMechs: ["SCRAM-SHA-256"] }),
        maxBsonObjectSize: 16 * 2 ** 20,
        maxMessageSizeBytes: 48_000_000,
        maxWriteBatchSize: 100_000,
        localTime: new Date(),
        logicalSessionTimeoutMinutes: 30,
        connectionId: connection.id,
        minWireVersion: 0,
        maxWireVersion: WIRE_VERSION,
        readOnly: false,
    };
};

const payloadOf = (command: Document): string =>
    Buffer.from(command["payload"] as Uint8Array).toString();

const saslStart: Command = async ({ member, command, connection, database }) => {
    const payload = payloadOf(command);
    const user = await findUser(member, database, firstMessage(payload).user);
    if (!user || command["mechanism"] !== "SCRAM-SHA-256") throw authenticationFailed();
    const { login, answer } = begin(payload, database, user.credentials);
    connection.login = login;
    return { conversationId: 1, done: false, payload: new BSON.Binary(Buffer.from(answer)) };
};

const saslContinue: Command = async ({ member, command, connection }) => {
    const login = connection.login as Login | undefined;
    const answer = login && finish(payloadOf(command), login);
    if (!login || answer === undefined) throw authenticationFailed();
    const user = await findUser(member, login.database, login.user);
    connection.login = undefined;
    connection.user = {
        name: login.user,
        database: login.database,
        isRoot: user?.roles.includes("root") ?? false,
    };
    return { conversationId: 1, done: true, payload: new BSON.Binary(Buffer.from(answer)) };
};

const createUser: Command = async ({ member, command, database }) => {
    const store = member.requirePrimary();
    const name = String(command["createUser"]);
    const user: User = {
        credentials: credentialsOf(String(command["pwd"])),
        roles: command["roles"] as User["roles"],
    };
    if (!(await store.create(userKey(database, name), JSON.stringify(user)))) {
        throw new CommandFailure(
            `User "${name}@${database}" already exists`,
            51003,
            "Location51003",
        );
    }
    return {};
};

const usersInfo: Command = async ({ member, command, database }) => {
    const name = String(command["usersInfo"]);
    const user = await findUser(member, database, name);
    return {
        users: user
            ? [{ _id: `${database}.${name}`, user: name, db: database, roles: user.roles }]
            : [],
    };
};

const replSetInitiate: Command = async ({ member, command }) => {
    const { _id, members } = command["replSetInitiate"] as Document;
    await member.initiate(String(_id), completeMembers(members as Document[]));
    return {};
};

const replSetReconfig: Command = async ({ member, command }) => {
    const { _id, version, term, members } = command["replSetReconfig"] as Document;
    if (command["force"] === true) throw bad("a forced reconfiguration is not simulated");
    const limit = command["maxTimeMS"] as number | undefined;
    await member.reconfigure(
        {
            _id: String(_id),
            version: Number(version),
            term: Number(term),
            members: completeMembers(members as Document[]),
        },
        limit,
    );
    return {};
};

const configDocument = ({ _id, version, term, members, settings }: SetConfig): Document => ({
    _id,
    version,
    term,
    members: members.map((each) => ({ ...each, arbiterOnly: false, hidden: false })),
    settings: { ...settings, replicaSetId: new ObjectId(settings.replicaSetId) },
});

const replSetGetConfig: Command = ({ member, command }) => {
    if (!member.config) {
        throw new CommandFailure("no replset config has been received", 94, "NotYetInitialized");
    }
    return {
        config: configDocument(member.config),
        ...(command["commitmentStatus"] === true && { commitmentStatus: member.isCommitted() }),
    };
};

const replSetGetStatus: Command = async ({ member }) => ({
    set: member.config?._id,
    date: new Date(),
    myState: STATE_NUMBERS[member.state],
    members: await member.statusMembers(),
});

const replSetStepDown: Command = async ({ member, command }) => {
    const seconds = Number(command["replSetStepDown"]);
    await member.stepDown(seconds, Number(command["secondaryCatchUpPeriodSecs"] ?? 10));
    return {};
};

const setFeatureCompatibilityVersion: Command = async ({ member, command }) => {
    const wanted = String(command["setFeatureCompatibilityVersion"]);
    const store = member.requirePrimary();
    if (!COMPATIBLE.includes(wanted)) {
        throw bad(
            `Invalid feature compatibility version value '${wanted}'; expected one of ${COMPATIBLE.join(", ")}`,
        );
    }
    if (command["confirm"] !== true) {
        throw new CommandFailure(
            `Once you have upgraded to ${SERIES}, you will not be able to downgrade FCV and binary version without support assistance. Please re-run this command with 'confirm: true' to acknowledge this and continue with the FCV upgrade.`,
            7369100,
            "Location7369100",
        );
    }
    await store.put("settings/fcv", wanted);
    return {};
};

const getParameter: Command = async ({ member, command }) => {
    if (command["featureCompatibilityVersion"] === undefined) {
        throw bad("of getParameter only featureCompatibilityVersion is simulated");
    }
    return { featureCompatibilityVersion: { version: await member.compatibility(true) } };
};

// What a client's data is made of: one entry a document, below data/<database>/<collection>/.

const collectionKey = (database: string, name: unknown): string =>
    `data/${database}/${String(name)}/`;

/** A secondary answers reads only to those who allow it. */
function readable({ member, command }: Context): Store {
    const mode = (command["$readPreference"] as { mode?: string } | undefined)?.mode ?? "primary";
    if (member.state !== "PRIMARY" && (member.state !== "SECONDARY" || mode === "primary")) {
        throw new CommandFailure(
            "not primary and secondaryOk=false",
            13435,
            "NotPrimaryNoSecondaryOk",
        );
    }
    return member.required();
}

const insert: Command = async ({ member, command, database }) => {
    const store = member.requirePrimary();
    const documents = command["documents"] as Document[];
    const writeErrors: Document[] = [];
    for (const [index, document] of documents.entries()) {
        const complete: Document = { _id: new ObjectId() as unknown, ...document };
        const id = Buffer.from(BSON.serialize({ _id: complete["_id"] as ObjectId })).toString(
            "hex",
        );
        const key = collectionKey(database, command["insert"]) + id;
        if (!(await store.create(key, EJSON.stringify(complete)))) {
            writeErrors.push({ index, code: 11000, errmsg: "E11000 duplicate key error" });
        }
    }
    return {
        n: documents.length - writeErrors.length,
        ...(writeErrors.length > 0 && { writeErrors }),
    };
};

const matches = (filter: Document, document: Document): boolean =>
    Object.entries(filter).every(
        ([name, value]) => EJSON.stringify(document[name]) === EJSON.stringify(value),
    );

async function documentsOf(context: Context, name: unknown, filter: unknown): Promise<Document[]> {
    const entries = await readable(context).list(collectionKey(context.database, name), true);
    return entries
        .map(({ value }) => EJSON.parse(value) as Document)
        .filter((document) => matches((filter ?? {}) as Document, document));
}

const find: Command = async (context) => {
    const { command, database } = context;
    const documents = await documentsOf(context, command["find"], command["filter"]);
    const [order] = Object.entries((command["sort"] ?? {}) as Record<string, number>);
    if (order) {
        documents.sort((a, b) => order[1] * (Number(a[order[0]]) - Number(b[order[0]])));
    }
    const limit = Math.abs(Number(command["limit"] ?? 0)) || documents.length;
    const firstBatch = documents.slice(0, limit);
    return {
        cursor: { id: new BSON.Long(0), ns: `${database}.${String(command["find"])}`, firstBatch },
    };
};

const count: Command = async (context) => {
    const { command, database } = context;
    if (Object.keys((command["query"] ?? {}) as Document).length > 0) {
        return { n: (await documentsOf(context, command["count"], command["query"])).length };
    }
    return { n: await readable(context).count(collectionKey(database, command["count"]), true) };
};

/** Only what countDocuments sends. */
const aggregate: Command = async (context) => {
    const { command, database } = context;
    const [match, group] = command["pipeline"] as Document[];
    if (
        match?.["$match"] === undefined ||
        EJSON.stringify(group) !== '{"$group":{"_id":1,"n":{"$sum":1}}}'
    ) {
        throw bad("of aggregate only counting is simulated");
    }
    const n = (await documentsOf(context, command["aggregate"], match["$match"])).length;
    const firstBatch = n === 0 ? [] : [{ _id: 1, n }];
    return {
        cursor: {
            id: new BSON.Long(0),
            ns: `${database}.${String(command["aggregate"])}`,
            firstBatch,
        },
    };
};

const drop: Command = async ({ member, command, database }) => {
    const store = member.requirePrimary();
    const entries = await store.list(collectionKey(database, command["drop"]));
    for (const { key } of entries) await store.remove(key);
    return { ns: `${database}.${String(command["drop"])}` };
};

const fsync: Command = async ({ member, command }) => {
    if (member.state === "PRIMARY") throw bad("fsync is simulated on a secondary only");
    await member.lock(command["lock"] === true);
    return { lockCount: 1 };
};

const COMMANDS: Readonly<Record<string, Command>> = {
    hello,
    isMaster: hello,
    ismaster: hello,
    ping: () => ({}),
    buildInfo: () => ({ version: VERSION, modules: ["simulator"] }),
    saslStart,
    saslContinue,
    endSessions: () => ({}),
    logout: ({ connection }) => {
        connection.user = undefined;
        return {};
    },
    connectionStatus: ({ connection: { user } }) => ({
        authInfo: { authenticatedUsers: user ? [{ user: user.name, db: user.database }] : [] },
    }),
    createUser,
    usersInfo,
    replSetInitiate,
    replSetReconfig,
    replSetGetConfig,
    replSetGetStatus,
    replSetStepDown,
    setFeatureCompatibilityVersion,
    getParameter,
    insert,
    find,
    count,
    aggregate,
    drop,
    fsync,
    fsyncUnlock: async ({ member }) => {
        await member.lock(false);
        return { lockCount: 0 };
    },
};

async function authorize(name: string, { member, connection, database }: Context): Promise<void> {
    if (OPEN.has(name)) return;
    const { user } = connection;
    if (user) {
        if (user.isRoot || user.database === database) return;
        throw unauthorized(`not authorized on ${database} to execute command ${name}`);
    }
    const users = (await member.store?.count("users/", true)) ?? 0;
    if (connection.isLocal && users === 0 && EXCEPTION.has(name)) return;
    throw unauthorized(`Command ${name} requires authentication`);
}

/** The answers of a member. */
export function answers(member: Member): Answer {
    return async (command, connection) => {
        const [name = ""] = Object.keys(command);
        const handler = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
        if (!handler) {
            throw new CommandFailure(
                `no such command: '${name}' (simulator)`,
                59,
                "CommandNotFound",
            );
        }
        const database = String(command["$db"] ?? "admin");
        const context: Context = { member, command, connection, database };
        await authorize(name, context);
        try {
            return await Promise.race([handler(context), member.interrupted]);
        } catch (error) {
            if (!(error instanceof NoQuorumError)) throw error;
            throw new CommandFailure(error.message, 189, "PrimarySteppedDown");
        }
    };
}
