// A statement that fails is told with its text, by clients as by servers, and logs and Pulumi's errors show that. So a
// statement has a password's verifier (PostgreSQL), or its errors come without the statement.
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";

/** Not mended yet: what its client prints of a statement that fails. */
const OPEN: Readonly<Record<string, string>> = {
    "engines/cockroachdb/scripts/membership.sh": "cockroach sql: DETAIL: source SQL",
    "engines/mysql/scripts/async/agent.sh": "mysql: near '...'",
    "engines/mysql/scripts/forming.sh": "mysql: near '...'",
    "engines/mysql/scripts/group/agent.sh": "mysql: near '...'",
    "engines/mysql/scripts/group/membership.sh": "mysql: near '...'",
    "engines/mysql/scripts/initialise.sh": "mysqld --init-file, mysql: near '...'",
    "engines/mysql/scripts/seed.sh": "mysql: near '...'",
    "engines/yugabytedb/scripts/membership.sh": "ysqlsh: LINE 1: ...",
};

/** Where psql and ysqlsh may print what they were given, with the reason. */
const TALKATIVE: Readonly<Record<string, string>> = {
    "engines/postgresql/scripts/before-stop.sh": "its one statement is CHECKPOINT",
    "engines/postgresql/scripts/client.sh": "a person's own statements, on that person's terminal",
    "engines/yugabytedb/scripts/client.sh": "a person's own statements, on that person's terminal",
    "engines/yugabytedb/scripts/yugabyte.sh":
        "the option comes from who calls it with a password (kine/database.sh)",
};

const PASSWORD = /(PASSWORD\s*=?|IDENTIFIED BY)\s*'\$\(/;
/** psql's and ysqlsh's errors without the statement; MySQL's cut where the statement begins. */
const WITHOUT_STATEMENT = /VERBOSITY=terse|%% near /;

const root = path.resolve(import.meta.dirname, "../../components");
const texts = new Map(
    readdirSync(root, { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".sh"))
        .sort()
        .map((file) => [file, readFileSync(path.join(root, file), "utf8")]),
);
const filesWhere = (holds: (text: string) => boolean): string[] =>
    [...texts].filter(([, text]) => holds(text)).map(([file]) => file);

describe("a statement that fails", () => {
    test("is told without its password", () => {
        const told = filesWhere((text) => PASSWORD.test(text) && !WITHOUT_STATEMENT.test(text));
        expect(told).toEqual(Object.keys(OPEN).sort());
    });

    test("has no password in it on PostgreSQL", () => {
        const files = filesWhere((text) => PASSWORD.test(text));
        expect(files.filter((file) => file.startsWith("engines/postgresql/"))).toEqual([]);
    });

    test("is told without its text by every script that runs psql or ysqlsh", () => {
        const calls = /^[^#\n]*?(?:^|[\s/])(psql|ysqlsh"?) ["-]/m;
        const talkative = filesWhere((text) => calls.test(text) && !WITHOUT_STATEMENT.test(text));
        expect(talkative).toEqual(Object.keys(TALKATIVE).sort());
    });
});
