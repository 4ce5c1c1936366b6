// The job of the add-on Kine that makes its database, for each engine that can carry it: the real script, with the
// clients' answers from script-pod-programs.ts.
import { describe, expect, test, vi } from "vitest";
import { PASSWORD, runScript } from "./script-pod.js";
import type { World } from "./script-pod-programs.js";

// Several hundred processes; seconds on a machine that does nothing else.
vi.setConfig({ testTimeout: 60_000 });

const run = async (engine: string, changes: Partial<World> = {}) => {
    const world: World = { annotations: {}, statements: [], requests: [], ...changes };
    const outcome = await runScript({
        engine,
        script: "quorum/kine/database.sh",
        world,
        env: { KINE_DATABASE: "ki_ne", KINE_USER: "kine", TIMEOUT: "10", MASTERS: "orders:7100" },
    });
    return { ...outcome, text: world.statements.join("\n") };
};

const ENGINES = ["postgresql", "yugabytedb", "mysql"];

describe.each(ENGINES)("Kine's database on %s", (engine) => {
    test("is made", async () => {
        const { exitCode, text } = await run(engine);
        expect(exitCode).toBe(0);
        expect(text).toMatch(/CREATE DATABASE (IF NOT EXISTS )?["`]ki_ne["`]/);
        expect(text).toContain("kine_name_index");
    });

    test("costs no password when the server refuses a statement", async () => {
        const { exitCode, output } = await run(engine, { syntaxErrorAt: "PASSWORD '" });
        const mysql = await run(engine, { syntaxErrorAt: "IDENTIFIED BY" });
        expect(Math.max(exitCode, mysql.exitCode)).toBeGreaterThan(0);
        expect(output + mysql.output).toMatch(/syntax/);
        expect(output + mysql.output).not.toContain(PASSWORD.slice(0, 8));
    });
});

describe.each(["postgresql", "yugabytedb"])("Kine's job on %s", (engine) => {
    test("fails when it is not told whether the user is there, and is run again", async () => {
        const { exitCode, output } = await run(engine, { refusedConnections: 1 });
        expect(exitCode).toBeGreaterThan(0);
        expect(output).not.toContain("done");
    });
});

test("Kine's password on MySQL opens no database whose name is only similar", async () => {
    const { text } = await run("mysql");
    expect(text).toContain("GRANT ALL ON `ki\\_ne`.* TO 'kine'@'%'");
});
