// YugabyteDB's scripts, run by bash with what the vendor's programs print (test/transcripts/yugabytedb): what each answer
// is taken for, failures first. The programs are functions here; no process of YugabyteDB or of its simulator runs.
import { execa } from "execa";
import {
    chmodSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const engines = path.join(root, "components/engines");
const transcripts = path.join(root, "test/transcripts/yugabytedb");

/** The output of a transcript, with other names in the place of those that it has. */
function printed(name: string, names: Record<string, string> = {}): string {
    const body = readFileSync(path.join(transcripts, `${name}.txt`), "utf8")
        .split("\n")
        .slice(4)
        .join("\n");
    return Object.entries(names).reduce((text, [from, to]) => text.replaceAll(from, to), body);
}

const address = (member: string) => `${member}.shop.svc.cluster.local`;
const MASTERS = ["a", "b", "c"].map((zone) => `orders-master-${zone}-0`);
const TSERVERS = ["a", "b", "c"].map((zone) => `orders-${zone}-0`);
const named = (hosts: readonly string[], members: readonly string[]) =>
    Object.fromEntries(hosts.map((host, index) => [host, address(members[index]!)]));

const HEALTHY = {
    list_all_masters: printed("list-all-masters--all-alive", named(["yb1", "yb2", "yb3"], MASTERS)),
    list_all_tablet_servers: printed(
        "list-all-tablet-servers--one-dead",
        named(["yb1", "yb2", "yb3"], TSERVERS),
    ).replace("60.54s          DEAD ", "0.54s           ALIVE"),
    get_universe_config: printed("get-universe-config--plain"),
    get_load_move_completion: printed("get-load-move-completion--nothing-to-move"),
    change_blacklist: printed("change-blacklist--done"),
    modify_placement_info: printed("modify-placement-info--done"),
    promote_auto_flags: printed("promote-auto-flags--nothing-new"),
    upgrade_ysql: printed("upgrade-ysql--done"),
    "api/v1/health-check": printed("http-health-check--healthy"),
    "api/v1/version": '{"git_hash":"0","version_number":"2026.1.0.1","build_number":"1"}',
    "api/v1/is-leader": '{"STATUS":"OK"}',
};
type Answers = Record<string, string | undefined>;

const RECORD = {
    token: "1111",
    "cluster-id": "c2ff4bc4-7b9c-4ce4-b68e-fb64b5f2027b",
    members: TSERVERS.join(","),
    series: "2026.1.0.1",
    finalised: "2026.1.0.1",
    plan: "p",
};

const ENV = {
    QUORUM_CLUSTER: "orders",
    QUORUM_NAMESPACE: "shop",
    QUORUM_CLUSTER_DOMAIN: "cluster.local",
    QUORUM_MEMBER_DOMAIN: "shop.svc.cluster.local",
    QUORUM_RECORD: "orders-write",
    QUORUM_DATABASE: "app",
    MASTERS: MASTERS.map((member) => `${address(member)}:7100`).join(","),
    MASTER_MEMBERS: MASTERS.join(","),
    MEMBERS: TSERVERS.join(","),
    PLACEMENT: "quorum.region.a:1",
    REPLICATION_FACTOR: "3",
    TIMEOUT: "5",
    SERIES: "2026.1.0.1",
    FIRST: MASTERS[0]!,
    AWAY_ALLOWED: "false",
    // What the check was told before there was AWAY_ALLOWED.
    ALLOWED: "false",
};

/** Where a script's own work begins, after its functions. */
const BEGINS: Record<string, RegExp> = {
    "membership.sh": /^password_file "\$SUPERUSER"/m,
    "upgrade-check.sh": /^read_record$/m,
    "ready.sh": /^export ADMIN_MS/m,
    "serve.sh": /^until may_start/m,
};

interface Run {
    /** Beside {@link HEALTHY}: of commands of yb-admin, and pages of consoles; `undefined`: no answer. */
    answers?: Answers;
    record?: Record<string, string>;
    env?: Record<string, string>;
    /** Bash, before the script's own work. */
    before?: string;
    /** Bash, in place of the script's own work. */
    steps?: string;
}
interface Result {
    exitCode: number | undefined;
    output: string;
    log: string;
    /** Commands of yb-admin that change something, and writes to the record. */
    changes: string[];
}

async function run(script: string, given: Run = {}): Promise<Result> {
    const home = mkdtempSync(path.join(tmpdir(), "yugabytedb-"));
    const here = (text: string) =>
        text
            .replaceAll("/quorum/credentials", `${home}/credentials`)
            .replaceAll("/quorum/data", `${home}/data`)
            .replaceAll("/quorum/certificates", `${home}/mounted`)
            .replaceAll("/run/quorum", `${home}/run`)
            .replaceAll("/home/yugabyte/bin", `${home}/bin`)
            .replaceAll("/tmp/caught-up", `${home}/caught-up`);
    for (const folder of ["credentials", "data", "mounted", "run", "bin", "answers"]) {
        mkdirSync(path.join(home, folder));
    }
    for (const key of ["superuser-password", "app-password"]) {
        writeFileSync(path.join(home, "credentials", key), `secret-of-${key}`);
    }
    for (const folder of ["shared", "yugabytedb/scripts"]) {
        for (const file of readdirSync(path.join(engines, folder))) {
            if (!file.endsWith(".sh")) continue;
            const text = readFileSync(path.join(engines, folder, file), "utf8");
            writeFileSync(path.join(home, file), here(text));
        }
    }
    const answers: Answers = { ...HEALTHY, ...given.answers };
    for (const [name, text] of Object.entries(answers)) {
        if (text !== undefined) {
            writeFileSync(path.join(home, "answers", name.replaceAll("/", "_")), text);
        }
    }
    const annotations = Object.entries(given.record ?? RECORD).map(
        ([name, value]) => `"quorum.dev/${name}":"${value}"`,
    );
    writeFileSync(
        path.join(home, "record"),
        `{"metadata":{"resourceVersion":"7","annotations":{${annotations.join(",")}}}}`,
    );
    const stubs = `
home=${home}
admin() {
  case $1 in list_* | get_*) ;; *) echo "$*" >>$home/changes ;; esac
  cat "$home/answers/$1" 2>/dev/null
}
kube() {
  case $1 in
    GET) cat $home/record ;;
    *) echo "$1 \${3:-$2}" >>$home/changes ;;
  esac
}
sleep() { :; }
wait_until() {
  local what=$2 n
  shift 2
  for n in 1 2 3; do if "$@"; then return; fi; done
  log "gave up: $what"
  return 1
}
${given.before ?? ""}
`;
    // A page of a console, by the end of its address.
    const curl = `#!/usr/bin/env bash
for page; do :; done
[[ $page == http://:* ]] && exit 3
[[ \${SILENT:-} != "" && $page == *"$SILENT"* ]] && exit 7
page=\${page#http://*/}
cat "${home}/answers/\${page//\\//_}" 2>/dev/null || exit 22
`;
    writeFileSync(path.join(home, "bin/curl"), curl);
    chmodSync(path.join(home, "bin/curl"), 0o755);
    const text = readFileSync(path.join(home, script), "utf8");
    const begins = BEGINS[script] ? text.search(BEGINS[script]) : text.length;
    const main = given.steps ?? text.slice(begins);
    writeFileSync(path.join(home, script), `${text.slice(0, begins)}\n${stubs}\n${main}\n`);
    const { exitCode, stdout, stderr } = await execa("bash", [path.join(home, script)], {
        reject: false,
        timeout: 30_000,
        env: {
            ...ENV,
            ...given.env,
            PATH: `${home}/bin:${process.env["PATH"]!}`,
            QUORUM_TOOLS: `${home}/bin`,
        },
    });
    const changes = path.join(home, "changes");
    return {
        exitCode,
        output: stdout,
        log: stderr,
        changes: existsSync(changes) ? readFileSync(changes, "utf8").trimEnd().split("\n") : [],
    };
}

const failing = (answer: string) => `admin() { printf '%s\\n' '${answer}' >&2; return 1; }`;

describe("before members are restarted", () => {
    const check = (given: Run = {}) => run("upgrade-check.sh", given);

    test("all are in: the update goes on", async () => {
        const { exitCode, log, changes } = await check();
        expect([exitCode, log]).toEqual([0, expect.stringContaining("done: the members may run")]);
        expect(changes).toEqual([]);
    });

    test.each([
        ["unreachable-2025", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]],
        ["unreachable-unknown", ["127.0.0.1", "127.0.0.2", "127.0.0.3"]],
    ])("a master that does not answer stops it: %s", async (name, hosts) => {
        const list_all_masters = printed(`list-all-masters--${name}`, named(hosts, MASTERS));
        const { exitCode, log, changes } = await check({ answers: { list_all_masters } });
        expect(exitCode).toBe(1);
        expect(log).toContain(
            'REFUSED: orders-master-c-0 is away: a restart takes the next member away, and each tablet and the masters need two of three. Bring it back first. No member was touched. To go on all the same: quorum:allowChanges ["membersAway"].',
        );
        expect(changes).toEqual([]);
        const first = await check({
            answers: { list_all_masters },
            env: { FIRST: "orders-master-c-0" },
        });
        expect([first.exitCode, first.log]).toEqual([0, expect.stringContaining("done:")]);
    });

    test("half of the masters away stops it, whichever is first", async () => {
        const list_all_masters = printed(
            "list-all-masters--unreachable-address-known",
            named(["IP1:PORT", "IP2:PORT", "IP6:PORT"], MASTERS),
        ).replaceAll("cluster.local", "cluster.local:7100");
        const { exitCode, log } = await check({ answers: { list_all_masters } });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: orders-master-b-0 is away");
    });

    test("a tserver that is dead, or is not there, stops it", async () => {
        const hosts = ["yb1", "yb2", "yb3"];
        const dead = printed("list-all-tablet-servers--one-dead", named(hosts, TSERVERS));
        const { exitCode, log } = await check({ answers: { list_all_tablet_servers: dead } });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: orders-c-0 is away");
        const absent = dead.replace(/^.*DEAD.*\n/m, "");
        const gone = await check({ answers: { list_all_tablet_servers: absent } });
        expect(gone.log).toContain("REFUSED: orders-c-0 is away");
        const allowed = await check({
            answers: { list_all_tablet_servers: dead },
            env: { AWAY_ALLOWED: "true" },
        });
        expect(allowed.exitCode).toBe(0);
        expect(allowed.log).toContain("orders-c-0 is away");
    });

    test("a tserver that died a moment ago and still counts as alive stops it", async () => {
        const { exitCode, log } = await check({ env: { SILENT: `${address("orders-b-0")}:9000` } });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: orders-b-0 is away");
    });

    test.each(["no-leader", "without-certificates"])("masters that say %s stop it", async (why) => {
        const before = failing(printed(`yb-admin--${why}`).replaceAll("'", ""));
        const { exitCode, log, changes } = await check({ before });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: the masters' leader is away");
        expect(changes).toEqual([]);
        const allowed = await check({ before, env: { AWAY_ALLOWED: "true" } });
        expect(allowed.exitCode).toBe(0);
    });

    test.each(["dead-node", "error"])("a health check that says %s stops it", async (name) => {
        const health = printed(`http-health-check--${name}`);
        const { exitCode, log } = await check({ answers: { "api/v1/health-check": health } });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: some tablets lack a copy");
    });

    test("a record that was deleted is not taken for a universe that was never formed", async () => {
        const record = { plan: "p" };
        const hosts = ["yb1", "yb2", "yb3"];
        const dead = printed("list-all-masters--all-alive", named(hosts, MASTERS)).replace(
            "ALIVE    \tFOLLOWER",
            "NETWORK_ERROR \tUNKNOWN_ROLE",
        );
        const { exitCode, log } = await check({ record, answers: { list_all_masters: dead } });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: orders-master-b-0 is away");
        const upgrade = await check({ record, env: { SERIES: "2026.2.0.0" } });
        expect(upgrade.log).toContain("REFUSED: the cluster record was deleted");
        const never = await check({ record, answers: { "api/v1/version": undefined } });
        expect([never.exitCode, never.log]).toEqual([
            0,
            expect.stringContaining("nothing was formed yet"),
        ]);
    });

    test("an upgrade after one inside the series that was not finalised is refused", async () => {
        const { exitCode, log } = await check({
            record: { ...RECORD, series: "2026.1.1.1" },
            env: { SERIES: "2026.2.0.0" },
        });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: the upgrade to 2026.1.1.1 was never finalised");
    });
});

