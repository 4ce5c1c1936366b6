// The promises of the fake engine, shown on a small program (fixtures/basic). They do not prove that the
// real engine, a provider or an API server behaves so; the rules are read from their sources.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, test } from "vitest";
import {
    deletionOrderOf,
    dependsOnTransitively,
    orderOf,
    runProgram,
    Secret,
    secretsSweep,
    textAt,
    UNKNOWN,
    valueAt,
    type Registration,
    type RunOptions,
    type RunResult,
} from "./engine.js";
import { formatPlan, namesOf, planBetween } from "./plan.js";

const PROGRAM = fileURLToPath(new URL("./fixtures/basic", import.meta.url));
const PASSWORD = "correct-horse-battery";
const CLUSTER = "urn:pulumi:test::basic::fixture:index:Cluster::orders";
const JOB =
    "urn:pulumi:test::basic::fixture:index:Cluster$kubernetes:batch/v1:Job::orders-membership";
const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";

function run(
    config: Record<string, string>,
    options: Omit<RunOptions, "config"> = {},
): Promise<RunResult> {
    return runProgram({
        program: PROGRAM,
        secretKeys: ["password"],
        ...options,
        config: { password: PASSWORD, ...config },
    });
}

function named(result: RunResult, name: string): Registration {
    const found = result.resources.find((registration) => registration.name === name);
    expect(found, `a resource named ${name}`).toBeDefined();
    return found!;
}

function errorsOf(result: RunResult): string[] {
    return result.messages
        .filter((message) => message.severity === "error")
        .map(({ text }) => text);
}

const isMember = (registration: Registration): boolean => registration.type === STATEFUL_SET;
const shortNames = (waves: string[][]): string[][] =>
    waves.map((wave) => wave.map((urn) => urn.split("::").at(-1)!));

/** A new stack of three members, and one of five. */
let first: RunResult;
let five: RunResult;
beforeAll(async () => {
    [first, five] = await Promise.all([run({}), run({ members: "5" })]);
});

describe("a run of a new stack", () => {
    test("registers what the program asks for, with its options", () => {
        expect(first.exitCode).toBe(0);
        expect(errorsOf(first)).toEqual([]);
        const member = named(first, "orders-a-1");
        expect(member).toMatchObject({
            urn: `urn:pulumi:test::basic::fixture:index:Cluster$${STATEFUL_SET}::orders-a-1`,
            type: STATEFUL_SET,
            parent: CLUSTER,
            custom: true,
            protect: false,
            ignoreChanges: ["spec.replicas"],
            customTimeouts: { create: "15m", update: "30m" },
            deleteBeforeReplace: undefined,
            retainOnDelete: false,
            deletedWith: "",
            replaceOnChanges: [],
            importId: "",
            id: "default/orders-a-1",
        });
        expect(member.dependencies).toContain(named(first, "orders-a-0").urn);
        expect(member.aliases).toContain(
            "urn:pulumi:test::basic::fixture:index:Cluster$kubernetes:apps/v1beta2:StatefulSet::orders-a-1",
        );
        expect(valueAt(member.inputs, "spec.template.spec.containers[0].image")).toBe(
            "fixture/server:1.0",
        );
        expect(named(first, "orders").hooks).toEqual({
            beforeUpdate: ["guard", "not-in-preview"],
        });
    });

    test("hands a component's provider to its children", () => {
        const provider = named(first, "cluster");
        expect(named(first, "orders-a-0").provider).toBe(`${provider.urn}::${provider.id}`);
        expect(named(first, "orders").providers).toEqual({
            kubernetes: `${provider.urn}::${provider.id}`,
        });
    });

    test("sees the defaults of Pulumi.yaml", () => {
        expect(first.config).toEqual({ "basic:members": "3", "basic:password": PASSWORD });
        expect(first.outputs["members"]).toBe(3);
    });

    test("gives what the program logs, with the resource it is about", () => {
        expect(first.messages).toEqual([
            { severity: "info", text: "a cluster of 3", urn: CLUSTER },
        ]);
    });

    test("keeps secrets in envelopes, and shows them in stack outputs as such", () => {
        expect(named(first, "orders-root").inputs["stringData"]).toEqual(
            new Secret({ password: PASSWORD }),
        );
        expect(valueAt(named(first, "orders").inputs, "password")).toBe(PASSWORD);
        expect(named(first, "orders").inputs["password"]).toBeInstanceOf(Secret);
        expect(first.outputs["password"]).toEqual({ secret: PASSWORD });
        expect(first.outputs["connection"]).toEqual({
            user: "root",
            password: { secret: PASSWORD },
        });
    });

    test("makes random values that are deterministic, secret and as long as asked for", async () => {
        const again = await run({});
        const password = valueAt(named(first, "replicator").outputs, "result");
        expect(password).toMatch(/^replicator[0-9a-f]{14}$/);
        expect(named(first, "replicator").outputs["result"]).toBeInstanceOf(Secret);
        expect(again.outputs["replicator"]).toEqual({ secret: password });
    });

    test("names unnamed objects deterministically, and leaves the program's inputs alone", () => {
        const job = named(first, "orders-membership");
        expect(valueAt(job.outputs, "metadata.name")).toMatch(/^orders-membership-[0-9a-f]{8}$/);
        expect(job.inputs["metadata"]).toBeUndefined();
    });

    test("feeds computed outputs to what depends on them", () => {
        const ip = textAt(
            named(first, "orders-client").outputs,
            "status.loadBalancer.ingress[0].ip",
        );
        expect(ip).toMatch(/^10\.\d+\.\d+\.\d+$/);
        expect(valueAt(named(first, "orders-config").inputs, ["data", "server.cnf"])).toBe(
            `address=${ip}`,
        );
        expect(first.outputs["endpoint"]).toBe(ip);
        expect(named(first, "orders").outputs).toEqual({ endpoint: ip });
    });

    test("reads existing objects without managing them", () => {
        expect(named(first, "system")).toMatchObject({ managed: false, id: "kube-system" });
        expect(first.outputs["namespace"]).toBe("kube-system");
        expect(first.steps).toContainEqual({ urn: named(first, "system").urn, step: "read" });
    });

    test("puts the transforms of the stack into effect", async () => {
        const labelled = await run({ label: "true" });
        const config = named(labelled, "orders-config");
        expect(valueAt(config.inputs, "metadata.labels")).toEqual({ team: "data" });
        expect(config.protect).toBe(true);
        expect(named(labelled, "orders-root").protect).toBe(false);
    });
});

