// Runs MySQL's scripts as they are mounted, with a client and an API server that answer from a table. What the real server
// does is shown on real pods in test/cluster; this is about what a script makes of an answer, an error or none.
import { execa } from "execa";
import {
    chmodSync,
    copyFileSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const ENGINES = path.resolve(import.meta.dirname, "../../components/engines");

/**
 * The client. A line of the table: host ("local": over the socket; "*": any), a pattern of the statement, the answer. An answer
 * that begins with "ERROR" goes where the real client writes errors, and ends the client unless it was told to go on (--force).
 */
const CLIENT = `#!/usr/bin/env bash
host=local force='' live=''
for option; do
  case $option in
    --host=*) host=\${option#--host=} host=\${host%%.*} ;;
    --force) force=1 ;;
    --unbuffered) live=1 ;;
  esac
done
answer() {
  printf '%s: %s\\n' "$host" "\${1//$'\\n'/ }" >>"$LAB/statements"
  while IFS='|' read -r at pattern text; do
    [[ $at == '*' || $at == "$host" ]] && [[ $1 =~ $pattern ]] || continue
    if [[ $text == ERROR' '[0-9]* ]]; then echo "$text" >&2; return 1; fi
    [[ -z $text ]] || printf '%b\\n' "$text"
    return 0
  done <"$LAB/answers"
}
if [[ -z $live ]]; then answer "$(cat)"; exit; fi
sql=''
while IFS= read -r line; do
  if [[ $line == 'SELECT "=end";' ]]; then echo '=end'; continue; fi
  sql+="$line"$'\\n'
  [[ $line == *';' ]] || continue
  answer "$sql" || [[ -n $force ]] || exit 1
  sql=''
done
`;

/** The API server: one record, into which the annotations of each PATCH are merged. */
const CURL = `#!/usr/bin/env bash
data='' code=''
while (($#)); do
  case $1 in
    --write-out) code=1 ;;
    --data-binary) data=$(cat) ;;
    --data) data=$2 ;;
  esac
  shift
done
if [[ -n $data ]]; then
  echo "$data" >>"$LAB/patches"
  while read -r name value; do
    sed -i -E "s|,\\"quorum.dev/$name\\":\\"[^\\"]*\\"||" "$LAB/record"
    [[ $value == null ]] || sed -i "s|\\"annotations\\":{\\"x\\":\\"\\"|&,\\"quorum.dev/$name\\":$value|" "$LAB/record"
  done < <(grep -oE '"quorum.dev/[a-z-]+":("[^"]*"|null)' <<<"$data" | sed -E 's|"quorum.dev/([a-z-]+)":|\\1 |')
fi
cat "$LAB/record"
[[ -z $code ]] || printf '\\n200'
`;

/** Waits of seconds are not what is tested. */
const SLEEP = `#!/usr/bin/env bash
exec /bin/sleep 0.05
`;

export type Answers = readonly (readonly [host: string, pattern: string, answer: string])[];

export interface Scene {
    readonly script: string;
    readonly replication: "group" | "async";
    readonly answers: Answers;
    /** Annotations of the cluster record. */
    readonly record: Readonly<Record<string, string>>;
    readonly env?: Readonly<Record<string, string>>;
    /** Ends a script that runs for ever, in seconds. */
    readonly seconds?: number;
}

export interface Outcome {
    readonly exitCode: number | undefined;
    readonly log: string;
    /** What the servers were told, one a line, as "host: statements". */
    readonly statements: string;
    readonly patches: string;
}

/** Runs one script, mounted as in a pod. */
export async function play(scene: Scene): Promise<Outcome> {
    const lab = mkdtempSync(path.join(tmpdir(), "quorum-mysql-"));
    const scripts = path.join(lab, "scripts");
    const bin = path.join(lab, "bin");
    for (const folder of [scripts, bin, path.join(lab, "disk")]) mkdirSync(folder);
    for (const source of ["shared", "mysql/scripts", `mysql/scripts/${scene.replication}`]) {
        for (const file of readdirSync(path.join(ENGINES, source))) {
            if (!file.endsWith(".sh")) continue;
            copyFileSync(path.join(ENGINES, source, file), path.join(scripts, file));
        }
    }
    for (const [name, text] of Object.entries({ mysql: CLIENT, curl: CURL, sleep: SLEEP })) {
        writeFileSync(path.join(bin, name), text);
        chmodSync(path.join(bin, name), 0o755);
    }
    const annotations = Object.entries(scene.record)
        .map(([name, value]) => `,"quorum.dev/${name}":"${value}"`)
        .join("");
    writeFileSync(
        path.join(lab, "record"),
        `{"metadata":{"resourceVersion":"7","annotations":{"x":""${annotations}}},"endpoints":[{"addresses":["10.0.0.9"]}]}\n`,
    );
    writeFileSync(
        path.join(lab, "answers"),
        scene.answers.map((each) => `${each.join("|")}\n`).join(""),
    );
    const command = ["bash", path.join(scripts, scene.script)];
    const bounded = ["timeout", `${scene.seconds ?? 60}`, ...command];
    const { exitCode, stderr, stdout } = await execa(bounded[0]!, bounded.slice(1), {
        reject: false,
        env: {
            LAB: lab,
            TMPDIR: lab,
            PATH: `${bin}:${process.env["PATH"] ?? ""}`,
            QUORUM_TOOLS: bin,
            QUORUM_DISK: path.join(lab, "disk"),
            QUORUM_CLUSTER: "my",
            QUORUM_NAMESPACE: "my",
            QUORUM_CLUSTER_DOMAIN: "cluster.local",
            QUORUM_MEMBER_DOMAIN: "my.svc.cluster.local",
            QUORUM_RECORD: "my-write",
            QUORUM_DATABASE: "app",
            QUORUM_AGENT_INTERVAL: "1",
            QUORUM_MAX_LAG: "30",
            QUORUM_MEMBER: "my-a-0",
            QUORUM_POD_IP: "10.0.0.1",
            ...scene.env,
        },
    });
    const read = (name: string): string =>
        existsSync(path.join(lab, name)) ? readFileSync(path.join(lab, name), "utf8") : "";
    const outcome = {
        exitCode,
        log: `${stdout}\n${stderr}`,
        statements: read("statements"),
        patches: read("patches"),
    };
    rmSync(lab, { recursive: true });
    return outcome;
}
