// The commands of `cockroach` and `kwbase` that ask a node: init, node, sql, cert, version.

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import {
    ask,
    CommandError,
    commandLine,
    standardInput,
    type CommandLine,
    type Destination,
    type Table,
} from "../shared/index.js";
import { certificate } from "./certificates.js";
import type { NodeStatus } from "./cluster.js";
import type { Dialect } from "./dialect.js";
import { start } from "./server.js";

const CONNECTION = { host: "string", "certs-dir": "string", insecure: "boolean" } as const;

/** Where a command goes: `--host`, with root's certificate. */
function destination(line: CommandLine): Destination {
    const [host, port] = (line.flags["host"] ?? "localhost").split(":");
    const directory = line.flags["certs-dir"];
    const read = (name: string): string | undefined => {
        const file = join(directory ?? "", name);
        return existsSync(file) ? readFileSync(file, "utf8") : undefined;
    };
    if (directory === undefined) return { host: host!, port: Number(port ?? 26257) };
    const [ca, cert, key] = ["ca.crt", "client.root.crt", "client.root.key"].map(read);
    if (ca === undefined) throw new CommandError(`cannot load certificates from ${directory}`);
    return {
        host: host!,
        port: Number(port ?? 26257),
        tls: { ca, ...(cert !== undefined && key !== undefined && { cert, key }) },
    };
}

/** Runs one command line. */
export async function command(dialect: Dialect, args: readonly string[]): Promise<void> {
    const [verb, ...rest] = args;
    switch (verb) {
        case "start":
            return start(dialect, rest);
        case "init":
            return init(rest);
        case "node":
            return node(dialect, rest);
        case "sql":
            return sql(dialect, rest);
        case "cert":
            return certificate(rest);
        case "version":
        case "--version":
            console.log(`Build Tag:        v${dialect.version}`);
            console.log(`Distribution:     simulator of ${dialect.title}, not ${dialect.title}`);
            return;
        default:
            throw new CommandError(`unknown command "${verb ?? ""}" for "${dialect.program}"`);
    }
}

async function init(args: readonly string[]): Promise<void> {
    const line = commandLine(args, CONNECTION);
    await ask(destination(line), "/init", {}, 60_000);
    console.log("Cluster successfully initialized");
}

const NODE_FLAGS = {
    ...CONNECTION,
    format: "string",
    decommission: "boolean",
    all: "boolean",
    wait: "string",
    checks: "string",
    "dry-run": "boolean",
} as const;
const MODERN_FLAGS = ["checks", "dry-run"] as const;

async function node(dialect: Dialect, args: readonly string[]): Promise<void> {
    const line = commandLine(args, NODE_FLAGS);
    const [verb, ...words] = line.words;
    for (const flag of MODERN_FLAGS) {
        if (line.has(flag) && !dialect.isModern) throw new CommandError(`unknown flag: --${flag}`);
    }
    const ids = words.map(Number);
    const send = (what: string): Promise<NodeStatus[]> =>
        ask(destination(line), "/node", { verb: what, ids }, 30_000);
    const show = (nodes: readonly NodeStatus[], table: (all: readonly NodeStatus[]) => Table) =>
        print(
            table(ids.length > 0 ? nodes.filter(({ id }) => ids.includes(id)) : nodes),
            line.flags["format"],
        );
    if (!["status", "ls"].includes(verb ?? "") && ids.length === 0) {
        throw new CommandError("no node ID specified");
    }
    switch (verb) {
        case "ls":
        case "status":
            show(await send("status"), (all) => statusTable(dialect, line, all));
            return;
        case "decommission":
            return decommission(dialect, line, ids, send, show);
        case "recommission":
            show(await send("recommission"), (all) => decommissionTable(dialect, all));
            return;
        case "upgrade":
            if (!dialect.joinsSerially) throw new CommandError("unknown command");
            await send("upgrade");
            console.log(`node ${ids.join(" ")} is UPGRADING`);
            return;
        default:
            throw new CommandError(`unknown command "${verb ?? ""}" for "${dialect.program} node"`);
    }
}