describe("the order of members", () => {
    test("is the chain of their dependencies, and deletion turns it round", () => {
        expect(shortNames(orderOf(first, isMember))).toEqual([
            ["orders-a-0"],
            ["orders-a-1"],
            ["orders-a-2"],
        ]);
        expect(shortNames(deletionOrderOf(first, isMember))).toEqual([
            ["orders-a-2"],
            ["orders-a-1"],
            ["orders-a-0"],
        ]);
        expect(shortNames(orderOf(first, ({ type }) => type === CLAIM))).toHaveLength(1);
    });

    test("reaches through dependencies, parents and providers, in one direction only", () => {
        const [a0, a2] = [named(first, "orders-a-0").urn, named(first, "orders-a-2").urn];
        expect(dependsOnTransitively(first, a2, a0)).toBe(true);
        expect(dependsOnTransitively(first, a0, a2)).toBe(false);
        expect(dependsOnTransitively(first, a2, named(first, "cluster").urn)).toBe(true);
        expect(dependsOnTransitively(first, a2, CLUSTER)).toBe(true);
        expect(dependsOnTransitively(first, a2, JOB)).toBe(false);
        expect(() => dependsOnTransitively(first, a2, "urn:nobody")).toThrow(
            "the run has no resource urn:nobody",
        );
    });
});

