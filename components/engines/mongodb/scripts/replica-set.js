// Everything that is done to the replica set, run by mongosh (--nodb) with some of these, comma separated, as VERB:
//   form        in the first member: initiates the set and makes the first user, over the localhost exception
//   join        MEMBER enters without a vote and copies the data
//   arrange     priorities, and votes for those that should have one
//   lead        moves leadership to PRIMARY
//   database    makes the application's user
//   settle      takes the votes of those that should have none
//   upgradable  refuses when servers of SERIES would not start on the data (SOURCES), or when a member other than FIRST is
//               away or behind and that is not AWAY_ALLOWED
//   finalize    raises the feature compatibility version to FINALIZE
//   retire      MEMBER leaves the set, after those that stay have all it has
//   find        for a record that has nothing: writes ID:MEMBERS of a replica set that runs to OUTPUT, or nothing
//   members     writes the names of all members to OUTPUT, and of those that are PRIMARY or SECONDARY to OUTPUT.healthy
//   step-down   a primary hands over before it stops
//   status      a table of the members
// Rules that stand behind it (https://www.mongodb.com/docs/v8.0/reference/command/replSetReconfig/): a reconfiguration
// changes one vote at most, and the next one waits until a majority has the last one.
//
// mongosh awaits its own calls wherever they stand in plain code, but not inside callbacks of built-in functions such as
// map: loops are written out where they ask a server.
const fs = require("fs");

const PORT = 27017;
const {
    VERB,
    AWAY_ALLOWED = "",
    FIRST,
    FORMING = "",
    QUORUM_CLUSTER,
    QUORUM_DATABASE,
    QUORUM_HOST,
    QUORUM_MEMBER,
    QUORUM_MEMBER_DOMAIN,
    QUORUM_ZONE,
    FINALIZE = "",
    KNOWN = "",
    MEMBER,
    OUTPUT,
    PRIMARY,
    SERIES,
    SOURCES = "",
} = process.env;
/** What the plan says of each member: name, host, zone, votes, priority. */
const PLAN = JSON.parse(process.env.REPLICA_SET || "[]");
/** Seconds since 1970. */
let deadline = Number(process.env.DEADLINE || Date.now() / 1000 + 60);
/** No member that is away may hold up a question for longer. */
const BOUNDS =
    "directConnection=true&connectTimeoutMS=3000&serverSelectionTimeoutMS=3000&socketTimeoutMS=20000";
/** Of replSetStepDown: how long it waits for a secondary that has everything, and how long it does not stand again. */
const CATCH_UP_SECONDS = 10;
const STEP_DOWN_SECONDS = 30;
const REPORT_SECONDS = 10;
/**
 * Of replSetReconfig: without it the server waits for a majority for ever, and does what a client asked that gave up long
 * ago (src/mongo/db/repl/replset_commands.cpp). Shorter than socketTimeoutMS, so that the server gives up first.
 */
const RECONFIGURE_MS = 15_000;
/** How long a vote that must go back is tried for when the job's own time is up. */
const RESTORE_SECONDS = 30;

