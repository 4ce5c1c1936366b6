// YugabyteDB's definition: memory from limits, what it accepts, and what its plans say. Manifests are in test/program.
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import {
    masterMemory,
    memoryLimit,
    yugabytedb,
} from "../../components/engines/yugabytedb/yugabytedb.js";
import { factsOf } from "../../components/facts.js";
import type { CompleteSpec } from "../../components/spec.js";
import { planOf } from "../../components/topology.js";
import { acceptSpec } from "../../components/rules/accept.js";
import { commandLine } from "../../sandbox/simulators/shared/index.js";
import {
    localEndpointMismatch,
    TSERVER_FLAGS,
} from "../../sandbox/simulators/yugabytedb/process.js";

const good = { name: "orders", engine: "yugabytedb", zones: ["a", "b", "c"] };
const spec = (changes: object = {}): CompleteSpec => acceptSpec({ ...good, ...changes }).spec;
const facts = (of: CompleteSpec) => factsOf(of, planOf(of, yugabytedb.roles));
const MIB = 2 ** 20;

describe("memory follows the limit", () => {
    test("a tserver leaves room for PostgreSQL's backends, less of it on large members", () => {
        expect(memoryLimit("member", "4Gi") / MIB).toBeCloseTo(2304, 0);
        expect(memoryLimit("member", "8Gi") / MIB).toBeCloseTo(4626, 0);
        expect(memoryLimit("member", "16Gi") / MIB).toBeCloseTo(10377, 0);
        expect(memoryLimit("member", "64Gi") / MIB).toBeCloseTo(43691, 0);
    });
    test("a master has half of a tserver's, and takes 85 % of that", () => {
        expect(masterMemory("4Gi")).toBe("2048Mi");
        expect(memoryLimit("master", "2048Mi") / MIB).toBeCloseTo(1741, 0);
    });
    test("both stand in the flags of their own container", () => {
        const known = facts(spec({ resources: { memory: "4Gi" } }));
        const of = (role: string) =>
            yugabytedb.member(known, known.ofRole(role)[0]!).containers[0]!;
        expect(of("master").resources).toEqual({ cpu: "250m", memory: "2048Mi" });
        expect(of("master").command).toContain("--memory_limit_hard_bytes=1825361100");
        expect(of("member").resources).toEqual({ cpu: "250m", memory: "4Gi" });
        expect(of("member").command).toContain("--memory_limit_hard_bytes=2415919104");
    });
});

describe("members", () => {
    test("masters are three in every cluster, and come first", () => {
        for (const replicas of [3, 4, 7]) {
            const known = facts(spec({ replicas }));
            expect(known.ofRole("master").map(({ name }) => name)).toEqual([
                "orders-master-a-0",
                "orders-master-b-0",
                "orders-master-c-0",
            ]);
            expect(known.ofRole("member")).toHaveLength(replicas);
            expect(known.first.name).toBe("orders-master-a-0");
        }
    });
    test("scaling changes no pod template", () => {
        const [few, many] = [facts(spec({ replicas: 3 })), facts(spec({ replicas: 6 }))];
        for (const member of few.members) {
            expect(yugabytedb.member(many, member)).toEqual(yugabytedb.member(few, member));
        }
    });
    test("finalising and adopting change no pod template", () => {
        const [before, after] = [
            facts(spec()),
            facts(spec({ finalizeUpgrade: "2026.1.0.1", adopt: true })),
        ];
        expect(yugabytedb.member(after, after.first)).toEqual(
            yugabytedb.member(before, before.first),
        );
        expect(yugabytedb.membership(before).env!["FINALIZE"]).toBe("");
        expect(yugabytedb.membership(after).env!["FINALIZE"]).toBe("2026.1.0.1");
    });
    test("the CA's key is mounted nowhere", () =>
        expect(yugabytedb.certificates!.mounted).not.toContain("ca.key"));
});

describe("what is refused", () => {
    const refused = (changes: object) => {
        try {
            spec(changes);
            return "";
        } catch (error) {
            return (error as Error).message;
        }
    };
    test("fewer tservers than copies", () =>
        expect(refused({ replicas: 2 })).toContain(
            "quorum:replicas = 2: YugabyteDB needs at least 3 members",
        ));
    test("more zones than copies", () =>
        expect(refused({ zones: ["a", "b", "c", "d"], replicas: 4 })).toContain(
            "name at most 3 zones",
        ));
    test("a primary", () =>
        expect(refused({ primary: "orders-a-0" })).toContain("YugabyteDB has no primary"));
    test("a release with PostgreSQL 11, and a preview", () => {
        expect(refused({ version: "2024.2.1.0-b1" })).toContain("a stable release from 2025.1 on");
        expect(refused({ version: "2.27.0.0" })).toContain("a stable release from 2025.1 on");
    });
    test("too little memory", () =>
        expect(refused({ resources: { memory: "512Mi" } })).toContain("must be at least 1Gi"));
    test("going back", () => {
        expect(yugabytedb.upgradeRefusal("2026.1.0.1-b1", "2025.2.3.0-b149")).toContain(
            "only while the upgrade is not finalised",
        );
        expect(yugabytedb.upgradeRefusal("2025.2.3.0-b149", "2026.1.0.1-b1")).toBeUndefined();
        expect(yugabytedb.upgradeRefusal("2026.1.0.1-b1", "2026.1.0.1-b2")).toBeUndefined();
    });
});

test("an upgrade inside a series is finalised too, and so is named by its whole release", () => {
    const version = "2026.1.1.1-b2";
    expect(yugabytedb.choices.finalizeUpgrade!.series(version)).toBe("2026.1.1.1");
    const finalised = spec({ version, finalizeUpgrade: "2026.1.1.1" });
    expect(yugabytedb.membership(facts(finalised)).env!["FINALIZE"]).toBe("2026.1.1.1");
    expect(yugabytedb.upgradeCheck!(facts(finalised)).env!["SERIES"]).toBe("2026.1.1.1");
});

describe("PostgreSQL's backends reach their own tserver", () => {
    /** A certificate as certificates.sh makes it: for names, and for no pod's IP. */
    const certificate = async () => {
        const { stdout } = await execa("openssl", [
            ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null"],
            ...["-subj", "/CN=orders", "-addext"],
            "subjectAltName=DNS:*.orders.svc.cluster.local,DNS:localhost,IP:127.0.0.1",
        ]);
        return stdout;
    };
    const known = facts(spec());
    const commandOf = (role: string) =>
        yugabytedb.member(known, known.ofRole(role)[0]!).containers[0]!.command;

    test("by its name, since no certificate has a pod's IP", () => {
        for (const role of ["master", "member"]) {
            expect(commandOf(role)).toContain("--use_node_hostname_for_local_tserver=true");
        }
    });
    test("and the simulator refuses SQL otherwise, as the server does", async () => {
        const pem = await certificate();
        const flagged = (command: readonly string[]) => {
            const { flags } = commandLine(command.slice(2), TSERVER_FLAGS);
            return flags;
        };
        const flags = flagged(commandOf("member"));
        expect(localEndpointMismatch(flags, pem, "10.0.0.8")).toBeUndefined();
        const without = { ...flags, use_node_hostname_for_local_tserver: undefined };
        expect(localEndpointMismatch(without, pem, "10.0.0.8")).toBe(
            "Handshake failed: Network error (yb/rpc/secure_stream.cc:1108): Endpoint does not match, address: 10.0.0.8, hostname: 10.0.0.8",
        );
        expect(localEndpointMismatch(without, pem, "127.0.0.1")).toBeUndefined();
    });
});
