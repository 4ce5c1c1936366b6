// How pods reach Kubernetes clusters other than their own (shared/record.sh, shared/remotes.sh), and where an agent of MySQL leads the
// writes of a cluster that does not have the record. Real: the scripts, bash. From here: curl and getent, which write down what they
// were asked. It does not prove that an API server takes it: test/cluster does.
import { execa } from "execa";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

const SCRIPTS = path.resolve(import.meta.dirname, "../../components/engines");

/** Answers with the object of the URL's host, and writes down method, URL, token and body. */
const CURL = `#!/usr/bin/env bash
method=GET body='' header=''
while (($# > 1)); do
  case $1 in
    --request) method=$2; shift ;;
    --header) [[ $2 != @* ]] || header=$(<"\${2#@}"); shift ;;
    --data-binary) body=$(cat); shift ;;
    --cacert) authority=$2; shift ;;
  esac
  shift
done
printf '%s %s %s %s %s\\n' "$method" "$1" "\${header##* }" "\${authority##*/}" "$body" >>"$WORLD/asked"
host=\${1#https://}
if [[ -e $WORLD/answer-\${host%%/*} ]]; then cat "$WORLD/answer-\${host%%/*}"; else echo '{}'; fi
printf '\\n200'
`;
const GETENT = `#!/bin/sh
case $2 in far-a-0.db.test) echo "10.9.0.1 STREAM" ;; far-b-0.db.test) echo "10.9.0.2 STREAM" ;; *) exit 2 ;; esac
`;

let world: string;
const file = (name: string, text: string) => {
    mkdirSync(path.dirname(path.join(world, name)), { recursive: true });
    writeFileSync(path.join(world, name), text);
};

beforeEach(() => {
    world = mkdtempSync(path.join(tmpdir(), "quorum-remotes-"));
    for (const [name, text] of Object.entries({ curl: CURL, getent: GETENT })) {
        file(name, text);
        chmodSync(path.join(world, name), 0o755);
    }
});
afterEach(() => rmSync(world, { recursive: true }));

/** Runs lines of bash after the scripts that they need. */
async function run(sources: string[], lines: string, env: Record<string, string> = {}) {
    const script = [
        "set -uo pipefail",
        ...sources.map((name) => `source '${SCRIPTS}/${name}'`),
        lines,
    ].join("\n");
    const { all, exitCode } = await execa("bash", ["-c", script], {
        all: true,
        reject: false,
        env: {
            WORLD: world,
            PATH: `${world}:${process.env["PATH"]!}`,
            QUORUM_TOOLS: world,
            QUORUM_CLUSTER: "far",
            QUORUM_NAMESPACE: "far",
            QUORUM_RECORD: "far-write",
            QUORUM_MEMBER_DOMAIN: "db.test",
            QUORUM_RECORD_ACCESS: path.join(world, "record-access"),
            QUORUM_REMOTES: path.join(world, "remotes"),
            KUBERNETES_SERVICE_HOST: "own",
            KUBERNETES_SERVICE_PORT: "443",
            TIMEOUT: "5",
            ...env,
        },
    });
    return { output: all, exitCode };
}
const asked = () => {
    try {
        return readFileSync(path.join(world, "asked"), "utf8").replace(/ ?\n$/, "").split(/ ?\n/);
    } catch {
        return [];
    }
};

const RECORD = "/apis/discovery.k8s.io/v1/namespaces/far/endpointslices/far-write";
/** A member of another cluster than the record's has these. */
function mountRecordAccess() {
    file("record-access/server", "https://home:6443");
    file("record-access/token", "home-token");
    file("record-access/ca.crt", "home's CA");
}
/** A job has these. */
function mountRemotes() {
    for (const zone of ["b", "c", "a-b"]) {
        file(`remotes/${zone}.server`, `https://${zone}`);
        file(`remotes/${zone}.token`, `token-of-${zone}`);
        file(`remotes/${zone}.ca.crt`, `CA of ${zone}`);
    }
}

describe("the record", () => {
    test("is asked of its own cluster by a member elsewhere, with the token that is mounted for that", async () => {
        mountRecordAccess();
        const { exitCode } = await run(["shared/record.sh"], "record_read");
        expect(exitCode).toBe(0);
        expect(asked()).toEqual([`GET https://home:6443${RECORD}?pretty=false home-token ca.crt`]);
    });

    test("is asked at another address as soon as that is what the Secret says", async () => {
        mountRecordAccess();
        const moved = `echo -n https://moved:6443 >'${world}/record-access/server'`;
        await run(["shared/record.sh"], `record_read; ${moved}; record_read`);
        expect(asked().map((line) => /https:\/\/\w+/.exec(line)![0])).toEqual([
            "https://home",
            "https://moved",
        ]);
    });

    test("is asked of the pod's own cluster otherwise", async () => {
        const { output } = await run(["shared/record.sh"], 'echo "$RECORD_URL $ACCOUNT"');
        expect(output).toBe(
            `https://own:443${RECORD} /var/run/secrets/kubernetes.io/serviceaccount`,
        );
    });
});