function log(text) {
    print(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

/** Ends the job with REFUSED, after whoever called has undone what must not stay. */
function refuse(text) {
    throw Object.assign(new Error(text), { name: "Refusal" });
}

const secret = (key) => fs.readFileSync(`/quorum/credentials/${key}`, "utf8").trim();
const isOver = () => Date.now() / 1000 >= deadline;
const hostOf = (name) => `${name}.${QUORUM_MEMBER_DOMAIN}:${PORT}`;
const nameOf = (host) => host.split(".")[0];
const planned = (host) => PLAN.find((each) => each.host === host);

/** One connection a server and user for as long as it works: waiting asks often. */
const connections = new Map();

function adminDatabase(uri) {
    if (!connections.has(uri)) {
        connections.set(uri, new Mongo(uri));
    }
    return connections.get(uri).getDB("admin");
}

function forget(uri) {
    const connection = connections.get(uri);
    connections.delete(uri);
    if (connection) {
        connection.close();
    }
}

const guestUri = (host) => `mongodb://${host}/?${BOUNDS}`;

/** The database `admin` of one server, with nobody logged in. */
function guestAt(host) {
    return adminDatabase(guestUri(host));
}

/** The same as the user `quorum`. */
function adminAt(host) {
    const password = encodeURIComponent(secret("admin-password"));
    return adminDatabase(`mongodb://quorum:${password}@${host}/?authSource=admin&${BOUNDS}`);
}

/** What a server says of its role; undefined when it does not answer. */
function helloOf(host) {
    try {
        return guestAt(host).runCommand({ hello: 1 });
    } catch {
        forget(guestUri(host));
        return undefined;
    }
}

/** Host of the primary; undefined when nobody leads. */
function findPrimary() {
    for (const name of KNOWN.split(",")) {
        const answer = helloOf(hostOf(name));
        if (answer && answer.isWritablePrimary) {
            return hostOf(name);
        }
    }
    return undefined;
}

/**
 * What a server answers and what passes by itself: the codes on which MongoDB's driver tries again (mongodb/lib/error.js,
 * RETRYABLE_WRITE_ERROR_CODES), and those of a reconfiguration or setFeatureCompatibilityVersion that meets another one,
 * a voter that restarts, or its time limit.
 */
const PASSING = {
    HostUnreachable: 6,
    HostNotFound: 7,
    MaxTimeMSExpired: 50,
    NodeNotFound: 74,
    NetworkTimeout: 89,
    ShutdownInProgress: 91,
    ConfigurationInProgress: 109,
    ConflictingOperationInProgress: 117,
    ReadConcernMajorityNotAvailableYet: 134,
    PrimarySteppedDown: 189,
    ExceededTimeLimit: 262,
    CurrentConfigNotCommittedYet: 308,
    SocketException: 9001,
    NotWritablePrimary: 10107,
    InterruptedAtShutdown: 11600,
    InterruptedDueToReplStateChange: 11602,
    NotPrimaryNoSecondaryOk: 13435,
    NotPrimaryOrSecondary: 13436,
};
const INCOMPATIBLE = 103;
const AUTHENTICATION_FAILED = 18;

/**
 * Whatever is no answer of a server passes: it is the driver's, which could not reach one or gave up a connection. Its
 * names begin with Mongo, but for PoolClearedOnNetworkError. Everything else is a mistake of this script.
 */
function passes({ name, code, message }) {
    if (name !== "MongoServerError") {
        return /^(Mongo(?!sh|Parse|InvalidArgument)|PoolCleared)/.test(name);
    }
    return (
        Object.values(PASSING).includes(Number(code)) ||
        // A reconfiguration that was asked for twice, because nobody heard the first answer.
        (Number(code) === INCOMPATIBLE && /must be greater than old/.test(message)) ||
        // It is in force all the same; whether a majority has it is asked before the next one.
        /^Reconfig finished but failed to propagate/.test(message)
    );
}

/** Asks again until there is an answer other than undefined; after the deadline it ends as `giveUp` says. */
function awaitAnswer(what, question, giveUp) {
    let said = Date.now();
    for (;;) {
        let problem = "";
        try {
            const answer = question();
            if (answer !== undefined) {
                return answer;
            }
        } catch (error) {
            if (!passes(error)) {
                throw error;
            }
            problem = ` (${error.message})`;
        }
        if (isOver()) {
            log(`gave up: ${what}${problem}`);
            return giveUp(what);
        }
        if (Date.now() - said >= REPORT_SECONDS * 1000) {
            said = Date.now();
            log(`still waiting: ${what}${problem}`);
        }
        sleep(500);
    }
}

const refuseLate = (what) =>
    refuse(
        `${what} within the job's time. Nothing was removed; run pulumi up again when that is mended.`,
    );

/** Runs a question on the primary, whoever that is. */
function onPrimary(what, question, giveUp) {
    return awaitAnswer(
        what,
        () => {
            const host = findPrimary();
            return host === undefined ? undefined : question(adminAt(host));
        },
        giveUp || refuseLate,
    );
}

const configOf = (admin) => admin.runCommand({ replSetGetConfig: 1 }).config;
const idOf = ({ settings: { replicaSetId: id } }) => String(id.toHexString ? id.toHexString() : id);
const statusOf = (admin) => admin.runCommand({ replSetGetStatus: 1 });
const seconds = (date) => Math.round(new Date(date).getTime() / 1000);

/** How many seconds a member of a status is behind the primary's last write. */
function lagOf(status, member) {
    const primary = status.members.find(({ stateStr }) => stateStr === "PRIMARY");
    return primary ? Math.max(0, seconds(primary.optimeDate) - seconds(member.optimeDate)) : NaN;
}

const isHealthy = (member) =>
    member.health === 1 && ["PRIMARY", "SECONDARY"].includes(member.stateStr);

/**
 * One reconfiguration. `next` takes the members that are in force and returns what is done and the members that shall be,
 * or undefined when it is so already. A majority has what is in force before this returns, whoever asked for it.
 */
function reconfigure(problem, next, giveUp) {
    let done = "";
    const changed = onPrimary(
        problem,
        (admin) => {
            const { config, commitmentStatus } = admin.runCommand({
                replSetGetConfig: 1,
                commitmentStatus: true,
            });
            if (!commitmentStatus) {
                return undefined;
            }
            const step = next(config.members);
            if (step === undefined) {
                return done !== "";
            }
            done = step[0];
            admin.runCommand({
                replSetReconfig: { ...config, version: config.version + 1, members: step[1] },
                maxTimeMS: RECONFIGURE_MS,
            });
            return true;
        },
        giveUp,
    );
    if (changed === true) {
        log(done);
    }
    return changed;
}

/** A reconfiguration of one step, whose name says what is done. */
function change(what, next, giveUp) {
    return reconfigure(
        `${what} cannot be done`,
        (members) => {
            const changed = next(members);
            return changed === undefined ? undefined : [what, changed];
        },
        giveUp,
    );
}

const withMember = (members, host, change) =>
    members.map((each) => (each.host === host ? { ...each, ...change } : each));

const TOO_STALE =
    "was away for longer than the oplog reaches and cannot catch up by itself: delete its claim and its pod, it copies everything then (docs/engines/mongodb.md)";

/** Only the member itself knows; what it does not answer, it may be another time. */
function isTooStale(member) {
    if (member.stateStr !== "RECOVERING") {
        return false;
    }
    try {
        return statusOf(adminAt(member.name)).tooStale === true;
    } catch (error) {
        if (!passes(error)) {
            throw error;
        }
        return false;
    }
}

function form() {
    const own = "127.0.0.1:" + PORT;
    const guest = awaitAnswer(
        "mongod does not answer",
        () => (helloOf(own) ? guestAt(own) : undefined),
        refuseLate,
    );
    try {
        guest.runCommand({
            replSetInitiate: {
                _id: QUORUM_CLUSTER,
                members: [{ _id: 0, host: QUORUM_HOST, tags: { zone: QUORUM_ZONE } }],
            },
        });
        log(`the replica set ${QUORUM_CLUSTER} is initiated on ${QUORUM_MEMBER}`);
    } catch (error) {
        // Unauthorized: an earlier run made the first user, which closed the exception.
        if (!["AlreadyInitialized", "Unauthorized"].includes(error.codeName)) {
            throw error;
        }
    }
    awaitAnswer(
        `${QUORUM_MEMBER} does not lead`,
        () => ((helloOf(own) || {}).isWritablePrimary ? true : undefined),
        refuseLate,
    );
    try {
        guest.runCommand({ createUser: "quorum", pwd: secret("admin-password"), roles: ["root"] });
        log("the first user is made, which closes the localhost exception");
    } catch (error) {
        if (!["Location51003", "Unauthorized"].includes(error.codeName)) {
            throw error;
        }
    }
    fs.writeFileSync(OUTPUT, idOf(configOf(adminAt(own))));
}

function join() {
    const host = hostOf(MEMBER);
    awaitAnswer(`${MEMBER} does not answer`, () => (helloOf(host) ? true : undefined), refuseLate);
    const { zone } = planned(host);
    try {
        change(`${MEMBER} enters the replica set without a vote`, (members) =>
            members.some((each) => each.host === host)
                ? undefined
                : [
                      ...members,
                      {
                          _id: Math.max(...members.map((each) => each._id)) + 1,
                          host,
                          votes: 0,
                          priority: 0,
                          tags: { zone },
                      },
                  ],
        );
    } catch (error) {
        if (error.name !== "MongoServerError") {
            throw error;
        }
        refuse(`${MEMBER} cannot enter the replica set: ${error.message}. Nothing was removed.`);
    }
    const state = onPrimary(`${MEMBER} has not copied the data`, (admin) => {
        const member = statusOf(admin).members.find((each) => each.name === host);
        if (member && isHealthy(member)) {
            return member.stateStr;
        }
        return member && isTooStale(member) ? null : undefined;
    });
    if (state === null) {
        refuse(`${MEMBER} ${TOO_STALE}. Nothing was removed.`);
    }
    log(`${MEMBER} is ${state}`);
}

/** The next step from one configuration to the planned one, at most one vote; undefined when there is none. */
function nextStep(members, isLast) {
    const differs = (each, wanted) =>
        (each.votes > 0 && wanted.votes > 0 && each.priority !== wanted.priority) ||
        (each.tags || {}).zone !== wanted.zone;
    const adjusted = members.filter(
        (each) => planned(each.host) && differs(each, planned(each.host)),
    );
    if (adjusted.length > 0) {
        const next = members.map((each) => {
            const wanted = planned(each.host);
            const priority =
                wanted && wanted.votes > 0 && each.votes > 0 ? wanted.priority : each.priority;
            return wanted ? { ...each, priority, tags: { ...each.tags, zone: wanted.zone } } : each;
        });
        return [
            `priorities and zones: ${adjusted.map(({ host }) => nameOf(host)).join(", ")}`,
            next,
        ];
    }
    const voters = members.filter(({ votes }) => votes > 0);
    const gains = members.find(
        ({ host, votes }) => votes === 0 && (planned(host) || {}).votes === 1,
    );
    const loses = voters.find(({ host }) => (planned(host) || { votes: 1 }).votes === 0);
    if (gains && voters.length < 7) {
        const { votes, priority } = planned(gains.host);
        return [
            `${nameOf(gains.host)} votes`,
            withMember(members, gains.host, { votes, priority }),
        ];
    }
    if (loses && (gains || isLast)) {
        return [
            `${nameOf(loses.host)} votes no more`,
            withMember(members, loses.host, { votes: 0, priority: 0 }),
        ];
    }
    return undefined;
}

function arrange(isLast) {
    let changed = true;
    while (changed) {
        changed = reconfigure("the votes cannot be arranged", (members) =>
            nextStep(members, isLast),
        );
    }
}

function stepDown(admin) {
    try {
        admin.runCommand({
            replSetStepDown: STEP_DOWN_SECONDS,
            secondaryCatchUpPeriodSecs: CATCH_UP_SECONDS,
        });
    } catch (error) {
        log(`stepDown: ${error.message}`);
    }
}

function lead() {
    let asked = 0;
    awaitAnswer(
        `${PRIMARY} does not lead`,
        () => {
            const host = findPrimary();
            if (host === hostOf(PRIMARY)) {
                return true;
            }
            // Once a hand-over had time to take effect. The highest priority wins the election that follows.
            if (host !== undefined && Date.now() - asked > (CATCH_UP_SECONDS + 2) * 1000) {
                const admin = adminAt(host);
                const status = statusOf(admin);
                const candidate = status.members.find((each) => each.name === hostOf(PRIMARY));
                if (
                    candidate &&
                    isHealthy(candidate) &&
                    lagOf(status, candidate) < CATCH_UP_SECONDS
                ) {
                    log(`${nameOf(host)} leads, and steps down for ${PRIMARY}`);
                    asked = Date.now();
                    stepDown(admin);
                }
            }
            return undefined;
        },
        refuseLate,
    );
    log(`${PRIMARY} leads`);
}

function makeDatabase() {
    onPrimary(`user ${QUORUM_DATABASE} cannot be made`, (admin) => {
        const database = admin.getSiblingDB(QUORUM_DATABASE);
        if (database.runCommand({ usersInfo: QUORUM_DATABASE }).users.length === 0) {
            database.runCommand({
                createUser: QUORUM_DATABASE,
                pwd: secret("app-password"),
                roles: [{ role: "dbOwner", db: QUORUM_DATABASE }],
            });
            log(`user ${QUORUM_DATABASE} of database ${QUORUM_DATABASE} is made`);
        }
        return true;
    });
}

const versionOf = (admin) =>
    admin.runCommand({ getParameter: 1, featureCompatibilityVersion: 1 })
        .featureCompatibilityVersion.version;

/** "8.0" of "8.0.26". */
const seriesOf = (version) => version.split(".").slice(0, 2).join(".");

const number = (series) => series.split(".").reduce((sum, part) => 1000 * sum + Number(part), 0);

/** What may be away because of what the update mends must not stop that for good. */
function complain(what) {
    if (AWAY_ALLOWED !== "true") {
        refuse(
            `${what}. No member was touched. To go on all the same: quorum:allowChanges ["membersAway"].`,
        );
    }
    log(`${what}, and quorum:allowChanges lets the update go on`);
}

/** Why a member of a status is no reason to restart another one; undefined when nothing is wrong with it. */
function complaintOf(status, member) {
    const name = nameOf(member.name);
    if (!isHealthy(member)) {
        return isTooStale(member) ? `${name} ${TOO_STALE}` : `${name} is not PRIMARY or SECONDARY`;
    }
    const lag = lagOf(status, member);
    return lag >= CATCH_UP_SECONDS ? `${name} is ${lag} s behind the primary` : undefined;
}

function checkUpgrade() {
    const compatibility = onPrimary(
        "nobody leads, so nobody knows of which feature compatibility version the data is",
        versionOf,
        complain,
    );
    if (compatibility === undefined) {
        return;
    }
    const sources = SOURCES.split(",");
    if (!sources.includes(compatibility)) {
        const older = number(compatibility) < number(SERIES);
        refuse(
            `the feature compatibility version is ${compatibility}, and servers of ${SERIES} start only on ${sources.join(" or ")}. ` +
                (older
                    ? `An upgrade was never finalised: let the members run the series that comes next, set quorum:finalizeUpgrade to it, and upgrade after that. `
                    : `${compatibility} is finalised, and there is no way back. `) +
                "No member was touched.",
        );
    }
    let problem = "nobody leads";
    onPrimary(
        "not every other member is there and has caught up",
        (admin) => {
            const status = statusOf(admin);
            const complaints = [];
            for (const member of status.members) {
                const complaint = complaintOf(status, member);
                // The first one is restarted itself.
                if (complaint !== undefined && nameOf(member.name) !== FIRST) {
                    complaints.push(complaint);
                }
            }
            problem = complaints.join("; ");
            return complaints.length === 0 ? true : undefined;
        },
        () => complain(`${problem}, and the update takes the next one away`),
    );
    log(`the feature compatibility version is ${compatibility}: servers of ${SERIES} start on it`);
}

function finalize() {
    const [hosts, old] = onPrimary("the members cannot be listed", (admin) => [
        configOf(admin).members.map(({ host }) => host),
        versionOf(admin),
    ]);
    if (number(old) >= number(FINALIZE)) {
        log(`the feature compatibility version is ${old}`);
        return;
    }
    const stays = "The feature compatibility version stays as it is";
    for (const host of hosts) {
        let running = "";
        try {
            running = seriesOf(adminAt(host).runCommand({ buildInfo: 1 }).version);
        } catch (error) {
            if (!passes(error)) {
                throw error;
            }
            refuse(
                `${nameOf(host)} does not answer, so nobody knows which release it runs (${error.message}). ${stays}; run pulumi up again when it is back.`,
            );
        }
        if (running !== FINALIZE) {
            refuse(
                `${nameOf(host)} runs ${running}, and quorum:finalizeUpgrade is ${FINALIZE}: every member must run it first. ${stays}.`,
            );
        }
    }
    log(`every member runs ${FINALIZE}: ${hosts.map(nameOf).join(", ")}`);
    onPrimary("the feature compatibility version cannot be set", (admin) => {
        admin.runCommand({ setFeatureCompatibilityVersion: FINALIZE, confirm: true });
        return versionOf(admin) === FINALIZE ? true : undefined;
    });
    log(`the feature compatibility version is ${FINALIZE} and was ${old}: there is no way back`);
}

/** Gives back what a retirement took that cannot go on, whatever stopped it: also when the time is up. */
function restoreVote(host, before) {
    deadline = Math.max(deadline, Date.now() / 1000 + RESTORE_SECONDS);
    try {
        change(`${nameOf(host)} has its vote again`, (members) =>
            members.some((each) => each.host === host && each.votes !== before.votes)
                ? withMember(members, host, { votes: before.votes, priority: before.priority })
                : undefined,
        );
    } catch (error) {
        log(
            `${nameOf(host)} could not get its vote back (${error.message}): the next update that plans it gives it back`,
        );
    }
}

/** Takes a member's vote, waits until those that stay have all it has, and removes it. */
function moveAway(host, staying) {
    change(`${MEMBER} votes no more`, (members) =>
        members.some((each) => each.host === host && each.votes > 0)
            ? withMember(members, host, { votes: 0, priority: 0 })
            : undefined,
    );
    // Whatever the primary has written by now must be on every member that stays.
    const target = onPrimary("the primary's last write cannot be read", (admin) => {
        const found = statusOf(admin).members.find(({ stateStr }) => stateStr === "PRIMARY");
        return found && seconds(found.optimeDate);
    });
    let left = "unknown";
    onPrimary(
        "the members that stay have not caught up",
        (admin) => {
            const { members } = statusOf(admin);
            const behind = members
                .filter((each) => staying.includes(each.name))
                .filter((each) => !isHealthy(each) || seconds(each.optimeDate) < target);
            const report = behind
                .map((each) => `${nameOf(each.name)} ${target - seconds(each.optimeDate)} s`)
                .join(", ");
            if ((report || "nothing") !== left) {
                left = report || "nothing";
                log(`${MEMBER}: left to copy elsewhere: ${left}`);
            }
            return behind.length === 0 ? true : undefined;
        },
        (what) => refuse(`${what} (${left}), so ${MEMBER} stays. Nothing was removed.`),
    );
    log(`${MEMBER}: verified, every member that stays has all of it`);
    change(`${MEMBER} is removed from the replica set`, (members) =>
        members.some((each) => each.host === host)
            ? members.filter((each) => each.host !== host)
            : undefined,
    );
}

function retire() {
    const host = hostOf(MEMBER);
    const before = onPrimary("the members cannot be listed", (admin) => {
        const found = configOf(admin).members.find((each) => each.host === host);
        return found === undefined ? null : found;
    });
    if (before === null) {
        log(`${MEMBER} is no member of the replica set`);
        return;
    }
    if (findPrimary() === host) {
        refuse(`${MEMBER} leads: it cannot leave. Nothing was removed.`);
    }
    const staying = PLAN.map((each) => each.host);
    onPrimary("not every member that stays is PRIMARY or SECONDARY", (admin) => {
        const { members } = statusOf(admin);
        return members.filter((each) => staying.includes(each.name)).every(isHealthy)
            ? true
            : undefined;
    });
    try {
        moveAway(host, staying);
    } catch (error) {
        restoreVote(host, before);
        throw error;
    }
    onPrimary(`${MEMBER} is still a member`, (admin) => {
        const { members } = statusOf(admin);
        const gone = !configOf(admin).members.some((each) => each.host === host);
        const healthy = members.filter((each) => staying.includes(each.name)).every(isHealthy);
        return gone && healthy ? true : undefined;
    });
    log(`${MEMBER}: verified, the members are ${staying.map(nameOf).join(", ")}`);
}

/**
 * A record that was deleted by hand is made again empty. Only a primary may fill it, and only when a majority of the voters
 * is there: then nothing else can be this cluster.
 */
function find() {
    let runs = false;
    for (const name of KNOWN.split(",")) {
        const answer = helloOf(hostOf(name));
        runs = runs || (answer !== undefined && answer.setName !== undefined);
    }
    let found = "";
    try {
        found = !runs
            ? ""
            : onPrimary(
                  "a replica set runs that the cluster record does not know, and no majority of it is there",
                  (admin) => {
                      const config = configOf(admin);
                      const healthy = statusOf(admin)
                          .members.filter(isHealthy)
                          .map(({ name }) => name);
                      const voters = config.members.filter(({ votes }) => votes > 0);
                      const there = voters.filter(({ host }) => healthy.includes(host));
                      return there.length * 2 > voters.length
                          ? `${idOf(config)}:${healthy.map(nameOf).join(",")}`
                          : undefined;
                  },
              );
    } catch (error) {
        if (Number(error.code) !== AUTHENTICATION_FAILED) {
            throw error;
        }
        // One that is being formed has no user yet.
        if (FORMING === "") {
            refuse(
                "a replica set runs that the cluster record does not know, and it does not take this stack's password. Nothing was changed.",
            );
        }
    }
    fs.writeFileSync(OUTPUT, found);
}

function status() {
    const admin = adminAt("127.0.0.1:" + PORT);
    const config = configOf(admin);
    const now = statusOf(admin);
    print(`replica set ${now.set}, feature compatibility version ${versionOf(admin)}`);
    const line = (cells) =>
        cells.map((cell, column) => String(cell).padEnd([24, 12, 6, 9, 12][column] || 0)).join(" ");
    print(line(["MEMBER", "STATE", "VOTES", "PRIORITY", "ZONE", "LAG"]));
    for (const member of now.members) {
        const known = config.members.find(({ host }) => host === member.name) || {};
        const lag = isHealthy(member) ? `${lagOf(now, member)} s` : "-";
        const state = member.health === 1 ? member.stateStr : "unreachable";
        print(
            line([
                nameOf(member.name),
                state,
                known.votes,
                known.priority,
                (known.tags || {}).zone,
                lag,
            ]),
        );
    }
}

const VERBS = {
    form,
    join,
    arrange: () => arrange(false),
    settle: () => arrange(true),
    lead,
    database: makeDatabase,
    upgradable: checkUpgrade,
    finalize,
    retire,
    find,
    members: () => {
        const { all, healthy } = onPrimary("the members cannot be listed", (admin) => ({
            all: configOf(admin).members.map(({ host }) => nameOf(host)),
            healthy: statusOf(admin)
                .members.filter(isHealthy)
                .map(({ name }) => nameOf(name)),
        }));
        fs.writeFileSync(OUTPUT, all.join(","));
        fs.writeFileSync(`${OUTPUT}.healthy`, healthy.join(","));
    },
    "step-down": () => {
        log(`${QUORUM_MEMBER} steps down`);
        stepDown(adminAt("127.0.0.1:" + PORT));
    },
    status,
};
try {
    for (const verb of VERB.split(",")) {
        VERBS[verb]();
    }
} catch (error) {
    if (error.name !== "Refusal") {
        throw error;
    }
    log(`REFUSED: ${error.message}`);
    quit(1);
}
