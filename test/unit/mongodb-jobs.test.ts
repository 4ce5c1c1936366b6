// MongoDB's jobs and the start of its member as shell, with stand-ins for mongosh and for the API server: what they ask in
// which case, and what they write to the cluster record.
import { execa } from "execa";
import {
    chmodSync,
    cpSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeEach, expect, test } from "vitest";

const engines = path.resolve(import.meta.dirname, "../../components/engines");
const work = mkdtempSync(path.join(tmpdir(), "quorum-mongodb-"));
const scripts = path.join(work, "scripts");
const tools = path.join(work, "tools");
const record = path.join(work, "record");
const asked = path.join(work, "asked");
afterAll(() => rmSync(work, { recursive: true }));

const program = (name: string, text: string): void => {
    writeFileSync(path.join(tools, name), text);
    chmodSync(path.join(tools, name), 0o755);
};

/** Annotations of the record, without their prefix. */
const annotations = (): Record<string, string> =>
    JSON.parse(readFileSync(record, "utf8")) as Record<string, string>;

beforeEach(() => {
    rmSync(work, { recursive: true });
    mkdirSync(tools, { recursive: true });
    // As they are mounted: all in one folder.
    cpSync(path.join(engines, "shared"), scripts, { recursive: true });
    cpSync(path.join(engines, "mongodb/scripts"), scripts, { recursive: true });
    writeFileSync(asked, "");
    program(
        "curl",
        `#!${process.execPath}
        const fs = require("fs");
        const known = JSON.parse(fs.readFileSync("${record}", "utf8"));
        if (process.argv.includes("PATCH")) {
            const body = JSON.parse(fs.readFileSync(0, "utf8"));
            for (const [name, value] of Object.entries(body.metadata.annotations)) {
                if (value === null) delete known[name.slice(11)];
                else known[name.slice(11)] = value;
            }
            fs.writeFileSync("${record}", JSON.stringify(known));
        }
        const named = Object.entries(known).map(([name, value]) => ["quorum.dev/" + name, value]);
        const metadata = { resourceVersion: "1", annotations: Object.fromEntries(named) };
        process.stdout.write(JSON.stringify({ metadata }) + "\\n200");`,
    );
    // Everybody's port is open.
    program("timeout", "#!/bin/sh\nexit 0");
    program(
        "mongosh",
        `#!/bin/sh
        echo "$VERB\${MEMBER:+ $MEMBER}" >>"${asked}"
        case $VERB in
            find) printf %s "$RUNS" >"$OUTPUT" ;;
            members) echo "$MEMBERS" >"$OUTPUT"; echo "$MEMBERS" >"$OUTPUT.healthy" ;;
            upgradable) echo "$((DEADLINE - $(date +%s)))" >>"${asked}" ;;
        esac`,
    );
});

const run = (script: string, known: Record<string, string>, env: Record<string, string>) => {
    writeFileSync(record, JSON.stringify(known));
    return execa("bash", [path.join(scripts, script)], {
        env: {
            PATH: `${tools}:${process.env["PATH"]!}`,
            QUORUM_TOOLS: tools,
            TMPDIR: work,
            QUORUM_NAMESPACE: "orders",
            QUORUM_RECORD: "orders",
            QUORUM_CLUSTER_DOMAIN: "cluster.local",
            QUORUM_MEMBER_DOMAIN: "orders.svc.cluster.local",
            FIRST: "orders-a-0",
            PRIMARY: "orders-a-0",
            REPLICA_SET: "[]",
            MEMBERS: "orders-a-0,orders-b-0,orders-c-0",
            RUNS: "",
            TIMEOUT: "3",
            ...env,
        },
        reject: false,
        all: true,
    });
};
const verbs = (): string[] => readFileSync(asked, "utf8").trim().split("\n");

test("a record that was deleted is filled again from the set that runs", async () => {
    const { all, exitCode } = await run(
        "membership.sh",
        {},
        { RUNS: "0123456789abcdef01234567:orders-a-0,orders-b-0,orders-c-0", TIMEOUT: "60" },
    );
    expect(all).toContain("the replica set 0123456789abcdef01234567 runs: it is in the record");
    expect(exitCode).toBe(0);
    expect(annotations()).toEqual({
        "cluster-id": "0123456789abcdef01234567",
        members: "orders-a-0,orders-b-0,orders-c-0",
    });
    expect(verbs()).toEqual(["find", "members", "arrange,database,lead,settle"]);
});

test("a record without a cluster names who forms one, where none runs", async () => {
    const { all, exitCode } = await run("membership.sh", {}, {});
    expect(exitCode).toBe(1);
    expect(all).toContain("REFUSED: orders-a-0 did not form the cluster within 3 seconds");
    expect(annotations()).toEqual({ forming: "orders-a-0" });
});

test("half of the members leave only when that was said, and nothing was asked before", async () => {
    const known = { "cluster-id": "x", members: "orders-a-0,orders-b-0,orders-c-0,orders-a-1" };
    const { all, exitCode } = await run("membership.sh", known, {
        MEMBERS: "orders-a-0,orders-b-0",
    });
    expect(exitCode).toBe(1);
    expect(all).toContain(
        "REFUSED: 2 of the cluster's 4 members are not in the plan (orders-c-0 orders-a-1)",
    );
    expect(annotations()).toEqual(known);
    expect(verbs()).toEqual([""]);
});

test.each([
    ["false", 110, 120],
    ["true", 20, 30],
])(
    "before a restart, members away allowed %s: between %i and %i s",
    async (allowed, least, most) => {
        const known = { "cluster-id": "x", members: "orders-a-0" };
        await run("upgrade-check.sh", known, {
            SERIES: "8.0",
            SOURCES: "8.0",
            AWAY_ALLOWED: allowed,
            TIMEOUT: "300",
        });
        const [verb, seconds] = verbs();
        expect(verb).toBe("upgradable");
        expect(Number(seconds)).toBeGreaterThanOrEqual(least);
        expect(Number(seconds)).toBeLessThanOrEqual(most);
    },
);

test.each([
    [2048, 990],
    [10240, 1024],
    [102400, 10240],
])("a disk of %i MiB has an oplog of %i", async (disk, oplog) => {
    const serve = readFileSync(path.join(scripts, "serve.sh"), "utf8");
    const [text] = /^oplog_megabytes\(\) \{.*?^\}/ms.exec(serve)!;
    program("df", `#!/bin/sh\nprintf '1M-blocks\\n%s\\n' ${disk}`);
    const { stdout } = await execa("bash", ["-euc", `DISK=/data\n${text}\noplog_megabytes`], {
        env: { PATH: `${tools}:${process.env["PATH"]!}` },
    });
    expect(stdout).toBe(`${oplog}`);
    expect(serve).toMatch(/^exec mongod .* --oplogSize "\$\(oplog_megabytes\)"$/m);
});
