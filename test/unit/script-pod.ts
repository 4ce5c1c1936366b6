// A job's scripts, run on this machine as in their pod: mounted side by side, with the programs that they call answered
// from here (script-pod-programs.ts).
import { execa } from "execa";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { answer, type World } from "./script-pod-programs.js";

const ENGINES = path.resolve(import.meta.dirname, "../../components/engines");
const STUBS = ["curl", "psql", "ysqlsh", "mysql", "getent"];

/** Every password of the pod. */
export const PASSWORD = "Zq7xW2vK9mB4nT6cR8yL3pD5hJ1fG0sA";

export interface Outcome {
    readonly exitCode: number;
    readonly output: string;
}

/** Runs one of an engine's scripts to its end, in a world that it changes. */
export async function runScript(args: {
    readonly engine: string;
    readonly script: string;
    readonly env: Readonly<Record<string, string>>;
    readonly world: World;
    /** Constants of the scripts that only make a test wait. */
    readonly shorter?: Readonly<Record<string, number>>;
}): Promise<Outcome> {
    const root = mkdtempSync(path.join(tmpdir(), "quorum-pod-"));
    const programs = await listen(args.world);
    try {
        layScripts(root, args.engine, args.shorter ?? {});
        const folder = layPrograms(root, programs.port);
        const { exitCode, all } = await execa("bash", [path.join(root, args.script)], {
            all: true,
            reject: false,
            env: {
                PATH: `${folder}:${process.env["PATH"]!}`,
                QUORUM_TOOLS: folder,
                QUORUM_CLUSTER: "orders",
                QUORUM_NAMESPACE: "shop",
                QUORUM_CLUSTER_DOMAIN: "cluster.local",
                QUORUM_MEMBER_DOMAIN: "shop.svc.cluster.local",
                QUORUM_RECORD: "orders-write",
                ...args.env,
            },
        });
        return { exitCode: exitCode ?? -1, output: all };
    } finally {
        programs.close();
        rmSync(root, { recursive: true });
    }
}

/** A program sends how many arguments it has, these, the file of --config and its input; it gets code, output, errors. */
async function listen(world: World): Promise<{ port: number; close: () => void }> {
    const server = createServer((socket) => {
        let received = "";
        socket.setEncoding("utf8").on("data", (data: string) => {
            received += data;
            const [count, ...fields] = received.split("\0");
            const expected = Number(count) + 2;
            if (fields.length <= expected) return;
            const [config, input] = fields.slice(expected - 2, expected);
            const [program, ...words] = fields.slice(0, expected - 2);
            const { code, out, error } = answer(world, program!, words, input!, config!);
            socket.end(`${code}\0${out ?? ""}\0${error ?? ""}\0`);
        });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

/** The mounts' places are below the folder of this run. */
function layScripts(root: string, engine: string, shorter: Readonly<Record<string, number>>): void {
    const place =
        /(?<![\w}\\/.])\/(?=(quorum|run|var\/run|tmp|home\/yugabyte|usr\/lib\/postgresql)\b)/g;
    const lay = (from: string, to: string) => {
        mkdirSync(path.join(root, to), { recursive: true });
        for (const name of readdirSync(path.join(ENGINES, from))) {
            if (!/\.(sh|sql)$/.test(name)) continue;
            const text = Object.entries(shorter).reduce(
                (all, [constant, value]) =>
                    all.replace(new RegExp(`\\b${constant}=\\d+`), `${constant}=${value}`),
                readFileSync(path.join(ENGINES, from, name), "utf8"),
            );
            writeFileSync(path.join(root, to, name), text.replace(place, `${root}/`));
        }
    };
    lay("shared", "quorum/scripts");
    lay(`${engine}/scripts`, "quorum/scripts");
    lay(`${engine}/kine`, "quorum/kine");
    const file = (name: string, text: string) => {
        mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
        writeFileSync(path.join(root, name), text);
    };
    for (const key of ["admin", "app", "patroni", "superuser"]) {
        file(`quorum/credentials/${key}-password`, PASSWORD);
    }
    file("quorum/kine-password/password", PASSWORD);
    file("var/run/secrets/kubernetes.io/serviceaccount/token", "token");
    for (const folder of ["tmp", "run/quorum"])
        mkdirSync(path.join(root, folder), { recursive: true });
}

function layPrograms(root: string, port: number): string {
    const folder = path.join(root, "programs");
    const yugabyte = path.join(root, "home/yugabyte");
    mkdirSync(folder);
    mkdirSync(yugabyte, { recursive: true });
    symlinkSync(folder, path.join(yugabyte, "bin"));
    const stub = `#!/bin/bash
name=\${0##*/} config='' input=''
for ((i = 1; i <= $#; i++)); do
  next=$((i + 1))
  if [[ \${!i} == @- ]]; then IFS= read -r -d '' input; fi
  if [[ \${!i} == --config ]]; then config=$(<"\${!next}"); fi
  if [[ \${!i} == --file=* ]]; then input=$(<"\${!i#--file=}"); fi
done
if [[ $name == *sql* && -z $input ]]; then IFS= read -r -d '' input; fi
exec 3<>/dev/tcp/127.0.0.1/${port}
printf '%s\\0' "$(($# + 1))" "$name" "$@" "$config" "$input" >&3
IFS= read -r -d '' code <&3
IFS= read -r -d '' out <&3
IFS= read -r -d '' error <&3
printf '%s' "$out"
printf '%s' "$error" >&2
exit "$code"
`;
    for (const name of STUBS) {
        writeFileSync(path.join(folder, name), stub);
        chmodSync(path.join(folder, name), 0o755);
    }
    return folder;
}
