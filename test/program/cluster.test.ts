// The whole program against a fake engine: which resources, in which order, with which options; what an update of a
// running cluster would do; and that no password leaves its envelope.
// It does not prove that an API server accepts the objects or that the database works: test/cluster does.
import { beforeAll, describe, expect, test } from "vitest";
import {
    deletionOrderOf,
    dependsOnTransitively,
    orderOf,
    runProgram,
    secretsSweep,
    valueAt,
    withoutSecrets,
    type PropertyMap,
    type Registration,
    type RunResult,
} from "./engine.js";
import { effectiveSteps, formatPlan, namesOf, planBetween } from "./plan.js";

const CONFIG = {
    name: "orders",
    engine: "mysql",
    replication: "async",
    version: "9.7.1",
    zones: '["a","b","c"]',
};

const STATEFUL_SET = "kubernetes:apps/v1:StatefulSet";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";
const JOB = "kubernetes:batch/v1:Job";

const up = (over: Record<string, string> = {}, previous?: RunResult) =>
    runProgram({ config: { ...CONFIG, ...over }, ...(previous && { previous }) });

const preview = (over: Record<string, string> = {}, previous?: RunResult) =>
    runProgram({ config: { ...CONFIG, ...over }, preview: true, ...(previous && { previous }) });

const errorsOf = (result: RunResult) =>
    result.messages.filter(({ severity }) => severity === "error").map(({ text }) => text);

const named = (result: RunResult, type: string, name: string): Registration => {
    const found = result.resources.find((each) => each.type === type && each.name === name);
    if (!found) {
        throw new Error(`there is no ${type} ${name}`);
    }
    return found;
};

let first: RunResult;
beforeAll(async () => {
    first = await up();
    expect(errorsOf(first)).toEqual([]);
    expect(first.exitCode).toBe(0);
});