describe("an answer that failed, or is empty, is no answer", () => {
    const ask = (steps: string, given: Run = {}) => run("membership.sh", { ...given, steps });

    test.each(["no-leader", "without-certificates"])("of masters that say %s", async (why) => {
        const before = failing(printed(`yb-admin--${why}`).replaceAll("'", ""));
        const steps = `for question in has_leader read_masters read_tservers read_config "is_alive orders-a-0" \\
          "master_is_alive orders-master-a-0" "tablets_on orders-a-0" "is_not_alive orders-a-0" is_moved all_replicated; do
            if $question; then echo "$question"; fi; done`;
        expect((await ask(steps, { before })).output).toBe("");
    });

    test("of a client that ends well and prints nothing", async () => {
        const answers = {
            list_all_masters: "",
            list_all_tablet_servers: "",
            get_universe_config: "",
            get_load_move_completion: "",
        };
        const steps = `for question in read_masters read_tservers read_config is_moved "is_not_alive orders-a-0"; do
            if $question; then echo "$question"; fi; done`;
        expect((await ask(steps, { answers })).output).toBe("");
    });

    test.each([
        ["some", 4],
        ["none", 0],
    ])("a tserver with %s tablets has %i, also those that start or failed", async (name, n) => {
        const list = printed(`list-tablets-for-tablet-server--${name}`);
        const answers = { list_tablets_for_tablet_server: list };
        expect((await ask("tablets_on orders-a-0", { answers })).output).toBe(`${n}`);
    });
    test("one that moved away and waits to be deleted is none", async () => {
        const list = printed("list-tablets-for-tablet-server--some").replace(
            /(RUNNING|BOOTSTRAPPING|FAILED) /g,
            "SHUTDOWN ",
        );
        const answers = { list_tablets_for_tablet_server: list };
        expect((await ask("tablets_on orders-a-0", { answers })).output).toBe("0");
    });
    test("a list that was refused, or is empty, is not 'none'", async () => {
        const refused = printed("list-tablets-for-tablet-server--unknown-uuid");
        const before = `refused() { admin_of "$@"; }; eval "$(declare -f admin | sed '1s/admin/admin_of/')"
          admin() { if [[ $1 == list_tablets* ]]; then echo '${refused}' >&2; return 1; fi; admin_of "$@"; }`;
        const steps = "if holds_nothing orders-a-0; then echo empty; fi";
        expect((await ask(steps, { before })).output).toBe("");
        expect((await ask(steps, { answers: { list_tablets_for_tablet_server: "" } })).output).toBe(
            "",
        );
    });

    test.each([
        ["done", true],
        ["moving", false],
        ["not-started", false],
        ["nothing-to-move", true],
    ])("a move that is %s has ended: %s", async (name, ended) => {
        const answers = {
            get_load_move_completion: printed(`get-load-move-completion--${name}`),
        };
        const { output } = await ask("if is_moved; then echo ended; fi", { answers });
        expect(output).toBe(ended ? "ended" : "");
    });

    test.each([
        ["plain", "c2ff4bc4-7b9c-4ce4-b68e-fb64b5f2027b", ""],
        [
            "blacklist-one",
            "e3dcb2a9-c1e7-4c58-937d-73f9583b5132",
            "yb-tserver-5.yb-tservers.yb-operator.svc.cluster.local",
        ],
        [
            "blacklist-two",
            "e3dcb2a9-c1e7-4c58-937d-73f9583b5132",
            "yb-tserver-5.yb-tservers yb-tserver-4.yb-tservers",
        ],
    ])("the universe's configuration, %s", async (name, id, hosts) => {
        const answers = { get_universe_config: printed(`get-universe-config--${name}`) };
        const { output } = await ask("universe_id; blacklisted | paste -s -d ' '", { answers });
        expect(output.trimEnd()).toBe(`${id}\n${hosts}`.trimEnd());
    });

    test.each([
        ["all-alive", ["yb1", "yb2", "yb3"], "LEADER FOLLOWER FOLLOWER"],
        ["no-broadcast", ["127.0.0.1", "127.0.0.2", "127.0.0.3"], "FOLLOWER FOLLOWER LEADER"],
        [
            "kubernetes",
            [0, 1, 2].map((n) => `yb-master-${n}.yb-masters.yugabytedb.svc.cluster.local`),
            "LEADER FOLLOWER FOLLOWER",
        ],
    ])("the masters, %s", async (name, hosts, roles) => {
        const list_all_masters = printed(`list-all-masters--${name}`, named(hosts, MASTERS));
        const steps =
            "masters_now | cut -d ' ' -f 3 | paste -s -d ' '; master_is_alive orders-master-b-0";
        const { exitCode, output } = await ask(steps, { answers: { list_all_masters } });
        expect([exitCode, output]).toEqual([0, roles]);
    });

    test("only this cluster's members have names: nobody else comes into a list", async () => {
        const list_all_tablet_servers = `${HEALTHY.list_all_tablet_servers}5d77aa UNKNOWN 0.7s ALIVE\n6e88bb 10.0.0.9:9100 0.7s ALIVE\n7f99cc orders-d-0.other.svc.cluster.local:9100 0.7s ALIVE\n`;
        const { output } = await ask("record_read; leavers; echo end", {
            answers: { list_all_tablet_servers },
        });
        expect(output).toBe("end");
    });

    test("a leaver that a new leader does not list yet, and that runs, is not dead", async () => {
        const list_all_tablet_servers = HEALTHY.list_all_tablet_servers.replace(
            /^.*orders-c-0.*\n/m,
            "",
        );
        const steps = "if is_not_alive orders-c-0; then echo dead; fi";
        expect((await ask(steps, { answers: { list_all_tablet_servers } })).output).toBe("");
        const env = { SILENT: address("orders-c-0") };
        expect((await ask(steps, { answers: { list_all_tablet_servers }, env })).output).toBe(
            "dead",
        );
    });

    test("SQL that does not count the users has not found the application's", async () => {
        const before = `as_superuser() { local text; text=$(cat); case $text in
          'SELECT 1') echo 1 ;;
          SELECT*) [[ -e $home/asked ]] && { echo 0; return; }; touch $home/asked; echo 'ERROR: Timed out' >&2; return 1 ;;
          *) echo "\${text%%PASSWORD*}" | grep -o 'CREATE [A-Z]* [a-z]*' >>$home/changes ;; esac; }`;
        const { exitCode, changes } = await ask("make_accounts", { before });
        expect(exitCode).toBe(0);
        expect(changes).toEqual(["CREATE ROLE app", "CREATE DATABASE app"]);
    });

    test("no statement with a password goes into the server's log when it fails", async () => {
        const before = `ysql() { cat >>$home/changes; [[ $3 == *default ]] || return 1; }`;
        const { changes } = await ask("takes_sql || true", { before });
        expect(changes.find((line) => line.includes("secret-of"))).toMatch(
            /^SET log_min_error_statement = panic; ALTER ROLE yugabyte PASSWORD/,
        );
    });
});