const JOB = ["shared/record.sh", "shared/job.sh"];

describe("a job", () => {
    test.each([
        ["far-b-0", "b"],
        ["far-c-12", "c"],
        ["far-master-b-0", "b"],
        ["far-a-b-0", "a-b"],
    ])("knows that %s is in the cluster of zone %s", async (member, zone) => {
        mountRemotes();
        expect((await run(JOB, `remote_zone_of ${member}`)).output).toBe(zone);
    });

    test.each(["far-a-0", "far-bb-0", "near-b-0"])(
        "knows that %s is in none of them",
        async (member) => {
            mountRemotes();
            expect((await run(JOB, `remote_zone_of ${member} || echo none`)).output).toBe("none");
        },
    );

    test("deletes a claim in the cluster in which the member was", async () => {
        mountRemotes();
        await run(JOB, "delete_claim far-c-0");
        expect(asked()).toEqual([
            "DELETE https://c/api/v1/namespaces/far/persistentvolumeclaims/far-c-0 token-of-c c.ca.crt",
        ]);
    });

    test("brings certificates to every other cluster, and never what is not asked for", async () => {
        mountRemotes();
        file("made/ca.crt", "ca");
        file("made/ca.key", "the CA's own key");
        file("made/node.crt", "node");
        const { exitCode } = await run(JOB, `carry '${world}/made'`, {
            SECRET: "far-certificates",
            CARRIED: "ca.crt,node.crt",
        });
        expect(exitCode).toBe(0);
        const body = '{"data":{"ca.crt":"Y2E=","node.crt":"bm9kZQ=="}}';
        expect(asked()).toEqual(
            ["a-b", "b", "c"].map(
                (zone) =>
                    `PATCH https://${zone}/api/v1/namespaces/far/secrets/far-certificates?fieldManager=quorum-certificates token-of-${zone} ${zone}.ca.crt ${body}`,
            ),
        );
    });

    test("of one cluster reaches no other", async () => {
        expect((await run(JOB, "remote_zones; carry /nowhere")).output).toBe("");
        expect(asked()).toEqual([]);
    });
});

describe("the write Service of a cluster without the record", () => {
    const agent = readFileSync(path.join(SCRIPTS, "mysql/scripts/async/agent.sh"), "utf8");
    const mirror = /^mirror_address\(\) \{[\s\S]*?^\}$/m.exec(agent)![0];
    const follow = async (env: {
        member: string;
        primary: string;
        address?: string;
        switchover?: string;
        now?: string;
    }) => {
        mountRecordAccess();
        if (env.now !== undefined) file("answer-own:443", `{"addresses":["${env.now}"]}`);
        await run(
            ["shared/record.sh", "mysql/scripts/sql.sh"],
            [
                mirror,
                // No pod's: its token is where only a pod has one.
                'kube_as() { local account=$1; shift; printf "%s\\n" "$*" >>"$WORLD/asked"; [[ ! -e $WORLD/answer-own:443 ]] || cat "$WORLD/answer-own:443"; }',
                "mirror_address",
            ].join("\n"),
            {
                QUORUM_MEMBER: env.member,
                QUORUM_POD_IP: "10.245.1.7",
                record_primary: env.primary,
                record_address: env.address ?? "10.244.1.2",
                record_switchover: env.switchover ?? "",
            },
        );
        return asked()
            .filter((line) => line.startsWith("PATCH"))
            .map((line) => /"addresses":\["([^"]*)"\]/.exec(line)![1]);
    };

    test("leads to the primary's load balancer in another cluster", async () => {
        expect(await follow({ member: "far-b-0", primary: "far-a-0" })).toEqual(["10.9.0.1"]);
    });
    test("leads to the primary's own pod where that is", async () => {
        expect(await follow({ member: "far-b-0", primary: "far-b-0" })).toEqual(["10.245.1.7"]);
    });
    test("is left to the primary by others of its zone", async () => {
        expect(await follow({ member: "far-b-1", primary: "far-b-0" })).toEqual([]);
    });
    test("is left alone while it is right, while leadership moves, and while writes have no address", async () => {
        expect(await follow({ member: "far-b-0", primary: "far-a-0", now: "10.9.0.1" })).toEqual(
            [],
        );
        expect(await follow({ member: "far-b-0", primary: "far-a-0", switchover: "x" })).toEqual(
            [],
        );
        expect(await follow({ member: "far-b-0", primary: "far-a-0", address: "" })).toEqual([]);
    });
    test("stays as it is while the primary's name leads nowhere", async () => {
        expect(await follow({ member: "far-b-0", primary: "far-z-0" })).toEqual([]);
    });
});
