// What the real MongoDB prints (test/transcripts/mongodb; each file says where it was seen), given to the scripts in place of
// a server's answer: every file once, and what is decided. The real mongosh and mongod did not run here.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import {
    driverError,
    FakeSet,
    hostOf,
    runScript,
    serverError,
    type Document,
    type Outcome,
} from "./mongodb-script.js";

const folder = path.resolve(import.meta.dirname, "../transcripts/mongodb");
const scripts = path.resolve(import.meta.dirname, "../../components/engines/mongodb/scripts");

const read = (name: string): { head: string; body: string } => {
    const lines = readFileSync(path.join(folder, `${name}.txt`), "utf8").split("\n");
    return { head: lines.slice(0, 4).join("\n"), body: lines.slice(4).join("\n").trim() };
};

/** The error of a file, as mongosh throws it: what was seen of its code is in its first lines. */
function errorOf(name: string): Error {
    const { head, body } = read(name);
    if (body.startsWith("{")) {
        const { code, errmsg, codeName } = documentOf(name) as Record<string, never>;
        return serverError(code!, errmsg!, codeName);
    }
    const [, type, codeName, message] = /^(\w+)(?:\[(\w+)\])?: (.*)$/s.exec(body)!;
    if (type !== "MongoServerError") return driverError(type!, message);
    return serverError(Number(/code (\d+)/.exec(head)?.[1]), message!, codeName);
}

/** The document of a file: what mongosh prints is JavaScript with its own types. */
function documentOf(name: string): unknown {
    const types = {
        ObjectId: String,
        ISODate: (text: string) => new Date(text),
        Timestamp: (...parts: unknown[]) => parts,
        Long: Number,
        NumberLong: Number,
        BinData: (...parts: unknown[]) => parts,
        Binary: { createFromBase64: String },
    };
    const text = read(name)
        .body.replace(/^ *\.\.\.$/gm, "")
        .replace(/\n\w+\[\w+\]: .*$/s, "");
    // eslint-disable-next-line @typescript-eslint/no-implied-eval -- JavaScript is what mongosh prints
    const value = new Function(...Object.keys(types), `return (${text})`);
    return Reflect.apply(value, undefined, Object.values(types));
}

const used = new Set<string>();
const take = <T>(name: string, as: (name: string) => T): T => {
    used.add(name);
    return as(name);
};

const three = () => new FakeSet(["orders-a-0", "orders-b-0", "orders-c-0"]);
const plan = JSON.stringify(
    ["a", "b", "c"].map((zone) => ({
        name: `orders-${zone}-0`,
        host: hostOf(`orders-${zone}-0`),
        zone,
        votes: 1,
        priority: zone === "a" ? 2 : 1,
    })),
);
const arrange = { VERB: "arrange", REPLICA_SET: plan };

test.each([
    "client--no-answer",
    "client--no-name",
    "client--refused",
    "reconfig--not-committed-yet",
    "reconfig--not-propagated",
    "reconfig--on-secondary-document",
    "reconfig--quorum-refused-login",
    "reconfig--quorum-unreachable",
])("%s passes by itself: the reconfiguration is asked for again", (name) => {
    const set = three().once("replSetReconfig", take(name, errorOf));
    const { end, output } = runScript(set, arrange);
    expect(end).toBeUndefined();
    expect(output).toContain("priorities and zones: orders-a-0");
    expect(set.members[0]!.priority).toBe(2);
});

test.each(["client--wrong-password", "reconfig--default-write-concern", "reconfig--two-votes"])(
    "%s ends the job with what the server said",
    (name) => {
        const error = take(name, errorOf);
        expect(runScript(three().once("replSetReconfig", error), arrange).end).toBe(error);
    },
);

test.each(["reconfig--foreign-set-id", "reconfig--foreign-set-name"])(
    "%s keeps the member out, and says why",
    (name) => {
        const error = take(name, errorOf);
        const { end, output } = runScript(three().once("replSetReconfig", error), {
            VERB: "join",
            MEMBER: "orders-a-1",
            REPLICA_SET: JSON.stringify([{ host: hostOf("orders-a-1"), zone: "a", votes: 0 }]),
        });
        expect(end).toBe(1);
        expect(output).toContain(
            `REFUSED: orders-a-1 cannot enter the replica set: ${error.message}`,
        );
    },
);

const forming = { VERB: "form" };
test.each([
    ["initiate--twice", "replSetInitiate"],
    ["create-user--twice", "createUser"],
])("%s was done by an earlier start of the member", (name, command) => {
    const set = three().once(command, take(name, errorOf));
    set.always("hello", () => ({ isWritablePrimary: true }));
    expect(runScript(set, forming)).toMatchObject({
        end: undefined,
        files: { output: "0123456789abcdef01234567" },
    });
});
test.each(["initiate--peers-down", "initiate--wrong-host"])(
    "%s ends the attempt, which serve.sh makes again",
    (name) => {
        const error = take(name, errorOf);
        expect(runScript(three().once("replSetInitiate", error), forming).end).toBe(error);
    },
);

test.each([
    ["users-info--no-login", "database", "usersInfo"],
    ["rs-status--not-initiated", "members", "replSetGetStatus"],
    ["rs-status--removed", "members", "replSetGetStatus"],
])("%s is no empty answer", (name, VERB, command) => {
    const error = take(name, errorOf);
    expect(runScript(three().once(command, error), { VERB }).end).toBe(error);
});