/** As the real one: asks the server again and again until no replica is left, and then makes it final. */
async function decommission(
    dialect: Dialect,
    line: CommandLine,
    ids: readonly number[],
    send: (what: string) => Promise<NodeStatus[]>,
    show: (nodes: readonly NodeStatus[], table: (all: readonly NodeStatus[]) => Table) => void,
): Promise<void> {
    if (dialect.isModern && line.flags["checks"] !== "skip") {
        const { blocked } = (await send("check")) as unknown as { blocked?: string };
        const before = (await send("status")).filter(({ id }) => ids.includes(id));
        const isGone = before.every(({ membership }) => membership === "decommissioned");
        if (blocked !== undefined && !isGone) {
            process.stderr.write("\nranges blocking decommission detected\n");
            for (const { id, replicas } of before) {
                process.stderr.write(
                    `n${id} has ${replicas} replicas blocked with error: "${blocked}"\n`,
                );
            }
            throw new CommandError("Cannot decommission nodes.");
        }
    }
    if (line.has("dry-run")) {
        show(await send("status"), (all) => decommissionTable(dialect, all));
        return;
    }
    // The table is printed again, with its header, each time the count is another one.
    let shown = "";
    for (;;) {
        let nodes = await send("decommission");
        const left = nodes.filter(({ id }) => ids.includes(id));
        const isEmpty = left.every(({ replicas }) => replicas === 0);
        // Where nothing is left, --wait=none makes it final too.
        if (isEmpty) nodes = await send("finish");
        const counts = left.map(({ replicas }) => replicas).join();
        if (counts !== shown) show(nodes, (all) => decommissionTable(dialect, all));
        shown = counts;
        if (isEmpty) {
            console.log(
                "\nNo more data reported on target nodes. Please verify cluster health before removing the nodes.",
            );
        }
        if (isEmpty || line.flags["wait"] === "none") return;
        await sleep(500);
    }
}

const text = (value: boolean): string => (value ? "true" : "false");

function statusTable(dialect: Dialect, line: CommandLine, nodes: readonly NodeStatus[]): Table {
    const withDecommission = line.has("decommission") || line.has("all");
    const shown = nodes.filter(
        ({ membership, isLive }) => withDecommission || membership !== "decommissioned" || isLive,
    );
    const gossiped =
        (value: (node: NodeStatus) => string) =>
        (node: NodeStatus): string =>
            node.isForgotten ? "NULL" : value(node);
    const isAvailable = ({ isLive, state }: NodeStatus): boolean => isLive && state === "";
    const columns: [string, (node: NodeStatus) => string][] = [
        ["id", ({ id }) => `${id}`],
        ["address", gossiped(({ address }) => address)],
        ["sql_address", gossiped(({ address }) => address)],
        ["build", gossiped(({ build }) => (dialect.isModern ? `v${build}` : build))],
        ["started_at", gossiped(({ startedAt }) => startedAt.replace("T", " ").replace("Z", ""))],
        ["updated_at", ({ updatedAt }) => new Date(updatedAt).toISOString()],
        ["locality", gossiped(({ locality }) => locality)],
    ];
    if (!dialect.isModern) columns.push(["start_mode", gossiped(() => "start")]);
    columns.push(
        ["is_available", (each) => text(isAvailable(each))],
        ["is_live", ({ isLive }) => text(isLive)],
    );
    if (withDecommission) {
        columns.push(
            // Stores are forgotten within seconds: a dead node gossips none, whatever it holds.
            ["gossiped_replicas", gossiped(({ isLive, replicas }) => `${isLive ? replicas : 0}`)],
            ["is_decommissioning", ({ membership }) => text(membership !== "active")],
        );
        if (dialect.isModern) columns.push(["membership", ({ membership }) => membership]);
        columns.push(["is_draining", ({ draining }) => text(draining)]);
    }
    return {
        columns: columns.map(([name]) => name),
        rows: shown.map((each) => columns.map(([, value]) => value(each))),
        tag: `(${shown.length} rows)`,
    };
}

