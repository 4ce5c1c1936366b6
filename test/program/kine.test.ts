// The add-on Kine through the whole program, against a fake engine: which resources it adds, what they may do, and that
// neither its password nor its endpoint leaves its envelope.
// It does not prove that a control plane works with it: test/cluster/kine.ts does.
import { beforeAll, describe, expect, test } from "vitest";
import {
    dependsOnTransitively,
    runProgram,
    secretsSweep,
    valueAt,
    withoutSecrets,
    type PropertyMap,
    type Registration,
    type RunResult,
} from "./engine.js";
import { effectiveSteps, namesOf, planBetween } from "./plan.js";

const BASE = { name: "orders", zones: '["a","b","c"]' };
const ENGINES = {
    mysql: { ...BASE, engine: "mysql", version: "9.7.1" },
    postgresql: { ...BASE, engine: "postgresql", version: "18" },
};
type Able = keyof typeof ENGINES;

const up = (engine: Able, over: Record<string, string> = {}, previous?: RunResult) =>
    runProgram({ config: { ...ENGINES[engine], ...over }, ...(previous && { previous }) });
const withKine = (engine: Able, over: Record<string, string> = {}, previous?: RunResult) =>
    up(engine, { addons: '["kine"]', ...over }, previous);

const kindAndName = ({ type, name }: Registration) => `${type.split(":").at(-1)!} ${name}`;

const named = (result: RunResult, kind: string): Registration => {
    const found = result.resources.find((each) => kindAndName(each) === kind);
    if (!found) {
        throw new Error(`there is no ${kind}`);
    }
    return found;
};
const inputOf = (result: RunResult, kind: string, property: string): unknown =>
    withoutSecrets(valueAt(named(result, kind).inputs, property)!);

const ENDPOINTS: Readonly<Record<Able, (password: string) => string>> = {
    mysql: (password) =>
        `mysql://kine:${password}@tcp(orders.orders.svc.cluster.local:3306)/kine?tls=skip-verify&rejectReadOnly=true` +
        "&timeout=5s&readTimeout=30s&writeTimeout=30s&transaction_isolation=%27READ-COMMITTED%27",
    postgresql: (password) =>
        `postgres://kine:${password}@orders.orders.svc.cluster.local:5432/kine?sslmode=require&channel_binding=require&target_session_attrs=read-write`,
};

