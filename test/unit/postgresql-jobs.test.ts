// What PostgreSQL's jobs conclude from what they are told, and what they tell. The scripts are the real ones, the programs
// they call are stubs (script-pod.ts): that PostgreSQL and Patroni answer so is shown in test/cluster.
import { createHash, createHmac, pbkdf2Sync } from "node:crypto";
import { describe, expect, test, vi } from "vitest";
import { PASSWORD, runScript } from "./script-pod.js";
import type { PatroniMember, World } from "./script-pod-programs.js";

// Several hundred processes; seconds on a machine that does nothing else.
vi.setConfig({ testTimeout: 60_000 });

const IDENTITY = "7380000000000000001";
const leads: PatroniMember = { role: "leader", state: "running", identity: IDENTITY };
const follows: PatroniMember = { role: "replica", state: "streaming", identity: IDENTITY };
const away = null;

const MEMBERS = ["orders-a-0", "orders-b-0", "orders-c-0"];
const healthy = { "orders-a-0": follows, "orders-b-0": leads, "orders-c-0": follows };
const FORMED = {
    "quorum.dev/cluster-id": IDENTITY,
    "quorum.dev/members": MEMBERS.join(","),
    "quorum.dev/plan": "new",
};

const world = (changes: Partial<World> = {}): World => ({
    annotations: { ...FORMED },
    members: { ...healthy },
    address: "orders-b-0",
    names: ["role app", "database app"],
    statements: [],
    requests: [],
    ...changes,
});

const membership = async (of: World, env: Record<string, string> = {}) => ({
    world: of,
    statements: of.statements,
    ...(await runScript({
        engine: "postgresql",
        script: "quorum/scripts/membership.sh",
        world: of,
        env: {
            MEMBERS: MEMBERS.join(","),
            FIRST: "orders-a-0",
            PRIMARY: "orders-b-0",
            DATABASE: "app",
            TIMEOUT: "20",
            SETTINGS: "{}",
            QUORUM_PLAN: "plan=new",
            ...env,
        },
        shorter: { ELECTION_SECONDS: 2 },
    })),
});

const upgradeCheck = (of: World, env: Record<string, string> = {}) =>
    runScript({
        engine: "postgresql",
        script: "quorum/scripts/upgrade-check.sh",
        world: of,
        env: {
            FIRST: "orders-a-0",
            AWAY_ALLOWED: "false",
            MAX_LAG: "16777216",
            TIMEOUT: "20",
            ...env,
        },
        shorter: { PATIENCE: 2 },
    });

const created = (statements: readonly string[]) =>
    statements.join("\n").match(/CREATE \w+ "?\w+"?/g) ?? [];

describe("the membership job", () => {
    test("changes nothing in a cluster that is as planned", async () => {
        const { exitCode, output, statements, world: after } = await membership(world());
        expect(output).toContain("done: the members are orders-a-0 orders-b-0 orders-c-0");
        expect(exitCode).toBe(0);
        expect(created(statements)).toEqual([]);
        expect(after.annotations).toEqual(FORMED);
    });

    test("takes a query that fails for no answer: the user and the database are made when it is answered", async () => {
        const { exitCode, statements } = await membership(
            world({ names: [], refusedConnections: 2 }),
        );
        expect(created(statements)).toEqual(['CREATE ROLE "app"', 'CREATE DATABASE "app"']);
        expect(exitCode).toBe(0);
    });

    test("ends with a refusal, and not with done, when the query is never answered", async () => {
        const { exitCode, output } = await membership(
            world({ names: [], refusedConnections: 1000 }),
            { TIMEOUT: "8" },
        );
        expect(output).toContain(
            "REFUSED: the primary answers no SQL; its connections may all be taken within 8 seconds",
        );
        expect(exitCode).toBe(1);
    });

    test("quotes names, so that a word of SQL is one", async () => {
        const { statements } = await membership(world({ names: [] }), { DATABASE: "user" });
        expect(created(statements)).toEqual(['CREATE ROLE "user"', 'CREATE DATABASE "user"']);
        expect(statements.join("\n")).toContain('CREATE DATABASE "user" OWNER "user"');
    });

    test("tells nobody the application's password: not the server, and not the log when the server refuses", async () => {
        const { exitCode, output, statements } = await membership(
            world({ names: [], syntaxErrorAt: "LOGIN" }),
        );
        expect(exitCode).not.toBe(0);
        expect(output).toContain('ERROR:  syntax error at or near "LOGIN"');
        expect(output).not.toContain(PASSWORD.slice(0, 8));
        expect(output).not.toContain("SCRAM");
        expect(statements.join("\n")).not.toContain(PASSWORD);
    });

    test("gives the server a verifier of that password (RFC 5802)", async () => {
        const { statements } = await membership(world({ names: [] }));
        const found = /PASSWORD 'SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):([^']+)'/.exec(
            statements.join("\n"),
        );
        const [, rounds, salt, stored, server] = found!;
        const key = pbkdf2Sync(
            PASSWORD,
            Buffer.from(salt!, "base64"),
            Number(rounds),
            32,
            "sha256",
        );
        const of = (name: string) => createHmac("sha256", key).update(name).digest();
        expect(stored).toBe(createHash("sha256").update(of("Client Key")).digest("base64"));
        expect(server).toBe(of("Server Key").toString("base64"));
    });

    test("sends the password of Patroni's REST API only with what changes something", async () => {
        const { world: after } = await membership(world(), { PRIMARY: "orders-a-0" });
        const sent = after.requests
            .filter(({ config }) => config.includes(PASSWORD))
            .map(({ method, url }) => `${method} ${url.pathname}`);
        expect([...new Set(sent)].sort()).toEqual(["PATCH /config", "POST /switchover"]);
    });

    test("refuses a plan that half of the members are not in", async () => {
        const {
            exitCode,
            output,
            world: after,
        } = await membership(world(), {
            MEMBERS: "orders-b-0",
        });
        expect(output).toContain("REFUSED: 2 of the cluster's 3 members are not in the plan");
        expect(exitCode).toBe(1);
        expect(after.annotations).toEqual(FORMED);
    });
});

