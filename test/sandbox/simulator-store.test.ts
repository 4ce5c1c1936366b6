// The store under the simulated databases: it forms once, joins by learners, and loses nothing that was acknowledged.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
    ask,
    listen,
    NoQuorumError,
    otherwise,
    runStatement,
    serverOf,
    Store,
    toStore,
} from "../../sandbox/simulators/shared/index.js";
import { binary, ensureTools } from "../../sandbox/tools.js";

const root = mkdtempSync(join(tmpdir(), "quorum-store-"));
const stores = new Map<string, Store>();

/** Members on one machine: one port each in place of one host each, and behind it two of the store's. */
const ADDRESSES = { one: 31_380, two: 31_383, three: 31_386 };
type Name = keyof typeof ADDRESSES;
const options = (name: Name) => ({
    directory: join(root, name),
    name,
    host: "127.0.0.1",
    peerPort: ADDRESSES[name],
    storePort: ADDRESSES[name] + 1,
    clientPort: ADDRESSES[name] + 2,
    etcd: binary("etcd"),
});
const store = (name: Name): Store => stores.get(name)!;
const keep = (name: Name, opened: Store): void => void stores.set(name, opened);

async function join_(name: Name, through: Name): Promise<void> {
    const grant = await store(through).admit(name, "127.0.0.1", ADDRESSES[name]);
    keep(name, await Store.join(options(name), grant));
    await store(name).settle((id) => store(through).promote(id));
}

beforeAll(async () => {
    await ensureTools(["etcd"], () => undefined);
    for (const [name, port] of Object.entries(ADDRESSES)) {
        const own = serverOf({ "POST /name": () => ({ name }) });
        await listen(port, toStore(port + 1), otherwise(own));
    }
});
afterAll(async () => {
    for (const each of stores.values()) await each.stop();
    rmSync(root, { recursive: true, force: true });
});

test("one member forms a group and takes writes", async () => {
    expect(Store.exists(options("one"))).toBe(false);
    keep("one", await Store.form(options("one"), "token"));
    expect(Store.exists(options("one"))).toBe(true);
    await store("one").put("tables/writes", "");
    await runStatement(store("one"), "INSERT INTO writes VALUES (1), (2)");
    expect((await runStatement(store("one"), "select count(*) from writes;")).rows).toEqual([
        ["2"],
    ]);
});

test("others join as learners, vote when they have caught up, and see what was written", async () => {
    await join_("two", "one");
    await join_("three", "one");
    const members = await store("three").members();
    expect(members.map(({ name, isLearner }) => [name, isLearner]).sort()).toEqual([
        ["one", false],
        ["three", false],
        ["two", false],
    ]);
    expect((await runStatement(store("three"), "SELECT id FROM writes")).rows).toHaveLength(2);
});

test("a member's own requests come by the same port as its store's", async () => {
    const port = ADDRESSES.two;
    expect(await ask({ host: "127.0.0.1", port }, "/name")).toEqual({ name: "two" });
});

test("an entry is created once, and replaced only by who read it last", async () => {
    expect(await store("one").create("settings/a", "1")).toBe(true);
    expect(await store("two").create("settings/a", "2")).toBe(false);
    const [entry] = await store("two").list("settings/");
    expect(await store("two").replace(entry!, "3")).toBe(true);
    expect(await store("three").replace(entry!, "4")).toBe(false);
    expect(await store("one").get("settings/a")).toBe("3");
});

test("without a majority nothing is written, and with one again nothing is lost", async () => {
    for (const name of ["two", "three"] as const) process.kill(store(name).pid!, "SIGKILL");
    await expect(store("one").put("settings/a", "5")).rejects.toThrow(NoQuorumError);
    expect(await store("one").hasQuorum()).toBe(false);
    keep("two", await Store.open(options("two")));
    await expect.poll(() => store("one").hasQuorum(), { timeout: 20_000 }).toBe(true);
    keep("three", await Store.open(options("three")));
    await expect.poll(() => store("three").hasQuorum(), { timeout: 20_000 }).toBe(true);
    expect((await runStatement(store("three"), "SELECT * FROM writes")).rows).toHaveLength(2);
});

test("a member that lost its disk joins again at its old address", async () => {
    await store("three").stop();
    Store.erase(options("three"));
    await join_("three", "two");
    expect(await store("one").members()).toHaveLength(3);
    expect((await runStatement(store("three"), "SELECT * FROM writes")).rows).toHaveLength(2);
});

test("leadership is handed over", async () => {
    const { id } = await store("three").status();
    const { leader } = await store("one").status();
    const names = new Map<string, Name>();
    for (const name of Object.keys(ADDRESSES) as Name[]) {
        names.set((await store(name).status()).id, name);
    }
    const from = names.get(leader)!;
    const to = from === "three" ? (await store("one").status()).id : id;
    await store(from).moveLeader(to);
    await expect.poll(async () => (await store("two").status()).leader).toBe(to);
});

test("a member that is removed ends, and is told so", async () => {
    let removed: boolean | undefined;
    await store("three").stop();
    keep(
        "three",
        await Store.open({ ...options("three"), ended: (reason) => (removed = reason.removed) }),
    );
    await expect.poll(() => store("three").hasQuorum(), { timeout: 20_000 }).toBe(true);
    const { id } = await store("three").status();
    await store("one").expel(id);
    await expect.poll(() => removed, { timeout: 20_000 }).toBe(true);
    expect(await store("one").members()).toHaveLength(2);
    expect(await store("one").hasQuorum()).toBe(true);
});