test.each(["step-down--lock-timeout", "step-down--nobody-caught-up"])(
    "%s is said, and the member stops all the same",
    (name) => {
        const error = take(name, errorOf);
        const { end, output } = runScript(three().once("replSetStepDown", error), {
            VERB: "step-down",
        });
        expect([end, output]).toEqual([undefined, expect.stringContaining(error.message)]);
    },
);

test.each(["fcv--confirm-unknown", "fcv--without-confirm"])("%s ends finalising", (name) => {
    const error = take(name, errorOf);
    const set = three().once("setFeatureCompatibilityVersion", error);
    set.compatibility = { version: "7.0" };
    expect(runScript(set, { VERB: "finalize", FINALIZE: "8.0" }).end).toBe(error);
});

test("fcv--upgrade-runs is not finalised: it is asked for again", () => {
    const set = three().once("getParameter", take("fcv--upgrade-runs", documentOf));
    const { output } = runScript(set, { VERB: "finalize", FINALIZE: "8.0" });
    expect(output).toContain("the feature compatibility version is 8.0 and was 7.0");
});

// Whole answers of a set whose members have other names, to what fills an empty record.
const find = (answers: Readonly<Record<string, unknown>>): Outcome => {
    const set = three();
    for (const [command, answer] of Object.entries(answers)) set.always(command, () => answer);
    return runScript(set, { VERB: "find", KNOWN: "orders-a-0" });
};
const configured = () => ({
    config: take("rs-conf--three-members", documentOf),
    commitmentStatus: true,
});
/** What `.map((m) => ({name, state, health}))` made of a status. */
const shortened = (name: string) => ({
    members: (take(name, documentOf) as Document[]).map(({ state, ...rest }) => ({
        ...rest,
        stateStr: state,
    })),
});
const SET = "67d13dcc1eee09bd3984d179";

test("hello--before-initiate is no set that runs", () => {
    expect(find({ hello: take("hello--before-initiate", documentOf) }).files).toEqual({
        output: "",
    });
});
test("hello--secondary is a set, in which nobody leads", () => {
    const { end, output } = find({ hello: take("hello--secondary", documentOf) });
    expect(end).toBe(1);
    expect(output).toContain("REFUSED: a replica set runs that the cluster record does not know");
});
test("hello--primary, rs-conf--three-members and rs-status--three-healthy-8 are a set with its id", () => {
    const { files } = find({
        hello: take("hello--primary", documentOf),
        replSetGetConfig: configured(),
        replSetGetStatus: take("rs-status--three-healthy-8", documentOf),
    });
    expect(files["output"]!.startsWith(`${SET}:mongo`)).toBe(true);
    expect(files["output"]!.split(",")).toHaveLength(3);
});
test("rs-status-members--one-stopped still has a majority", () => {
    const { files } = find({
        hello: documentOf("hello--primary"),
        replSetGetConfig: configured(),
        replSetGetStatus: shortened("rs-status-members--one-stopped"),
    });
    expect(files["output"]).toBe(`${SET}:mongo2:27017,mongo3:27017`);
});
test("rs-status-members--minority-side has none, and fills no record", () => {
    const { end, files } = find({
        hello: documentOf("hello--primary"),
        replSetGetConfig: configured(),
        replSetGetStatus: shortened("rs-status-members--minority-side"),
    });
    expect([end, files]).toEqual([1, {}]);
});

test.each<[string, string]>([
    ["rs-status-member--keyfile-differs", "mongo4:27020 is not PRIMARY or SECONDARY"],
    ["rs-status-member--name-not-found", "mongo2:27017 is not PRIMARY or SECONDARY"],
    ["rs-status-member--startup2", "mongo4:27020 is not PRIMARY or SECONDARY"],
    [
        "rs-status-members--two-never-reached",
        "mongo2:27017 is not PRIMARY or SECONDARY; mongo3:27017 is not PRIMARY or SECONDARY",
    ],
])("%s is away: no other member is restarted", (name, complaint) => {
    const set = three();
    set.status = [set.status[0]!, take(name, documentOf)].flat() as Document[];
    const { end, output } = runScript(set, {
        VERB: "upgradable",
        SERIES: "8.0",
        SOURCES: "8.0,7.0",
        FIRST: "orders-a-0",
        AWAY_ALLOWED: "false",
    });
    expect(end).toBe(1);
    expect(output).toContain(
        `REFUSED: ${complaint}, and the update takes the next one away. No member was touched. To go on all the same: quorum:allowChanges ["membersAway"].`,
    );
});

test("hello--wire-bytes are understood by the probe", () => {
    const script = readFileSync(path.join(scripts, "health.sh"), "utf8");
    const lines = script.split("\n").filter((line) => /^(hex|is_true)\(\)|^if is_true/.test(line));
    const roles = take("hello--wire-bytes", read)
        .body.split("\n")
        .map((answer) =>
            execFileSync("bash", ["-euc", [...lines, 'echo "$role"'].join("\n")], {
                env: { ...process.env, answer },
                encoding: "utf8",
            }).trim(),
        );
    expect(roles).toEqual(["PRIMARY", "SECONDARY", "OTHER"]);
});

test("every file was used", () => {
    const all = readdirSync(folder).map((file) => file.replace(/\.txt$/, ""));
    expect([...used].sort()).toEqual(all.sort());
});