describe("a new cluster", () => {
    test("is these resources and no others", () => {
        const byKind = first.resources.map(
            ({ type, name }) => `${type.split(":").at(-1)!} ${name}`,
        );
        expect(byKind.sort()).toEqual([
            "Access orders-access",
            "ConfigMap orders-configuration",
            "ConfigMap orders-scripts",
            "DatabaseCluster database",
            "EndpointSlice orders-write",
            "Job orders-membership",
            "Job orders-membership-upgrade",
            "Member orders-a-0",
            "Member orders-b-0",
            "Member orders-c-0",
            "Membership orders-membership",
            "Namespace kubernetes",
            "Namespace orders-namespace",
            "NetworkPolicy orders-ingress",
            "PersistentVolumeClaim orders-a-0-disk",
            "PersistentVolumeClaim orders-b-0-disk",
            "PersistentVolumeClaim orders-c-0-disk",
            "PodDisruptionBudget orders-budget",
            "RandomPassword orders-admin-password",
            "RandomPassword orders-app-password",
            "RandomPassword orders-clone-password",
            "RandomPassword orders-replication-password",
            "RandomPassword orders-root-password",
            "Role orders-a-0-role",
            "Role orders-b-0-role",
            "Role orders-c-0-role",
            "Role orders-membership-role",
            "Role orders-membership-upgrade-role",
            "RoleBinding orders-a-0-role",
            "RoleBinding orders-b-0-role",
            "RoleBinding orders-c-0-role",
            "RoleBinding orders-membership-role",
            "RoleBinding orders-membership-upgrade-role",
            "Secret orders-credentials",
            "Service orders-a-0-service",
            "Service orders-b-0-service",
            "Service orders-c-0-service",
            "Service orders-clients",
            "Service orders-peers",
            "Service orders-read-clients",
            "ServiceAccount orders-a-0-account",
            "ServiceAccount orders-b-0-account",
            "ServiceAccount orders-c-0-account",
            "ServiceAccount orders-membership-account",
            "ServiceAccount orders-membership-upgrade-account",
            "Stack quorum-test",
            "StatefulSet orders-a-0",
            "StatefulSet orders-b-0",
            "StatefulSet orders-c-0",
            "kubernetes kubernetes",
        ]);
    });

    test("has a chain of members: the forming one first, the preferred leader last", () => {
        const [a, b, c] = ["a", "b", "c"].map(
            (zone) => named(first, STATEFUL_SET, `orders-${zone}-0`).urn,
        );
        expect(dependsOnTransitively(first, c!, b!)).toBe(true);
        expect(dependsOnTransitively(first, a!, c!)).toBe(true);
        expect(dependsOnTransitively(first, b!, c!)).toBe(false);
    });

    test("has a membership job beside the chain, so that neither waits for the other", () => {
        const job = named(first, JOB, "orders-membership").urn;
        for (const { urn } of first.resources.filter(({ type }) => type === STATEFUL_SET)) {
            expect(dependsOnTransitively(first, job, urn)).toBe(false);
            expect(dependsOnTransitively(first, urn, job)).toBe(false);
        }
    });

    test("is deleted members first, their claims after them", () => {
        const order = deletionOrderOf(first);
        const at = (type: string, name: string) => {
            const { urn } = named(first, type, name);
            return order.findIndex((wave) => wave.includes(urn));
        };
        expect(at(STATEFUL_SET, "orders-a-0")).toBeLessThan(at(STATEFUL_SET, "orders-c-0"));
        expect(at(STATEFUL_SET, "orders-c-0")).toBeLessThan(at(STATEFUL_SET, "orders-b-0"));
        expect(at(STATEFUL_SET, "orders-b-0")).toBeLessThan(at(CLAIM, "orders-b-0-disk"));
    });

    test("keeps claims, namespace and credentials when destroyed, unless asked otherwise", async () => {
        const kept = (result: RunResult) =>
            result.resources
                .filter(({ retainOnDelete }) => retainOnDelete)
                .map(({ name }) => name)
                .sort();
        expect(kept(first)).toEqual([
            "orders-a-0-disk",
            "orders-b-0-disk",
            "orders-c-0-disk",
            "orders-credentials",
            "orders-namespace",
        ]);
        expect(kept(await up({ storage: '{"onDelete":"delete"}' }))).toEqual([]);
    });

    test("waits as long as seeding may take, and not for the clients' Services", () => {
        expect(named(first, STATEFUL_SET, "orders-a-0").customTimeouts).toEqual({
            create: "1860s",
            update: "1860s",
        });
        for (const name of ["orders-clients", "orders-read-clients"]) {
            const service = named(first, "kubernetes:core/v1:Service", name);
            expect(valueAt(service.inputs, 'metadata.annotations["pulumi.com/skipAwait"]')).toBe(
                "true",
            );
        }
    });

    test("leaves the address behind the write Service to the members", () => {
        expect(
            named(first, "kubernetes:discovery.k8s.io/v1:EndpointSlice", "orders-write")
                .ignoreChanges,
        ).toEqual(["endpoints"]);
    });

    test("goes to the given Kubernetes only", () => {
        const objects = first.resources.filter(
            ({ type, custom }) => custom && type.startsWith("kubernetes:"),
        );
        expect(objects.length).toBeGreaterThan(20);
        expect(new Set(objects.map(({ provider }) => provider.includes("::kubernetes::")))).toEqual(
            new Set([true]),
        );
    });

    test("has the same resources in preview, when nothing is known yet", async () => {
        const planned = await runProgram({ config: CONFIG, preview: true, outputsUnknown: true });
        expect(errorsOf(planned)).toEqual([]);
        expect(planned.resources.map(({ urn }) => urn).sort()).toEqual(
            first.resources.map(({ urn }) => urn).sort(),
        );
    });

    test("has no password outside a secret's envelope", () => {
        const passwords = first.resources
            .filter(({ type }) => type === "random:index/randomPassword:RandomPassword")
            .map(({ outputs }) => withoutSecrets(outputs["result"]!) as string);
        expect(passwords).toHaveLength(5);
        expect(secretsSweep(first, passwords)).toEqual([]);
    });

    test("keeps a kubeconfig secret, however it was configured", async () => {
        const kubeconfig = JSON.stringify({
            apiVersion: "v1",
            kind: "Config",
            users: ["admin-token"],
        });
        for (const secretKeys of [[], ["kubeconfig"]]) {
            const result = await runProgram({ config: { ...CONFIG, kubeconfig }, secretKeys });
            expect(errorsOf(result)).toEqual([]);
            const { inputs } = named(result, "pulumi:providers:kubernetes", "kubernetes");
            expect(withoutSecrets(inputs["kubeconfig"]!)).toBe(kubeconfig);
            expect(secretsSweep(result, [kubeconfig, "admin-token"])).toEqual([]);
        }
    });

    test("has the outputs that a user needs next", () => {
        const { connection, members, ...rest } = first.outputs;
        expect(connection).toHaveProperty("secret");
        expect(members).toHaveLength(3);
        expect(rest).toEqual({
            cluster: "orders",
            engine: "mysql",
            namespace: "orders",
            credentials: "orders-credentials",
            addons: {},
            endpoints: {
                write: "orders.orders.svc.cluster.local:3306",
                read: "orders-read.orders.svc.cluster.local:3306",
            },
            commands: {
                client: "kubectl --namespace orders exec --stdin --tty orders-a-0-0 --container mysql -- bash /quorum/scripts/client.sh",
                status: "kubectl --namespace orders exec orders-a-0-0 --container agent -- bash /quorum/scripts/status.sh",
                portForward: "kubectl --namespace orders port-forward pod/orders-a-0-0 3306:3306",
            },
        });
    });
});

