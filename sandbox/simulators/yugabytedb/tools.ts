// yb-admin, yb-ts-cli and ysqlsh, simulated: the commands that Quorum's scripts use, and what the real ones print.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { ask, CommandError, commandLine, standardInput, type Table } from "../shared/index.js";
import { askLeader } from "./leader.js";
import { addressesOf, printVersion } from "./process.js";

/** The certificate is made for names; a user types addresses too. */
const authority = (directory: string | undefined) => {
    if (directory === undefined)
        throw new CommandError("the encrypted mode needs --certs_dir_name");
    return { ca: readFileSync(join(directory, "ca.crt"), "utf8") };
};

/** yb-admin. */
export async function admin(args: readonly string[]): Promise<void> {
    const { words, flags } = commandLine(args, {
        master_addresses: "string",
        certs_dir_name: "string",
        timeout_ms: "string",
        version: "boolean",
    });
    if (flags["version"]) {
        printVersion("yb-admin");
        return;
    }
    const tls = authority(flags["certs_dir_name"]);
    const masters = addressesOf(flags["master_addresses"] ?? "localhost:7100").map((each) => ({
        ...each,
        tls,
    }));
    const timeout = Number(flags["timeout_ms"] ?? 60_000);
    const lead = <T>(path: string, body: unknown = {}) =>
        askLeader<T>(masters, path, body, timeout);
    const [command, ...rest] = words;
    switch (command) {
        case "list_all_masters": {
            type Row = { uuid: string; address: string; state: string; role: string };
            const rows = await lead<Row[]>("/masters");
            const line = (
                id: string,
                rpc: string,
                state: string,
                role: string,
                broadcast: string,
            ) =>
                console.log(
                    [id.padEnd(33), rpc.padEnd(21), state.padEnd(9), `${role} `, broadcast].join(
                        "\t",
                    ),
                );
            line("Master UUID", "RPC Host/Port", "State", "Role", "Broadcast Host/Port ");
            for (const { uuid, address, state, role } of rows) {
                line(uuid, `${address} `, state, role, address.padEnd(20));
            }
            return;
        }
        case "list_all_tablet_servers": {
            type Row = { uuid: string; host: string; port: number; delay: number; status: string };
            const rows = await lead<Row[]>("/tservers");
            console.log(
                "Tablet Server UUID               RPC Host/Port Heartbeat delay Status   Reads/s  Writes/s Uptime   SST total size  SST uncomp size SST #files      Memory   Broadcast Host/Port ",
            );
            for (const { uuid, host, port, delay, status } of rows) {
                const seen = `${delay.toFixed(2)}s`.padEnd(15);
                const figures =
                    "0.00     0.00     0        0 B             0 B             0               0 B      ";
                console.log(
                    `${uuid} ${host}:${port} ${seen} ${status.padEnd(8)} ${figures}${host}:${port}`,
                );
            }
            return;
        }
        case "list_tablets_for_tablet_server": {
            const all = await lead<{ uuid: string; host: string; port: number }[]>("/tservers");
            const server = all.find(({ uuid }) => uuid === rest[0]);
            if (!server) {
                throw new CommandError(
                    `Error running list_tablets_for_tablet_server: Not found (yb/tools/yb-admin_client.cc:1512): Server with UUID ${rest[0] ?? ""} has no RPC address registered with the Master`,
                );
            }
            const tablets = await ask<string[]>({ ...server, tls }, "/tablets");
            const line = (table: string, tablet: string, ...others: string[]) =>
                console.log([table.padEnd(48), tablet.padEnd(32), ...others].join(" \t"));
            const counts = ["Num SST Files", "Num Log Segments", "Num Memtables (Intents/Regular)"];
            line("Table name", "Tablet ID", "Is Leader", "State", ...counts);
            for (const tablet of tablets)
                line("simulated", tablet, "0", "RUNNING", "0", "1", "0/0");
            return;
        }
        case "get_universe_config": {
            console.log(JSON.stringify(await lead("/config")));
            return;
        }
        case "change_blacklist": {
            const [verb, ...hosts] = rest;
            for (const { host, port } of addressesOf(hosts.join(","))) {
                await lead("/blacklist", { verb, host, port });
            }
            return;
        }
        case "get_load_move_completion": {
            type Move = { percent: number; remaining: number; total: number };
            const { percent, remaining, total } = await lead<Move>("/completion");
            const shown = Number.isInteger(percent) ? `${percent}` : percent.toPrecision(6);
            console.log(`Percent complete = ${shown} : ${remaining} remaining out of ${total}`);
            return;
        }
        case "modify_placement_info":
            await lead("/placement", { info: rest[0], factor: Number(rest[1]) });
            return;
        case "promote_auto_flags": {
            const answer = await lead<{ promoted: boolean }>("/promote-flags");
            console.log("PromoteAutoFlags completed successfully");
            console.log(
                answer.promoted
                    ? "New AutoFlags were promoted"
                    : "No new AutoFlags eligible to promote",
            );
            return;
        }
        case "upgrade_ysql":
            await lead("/upgrade-ysql");
            {
                console.log("YSQL successfully upgraded to the latest version");
                return;
            }
        default:
            throw new CommandError(`yb-admin ${command ?? ""} is not simulated`);
    }
}