describe("a cluster record that was deleted", () => {
    const empty = { "quorum.dev/plan": "new" };

    test("is filled again from what a healthy cluster says, without adopt", async () => {
        const {
            exitCode,
            output,
            world: after,
        } = await membership(world({ annotations: { ...empty } }));
        expect(output).toContain("give the empty record back what it said");
        expect(after.annotations).toEqual(FORMED);
        expect(exitCode).toBe(0);
    });

    test("is filled again while one member is away, and one waits with its data", async () => {
        const found = { ...empty, "quorum.dev/found": `orders-c-0=${IDENTITY}` };
        const { world: after } = await membership(
            world({ annotations: found, members: { ...healthy, "orders-c-0": away } }),
            { TIMEOUT: "6" },
        );
        expect(after.annotations).toEqual({
            ...FORMED,
            "quorum.dev/members": "orders-a-0,orders-b-0",
        });
    });

    test("does not let half of the cluster leave", async () => {
        const {
            exitCode,
            output,
            world: after,
        } = await membership(world({ annotations: { ...empty } }), { MEMBERS: "orders-b-0" });
        expect(output).toContain("REFUSED: 2 of the cluster's 3 members are not in the plan");
        expect(exitCode).toBe(1);
        expect(after.annotations["quorum.dev/retired"]).toBeUndefined();
    });

    test("is not filled from one member of three", async () => {
        const other = { ...follows, identity: "7380000000000000002" };
        const { output, world: after } = await membership(
            world({
                annotations: { ...empty },
                members: { "orders-a-0": other, "orders-b-0": leads, "orders-c-0": away },
            }),
            { TIMEOUT: "5" },
        );
        expect(output).toContain("REFUSED: orders-a-0 did not form the cluster");
        expect(after.annotations["quorum.dev/cluster-id"]).toBeUndefined();
    });
});

describe("the check before members are restarted", () => {
    test("passes when all lead or follow", async () => {
        const { exitCode, output } = await upgradeCheck(world());
        expect(output).toContain("done: the members may be restarted");
        expect(exitCode).toBe(0);
    });

    test("has nothing to check before the cluster is formed", async () => {
        const { exitCode, output } = await upgradeCheck(world({ annotations: {}, members: {} }));
        expect(output).toContain("nothing was formed yet");
        expect(exitCode).toBe(0);
    });

    test.each<[string, Partial<World>]>([
        ["is away", { members: { ...healthy, "orders-c-0": away } }],
        [
            "does not stream",
            { members: { ...healthy, "orders-c-0": { ...follows, state: "in archive recovery" } } },
        ],
        [
            "is far behind",
            { members: { ...healthy, "orders-c-0": { ...follows, lag: 17_000_000 } } },
        ],
        [
            "is nobody knows how far behind",
            { members: { ...healthy, "orders-c-0": { ...follows, lag: "unknown" } } },
        ],
    ])("refuses by name while a member %s", async (_, changes) => {
        const { exitCode, output } = await upgradeCheck(world(changes));
        expect(output).toContain(
            "REFUSED: orders-c-0 neither leads nor follows the primary closely, and a restart takes the next one away",
        );
        expect(output).toContain('quorum:allowChanges ["membersAway"]');
        expect(exitCode).toBe(1);
    });

    test("lets the one that is touched first be away", async () => {
        const { exitCode } = await upgradeCheck(
            world({ members: { ...healthy, "orders-a-0": away } }),
        );
        expect(exitCode).toBe(0);
    });

    test("lets others be away when that is allowed, and says who", async () => {
        const { exitCode, output } = await upgradeCheck(
            world({ members: { ...healthy, "orders-c-0": away } }),
            { AWAY_ALLOWED: "true" },
        );
        expect(output).toContain("orders-c-0 neither leads nor follows");
        expect(exitCode).toBe(0);
    });
});