describe("every pod", () => {
    test("passes the restricted profile and says what it needs", () => {
        const specs = first.resources
            .filter(({ type }) => type === STATEFUL_SET || type === JOB)
            .map(({ inputs }) => valueAt(inputs, "spec.template.spec") as PropertyMap);
        expect(specs).toHaveLength(5);
        for (const spec of specs) {
            expect(valueAt(spec, "securityContext.runAsNonRoot")).toBe(true);
            expect(valueAt(spec, "securityContext.seccompProfile.type")).toBe("RuntimeDefault");
            expect(valueAt(spec, "automountServiceAccountToken")).toBe(false);
            const containers = [
                ...((valueAt(spec, "initContainers") ?? []) as PropertyMap[]),
                ...(valueAt(spec, "containers") as PropertyMap[]),
            ];
            for (const container of containers) {
                expect(valueAt(container, "securityContext")).toEqual({
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                });
                expect(valueAt(container, "resources.requests.memory")).toBeTruthy();
                expect(valueAt(container, "resources.limits.memory")).toBeTruthy();
                expect(valueAt(container, "image")).toBe(
                    valueAt(container, "name") === "tools"
                        ? "buildpack-deps:bookworm-curl"
                        : "mysql:9.7.1",
                );
            }
        }
    });
});