describe("an update", () => {
    test("of nothing does nothing", async () => {
        const again = await run({}, { previous: first });
        expect(formatPlan(planBetween(first, again))).toBe("");
        expect(new Set(again.steps.map(({ step }) => step))).toEqual(new Set(["same", "read"]));
        expect(again.hookCalls).toEqual([]);
    });

    test("is planned per resource: scaling from three to five adds two members", async () => {
        const wider = await run({ members: "5" }, { previous: first });
        const plan = planBetween(first, wider);
        expect(formatPlan(plan)).toBe(
            [
                "~  update fixture:index:Cluster orders",
                "       update members",
                "+- replace kubernetes:batch/v1:Job orders-membership",
                "       update spec.template.spec.containers[0].args[0] (replaces)",
                `+  create ${CLAIM} orders-a-3-data`,
                `+  create ${CLAIM} orders-a-4-data`,
                `+  create ${STATEFUL_SET} orders-a-3`,
                `+  create ${STATEFUL_SET} orders-a-4`,
                "",
            ].join("\n"),
        );
        // The old Job goes when everything else is done.
        expect(wider.steps.at(-1)).toEqual({ urn: JOB, step: "delete-replaced" });
        const [before, after] = [first, wider].map((result) =>
            valueAt(named(result, "orders-membership").outputs, "metadata.name"),
        );
        expect(after).not.toBe(before);
    });

    test("deletes what is no longer registered, dependents first", async () => {
        const three = await run({ members: "3" }, { previous: five });
        expect(namesOf(planBetween(five, three), "delete")).toEqual([
            "orders-a-3",
            "orders-a-3-data",
            "orders-a-4",
            "orders-a-4-data",
        ]);
        const deleted = three.steps.filter(({ step }) => step === "delete");
        expect(deleted.map(({ urn }) => urn.split("::").at(-1))).toEqual([
            "orders-a-4",
            "orders-a-3",
            "orders-a-4-data",
            "orders-a-3-data",
        ]);
        expect([...three.state.keys()].sort()).toEqual([...first.state.keys()].sort());
    });

    test("grows a claim in place", async () => {
        const grown = await run({ diskGi: "20" }, { previous: first });
        const plan = planBetween(first, grown);
        expect(namesOf(plan, "update", CLAIM)).toEqual([
            "orders-a-0-data",
            "orders-a-1-data",
            "orders-a-2-data",
        ]);
        expect(namesOf(plan, "replace")).toEqual([]);
    });

    test("replaces where the provider does, the old object first where it keeps its name", async () => {
        const moved = await run({ serviceName: "elsewhere" }, { previous: first });
        const [step] = planBetween(first, moved).filter(({ name }) => name === "orders-a-0");
        expect(step).toMatchObject({
            operation: "replace",
            deleteBeforeReplace: true,
            changes: [{ path: "spec.serviceName", kind: "update", replaces: true }],
        });
        const { urn } = named(moved, "orders-a-0");
        expect(moved.steps.filter((taken) => taken.urn === urn)).toEqual([
            { urn, step: "delete-replaced" },
            { urn, step: "create-replacement" },
        ]);
    });

    test("replaces everything when the cluster is another one", async () => {
        const other = await run({ clusterIdentifier: "two" }, { previous: first });
        const plan = planBetween(first, other);
        expect(namesOf(plan, "replace")).toHaveLength(11);
        expect(namesOf(plan, "replace")).toContain("orders-a-0-data");
        expect(plan.find(({ name }) => name === "orders-a-0-data")!.because).toBe(
            "its provider is another cluster",
        );
    });

    test("follows aliases, of parents too", async () => {
        const renamed = await run({ name: "sales", formerly: "orders" }, { previous: first });
        const plan = planBetween(first, renamed);
        expect(namesOf(plan, "create")).toEqual([]);
        expect(namesOf(plan, "delete")).toEqual([]);
        expect(namesOf(plan, "replace", STATEFUL_SET)).toEqual([
            "sales-a-0",
            "sales-a-1",
            "sales-a-2",
        ]);
    });
});

describe("hooks", () => {
    test("see the arguments before and after, and refuse in preview", async () => {
        const refused = await run({ members: "2" }, { previous: first, preview: true });
        expect(refused.exitCode).toBe(255);
        expect(refused.messages).toContainEqual({
            severity: "error",
            text: 'before hook "guard" failed: members: 3 -> 2 goes below the quorum of three',
            urn: CLUSTER,
        });
        expect(refused.resources.filter(({ parent }) => parent === CLUSTER)).toEqual([]);
        expect(() => planBetween(first, refused)).toThrow(/goes below the quorum/);
    });

    test("are called in previews only where they ask for it", async () => {
        const hooksOf = (result: RunResult): string[] => result.hookCalls.map(({ hook }) => hook);
        const config = { members: "4" };
        const [preview, update] = await Promise.all([
            run(config, { previous: first, preview: true }),
            run(config, { previous: first }),
        ]);
        expect(hooksOf(preview)).toEqual(["guard"]);
        expect(hooksOf(update)).toEqual(["guard", "not-in-preview"]);
    });

    test("that ignore their errors only warn", async () => {
        const grumbling = await run({ grumble: "true" });
        expect(grumbling.exitCode).toBe(0);
        expect(grumbling.messages).toContainEqual({
            severity: "warning",
            text: 'after hook "grumble" failed: never content',
            urn: CLUSTER,
        });
    });

    test("compare with what was last attempted, not with what was last completed", async () => {
        const failed = await run({ members: "2" });
        const attempt = await run(
            { members: "3" },
            { previous: failed, failOn: (urn) => (urn === JOB ? "the job failed" : undefined) },
        );
        expect(attempt.exitCode).toBe(255);
        const back = await run({ members: "2" }, { previous: attempt, preview: true });
        expect(errorsOf(back)).toEqual([
            'before hook "guard" failed: members: 3 -> 2 goes below the quorum of three',
        ]);
    });
});

