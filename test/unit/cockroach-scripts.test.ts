// What the scripts of CockroachDB and KaiwuDB make of the real programs' answers (test/transcripts/: each says where it is from).
// The scripts are the real ones; the program and the API server are stand-ins that answer from files.
import { execa } from "execa";
import {
    chmodSync,
    cpSync,
    existsSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";

const ENGINES = path.resolve(import.meta.dirname, "../../components/engines");
type Name = "cockroachdb" | "kaiwudb";

/** The program's own output: neither the head of a transcript nor what went to standard error. */
const transcript = (engine: Name, name: string): string =>
    readFileSync(path.join(import.meta.dirname, "../transcripts", engine, `${name}.txt`), "utf8")
        .split("\n")
        .filter((line) => !/^(.* )?# (stderr|exit code|took)|^#/.test(line))
        .join("\n");

/** What stands before each answer of the stand-in: the statement, and files that keep what was said before. */
const PROGRAM = `#!/usr/bin/env bash
shift 2
statement=''
[[ $1 != sql ]] || statement=$(cat)
printf '%s %s\\n' "$*" "$statement" >>"$WORLD/asked"
say() { cat "$WORLD/$1"; }
fail() { cat "$WORLD/$1" >&2; exit 1; }
# The line of a file of this name for each time that it is asked for; the last one stays.
next() {
  local at; at=$(($(cat "$WORLD/$1.at" 2>/dev/null || echo 0) + 1)); echo "$at" >"$WORLD/$1.at"
  local all; all=$(wc -l <"$WORLD/$1"); sed -n "$((at < all ? at : all))p" "$WORLD/$1"
}
`;

/** Applies a merge patch of annotations, as the API server would. */
const CURL = `#!/usr/bin/env bash
method=GET
while (($#)); do
  [[ $1 != --request ]] || method=$2
  shift
done
case $method in
  GET) cat "$WORLD/record" ;;
  PATCH) data=$(cat); printf '%s\\n' "$data" >>"$WORLD/patches"; DATA=$data "$NODE" "$WORLD/patch.cjs" ;;
esac
printf '\\n200'
`;
const PATCH = `
const fs = require("fs"), file = process.env.WORLD + "/record";
const record = JSON.parse(fs.readFileSync(file, "utf8"));
for (const [name, value] of Object.entries(JSON.parse(process.env.DATA).metadata.annotations))
    if (value === null) delete record.metadata.annotations[name];
    else record.metadata.annotations[name] = value;
fs.writeFileSync(file, JSON.stringify(record));
`;

const worlds: string[] = [];
afterEach(() => {
    for (const world of worlds.splice(0)) rmSync(world, { recursive: true, force: true });
});

/** A cluster of stand-ins. */
class World {
    public readonly folder = mkdtempSync(path.join(tmpdir(), "quorum-family-"));

    public constructor(
        private readonly engine: Name,
        options: {
            /** Cases of what the program answers: patterns of its arguments and the statement. */
            readonly program: string;
            readonly annotations?: Record<string, string>;
            readonly files?: Record<string, string>;
            readonly created?: string;
        },
    ) {
        worlds.push(this.folder);
        const scripts = path.join(this.folder, "scripts");
        for (const part of ["shared", "cockroachdb/scripts", `${engine}/dialect`]) {
            cpSync(path.join(ENGINES, part), scripts, { recursive: true });
        }
        for (const [name, text] of Object.entries(options.files ?? {})) this.put(name, text);
        this.put("patch.cjs", PATCH);
        this.put(
            "record",
            JSON.stringify({
                metadata: {
                    resourceVersion: "7",
                    creationTimestamp: options.created ?? "2020-01-01T00:00:00Z",
                    annotations: Object.fromEntries(
                        Object.entries(options.annotations ?? {}).map(([name, value]) => [
                            `quorum.dev/${name}`,
                            value,
                        ]),
                    ),
                },
            }),
        );
        this.stub(
            "timeout",
            `${PROGRAM}case "$* $statement" in\n${options.program}\n*) echo "ERROR: not expected: $* $statement" >&2; exit 1 ;;\nesac\n`,
        );
        this.stub("curl", CURL);
        this.stub("install", "#!/usr/bin/env bash\n");
        this.stub("mkdir", "#!/usr/bin/env bash\n");
        this.stub("sleep", "#!/usr/bin/env bash\nread -rt 0.1 <> <(:) || true\n");
    }

    public put(name: string, text: string): void {
        writeFileSync(path.join(this.folder, name), text);
    }

    private stub(name: string, text: string): void {
        this.put(name, text);
        chmodSync(path.join(this.folder, name), 0o755);
    }

    private read(name: string): string {
        const file = path.join(this.folder, name);
        return existsSync(file) ? readFileSync(file, "utf8") : "";
    }

    /** What the program was asked, one line each. */
    public get asked(): string {
        return this.read("asked");
    }

    /** Everything that was written to the record. */
    public get patches(): string {
        return this.read("patches");
    }

    public get record(): Record<string, string> {
        const { metadata } = JSON.parse(this.read("record")) as {
            metadata: { annotations: Record<string, string> };
        };
        return Object.fromEntries(
            Object.entries(metadata.annotations).map(([name, value]) => [
                name.replace("quorum.dev/", ""),
                value,
            ]),
        );
    }

    private async bash(args: readonly string[], env: Record<string, string>) {
        const { all, exitCode } = await execa("bash", args, {
            all: true,
            reject: false,
            env: {
                WORLD: this.folder,
                TMPDIR: this.folder,
                NODE: process.execPath,
                PATH: `${this.folder}:${process.env["PATH"]!}`,
                QUORUM_TOOLS: this.folder,
                QUORUM_NAMESPACE: "shop",
                QUORUM_CLUSTER_DOMAIN: "cluster.local",
                QUORUM_MEMBER_DOMAIN: "shop.svc.cluster.local",
                QUORUM_RECORD: "orders",
                QUORUM_CLUSTER: "orders",
                MEMBERS: "orders-a,orders-b,orders-c",
                SEEDS: "orders-a,orders-b,orders-c",
                FIRST: "orders-a",
                DATABASE: "orders",
                TIMEOUT: "60",
                QUORUM_PATIENCE: "2",
                SERIES: this.engine === "kaiwudb" ? "3.2" : "26.2",
                IMAGE: "database:1",
                ADOPT: "false",
                AWAY_ALLOWED: "false",
                ...env,
            },
        });
        return { exitCode, log: all };
    }

    /** Runs a script to its end. */
    public run(script: string, env: Record<string, string> = {}) {
        return this.bash([path.join(this.folder, "scripts", script)], env);
    }

    /** Runs one line with the functions that the jobs share. */
    public line(line: string, env: Record<string, string> = {}) {
        const sources = ["record", "job", "lists", "family", "checks"].map(
            (name) => `source ${this.folder}/scripts/${name}.sh`,
        );
        return this.bash(["-euc", [...sources, "record_read", line].join("\n")], env);
    }
}

const HEADS = {
    cockroachdb:
        "id,address,sql_address,build,started_at,updated_at,locality,is_available,is_live,gossiped_replicas,is_decommissioning,membership,is_draining",
    kaiwudb:
        "id,address,sql_address,build,started_at,updated_at,locality,start_mode,is_available,is_live,gossiped_replicas,is_decommissioning,is_draining",
} as const;
const address = (member: string): string => `${member}.shop.svc.cluster.local:26257`;
/** A row of `node status --decommission`; without a member it is one that gossip has forgotten. */
function row(
    engine: Name,
    id: number,
    member: string | undefined,
    node: { live?: boolean; membership?: string } = {},
): string {
    const { live = true, membership = "active" } = node;
    const gossip = (value: string): string => (member === undefined ? "NULL" : value);
    const at = gossip(address(member ?? ""));
    return [
        id,
        at,
        at,
        gossip(engine === "kaiwudb" ? "3.2.1" : "v26.2.2"),
        gossip("2026-03-01 08:07:54.76191"),
        "2026-03-01 09:22:09.792831",
        gossip("zone=a"),
        ...(engine === "kaiwudb" ? [gossip("start")] : []),
        live,
        live,
        gossip(live ? "42" : "0"),
        membership !== "active",
        ...(engine === "kaiwudb" ? [] : [membership]),
        false,
    ].join(",");
}
const status = (engine: Name, ...rows: string[]): string => [HEADS[engine], ...rows, ""].join("\n");
const three = (engine: Name): string[] =>
    ["a", "b", "c"].map((zone, index) => row(engine, index + 1, `orders-${zone}`));

/** The application's part, which is the same in all. */
const REST = `
*"SELECT 1;"*) say one ;;
*"CREATE DATABASE"*) printf '%s\\n' CREATE ;;
*"SHOW ZONE CONFIGURATION"*) printf 'target\\traw_config_sql\\nRANGE default\\tnum_replicas = 3\\n' ;;
*"auto_upgrade"*) echo 'SET CLUSTER SETTING' ;;
*"SHOW CLUSTER SETTING version"*) printf 'version\\n26.2\\n' ;;`;
const GATED = `
*"SET allow_unsafe_internals = on;"*cluster_id*) printf 'SET\\ncrdb_internal.cluster_id\\nthis-one\\n' ;;
*"SET allow_unsafe_internals = on;"*kv_store_status*) say lacking ;;
*"SET allow_unsafe_internals = on;"*kv_node_status*) echo SET; say written ;;
*crdb_internal*) fail refused ;;${REST}`;
const OPEN = `
*kwdb_internal.cluster_id*) printf 'kwdb_internal.cluster_id\\nthis-one\\n' ;;
*kv_store_status*) say lacking ;;
*kv_node_status*) say written ;;${REST}`;
const common = {
    one: transcript("cockroachdb", "sql-select-1-tsv--answer"),
    refused: transcript("cockroachdb", "sql-cluster-id--refused"),
    written: "node_id\taddress\n",
};
const cockroachFiles = {
    ...common,
    lacking: transcript("cockroachdb", "sql-kv-store-status-tsv--after-set"),
};
const kaiwuFiles = { ...common, lacking: "sum\n0\n" };
const FORMED = { "cluster-id": "this-one", members: "orders-a,orders-b,orders-c" };

describe("CockroachDB's internals", () => {
    test("are asked in a session that opens them, and the tag is no answer", async () => {
        const world = new World("cockroachdb", {
            program: `*"node status"*) say status ;;${GATED}`,
            annotations: FORMED,
            files: { ...cockroachFiles, status: status("cockroachdb", ...three("cockroachdb")) },
        });
        expect(await world.run("membership.sh")).toMatchObject({
            exitCode: 0,
            log: expect.stringContaining(
                "done: the members are orders-a orders-b orders-c",
            ) as string,
        });
        expect(world.record).toMatchObject(FORMED);
    });

    test("that stay closed are named by the job that could not do without", async () => {
        const world = new World("cockroachdb", {
            program: `*crdb_internal*) fail refused ;;\n*"node status"*) say status ;;${REST}`,
            annotations: FORMED,
            files: { ...cockroachFiles, status: status("cockroachdb", ...three("cockroachdb")) },
        });
        const { exitCode, log } = await world.run("membership.sh", { TIMEOUT: "2" });
        expect(exitCode).toBe(1);
        expect(log).toContain("Access to crdb_internal and system is restricted");
    });
});

describe("nodes without an address", () => {
    const program = `*"node status"*) say status ;;\n*kv_node_status*) say written ;;${REST}`;
    test("are whose they wrote they are", async () => {
        const world = new World("cockroachdb", {
            program,
            files: {
                ...common,
                status: transcript("cockroachdb", "node-status-decommission-csv--dead-active-null"),
                written: `SET\nnode_id\taddress\n1\t${address("orders-c")}\n`,
            },
        });
        const { log } = await world.line("nodes_at anywhere");
        expect(log).toContain("1 orders-c - dead false active -\n");
        expect(log).toContain("6 - - dead false active -\n");
        expect(log).toMatch(/^8 \S+ 22.1.22\S+ dead false active /m);
        expect(log).toMatch(/^9 \S+ 22.1.22\S+ live false active 2026-03-17T00:26/m);
        expect(log).not.toContain("NULL");
    });

    test("are whose the record says they were", async () => {
        const world = new World("cockroachdb", {
            program,
            annotations: { nodes: "3=orders-d,4=orders-e" },
            files: {
                ...common,
                status: transcript(
                    "cockroachdb",
                    "node-status-decommission-csv--decommissioned-null",
                ),
            },
        });
        const { log } = await world.line("nodes_at anywhere");
        expect(log).toContain("3 orders-d - dead true decommissioned -\n");
        expect(log).toContain("4 orders-e - dead true decommissioned -\n");
    });

    test("KaiwuDB's, after a restart of all", async () => {
        const world = new World("kaiwudb", {
            program,
            files: {
                ...common,
                status: transcript("kaiwudb", "status-restarted-with-dead"),
                written: transcript("kaiwudb", "kv-node-status-restarted").replace(
                    /^(\w+),([^,]+),.*$/gm,
                    "$1\t$2",
                ),
            },
        });
        const { log } = await world.line("nodes_at anywhere");
        expect(log).toContain("4 127 - dead true - -\n");
        expect(log).not.toContain("NULL");
    });
});

test("replicas are counted in the last table that decommissioning prints", async () => {
    const world = new World("kaiwudb", {
        program: `*"node decommission 3 --wait=none"*) say table ;;${REST}`,
        files: { ...common, table: transcript("kaiwudb", "decommission-all-4") },
    });
    expect((await world.line("replicas_of 3")).log).toBe("0");
});

describe("a dead node that has lost its address", () => {
    test("of CockroachDB is retired when its member is another node now", async () => {
        const engine = "cockroachdb";
        const alive = [...three(engine).slice(0, 2), row(engine, 4, "orders-c")];
        const world = new World(engine, {
            program: `
*"node status"*) if [[ -e $WORLD/gone ]]; then say after; else say status; fi ;;
*"node decommission 3 --dry-run --checks=enabled"*) ;;
*"node decommission 3 --dry-run --checks=skip"*) printf 'id,is_live,replicas,is_decommissioning,membership,is_draining\\n3,false,%s,true,decommissioning,false\\n' "$(next counts)" ;;
*"node decommission 3 --wait=none"*) ;;
*"node decommission 3 --wait=all"*) : >"$WORLD/gone" ;;${GATED}`,
            annotations: FORMED,
            files: {
                ...cockroachFiles,
                counts: "61\n20\n0\n",
                written: `node_id\taddress\n3\t${address("orders-c")}\n`,
                status: status(engine, ...alive, row(engine, 3, undefined, { live: false })),
                after: status(
                    engine,
                    ...alive,
                    row(engine, 3, undefined, { live: false, membership: "decommissioned" }),
                ),
            },
        });
        const { exitCode, log } = await world.run("membership.sh");
        expect(log).toContain("retire orders-c (node 3)");
        expect(log).toContain("node 3: 61 replicas left to move");
        expect(log).toContain("orders-c (node 3) is decommissioned");
        expect(exitCode).toBe(0);
        expect(world.patches).not.toContain("NULL");
        expect(world.record["members"]).toBe(FORMED.members);
    });

    test("of KaiwuDB does not keep a cluster that was scaled in from being taken over", async () => {
        const world = new World("kaiwudb", {
            program: `
*"node status"*) say status ;;
*"node decommission 4 --wait=none"*) say counted ;;${OPEN}`,
            files: {
                ...kaiwuFiles,
                status: transcript("kaiwudb", "node-status-decommission-csv--gone-null"),
                counted: transcript("kaiwudb", "decommission-dead-noaddress-all"),
                written: `node_id\taddress\n4\t${address("orders-d")}\n`,
            },
        });
        const { exitCode, log } = await world.run("membership.sh", { ADOPT: "true" });
        expect(log).toContain("done: the members are orders-a orders-b orders-c");
        expect(exitCode).toBe(0);
        expect(log).not.toContain("== retire");
        expect(world.patches).not.toContain("NULL");
        expect(world.record).toMatchObject({ ...FORMED, final: "4" });
    });

    test.each(["kaiwudb", "cockroachdb"] as const)(
        "of %s, decommissioned, is no reason to stop a restart",
        async (engine) => {
            const dead = { live: false, membership: "decommissioned" };
            const world = new World(engine, {
                program: `
*"node status"*) say status ;;
*"node decommission 4 --wait=none"*) say counted ;;${engine === "kaiwudb" ? OPEN : GATED}`,
                annotations: FORMED,
                files: {
                    ...(engine === "kaiwudb" ? kaiwuFiles : cockroachFiles),
                    status: status(engine, ...three(engine), row(engine, 4, undefined, dead)),
                    counted: transcript("kaiwudb", "decommission-dead-noaddress-all"),
                },
            });
            const { exitCode, log } = await world.run("upgrade-check.sh");
            expect(log).toContain("done: the members may be restarted");
            expect(exitCode).toBe(0);
        },
    );
});

describe("before members are restarted", () => {
    const at = (...dead: string[]) => {
        const engine = "cockroachdb";
        return new World(engine, {
            program: `*"node status"*) say status ;;${GATED}`,
            annotations: FORMED,
            files: {
                ...cockroachFiles,
                status: status(
                    engine,
                    ...["a", "b", "c"].map((zone, index) =>
                        row(engine, index + 1, `orders-${zone}`, { live: !dead.includes(zone) }),
                    ),
                ),
            },
        });
    };
    test("a member that is away stops it, by name", async () => {
        const { exitCode, log } = await at("b").run("upgrade-check.sh");
        expect(exitCode).toBe(1);
        expect(log).toMatch(
            /REFUSED: orders-b does not live: .* quorum:allowChanges \["membersAway"\]/,
        );
    });
    test("the first one may be away", async () => {
        expect((await at("a").run("upgrade-check.sh")).exitCode).toBe(0);
    });
    test("it may be allowed", async () => {
        const { exitCode, log } = await at("b").run("upgrade-check.sh", { AWAY_ALLOWED: "true" });
        expect(exitCode).toBe(0);
        expect(log).toContain("orders-b does not live: that is allowed");
    });
    test("ranges that lack a replica stop it", async () => {
        const world = at();
        world.put("lacking", "SET\nsum\n8\n");
        const { exitCode, log } = await world.run("upgrade-check.sh");
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: some ranges have too few replicas");
    });
});

describe("scaling in KaiwuDB", () => {
    const scaleIn = (lacking: string) =>
        new World("kaiwudb", {
            program: `
*"node status"*) if [[ -e $WORLD/gone ]]; then say after; else say status; fi ;;
*kv_store_status*) printf 'sum\\n%s\\n' "$(next numbers)" ;;
*"node decommission 4 --wait=none"*) printf 'id,is_live,replicas,is_decommissioning,is_draining\\n4,true,0,true,false\\n' ;;
*"node decommission 4 --wait=all"*) : >"$WORLD/gone" ;;${OPEN}`,
            annotations: { ...FORMED, members: `${FORMED.members},orders-d` },
            files: {
                ...kaiwuFiles,
                numbers: lacking,
                status: status("kaiwudb", ...three("kaiwudb"), row("kaiwudb", 4, "orders-d")),
                after: transcript("kaiwudb", "node-status-decommission-csv--decommissioned"),
            },
        });
    test("waits for a metric that lags", async () => {
        const world = scaleIn("59\n12\n0\n");
        const { exitCode, log } = await world.run("membership.sh");
        expect(log).toContain("orders-d (node 4) is decommissioned");
        expect(exitCode).toBe(0);
        expect(world.record).toMatchObject({ ...FORMED, retired: "orders-d", final: "4" });
    });
    test("asks the nodes that live, and says so when ranges stay short", async () => {
        const world = scaleIn("59\n");
        const { exitCode, log } = await world.run("membership.sh", { TIMEOUT: "4" });
        expect(log).toContain(
            "REFUSED: some ranges have too few replicas: node 4 (orders-d) cannot leave within 4 seconds",
        );
        expect(exitCode).toBe(1);
        expect(world.asked).toContain("WHERE node_id IN (1,2,3,4)");
        expect(world.asked).not.toContain("node decommission");
    });
    test("is refused while a node is UPGRADING, which only is_available says", async () => {
        const world = new World("kaiwudb", {
            program: `*"node status"*) say status ;;${OPEN}`,
            files: {
                ...kaiwuFiles,
                status: transcript("kaiwudb", "node-status-decommission-csv--upgrading"),
            },
        });
        const { exitCode, log } = await world.line("check_others 2");
        expect(log).toContain("REFUSED: node 3 (orders-c) is not healthy");
        expect(exitCode).toBe(1);
    });
});

/** The membership job's functions, without what it does with them: functions.sh. */
function writeJobFunctions({ folder }: World): void {
    const functions = readFileSync(path.join(folder, "scripts/membership.sh"), "utf8")
        .replace(/^take_certificates$[^]*/m, "")
        .replace(/^source .*$/gm, "");
    writeFileSync(path.join(folder, "functions.sh"), functions);
}

test.each(["retire unplanned", "retire replaced", "note_gone", "check_dead", "finalize"])(
    "a list of nodes that fails is not one without leavers: %s",
    async (steps) => {
        const world = new World("cockroachdb", { program: REST, files: common });
        writeJobFunctions(world);
        const { exitCode, log } = await world.line(
            `source ${world.folder}/functions.sh; set -euo pipefail
             nodes() { return 1; }; is_finalized() { return 1; }; switch_on() { log "final"; exit 0; }
             ${steps}; log "trusted"`,
            { TIMEOUT: "1", FINALIZE: "26.2" },
        );
        expect(log).toContain("REFUSED: the nodes could not be listed");
        expect(log).not.toMatch(/trusted|final$/m);
        expect(exitCode).toBe(1);
    },
);

describe("half of the members", () => {
    test.each(["kaiwudb", "cockroachdb"] as const)("of %s do not leave unasked", async (engine) => {
        const world = new World(engine, {
            program: `*"node status"*) say status ;;${engine === "kaiwudb" ? OPEN : GATED}`,
            annotations: { ...FORMED, members: `${FORMED.members},orders-d,orders-e,orders-f` },
            files: {
                ...(engine === "kaiwudb" ? kaiwuFiles : cockroachFiles),
                status: status(engine, ...three(engine)),
            },
        });
        const { exitCode, log } = await world.run("membership.sh");
        expect(log).toContain("half or more would leave at once");
        expect(exitCode).toBe(1);
        expect(world.asked).not.toContain("decommission 4");
    });
});

describe("a record without a cluster", () => {
    const world = (engine: Name, created: string) =>
        new World(engine, {
            program: `
*"node status"*) say status ;;
"init"*) echo "ERROR: cluster has already been initialized" >&2; exit 1 ;;${engine === "kaiwudb" ? OPEN : GATED}`,
            created,
            files: {
                ...(engine === "kaiwudb" ? kaiwuFiles : cockroachFiles),
                status: status(engine, ...three(engine)),
            },
        });
    test.each(["kaiwudb", "cockroachdb"] as const)(
        "is filled again when %s ran before it was made",
        async (engine) => {
            const healed = world(engine, "2026-03-01T09:00:00Z");
            const { exitCode, log } = await healed.run("membership.sh");
            expect(log).toContain("the cluster is older than its record");
            expect(exitCode).toBe(0);
            expect(healed.record).toMatchObject({
                ...FORMED,
                nodes: "1=orders-a,2=orders-b,3=orders-c",
            });
        },
    );
    test("does not take over data on kept disks, which was started after it was made", async () => {
        const { exitCode, log } = await world("cockroachdb", "2026-03-01T08:00:00Z").run(
            "membership.sh",
        );
        expect(log).toContain("REFUSED: orders-a holds the data of another cluster");
        expect(exitCode).toBe(1);
    });
});

test("an apostrophe in the licence's organisation is one", async () => {
    const world = new World("cockroachdb", { program: REST, files: common });
    writeJobFunctions(world);
    const { log } = await world.line(
        `sql_at() { cat; }; cat() { if (($#)); then echo text; else command cat; fi; }; hushed() { "$@" >&2; }
         source ${world.folder}/functions.sh; license`,
        { LICENCE_ORGANIZATION: "O'Brien & Sons" },
    );
    expect(log).toContain("cluster.organization = 'O''Brien & Sons';");
});

test("a member of KaiwuDB is started without an upgrade's mark, and with a pool of its size", async () => {
    const dialect = path.join(ENGINES, "kaiwudb/dialect/dialect.sh");
    const { stdout } = await execa(
        "bash",
        ["-c", `source ${dialect}; add_flags; echo "\${flags[*]}"`],
        {
            env: { BUFFER_POOL: "1024" },
        },
    );
    expect(stdout).toBe("--brpc-addr=0.0.0.0:27257 --buffer-pool-size=1024");
    const scripts = readdirSync(path.join(ENGINES, "cockroachdb/scripts"));
    expect(scripts).not.toContain("before-stop.sh");
});
