// What MongoDB's membership job refuses and undoes, on its simulator: each refusal is one sentence, and nothing is deleted or
// restarted. It does not prove anything about MongoDB itself.
import { MongoClient } from "mongodb";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { kubectl, localDisks, nodeNames, zoneUp } from "../../sandbox/index.js";
import { cutPower, eventually } from "./kubernetes.js";
import { LOCAL_STORAGE } from "./stack.js";
import { inOrder, openTrial } from "./trial.js";

const CLUSTER = "mongo-no";
const ADDRESS = "172.30.8.61";
/** The nodes', and the machine's on which the tests run. */
const NODE_NETWORK = "172.30.7.0/24";
const FOREIGN = "0123456789abcdef01234567";

const at = (version: string) => ({ version, image: `localhost/mongodb-simulator:${version}` });
const trial = openTrial({
    cluster: CLUSTER,
    images: ["mongodb"],
    container: "mongodb",
    config: {
        engine: "mongodb",
        replicas: 3,
        storage: LOCAL_STORAGE,
        resources: { cpu: "50m", memory: "1Gi" },
        access: {
            members: {
                type: "LoadBalancer",
                addresses: { [`${CLUSTER}-a-0`]: ADDRESS },
                sourceRanges: [NODE_NETWORK],
            },
            nodeRanges: [NODE_NETWORK],
        },
        ...at("7.0.37"),
    },
});
const { namespace } = trial;

/** Runs JavaScript with a member's mongosh, as the user quorum on that member. */
const mongosh = (member: string, code: string): Promise<string> => {
    const login =
        'const password = require("fs").readFileSync("/quorum/credentials/admin-password", "utf8").trim();' +
        "db = connect(`mongodb://quorum:${password}@127.0.0.1:27017/admin?directConnection=true`);";
    const line = `mongosh --quiet --norc --nodb --eval '${login}' --eval '${code}' 2>&1 || true`;
    return trial.inside(member, "bash", "-c", line);
};

/** Votes by member, as the set's configuration has them. */
const votes = (): Promise<string> =>
    mongosh(
        trial.member("a"),
        'print(rs.conf().members.map((each) => each.host.split(".")[0] + "=" + each.votes).sort().join(" "))',
    );

/** Which member answers at an address; undefined: nobody. */
async function answers(address: string): Promise<string | undefined> {
    const options = { directConnection: true, serverSelectionTimeoutMS: 4000 };
    const client = new MongoClient(`mongodb://${address}`, options);
    try {
        const hello = await client.db("admin").command({ hello: 1 });
        return String(hello["me"]).split(".")[0];
    } catch {
        return undefined;
    } finally {
        await client.close();
    }
}
const outputs = async () =>
    (await trial.outputs()) as {
        members: { name: string; external?: string }[];
        endpoints: Record<string, string>;
    };

test("members are reached from outside at fixed addresses, and at those of the cloud's choice", async () => {
    await trial.up();
    await namespace.ready(3);
    const { members } = await outputs();
    expect(members[0]!.external).toBe(`${ADDRESS}:27017`);
    for (const { name, external } of members) {
        expect(await answers(external!)).toBe(name);
    }
});

test("a way in changes, keeps out who is in none of its networks, and closes: nobody is restarted", async () => {
    const before = await trial.everything();
    const { members } = await outputs();
    const asPorts = (network: string) => ({
        access: { clients: { type: "NodePort", sourceRanges: [network] } },
    });
    await trial.up(asPorts(NODE_NETWORK));
    expect(await answers(members[0]!.external!)).toBe(undefined);
    const { externalWrite } = (await outputs()).endpoints;
    const node = await kubectl([
        ...["-n", CLUSTER, "get", "pod", `${trial.member("b")}-0`],
        ...["-o", "jsonpath={.status.hostIP}"],
    ]);
    const port = externalWrite!.replace("<node>", node);
    expect(await answers(port)).toBe(trial.member("b"));
    await trial.up(asPorts("192.0.2.0/24"));
    expect(await answers(port)).toBe(undefined);
    await trial.up({ access: {} });
    expect((await outputs()).endpoints).not.toHaveProperty("externalWrite");
    expect(await trial.everything()).toEqual(before);
});

test("a second initiate, and two voting changes at once", async () => {
    expect(
        await mongosh(trial.member("a"), `rs.initiate({_id: "${CLUSTER}", members: []})`),
    ).toContain("already initialized");
    const two =
        "const c = rs.conf(); for (const m of c.members.filter((each) => each.priority === 1)) { m.votes = 0; m.priority = 0; } c.version++; rs.reconfig(c)";
    expect(await mongosh(trial.member("a"), two)).toMatch(/at most 1 voting member|more than one/i);
    expect(await votes()).toContain(
        ["a", "b", "c"].map((zone) => `${CLUSTER}-${zone}-0=1`).join(" "),
    );
});