describe("a step that fails", () => {
    test("ends the run; nothing is deleted, and the next run tries again", async () => {
        const failed = await run(
            { members: "3" },
            { previous: five, failOn: (urn) => (urn === JOB ? "the job failed" : undefined) },
        );
        expect(failed.exitCode).toBe(255);
        expect(failed.messages).toContainEqual({
            severity: "error",
            text: "the job failed",
            urn: JOB,
        });
        expect(failed.steps.map(({ step }) => step)).not.toContain("delete");
        expect(failed.state.get(JOB)!.initError).toBe("the job failed");
        const again = await run({ members: "3" }, { previous: failed });
        expect(again.exitCode).toBe(0);
        const plan = planBetween(failed, again);
        expect(plan.find(({ urn }) => urn === JOB)!.operation).toBe("update");
        expect(namesOf(plan, "delete", STATEFUL_SET)).toEqual(["orders-a-3", "orders-a-4"]);
    });

    test("is tried again where an error hook says so", async () => {
        let failures = 0;
        const patient = await run(
            {},
            { failOn: (urn) => (urn === JOB && failures++ === 0 ? "not yet" : undefined) },
        );
        expect(patient.exitCode).toBe(0);
        expect(patient.hookCalls).toEqual([
            { hook: "one-more-try", moment: "onError", urn: JOB, error: undefined },
        ]);
    });
});

describe("protection", () => {
    test("keeps an update from deleting", async () => {
        const four = await run({ members: "4", protect: "true" });
        const refused = await run({ members: "3", protect: "true" }, { previous: four });
        const claim = named(four, "orders-a-3-data").urn;
        expect(refused.exitCode).toBe(255);
        expect(errorsOf(refused)[0]).toContain(
            `"${claim}" cannot be deleted because it is protected`,
        );
        expect(refused.state.has(claim)).toBe(true);
    });

    test("keeps a preview from replacing", async () => {
        const kept = await run({ protect: "true" });
        const refused = await run(
            { protect: "true", clusterIdentifier: "two" },
            { previous: kept, preview: true },
        );
        expect(refused.exitCode).toBe(255);
        expect(errorsOf(refused)).toHaveLength(3);
        expect(errorsOf(refused)[0]).toMatch(/unable to replace resource ".*-data"/);
    });
});

describe("a preview", () => {
    test("with nothing known registers the same resources as the update", async () => {
        const preview = await run({}, { preview: true, outputsUnknown: true });
        expect(preview.exitCode).toBe(0);
        const urnsOf = (result: RunResult): string[] =>
            result.resources.map(({ urn }) => urn).sort();
        expect(urnsOf(preview)).toEqual(urnsOf(first));
        expect(preview.outputs).toMatchObject({ endpoint: UNKNOWN, replicator: UNKNOWN });
        const member = named(preview, "orders-a-0");
        expect(
            valueAt(member.inputs, "spec.template.spec.volumes[0].persistentVolumeClaim.claimName"),
        ).toBe(UNKNOWN);
        expect(member.id).toBe("");
        expect(preview.state.size).toBe(0);
    });

    test("knows what a resource was given, and what an earlier run left", async () => {
        const preview = await run({ members: "4" }, { preview: true, previous: first });
        const claimName = "spec.template.spec.volumes[0].persistentVolumeClaim.claimName";
        expect(valueAt(named(preview, "orders-a-3").inputs, claimName)).toBe("orders-a-3-data");
        expect(preview.outputs["endpoint"]).toBe(first.outputs["endpoint"]);
        expect(named(preview, "orders-a-0").id).toBe("default/orders-a-0");
        expect(named(preview, "orders-a-3").id).toBe("");
    });

    test("leaves no state to go on from", async () => {
        const preview = await run({}, { preview: true });
        await expect(run({}, { previous: preview })).rejects.toThrow("`previous` is a preview");
    });
});