describe("finalising", () => {
    const finalise = (given: Run = {}) =>
        run("membership.sh", {
            steps: "finalise",
            ...given,
            record: { ...RECORD, series: "2026.1.1.1" },
            env: { FINALIZE: "2026.1.1.1" },
            answers: { "api/v1/version": '{"version_number":"2026.1.1.1"}', ...given.answers },
        });

    test("is done after an upgrade inside a series", async () => {
        const { exitCode, changes } = await finalise();
        expect(exitCode).toBe(0);
        expect(changes.slice(0, 2)).toEqual(["promote_auto_flags", "upgrade_ysql"]);
        expect(changes[2]).toContain('"quorum.dev/finalised":"2026.1.1.1"');
    });
    test("says when the promoted flags need a restart", async () => {
        const restart = printed("promote-auto-flags--restart-needed");
        const { log } = await finalise({ answers: { promote_auto_flags: restart } });
        expect(log).toContain("some of the promoted flags work only after a restart");
        expect((await finalise()).log).not.toContain("after a restart");
    });
    test.each(["no-sql", "no-tserver"])("is not done while upgrade_ysql says %s", async (name) => {
        const refused = printed(`upgrade-ysql--${name}`);
        const before = `eval "$(declare -f admin | sed '1s/admin/admin_of/')"
          admin() { admin_of "$@"; if [[ $1 == upgrade_ysql ]]; then cat >&2 <<'REFUSED'
${refused}
REFUSED
            return 1; fi; }`;
        const { exitCode, changes, log } = await finalise({ before });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: the YSQL catalogue could not be upgraded");
        expect(changes.join()).not.toContain("finalised");
    });
});