describe("an update of a running cluster", () => {
    test("with nothing changed does nothing", async () => {
        expect(effectiveSteps(planBetween(first, await up({}, first)))).toEqual([]);
    });

    test("that adds members restarts nobody and runs the membership job again", async () => {
        const plan = planBetween(first, await up({ replicas: "5" }, first));
        expect(namesOf(plan, "create", STATEFUL_SET)).toEqual(["orders-a-1", "orders-b-1"]);
        expect(namesOf(plan, "update", STATEFUL_SET)).toEqual([]);
        expect(namesOf(plan, "replace")).toEqual(["orders-membership"]);
        expect(namesOf(plan, "delete")).toEqual([]);
        expect(namesOf(plan, "update")).toEqual(["database", "orders-write"]);
    });

    test("that removes a member restarts nobody else, and deletes only what was its own", async () => {
        const four = await up({ replicas: "4" });
        const plan = planBetween(four, await up({}, four));
        expect(namesOf(plan, "delete")).toEqual([
            // The member and its StatefulSet.
            "orders-a-1",
            "orders-a-1",
            "orders-a-1-account",
            "orders-a-1-disk",
            "orders-a-1-role",
            "orders-a-1-role",
            "orders-a-1-service",
        ]);
        expect(namesOf(plan, "update")).toEqual(["database", "orders-write"]);
        expect(namesOf(plan, "replace")).toEqual(["orders-membership"]);
    });

    test("to another image checks the members and touches them, one after the other, and not the membership job", async () => {
        const next = await up({ image: "registry.example/mysql:9.7.1" }, first);
        const plan = planBetween(first, next);
        expect(formatPlan(plan)).toBe(
            `~  update quorum:index:DatabaseCluster database
       update image
       update pods.orders-a-0
       update pods.orders-b-0
       update pods.orders-c-0
~  update kubernetes:discovery.k8s.io/v1:EndpointSlice orders-write
       update metadata.annotations["quorum.dev/pods"]
+- replace kubernetes:batch/v1:Job orders-membership-upgrade
       update spec.template.spec.containers[0].env[11].value (replaces)
       update spec.template.spec.containers[0].image (replaces)
${["b", "c", "a"]
    .map(
        (zone) => `~  update kubernetes:apps/v1:StatefulSet orders-${zone}-0
       update spec.template.spec.containers[0].image
       update spec.template.spec.containers[1].image
       update spec.template.spec.initContainers[1].image
`,
    )
    .join("")}`,
        );
        // Strictly one after the other: the same chain that created them.
        const order = orderOf(next, ({ type }) => type === STATEFUL_SET);
        expect(order.map((wave) => wave.map((urn) => urn.split("::").at(-1)))).toEqual([
            ["orders-b-0"],
            ["orders-c-0"],
            ["orders-a-0"],
        ]);
    });

    test("to another image of the tools checks and restarts the members, and runs no other job", async () => {
        const plan = planBetween(first, await up({ toolsImage: "tools:2" }, first));
        expect(formatPlan(plan)).toBe(
            `~  update quorum:index:DatabaseCluster database
       update pods.orders-a-0
       update pods.orders-b-0
       update pods.orders-c-0
       update toolsImage
~  update kubernetes:discovery.k8s.io/v1:EndpointSlice orders-write
       update metadata.annotations["quorum.dev/pods"]
+- replace kubernetes:batch/v1:Job orders-membership-upgrade
       update spec.template.spec.containers[0].env[11].value (replaces)
       update spec.template.spec.initContainers[0].image (replaces)
${["b", "c", "a"]
    .map(
        (zone) => `~  update kubernetes:apps/v1:StatefulSet orders-${zone}-0
       update spec.template.spec.initContainers[0].image
`,
    )
    .join("")}`,
        );
    });

    test("of a stack that was made before there were tools makes the job anew with them", async () => {
        const job = named(first, JOB, "orders-membership");
        const pod = valueAt(job.inputs, "spec.template.spec") as PropertyMap;
        const { initContainers } = pod;
        delete pod["initContainers"];
        const next = await up({}, first);
        const plan = planBetween(first, next);
        pod["initContainers"] = initContainers!;
        expect(namesOf(plan, "replace")).toEqual(["orders-membership"]);
        expect(
            valueAt(
                named(next, JOB, "orders-membership").inputs,
                "spec.template.spec.initContainers[0].image",
            ),
        ).toBe("buildpack-deps:bookworm-curl");
    });

    test("that grows the disks updates the claims and nothing else", async () => {
        const plan = planBetween(first, await up({ storage: '{"size":"20Gi"}' }, first));
        expect(namesOf(plan, "update")).toEqual([
            "database",
            "orders-a-0-disk",
            "orders-b-0-disk",
            "orders-c-0-disk",
        ]);
        expect(namesOf(plan, "replace")).toEqual([]);
        expect(namesOf(plan, "delete")).toEqual([]);
    });

    test("to another primary runs the membership job and restarts nobody", async () => {
        const plan = planBetween(first, await up({ primary: "orders-c-0" }, first));
        expect(namesOf(plan, "replace")).toEqual(["orders-membership"]);
        expect(namesOf(plan, "update")).toEqual(["database", "orders-write"]);
    });

    test("whose membership job fails deletes nothing", async () => {
        const four = await up({ replicas: "4" });
        const failed = await runProgram({
            config: CONFIG,
            previous: four,
            failOn: (urn) =>
                urn.endsWith("::orders-membership") && urn.includes("batch/v1:Job")
                    ? "timed out"
                    : undefined,
        });
        expect(failed.exitCode).not.toBe(0);
        expect(failed.steps.filter(({ step }) => step === "delete")).toEqual([]);
    });

    test("is announced in preview, one line for each weighty thing", async () => {
        const planned = await preview({ replicas: "4" }, first);
        expect(planned.exitCode).toBe(0);
        expect(
            planned.messages.filter(({ severity }) => severity === "info").map(({ text }) => text),
        ).toEqual([
            "orders: orders-a-1 joins in zone a, empty, and is seeded from the members there are.",
        ]);
    });
});

describe("an update that would harm the data is refused in preview and in update", () => {
    test.each([
        [
            "a smaller disk",
            { storage: '{"size":"1Gi"}' },
            'quorum:storage.size "10Gi" -> "1Gi": a disk cannot shrink.',
        ],
        ["an older version", { version: "8.4.10" }, "MySQL cannot go back from 9.7.1 to 8.4.10"],
        [
            "another storage driver",
            { storage: '{"driver":"local","nodes":{"a":["1"],"b":["2"],"c":["3"]}}' },
            "quorum:storage.driver",
        ],
        [
            "two risky changes",
            { replicas: "5", version: "9.7.2" },
            "image or version and replicas or zones change at once",
        ],
        [
            "a majority leaving",
            { replicas: "1" },
            "2 of 3 members would leave at once (orders-b-0, orders-c-0)",
        ],
    ])("%s", async (_, over, message) => {
        for (const run of [preview, up]) {
            const refused = await run(over, first);
            expect(refused.exitCode).not.toBe(0);
            expect(errorsOf(refused).join("\n")).toContain(message);
            const objects = refused.resources.filter(
                ({ type, managed }) => managed && type.startsWith("kubernetes:"),
            );
            expect(objects).toEqual([]);
            expect(refused.steps.filter(({ step }) => !/same|read/.test(step))).toEqual([]);
        }
    });
});