function decommissionTable(dialect: Dialect, nodes: readonly NodeStatus[]): Table {
    const columns = ["id", "is_live", "replicas", "is_decommissioning"];
    return {
        columns: [...columns, ...(dialect.isModern ? ["membership"] : []), "is_draining"],
        rows: nodes.map(({ id, isLive, replicas, membership, draining }) => [
            `${id}`,
            text(isLive),
            `${replicas}`,
            text(membership !== "active"),
            ...(dialect.isModern ? [membership] : []),
            text(draining),
        ]),
        tag: `(${nodes.length} rows)`,
    };
}

const SQL_FLAGS = {
    ...CONNECTION,
    execute: "string",
    format: "string",
    user: "string",
    database: "string",
} as const;

async function sql(dialect: Dialect, args: readonly string[]): Promise<void> {
    // Statements have commas, so they are not read as a list.
    const given: string[] = [];
    const others = args.filter((arg, index) => {
        if (args[index - 1] === "-e" || args[index - 1] === "--execute") return given.push(arg) < 0;
        if (arg.startsWith("--execute=")) return given.push(arg.slice("--execute=".length)) < 0;
        return arg !== "-e" && arg !== "--execute";
    });
    const line = commandLine(others, SQL_FLAGS, { u: "user", d: "database" });
    const where = destination(line);
    const format = line.flags["format"] ?? (process.stdin.isTTY ? "table" : "tsv");
    // Scripts, which ask for a format, want the rows alone.
    if (!line.has("format"))
        process.stderr.write(`# This is a simulator of ${dialect.title}, not ${dialect.title}.\n`);
    // What the session has set; every statement of one client is in it.
    let unsafe = false;
    const send = async (statement: string): Promise<void> => {
        if (statement.trim() === "") return;
        const user = line.flags["user"] ?? "root";
        print(await ask<Table>(where, "/sql", { statement, user, unsafe }), format, dialect.empty);
        unsafe ||= /^\s*set allow_unsafe_internals = on\s*$/i.test(statement);
    };
    if (given.length === 0 && process.stdin.isTTY) {
        const reader = createInterface({ input: process.stdin, output: process.stdout });
        reader.setPrompt(`root@${where.host}:${where.port}/> `);
        reader.prompt();
        for await (const statement of reader) {
            if (/^(\\q|quit|exit)/.test(statement)) break;
            await send(statement).catch((error: unknown) => console.error(String(error)));
            reader.prompt();
        }
        return;
    }
    const all = given.length > 0 ? given : [await standardInput()];
    for (const statement of all.flatMap((each) => each.split(";"))) await send(statement);
}

/** A statement without rows prints its tag in every format (pkg/cli/clisqlexec/run_query.go). */
function print({ columns, rows, tag }: Table, format = "table", empty = ""): void {
    if (columns.length === 0) {
        console.log(tag);
        return;
    }
    const separator = { csv: ",", tsv: "\t" }[format];
    const lines = [columns, ...rows];
    if (separator !== undefined) {
        const quote = (cell: string): string =>
            cell === "" ? empty : format === "csv" && cell.includes(",") ? `"${cell}"` : cell;
        for (const cells of lines) console.log(cells.map(quote).join(separator));
        return;
    }
    const widths = columns.map((_, index) => Math.max(...lines.map((each) => each[index]!.length)));
    const draw = (cells: readonly string[]): string =>
        cells
            .map((cell, index) => ` ${cell.padEnd(widths[index]!)} `)
            .join("|")
            .trimEnd();
    console.log(draw(columns));
    console.log(widths.map((width) => "-".repeat(width + 2)).join("+"));
    for (const cells of rows) console.log(draw(cells));
    console.log(tag);
}