describe("a record that was deleted and made anew", () => {
    const env = { ROLE: "master", QUORUM_ADDRESS: address(MASTERS[0]!), RPC_PORT: "7100" };

    test("gets the token back from a master that runs", async () => {
        const before = `echo '1111 ${MASTERS[0]!}' >"$home/data/quorum-member"`;
        const { exitCode, changes } = await run("ready.sh", { env, before, record: {} });
        expect(exitCode).toBe(0);
        expect(changes.join()).toContain('"quorum.dev/token":"1111"');
        expect((await run("ready.sh", { env, before })).changes).toEqual([]);
    });
    test("is not given another token beside a universe that runs", async () => {
        const { exitCode, log, changes } = await run("membership.sh", { record: { plan: "p" } });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: no master has given the token back");
        expect(changes).toEqual([]);
    });
    test("is filled with the universe and the members that are alive", async () => {
        const record = { token: "1111", restored: "true", plan: "p" };
        const steps = (finalize: string) => `FINALIZE=${finalize}; form`;
        const { exitCode, changes } = await run("membership.sh", { record, steps: steps("") });
        expect(exitCode).toBe(0);
        expect(changes).toHaveLength(1);
        expect(changes[0]).toContain(
            '"annotations":{"quorum.dev/cluster-id":"c2ff4bc4-7b9c-4ce4-b68e-fb64b5f2027b","quorum.dev/series":"2026.1.0.1","quorum.dev/members":"orders-b-0,orders-c-0,orders-a-0","quorum.dev/restored":null}',
        );
        const before = await run("membership.sh", { record, steps: steps("2025.2.3.0") });
        expect(before.changes[0]).toContain('"quorum.dev/finalised":"2025.2.3.0"');
    });
});

