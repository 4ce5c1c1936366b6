// The jobs that make certificates, with a real openssl: what the members' certificate says of the world outside, and when it is
// made anew. The API server is a file; CockroachDB's own `cert` is the simulator's way of doing it, which is openssl too.
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
import { readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const ENGINES = path.resolve(import.meta.dirname, "../../components/engines");

/** Reads and merges the one Secret. */
const CURL = `#!/usr/bin/env bash
method=GET
while (($#)); do [[ $1 != --request ]] || method=$2; shift; done
if [[ $method == PATCH ]]; then
  cat >"$WORLD/patch"
  "$NODE" -e '
    const fs = require("fs"), file = process.env.WORLD + "/secret";
    const read = (name) => JSON.parse(fs.readFileSync(name, "utf8"));
    const secret = read(file);
    Object.assign(secret.data, read(process.env.WORLD + "/patch").data);
    fs.writeFileSync(file, JSON.stringify(secret));'
fi
cat "$WORLD/secret"
printf '\\n200'
`;

/** \`cert\` as the scripts call it: the flags come after the names. */
const COCKROACH = `#!/usr/bin/env bash
set -euo pipefail
shift; verb=$1; shift
names=()
for word in "$@"; do
  case $word in --certs-dir=*) dir=\${word#*=} ;; --ca-key=*) key=\${word#*=} ;; --*) ;; *) names+=("$word") ;; esac
done
sign() { # NAME EXTENSION
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$dir/$1.key" -subj "/CN=\${1%%.*}" 2>/dev/null |
    openssl x509 -req -CA "$dir/ca.crt" -CAkey "$key" -days 9 -extfile <(echo "$2") -out "$dir/$1.crt" 2>/dev/null
}
case $verb in
  create-ca) openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$key" -subj /CN=ca -out "$dir/ca.crt" 2>/dev/null ;;
  create-node)
    [[ ! -e $dir/node.crt ]] || exit 1
    san=''
    for name in "\${names[@]}"; do [[ $name =~ ^[0-9.]+$ ]] && san+=,IP:$name || san+=,DNS:$name; done
    sign node "subjectAltName=\${san#,}" ;;
  create-client) sign "client.\${names[0]}" extendedKeyUsage=clientAuth ;;
esac
`;

let world: string;
beforeEach(() => {
    world = mkdtempSync(path.join(tmpdir(), "quorum-certificates-"));
    writeFileSync(
        path.join(world, "secret"),
        JSON.stringify({ metadata: { resourceVersion: "7" }, data: {} }),
    );
});
afterEach(() => rmSync(world, { recursive: true }));

/** The scripts as their job finds them, with this folder in place of the pod's own. */
function lay(parts: readonly string[]): void {
    for (const part of parts) {
        cpSync(path.join(ENGINES, part), path.join(world, "scripts"), { recursive: true });
    }
    for (const name of readdirSync(path.join(world, "scripts"))) {
        const file = path.join(world, "scripts", name);
        const text = readFileSync(file, "utf8");
        writeFileSync(
            file,
            text
                .replaceAll("=/tmp", `=${world}`)
                .replaceAll("=/var/run", `=${world}/run`)
                .replace("=/cockroach/", `=${world}/`),
        );
    }
    const account = path.join(world, "run/secrets/kubernetes.io/serviceaccount");
    mkdirSync(account, { recursive: true });
    writeFileSync(path.join(account, "token"), "token");
    const programs = {
        curl: CURL,
        cockroach: COCKROACH,
        openssl: '#!/bin/sh\nexec /usr/bin/openssl "$@"\n',
    };
    for (const [name, text] of Object.entries(programs)) {
        writeFileSync(path.join(world, name), text);
        chmodSync(path.join(world, name), 0o755);
    }
}

async function run(outside: string) {
    const { all, exitCode } = await execa("bash", [path.join(world, "scripts/certificates.sh")], {
        all: true,
        reject: false,
        env: {
            WORLD: world,
            NODE: process.execPath,
            PATH: `${world}:${process.env["PATH"]!}`,
            QUORUM_TOOLS: world,
            QUORUM_CLUSTER: "orders",
            QUORUM_NAMESPACE: "shop",
            QUORUM_CLUSTER_DOMAIN: "cluster.local",
            QUORUM_MEMBER_DOMAIN: "shop.svc.cluster.local",
            QUORUM_RECORD: "orders-write",
            SECRET: "orders-certificates",
            SEEDS: "orders-a-0",
            TIMEOUT: "5",
            OUTSIDE: outside,
        },
    });
    return { exitCode, log: all };
}

const secret = (): Record<string, string> =>
    (
        JSON.parse(readFileSync(path.join(world, "secret"), "utf8")) as {
            data: Record<string, string>;
        }
    ).data;
/** A file of the Secret, as text. */
const stored = (name: string) => Buffer.from(secret()[name]!, "base64").toString();

async function alternatives(): Promise<string[]> {
    const { stdout } = await execa("openssl", ["x509", "-noout", "-ext", "subjectAltName"], {
        input: stored("node.crt"),
    });
    return stdout.split("\n").at(-1)!.trim().split(", ");
}

const DOMAIN = "DNS:*.shop.svc.cluster.local";

describe.each([
    ["yugabytedb", ["shared", "yugabytedb/scripts"]],
    ["cockroachdb", ["shared", "cockroachdb/scripts", "cockroachdb/dialect"]],
])("the certificate of %s's members", (_, parts) => {
    beforeEach(() => lay(parts));

    test("says nothing of outside by default, and is made once", async () => {
        const first = await run("");
        expect(first).toMatchObject({ exitCode: 0 });
        expect(await alternatives()).toContain(DOMAIN);
        expect(first.log).toContain("done: stored");
        const before = secret();
        expect((await run("")).log).toContain("done: nothing was missing");
        expect(secret()).toEqual(before);
    });

    test("is made anew, by the same CA, for a name and addresses that it does not say", async () => {
        await run("");
        const before = secret();
        const { exitCode, log } = await run("*.db.example.com,192.0.2.10,192.0.2.1");
        expect(exitCode).toBe(0);
        expect(log).toContain(
            "the members' certificate does not say *.db.example.com, 192.0.2.10, 192.0.2.1: it is made anew, and each member shows it from its next start on",
        );
        expect(await alternatives()).toEqual(
            expect.arrayContaining([
                DOMAIN,
                "DNS:*.db.example.com",
                "IP Address:192.0.2.10",
                "IP Address:192.0.2.1",
            ]),
        );
        expect(secret()["ca.crt"]).toBe(before["ca.crt"]);
        expect(secret()["node.key"]).not.toBe(before["node.key"]);
        writeFileSync(path.join(world, "ca.pem"), stored("ca.crt"));
        for (const certificate of [before["node.crt"]!, secret()["node.crt"]!]) {
            await execa("openssl", ["verify", "-CAfile", path.join(world, "ca.pem")], {
                input: Buffer.from(certificate, "base64").toString(),
            });
        }
    });

    test("stays when it says more than is asked for, and an address is no part of a longer one", async () => {
        await run("*.db.example.com,192.0.2.10");
        const before = secret();
        expect((await run("192.0.2.10")).log).toContain("done: nothing was missing");
        expect(secret()).toEqual(before);
        expect((await run("192.0.2.1")).log).toContain("does not say 192.0.2.1:");
        expect(await alternatives()).toContain("IP Address:192.0.2.1");
    });
});
