// The little of SQL that tests and a curious user need: tables of numbered rows, in the replicated store. Statements
// that are not understood are refused, and none is answered with anything but what is stored.

import { randomUUID } from "node:crypto";
import { Refusal } from "./server.js";
import type { Store } from "./store.js";

/** What a statement returned. */
export interface Table {
    readonly columns: readonly string[];
    readonly rows: readonly (readonly string[])[];
    /** What a client prints in place of a table, for example `INSERT 0 1`. */
    readonly tag: string;
}

/** A statement without a result. */
export const done = (tag: string): Table => ({ columns: [], rows: [], tag });

/** A statement with rows. */
export const rowsOf = (
    columns: readonly string[],
    rows: readonly (readonly string[])[],
): Table => ({
    columns,
    rows,
    tag: `(${rows.length} ${rows.length === 1 ? "row" : "rows"})`,
});

/** Name of a table, with or without its database and quotes. */
const NAME = '"?([a-z_][a-z0-9_]*)"?';
const CREATE = new RegExp(`^create table (if not exists )?${NAME}`, "i");
const DROP = new RegExp(`^drop table (if exists )?${NAME}`, "i");
const INSERT = new RegExp(`^insert into ${NAME}(?: \\(([^)]*)\\))? values (.+)$`, "i");
const COUNT = new RegExp(`^select count\\(\\*\\) from ${NAME}$`, "i");
const MAX = new RegExp(`^select max\\(${NAME}\\) from ${NAME}$`, "i");
const SELECT = new RegExp(`^select (?:\\*|${NAME}) from ${NAME}$`, "i");

const tableKey = (table: string): string => `tables/${table.toLowerCase()}`;
const rowsKey = (table: string): string => `rows/${table.toLowerCase()}/`;

/**
 * Runs one statement: `SELECT 1`, `CREATE TABLE`, `DROP TABLE`, `INSERT INTO ... VALUES (n), (m)`, and `SELECT count(*)`,
 * `max(x)`, `*` or one column `FROM` a table. A table has one column that counts: the last one that `INSERT` names.
 *
 * @throws Refusal for anything else.
 */
export async function runStatement(store: Store, text: string): Promise<Table> {
    const statement = text.trim().replace(/;$/, "").replace(/\s+/g, " ").trim();
    if (/^select 1$/i.test(statement)) {
        // With a quorum or not at all, like a read of a table.
        await store.get("quorum");
        return rowsOf(["?column?"], [["1"]]);
    }
    const created = CREATE.exec(statement);
    if (created) {
        const isNew = await store.create(tableKey(created[2]!), statement);
        if (!isNew && !created[1]) throw new Refusal(`relation "${created[2]!}" already exists`);
        return done("CREATE TABLE");
    }
    const dropped = DROP.exec(statement);
    if (dropped) {
        for (const { key } of await store.list(rowsKey(dropped[2]!))) await store.remove(key);
        await store.remove(tableKey(dropped[2]!));
        return done("DROP TABLE");
    }
    const inserted = INSERT.exec(statement);
    if (inserted) {
        await requireTable(store, inserted[1]!);
        const values = [...inserted[3]!.matchAll(/\(([^)]*)\)/g)].map(([, list]) =>
            list!.split(",").at(-1)!.trim().replace(/^'|'$/g, ""),
        );
        // A key of its own for each row: rows that were written twice are there twice.
        for (const value of values) {
            await store.put(`${rowsKey(inserted[1]!)}${randomUUID()}`, value);
        }
        return done(`INSERT 0 ${values.length}`);
    }
    const counted = COUNT.exec(statement);
    if (counted) {
        await requireTable(store, counted[1]!);
        return rowsOf(["count"], [[`${await store.count(rowsKey(counted[1]!))}`]]);
    }
    const greatest = MAX.exec(statement);
    if (greatest) {
        await requireTable(store, greatest[2]!);
        const values = await valuesOf(store, greatest[2]!);
        const max = values.reduce((most, value) => Math.max(most, Number(value)), -Infinity);
        return rowsOf(["max"], [[values.length === 0 ? "NULL" : `${max}`]]);
    }
    const selected = SELECT.exec(statement);
    if (selected) {
        await requireTable(store, selected[2]!);
        const values = await valuesOf(store, selected[2]!);
        return rowsOf(
            [selected[1] ?? "id"],
            values.map((value) => [value]),
        );
    }
    throw new Refusal(`the simulator does not know this statement: ${statement}`);
}

async function requireTable(store: Store, table: string): Promise<void> {
    if ((await store.get(tableKey(table))) === undefined) {
        throw new Refusal(`relation "${table}" does not exist`);
    }
}

const valuesOf = async (store: Store, table: string): Promise<string[]> =>
    (await store.list(rowsKey(table))).map(({ value }) => value);