describe("who leaves", () => {
    const job = (given: Run = {}) => run("membership.sh", given);

    test("half of the tservers at once are not let go", async () => {
        const { exitCode, log, changes } = await job({
            record: { ...RECORD, members: "orders-a-0,orders-b-0,orders-c-0,orders-a-1" },
            env: { MEMBERS: "orders-a-0,orders-b-0" },
        });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: 2 of the cluster's 4 members are not in the plan");
        expect(changes).toEqual([]);
    });
    test("no master is", async () => {
        const { exitCode, log, changes } = await job({
            env: { MASTER_MEMBERS: "orders-master-a-0,orders-master-b-0,orders-master-d-0" },
        });
        expect(exitCode).toBe(1);
        expect(log).toContain("REFUSED: master orders-master-c-0 is not in the plan");
        expect(changes).toEqual([]);
    });
});

test("new certificates beside members that run with the old ones: the job says what to do", async () => {
    const before = failing(printed("yb-admin--without-certificates"));
    const { exitCode, log } = await run("membership.sh", { before });
    expect(exitCode).toBe(1);
    expect(log).toContain(
        "kubectl --namespace shop delete pods --selector app.kubernetes.io/instance=orders,app.kubernetes.io/component=member",
    );
});

describe("a tserver is ready", () => {
    const env = { ROLE: "tserver", QUORUM_ADDRESS: address(TSERVERS[0]!), RPC_PORT: "9100" };
    const ready = (tablets: string, exit: number, answer: string, status: number) =>
        run("ready.sh", {
            env,
            before: `cat >$home/bin/yb-ts-cli <<'CLI'
#!/usr/bin/env bash
cat <<'OUT'
${tablets}
OUT
exit ${exit}
CLI
chmod +x $home/bin/yb-ts-cli
ysql() { cat >/dev/null; cat <<'OUT'
${answer}
OUT
return ${status}; }`,
        }).then(({ exitCode }) => exitCode === 0);
    const caughtUp = printed("yb-ts-cli-is-server-ready--ready");

    test.each(["pg11", "pg15"])(
        "when a password is refused, which needs the users' table: %s",
        async (version) =>
            expect(await ready(caughtUp, 0, printed(`ysqlsh--wrong-password-${version}`), 2)).toBe(
                true,
            ),
    );
    test("not while tablets replay their logs", async () =>
        expect(await ready(printed("yb-ts-cli-is-server-ready--not-ready"), 1, "1", 0)).toBe(
            false,
        ));
    test("not while its own certificate is refused", async () => {
        const answer = "FATAL:  Handshake failed: Network error: Endpoint does not match";
        expect(await ready(caughtUp, 0, answer, 2)).toBe(false);
    });
});