describe("the sweep for secrets", () => {
    test("finds nothing where there is nothing", () => {
        const generated = textAt(named(first, "replicator").outputs, "result");
        expect(secretsSweep(first, [PASSWORD, generated])).toEqual([]);
    });

    test("finds a planted leak", async () => {
        const leaking = await run({ leak: "true" });
        expect(secretsSweep(leaking, [PASSWORD])).toEqual([
            `${named(leaking, "orders-config").urn} inputs: data.leaked`,
        ]);
    });

    test("finds plaintexts in messages, in base64 and in stack outputs", () => {
        const leaky: RunResult = {
            ...first,
            resources: [],
            messages: [{ severity: "info", text: `password is ${PASSWORD}`, urn: "" }],
            outputs: {
                kept: { secret: PASSWORD },
                shown: [Buffer.from(PASSWORD).toString("base64")],
            },
        };
        expect(secretsSweep(leaky, [PASSWORD])).toEqual(["stack outputs: shown[0]", "message 0"]);
        expect(() => secretsSweep(first, [""])).toThrow("an empty plaintext stands everywhere");
    });
});

describe("a program that goes wrong", () => {
    test("is shown with its own words and exit code", async () => {
        const thrown = await run({ misbehave: "throw" });
        expect(thrown.exitCode).toBe(32);
        expect(errorsOf(thrown)).toEqual(["members: must be odd"]);
    });

    test("and calls a function that nobody answers is told which", async () => {
        const [unanswered, answered] = await Promise.all([
            run({ misbehave: "invoke" }),
            run(
                { misbehave: "invoke" },
                { invokes: { "fixture:index:lookUp": ({ name }) => ({ found: name! }) } },
            ),
        ]);
        expect(unanswered.exitCode).not.toBe(0);
        expect(errorsOf(unanswered)[0]).toContain(
            "the fake engine has no answer to the function fixture:index:lookUp",
        );
        expect(answered.exitCode).toBe(0);
        expect(answered.invokes).toEqual([
            {
                token: "fixture:index:lookUp",
                args: { name: "orders" },
                provider: "",
                result: { found: "orders" },
            },
        ]);
    });

    test("and lacks a required setting is not started", async () => {
        const missing = await runProgram({ program: PROGRAM, config: {} });
        expect(missing.exitCode).toBe(255);
        expect(errorsOf(missing)).toEqual([
            "Stack 'test' is missing configuration value 'password'",
        ]);
        expect(missing.resources).toEqual([]);
    });

    test("and uses a name twice is refused", async () => {
        const twice = await run({ misbehave: "twice" });
        expect(twice.exitCode).toBe(255);
        expect(errorsOf(twice)).toEqual([
            "Duplicate resource URN 'urn:pulumi:test::basic::random:index/randomPassword:RandomPassword::replicator'; " +
                "try giving it a unique name",
        ]);
    });

    test("and makes an object that exists is refused by the cluster", async () => {
        const clash = await run({ misbehave: "clash" });
        expect(clash.exitCode).toBe(255);
        expect(errorsOf(clash)).toEqual([
            'resource "urn:pulumi:test::basic::kubernetes:core/v1:ConfigMap::clash" was not successfully ' +
                'created by the Kubernetes API server: ConfigMap "orders-config" already exists',
        ]);
    });

    test("and forgets its provider is refused where default providers are disabled", async () => {
        const config = {
            defaultProvider: "true",
            "pulumi:disable-default-providers": '["kubernetes"]',
        };
        const refused = await run(config);
        expect(refused.exitCode).toBe(255);
        expect(errorsOf(refused)[0]).toMatch(/^Default provider for 'kubernetes' disabled\./);
    });

    test("and never ends is killed, and leaves no process behind", async () => {
        const stack = `hangs-${process.pid}`;
        await expect(run({ misbehave: "hang" }, { stack, timeout: 4_000 })).rejects.toThrow(
            /^the program did not end within 4 s; it had registered 1 resources/,
        );
        expect(processesOf(stack)).toEqual([]);
    });
});

/** The process ids of programs that run for a stack (where the system has /proc). */
function processesOf(stack: string): string[] {
    const commandOf = (pid: string): string => {
        try {
            return readFileSync(join("/proc", pid, "cmdline"), "utf8");
        } catch {
            return "";
        }
    };
    const pids = process.platform === "linux" ? readdirSync("/proc") : [];
    return pids.filter((pid) => /^\d+$/.test(pid) && commandOf(pid).includes(stack));
}

test("runs at the same time do not disturb each other", async () => {
    const members = ["1", "2", "3", "4"];
    const results = await Promise.all(
        members.map((count) => run({ members: count }, { stack: `stack-${count}` })),
    );
    const found = results.map(({ exitCode, stack, resources }) => ({
        exitCode,
        stack,
        members: resources.filter(isMember).length,
    }));
    expect(found).toEqual(
        members.map((count) => ({
            exitCode: 0,
            stack: `stack-${count}`,
            members: Number(count),
        })),
    );
});
