// Everything that is done to the replica set, run by mongosh (--nodb) with some of these, comma separated, as VERB:
//   form        in the first member: initiates the set and makes the first user, over the localhost exception
//   join        MEMBER enters without a vote and copies the data
//   arrange     priorities, and votes for those that should have one
//   lead        moves leadership to PRIMARY
//   database    makes the application's user
//   settle      takes the votes of those that should have none
//   upgradable  refuses when servers of SERIES would not start on the data (SOURCES), or when a member is away and that
//               is not ALLOWED
//   finalize    raises the feature compatibility version to FINALIZE
//   retire      MEMBER leaves the set, after those that stay have all it has
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
    ALLOWED = "",
    QUORUM_CLUSTER,
    QUORUM_DATABASE,
    QUORUM_HOST,
    QUORUM_MEMBER,
    QUORUM_NAMESPACE,
    QUORUM_CLUSTER_DOMAIN,
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
const DEADLINE = Number(process.env.DEADLINE || Date.now() / 1000 + 60);
/** No member that is away may hold up a question for longer. */
const BOUNDS =
    "directConnection=true&connectTimeoutMS=3000&serverSelectionTimeoutMS=3000&socketTimeoutMS=20000";
/** Of replSetStepDown: how long it waits for a secondary that has everything, and how long it does not stand again. */
const CATCH_UP_SECONDS = 10;
const STEP_DOWN_SECONDS = 30;
const REPORT_SECONDS = 10;

function log(text) {
    print(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

function refuse(text) {
    log(`REFUSED: ${text}`);
    quit(1);
}

const secret = (key) => fs.readFileSync(`/quorum/credentials/${key}`, "utf8").trim();
const isOver = () => Date.now() / 1000 >= DEADLINE;
const hostOf = (name) => `${name}.${QUORUM_NAMESPACE}.svc.${QUORUM_CLUSTER_DOMAIN}:${PORT}`;
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
    const password = secret("admin-password");
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

/** Errors that pass by themselves: no primary at the moment, or the last reconfiguration is under way. */
const PASSING = [
    "ConfigurationInProgress",
    "CurrentConfigNotCommittedYet",
    "NotWritablePrimary",
    "NotPrimaryOrSecondary",
    "PrimarySteppedDown",
    "InterruptedDueToReplStateChange",
    "ExceededTimeLimit",
];
const passes = (error) =>
    PASSING.includes(error.codeName) || /^Mongo(Network|ServerSelection)/.test(error.name);

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
 * One reconfiguration. `change` takes the configuration that is in force and returns the members of the next one, or
 * undefined when it is so already. A majority has the new one before this returns.
 */
function reconfigure(what, change, giveUp) {
    const result = onPrimary(
        `${what} cannot be done`,
        (admin) => {
            const config = configOf(admin);
            const members = change(config.members, config);
            if (members === undefined) {
                return false;
            }
            admin.runCommand({
                replSetReconfig: { ...config, version: config.version + 1, members },
            });
            return true;
        },
        giveUp,
    );
    if (result === true) {
        log(what);
    }
    return result;
}

const withMember = (members, host, change) =>
    members.map((each) => (each.host === host ? { ...each, ...change } : each));

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
        () => (helloOf(own).isWritablePrimary ? true : undefined),
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
    const id = configOf(adminAt(own)).settings.replicaSetId;
    fs.writeFileSync(OUTPUT, String(id.toHexString ? id.toHexString() : id));
}

function join() {
    const host = hostOf(MEMBER);
    awaitAnswer(`${MEMBER} does not answer`, () => (helloOf(host) ? true : undefined), refuseLate);
    const { zone } = planned(host);
    try {
        reconfigure(`${MEMBER} enters the replica set without a vote`, (members) =>
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
        refuse(`${MEMBER} cannot enter the replica set: ${error.message}. Nothing was removed.`);
    }
    const state = onPrimary(`${MEMBER} has not copied the data`, (admin) => {
        const member = statusOf(admin).members.find((each) => each.name === host);
        return member && isHealthy(member) ? member.stateStr : undefined;
    });
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
        let what = "";
        changed = onPrimary(
            "the votes cannot be arranged",
            (admin) => {
                const config = configOf(admin);
                const step = nextStep(config.members, isLast);
                if (step === undefined) {
                    return false;
                }
                what = step[0];
                admin.runCommand({
                    replSetReconfig: { ...config, version: config.version + 1, members: step[1] },
                });
                return true;
            },
            refuseLate,
        );
        if (changed) {
            log(what);
        }
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

/** What may be away because of its image, which another one mends, must not stop that for good. */
function complain(what) {
    if (ALLOWED !== "true") {
        refuse(
            `${what}. No member was touched. To go on all the same: quorum:allowChanges ["version"].`,
        );
    }
    log(`${what}, and quorum:allowChanges lets the upgrade go on`);
}

function checkUpgrade() {
    const found = onPrimary(
        "nobody leads, so nobody knows of which feature compatibility version the data is",
        (admin) => ({ compatibility: versionOf(admin), members: statusOf(admin).members }),
        complain,
    );
    if (found === undefined) {
        return;
    }
    const { compatibility, members } = found;
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
    const away = members.filter((each) => !isHealthy(each));
    if (away.length > 0) {
        const names = away.map(({ name }) => nameOf(name)).join(" and ");
        complain(`${names} is not PRIMARY or SECONDARY, and an upgrade takes the next one away`);
    }
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
        } catch {
            refuse(
                `${nameOf(host)} does not answer, so nobody knows which release it runs. ${stays}; run pulumi up again when it is back.`,
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

/** Gives back what a retirement took that cannot go on. */
function restoreVote(host, before) {
    reconfigure(`${nameOf(host)} has its vote again`, (members) =>
        members.some((each) => each.host === host && each.votes !== before.votes)
            ? withMember(members, host, { votes: before.votes, priority: before.priority })
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
    reconfigure(`${MEMBER} votes no more`, (members) =>
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
        (what) => {
            // The vote goes back even though the time is up.
            restoreVote(host, before);
            refuse(`${what} (${left}), so ${MEMBER} stays. Nothing was removed.`);
        },
    );
    log(`${MEMBER}: verified, every member that stays has all of it`);
    reconfigure(`${MEMBER} is removed from the replica set`, (members) =>
        members.some((each) => each.host === host)
            ? members.filter((each) => each.host !== host)
            : undefined,
    );
    onPrimary(`${MEMBER} is still a member`, (admin) => {
        const { members } = statusOf(admin);
        const gone = !configOf(admin).members.some((each) => each.host === host);
        const healthy = members.filter((each) => staying.includes(each.name)).every(isHealthy);
        return gone && healthy ? true : undefined;
    });
    log(`${MEMBER}: verified, the members are ${staying.map(nameOf).join(", ")}`);
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
for (const verb of VERB.split(",")) {
    VERBS[verb]();
}