test("a member whose disk has the data of another cluster", async () => {
    // The fourth member's place: the second node of zone a.
    const member = trial.member("a", 1);
    const disk = `${localDisks()[nodeNames.indexOf("a2")]!}/${CLUSTER}/${member}/member`;
    mkdirSync(disk, { recursive: true, mode: 0o777 });
    writeFileSync(`${disk}/quorum-cluster`, FOREIGN);
    const before = await namespace.names("statefulsets");
    const result = await trial.attempt({ replicas: 5, membershipTimeout: 120 });
    expect(result.exitCode).not.toBe(0);
    expect(result.output).toContain(`REFUSED: ${member} holds data of cluster ${FOREIGN}`);
    expect(await namespace.names("statefulsets")).toEqual(expect.arrayContaining(before));
    await trial.up();
    await namespace.ready(3);
    // Nobody but us may remove it, and a later test wants the place.
    rmSync(disk, { recursive: true });
});

test("an upgrade that skips a series is refused by the plan", async () => {
    await trial.refused(
        at("8.2.11"),
        "a server of 8.2 takes over data of 8.0 only, so go there first",
    );
});

test("an upgrade after one that was not finalised is refused before a member is touched", async () => {
    await trial.up(at("8.0.26"));
    await trial.refused(
        at("8.3.4"),
        "REFUSED: the feature compatibility version is 7.0, and servers of 8.3 start only on 8.3 or 8.0 or 8.2",
    );
    // What was refused is still in the stack's state: it is taken back before anything else is asked for.
    await trial.takeBack("version");
    await trial.refused(at("7.0.37"), "MongoDB cannot go back from 8.0.26 to 7.0.37");
});

test("an upgrade is not finalised, and no other is begun, while a member does not answer", async () => {
    await cutPower("c");
    const silent = trial.member("c");
    const finalise = { finalizeUpgrade: "8.0", membershipTimeout: 60 };
    await trial.refused(
        finalise,
        `REFUSED: ${silent} does not answer, so nobody knows which release it runs`,
    );
    await trial.refused(
        { ...finalise, image: "localhost/mongodb-simulator:8.0.26-r1" },
        `REFUSED: ${silent} is not PRIMARY or SECONDARY, and the update takes the next one away`,
    );
    await zoneUp("c");
    await namespace.ready(3, 300);
});

test("an upgrade is finalised once every member runs it, and then there is no way back", async () => {
    await trial.up({ finalizeUpgrade: "8.0" });
    inOrder(await trial.jobLog(), [
        "every member runs 8.0",
        "the feature compatibility version is 8.0 and was 7.0: there is no way back",
    ]);
    await trial.refused(
        at("7.0.37"),
        'quorum:finalizeUpgrade = "8.0": is newer than quorum:version',
    );
});

/** Two members leave, and what a member that stays applies stands still, so that neither can. */
const whileCopying = async (work: () => Promise<void>): Promise<void> => {
    await mongosh(trial.member("b"), "db.adminCommand({fsync: 1, lock: true})");
    await work();
    await mongosh(trial.member("b"), "db.adminCommand({fsyncUnlock: 1})");
};
const leaver = trial.member("a", 1);
const allVote = ["a-0", "a-1", "b-0", "b-1", "c-0"].map((name) => `${CLUSTER}-${name}=1`).join(" ");

test("a scale-in that is aborted is undone", async () => {
    await trial.up({ replicas: 5 });
    expect(await votes()).toContain(allVote);
    await whileCopying(async () => {
        const before = await trial.everything();
        const running = trial.attempt({ replicas: 3 });
        await eventually(`${leaver} to vote no more`, 60, async () =>
            (await votes()).includes(`${leaver}=0`),
        );
        await trial.killJob();
        expect((await running).exitCode).not.toBe(0);
        expect(await trial.everything()).toEqual(before);
    });
    await trial.up();
    expect(await trial.jobLog()).toContain(`${leaver} votes`);
    expect(await votes()).toContain(allVote);
});

test("a retirement that cannot be verified gives the vote back", async () => {
    await whileCopying(async () => {
        await trial.refused(
            { replicas: 3, membershipTimeout: 60 },
            "REFUSED: the members that stay have not caught up",
        );
    });
    expect(await votes()).toContain(allVote);
});

test("scaling in says each step, one vote at a time, and removes a member only when all is elsewhere", async () => {
    await trial.up({ replicas: 3 });
    inOrder(await trial.jobLog(), [
        `retire ${leaver}`,
        `${leaver} votes no more`,
        `${leaver}: left to copy elsewhere: nothing`,
        `${leaver}: verified, every member that stays has all of it`,
        `${leaver} is removed from the replica set`,
        `${leaver}: verified, the members are`,
    ]);
    await eventually(
        "the leavers to be gone",
        60,
        async () => (await namespace.members()).size === 3,
    );
});

test("a new cluster does not take over the disks of another one", async () => {
    await trial.refusesOldDisks("holds data of cluster");
});