describe.each(["mysql", "postgresql"] as const)("Kine on %s", (engine) => {
    let without: RunResult;
    let result: RunResult;
    beforeAll(async () => {
        [without, result] = await Promise.all([up(engine), withKine(engine)]);
        expect(result.messages.filter(({ severity }) => severity === "error")).toEqual([]);
        expect(result.exitCode).toBe(0);
    });

    test("adds these resources and no others, and none when it is not asked for", () => {
        const before = without.resources.map(kindAndName);
        expect(before.filter((name) => name.includes("kine"))).toEqual([]);
        const added = result.resources.map(kindAndName).filter((name) => !before.includes(name));
        expect(added.sort()).toEqual([
            "ConfigMap orders-kine-scripts",
            "Deployment orders-kine",
            "Job orders-kine-certificates",
            "Job orders-kine-database",
            "Kine orders-kine",
            "NetworkPolicy orders-kine-ingress",
            "PodDisruptionBudget orders-kine-budget",
            "RandomPassword orders-kine-password",
            "Role orders-kine-certificates-role",
            "RoleBinding orders-kine-certificates-role",
            "Secret orders-kine-certificates",
            "Secret orders-kine-database",
            "Service orders-kine-service",
            "ServiceAccount orders-kine-certificates-account",
        ]);
        expect(result.resources).toHaveLength(without.resources.length + added.length);
    });

    test("comes after the database is formed, its own database is made and its certificates are there", () => {
        const deployment = named(result, "Deployment orders-kine").urn;
        for (const kind of [
            "Job orders-membership",
            "Job orders-kine-database",
            "Job orders-kine-certificates",
        ]) {
            expect(dependsOnTransitively(result, deployment, named(result, kind).urn)).toBe(true);
        }
        for (const { urn } of result.resources.filter(({ type }) =>
            type.endsWith(":StatefulSet"),
        )) {
            expect(dependsOnTransitively(result, deployment, urn)).toBe(true);
            expect(dependsOnTransitively(result, urn, deployment)).toBe(false);
        }
    });

    test("may read and write one Secret, in one job, and nothing else", () => {
        expect(inputOf(result, "Role orders-kine-certificates-role", "rules")).toEqual([
            {
                apiGroups: [""],
                resources: ["secrets"],
                resourceNames: ["orders-kine-certificates"],
                verbs: ["get", "patch"],
            },
        ]);
        const account = (kind: string) =>
            inputOf(result, kind, "spec.template.spec") as PropertyMap;
        expect(account("Deployment orders-kine")).not.toHaveProperty("serviceAccountName");
        expect(account("Job orders-kine-database")).not.toHaveProperty("serviceAccountName");
        expect(account("Job orders-kine-certificates")["serviceAccountName"]).toBe(
            "orders-kine-certificates",
        );
    });

    test("passes the restricted profile in every pod", () => {
        for (const kind of [
            "Deployment orders-kine",
            "Job orders-kine-database",
            "Job orders-kine-certificates",
        ]) {
            const spec = inputOf(result, kind, "spec.template.spec") as PropertyMap;
            expect(valueAt(spec, "securityContext.runAsNonRoot")).toBe(true);
            expect(valueAt(spec, "securityContext.seccompProfile.type")).toBe("RuntimeDefault");
            expect(valueAt(spec, "automountServiceAccountToken")).toBe(false);
            for (const container of valueAt(spec, "containers") as PropertyMap[]) {
                expect(valueAt(container, "securityContext")).toEqual({
                    allowPrivilegeEscalation: false,
                    readOnlyRootFilesystem: true,
                    capabilities: { drop: ["ALL"] },
                });
                expect(valueAt(container, "resources.requests.memory")).toBeTruthy();
                expect(valueAt(container, "resources.limits.memory")).toBeTruthy();
            }
        }
    });

    test("serves TLS only, to clients of its own CA, without the CA's key", () => {
        const container = inputOf(
            result,
            "Deployment orders-kine",
            "spec.template.spec.containers[0]",
        ) as PropertyMap;
        expect(container["args"]).toEqual([
            "--listen-address=0.0.0.0:2379",
            "--server-cert-file=/etc/kine/certificates/server.crt",
            "--server-key-file=/etc/kine/certificates/server.key",
            "--trusted-ca-file=/etc/kine/certificates/ca.crt",
            "--metrics-bind-address=:8080",
            "--metrics-ignore-tls-config",
            "--datastore-max-open-connections=20",
            "--datastore-max-idle-connections=10",
            "--datastore-connection-max-lifetime=60s",
        ]);
        expect(
            inputOf(result, "Deployment orders-kine", "spec.template.spec.volumes[0].secret.items"),
        ).toEqual(["ca.crt", "server.crt", "server.key"].map((key) => ({ key, path: key })));
    });

    test("is in the members' zones, spread over them, one at a time away", () => {
        const spec = inputOf(result, "Deployment orders-kine", "spec") as PropertyMap;
        const spread = valueAt(spec, "template.spec.topologySpreadConstraints[0]") as PropertyMap;
        expect(spread["topologyKey"]).toBe("topology.kubernetes.io/zone");
        expect(spread["whenUnsatisfiable"]).toBe("DoNotSchedule");
        expect(spread["nodeTaintsPolicy"]).toBe("Honor");
        expect(valueAt(spec, "strategy.rollingUpdate")).toEqual({ maxSurge: 1, maxUnavailable: 0 });
        expect(
            inputOf(result, "PodDisruptionBudget orders-kine-budget", "spec.maxUnavailable"),
        ).toBe(1);
    });

    test("has its password and its endpoint in the Secret and nowhere else", () => {
        const password = withoutSecrets(
            named(result, "RandomPassword orders-kine-password").outputs["result"]!,
        ) as string;
        expect(inputOf(result, "Secret orders-kine-database", "stringData")).toEqual({
            password,
            endpoint: ENDPOINTS[engine](password),
        });
        expect(secretsSweep(result, [password])).toEqual([]);
    });

    test("leaves the certificates alone once the Secret is there", () => {
        const secret = named(result, "Secret orders-kine-certificates");
        expect(secret.ignoreChanges).toEqual(["data", "stringData"]);
        expect(Object.keys(secret.inputs)).not.toContain("data");
    });

    test("shows the etcd endpoint and the Secret, and hides the line for K3s", () => {
        const { kine } = result.outputs["addons"] as { kine: PropertyMap };
        const { datastoreEndpoint, ...shown } = kine;
        expect(shown).toEqual({
            endpoint: "https://orders-kine.orders.svc.cluster.local:2379",
            certificates: "orders-kine-certificates",
        });
        expect(datastoreEndpoint).toHaveProperty("secret");
    });

    test("has the same resources in preview, when nothing is known yet", async () => {
        const config = { ...ENGINES[engine], addons: '["kine"]' };
        const planned = await runProgram({ config, preview: true, outputsUnknown: true });
        expect(planned.resources.map(({ urn }) => urn).sort()).toEqual(
            result.resources.map(({ urn }) => urn).sort(),
        );
    });

    test("comes to a running cluster without touching a member", async () => {
        const plan = planBetween(without, await withKine(engine, {}, without));
        expect(namesOf(plan, "update")).toEqual(["database"]);
        expect(namesOf(plan, "replace")).toEqual([]);
        expect(namesOf(plan, "delete")).toEqual([]);
        expect(namesOf(plan, "create")).toHaveLength(14);
        expect(effectiveSteps(planBetween(result, await withKine(engine, {}, result)))).toEqual([]);
    });

    test("takes another number of instances in place, each with its share of the connections", async () => {
        const three = await withKine(engine, { kine: '{"replicas":3}' }, result);
        expect(namesOf(planBetween(result, three), "update")).toEqual(["database", "orders-kine"]);
        expect(
            inputOf(three, "Deployment orders-kine", "spec.template.spec.containers[0].args"),
        ).toContain("--datastore-max-open-connections=13");
    });

    test("leaves when it is taken out, with an announcement, and its database stays", async () => {
        const removed = await runProgram({
            config: ENGINES[engine],
            preview: true,
            previous: result,
        });
        expect(
            removed.messages.filter(({ severity }) => severity === "info").map(({ text }) => text),
        ).toEqual([
            "orders: Kine is removed with its certificates: EVERY CONTROL PLANE THAT USES IT STOPS, and one that comes back needs certificates of another CA. Its database stays.",
        ]);
    });
});