/** yb-ts-cli. */
export async function tsCli(args: readonly string[]): Promise<void> {
    const { words, flags } = commandLine(args, {
        server_address: "string",
        certs_dir_name: "string",
        timeout_ms: "string",
    });
    if (words[0] !== "is_server_ready") {
        throw new CommandError(`yb-ts-cli ${words[0] ?? ""} is not simulated`);
    }
    const [server] = addressesOf(flags["server_address"] ?? "localhost:9100");
    const tls = authority(flags["certs_dir_name"]);
    const timeout = Number(flags["timeout_ms"] ?? 60_000);
    const { pending } = await ask<{ pending: number }>({ ...server!, tls }, "/ready", {}, timeout);
    // The data group stands for all tablets.
    console.log(`${pending}/1 tablets are not yet bootstrapped`);
    console.log(`Tablet server is ${pending > 0 ? "not " : ""}ready`);
    if (pending > 0) process.exit(1);
}

/** ysqlsh. */
export async function ysqlsh(args: readonly string[]): Promise<void> {
    const { flags, has } = commandLine(
        args,
        {
            host: "string",
            port: "string",
            username: "string",
            dbname: "string",
            command: "string",
            file: "string",
            set: "string",
            "no-psqlrc": "boolean",
            quiet: "boolean",
            "tuples-only": "boolean",
            "no-align": "boolean",
            version: "boolean",
        },
        { h: "host", p: "port", U: "username", d: "dbname", c: "command", f: "file" },
    );
    if (has("version")) {
        printVersion("ysqlsh (YSQL)");
        return;
    }
    process.stderr.write("simulator of YugabyteDB: not the database\n");
    const user = flags["username"] ?? "yugabyte";
    const password = passwordOf(user);
    const bare = has("tuples-only");
    const run = async (statement: string): Promise<void> => {
        const host = flags["host"] ?? "localhost";
        // Verified as sslmode=require verifies: not at all; the simulated client shows nothing secret to a stranger.
        const table = await ask<Table>(
            { host, port: Number(flags["port"] ?? 5433), tls: authority("/quorum/certificates") },
            "/sql",
            { user, password, statement },
        );
        print(table, bare, has("quiet"));
    };
    if (flags["command"] !== undefined) return all(flags["command"], run);
    if (flags["file"] !== undefined) return all(readFileSync(flags["file"], "utf8"), run);
    if (!process.stdin.isTTY) return all(await standardInput(), run);
    const terminal = createInterface({ input: process.stdin, output: process.stdout });
    for (;;) {
        const line = (await terminal.question(`${flags["dbname"] ?? user}=> `)).trim();
        if (line === "\\q") {
            terminal.close();
            return;
        }
        await all(line, run).catch((error: unknown) => console.error(String(error)));
    }
}

/** Statement by statement, without comments. */
async function all(text: string, run: (statement: string) => Promise<void>): Promise<void> {
    const plain = text.replace(/^\s*--.*$/gm, "");
    for (const statement of plain.split(";").map((each) => each.trim())) {
        if (statement !== "") await run(statement);
    }
}

function passwordOf(user: string): string {
    const file = process.env["PGPASSFILE"];
    const lines = file === undefined ? [] : readFileSync(file, "utf8").split("\n");
    const line = lines.find((each) => each.split(":")[3] === user);
    return line?.split(":").slice(4).join(":") ?? "";
}

function print({ columns, rows, tag }: Table, bare: boolean, quiet: boolean): void {
    if (columns.length === 0) {
        if (!quiet) console.log(tag);
        return;
    }
    if (bare) {
        for (const row of rows) console.log(row.join("|"));
        return;
    }
    console.log(
        ` ${columns.join(" | ")}\n${columns.map((name) => "-".repeat(name.length + 2)).join("+")}`,
    );
    for (const row of rows) console.log(` ${row.join(" | ")}`);
    console.log(`${tag}\n`);
}