describe("a member that starts", () => {
    const before = `cat >$home/bin/getent <<'GETENT'
#!/usr/bin/env bash
case $(cat "$0.asked" 2>/dev/null) in
  '') echo >"$0.asked" 1; exit 2 ;;
  1) echo >"$0.asked" 2; echo "10.0.0.7 STREAM $2" ;;
  *) echo "10.0.0.8 STREAM $2" ;;
esac
GETENT
cat >$home/bin/yb-tserver <<'PROCESS'
#!/usr/bin/env bash
echo "started after $(cat "\${0%/*}/getent.asked")" | cat - <(printf '%s\\n' "$@" | grep join || true)
PROCESS
cp $home/bin/yb-{tserver,master}
cat >$home/bin/tini <<'TINI'
#!/usr/bin/env bash
exec "$@"
TINI
chmod +x $home/bin/*
touch $home/mounted/{ca.crt,node.crt,node.key}`;
    const start = (role: string, member: string, record?: Record<string, string>) =>
        run("serve.sh", {
            before,
            ...(record && { record }),
            env: {
                ROLE: role,
                QUORUM_MEMBER: member,
                QUORUM_ADDRESS: address(member),
                QUORUM_POD_IP: "10.0.0.8",
                RPC_PORT: "9100",
            },
        });

    test("waits until its name leads to its own pod", async () => {
        const { exitCode, output, log } = await start("tserver", TSERVERS[0]!);
        expect([exitCode, output]).toEqual([0, "started after 2"]);
        expect(log).toContain("waits until orders-a-0.shop.svc.cluster.local is 10.0.0.8");
    });
    test("makes no second universe, also while the record is filled again", async () => {
        const joins = "started after 2\n--master_join_existing_universe=true";
        const record = { token: "1111", restored: "true" };
        expect((await start("master", MASTERS[0]!)).output).toBe(joins);
        expect((await start("master", MASTERS[0]!, record)).output).toBe(joins);
        expect((await start("master", MASTERS[0]!, { token: "1111" })).output).toBe(
            "started after 2",
        );
    });
});
