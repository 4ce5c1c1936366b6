// The add-on Kine, for real: a second kube-apiserver keeps everything in Kine, on each engine that carries it, and the
// loss of the database's primary loses no write that the API server acknowledged. The write gap is printed.
//
// What it does not prove: that pods run on the second control plane (it has no nodes), that K3s works with it, anything
// about the loss of a whole machine, or about clusters with many objects.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureSandbox, kubeconfigPath, kubectl } from "../../sandbox/index.js";
import {
    apiServerOnKine,
    kineOutput,
    stopKineApiServer,
    type KineOutput,
} from "../../sandbox/kine.js";
import { ApiServer, configMapClient, ConfigMapWatch } from "./kube-client.js";
import { eventually, isReady, Namespace, type Pod } from "./kubernetes.js";
import { clear, LOCAL_STORAGE, Stack, type Config, type Result } from "./stack.js";
import { compare, sleep, Workload } from "./workload.js";

/** A database that carries Kine. */
export interface KineSubject {
    readonly title: string;
    readonly cluster: string;
    /** Of the second API server. */
    readonly port: number;
    readonly config: Config;
    /** Images that the sandbox needs, beside Kine's. */
    readonly images: readonly string[];
    /** The database's container. */
    readonly container: string;
    readonly leader: (namespace: Namespace) => Promise<string>;
}

/** What a user would apply: it is stored, and comes back as it was. */
const SAMPLE = "sample";
const CONFIG_MAP = { metadata: { name: "settings" }, data: { greeting: "hello" } };
const DEPLOYMENT = {
    metadata: { name: "web", labels: { app: "web" } },
    spec: {
        replicas: 2,
        selector: { matchLabels: { app: "web" } },
        template: {
            metadata: { labels: { app: "web" } },
            spec: { containers: [{ name: "web", image: "registry.example/web:1" }] },
        },
    },
};

/** Registers the list for one of them. */
export function carriesKine(subject: KineSubject): void {
    describe(subject.title, () => {
        const namespace = new Namespace(subject.cluster);
        const config: Config = {
            name: subject.cluster,
            zones: ["a", "b", "c"],
            replicas: 3,
            storage: LOCAL_STORAGE,
            addons: ["kine"],
            kine: { image: "localhost/kine:0.16.4" },
            ...subject.config,
        };
        const acknowledged: number[] = [];
        let stack: Stack;
        let kine: KineOutput;
        let api: ApiServer;

        const up = async (): Promise<Result> => {
            const result = await stack.up(config);
            if (result.exitCode !== 0) {
                throw new Error(`exit code ${result.exitCode}\n${result.output}`);
            }
            return result;
        };
        const startApiServer = async (): Promise<number> => {
            const started = performance.now();
            const { kubeconfig } = await apiServerOnKine(subject.cluster, kine, subject.port);
            api = new ApiServer(kubeconfig);
            return performance.now() - started;
        };
        const instances = async (): Promise<Pod[]> => {
            const selector = "app.kubernetes.io/component=kine";
            const output = await kubectl([
                ...["-n", subject.cluster, "get", "pods"],
                ...["-l", selector, "-o", "json"],
            ]);
            return (JSON.parse(output) as { items: Pod[] }).items;
        };

        /** Writes all the time, with a watch beside it, and compares what is there with what was acknowledged. */
        const underLoad = async (what: string, action: () => Promise<unknown>): Promise<void> => {
            const client = configMapClient(api, SAMPLE);
            const watch = await ConfigMapWatch.start(api, SAMPLE);
            const report = await Workload.during(client, { write: "", read: "" }, action);
            acknowledged.push(...report.ids);
            const unseen = () => report.ids.filter((id) => !watch.seen.has(id)).length;
            await eventually("the watch to see every write", 60, () =>
                Promise.resolve(unseen() === 0),
            ).catch(() => undefined);
            await watch.stop();
            const { lost, doubled } = await compare(client, "", acknowledged);
            console.log(
                `${subject.title}, ${what}: ${report.acknowledged} writes acknowledged, ${report.failed} failed, ` +
                    `${lost.length} lost, longest gap ${(report.longestGap / 1000).toFixed(1)} s ` +
                    `(reads ${(report.longestReadGap / 1000).toFixed(1)} s), ` +
                    `${unseen()} not seen by the watch, ${watch.disorder} out of order` +
                    (report.failures.length > 0
                        ? `; the first failure: ${report.failures[0]!.trim()}`
                        : ""),
            );
            expect(report.acknowledged).toBeGreaterThan(0);
            expect({ lost, doubled, unseen: unseen(), disorder: watch.disorder }).toEqual({
                lost: [],
                doubled: [],
                unseen: 0,
                disorder: 0,
            });
        };

        const clearAll = async (): Promise<void> => {
            await stopKineApiServer(subject.cluster);
            await clear(stack, namespace);
        };

        beforeAll(async () => {
            await ensureSandbox([...subject.images, "kine"]);
            stack = await Stack.open(`test-${subject.cluster}`, kubeconfigPath());
            await clearAll();
        });

        afterAll(async () => {
            await clearAll();
            await stack.remove();
        });

        test("a second API server keeps everything in Kine", async () => {
            await up();
            kine = kineOutput(await stack.outputs())!;
            const took = await startApiServer();
            console.log(`${subject.title}: an API server is ready after ${Math.round(took)} ms`);
            expect(await api.ask("GET", "/readyz")).toBe("ok");
            expect(await api.ask("GET", "/readyz/etcd")).toBe("ok");
        });

        test("its instances are in different zones", async () => {
            const zones = (await instances()).map(({ spec }) => spec.nodeName.slice(0, 1));
            expect(zones).toHaveLength(2);
            expect(new Set(zones).size).toBe(2);
        });

        test("a sample application is read back, also by an API server that is new", async () => {
            const paths = {
                settings: `/api/v1/namespaces/${SAMPLE}/configmaps`,
                web: `/apis/apps/v1/namespaces/${SAMPLE}/deployments`,
            };
            await api.ask("POST", "/api/v1/namespaces", { metadata: { name: SAMPLE } });
            await api.ask("POST", paths.settings, CONFIG_MAP);
            await api.ask("POST", paths.web, DEPLOYMENT);
            const check = async () => {
                expect(await api.get(`${paths.settings}/settings`)).toMatchObject(CONFIG_MAP);
                expect(await api.get(`${paths.web}/web`)).toMatchObject(DEPLOYMENT);
            };
            await check();
            await stopKineApiServer(subject.cluster);
            await startApiServer();
            await check();
        });

        test("an update without a change changes nothing, and a refresh finds no drift", async () => {
            expect((await up()).output).toMatch(/Resources:\n +\d+ unchanged\n/);
            const refreshed = await stack.refresh("--expect-no-changes");
            expect(refreshed.output).toMatch(/Resources:\n +\d+ unchanged\n/);
            expect(refreshed.exitCode).toBe(0);
        });

        test("writes are stored and watched", async () => {
            await underLoad("steady", () => sleep(5000));
        });

        test("an instance of Kine goes away", async () => {
            await underLoad("an instance of Kine deleted", async () => {
                const [first] = await instances();
                await kubectl([
                    ...["-n", subject.cluster, "delete", "pod", first!.metadata.name],
                    "--wait=false",
                ]);
                await sleep(3000);
                await eventually("two instances again", 90, async () => {
                    const pods = await instances();
                    return pods.length === 2 && pods.every(isReady);
                });
            });
        });

        test("the database's primary pod is deleted, and no acknowledged write is lost", async () => {
            await underLoad("the primary's pod deleted", async () => {
                await namespace.deletePod(await subject.leader(namespace));
                await sleep(3000);
                await namespace.ready(3);
            });
        });

        test("the database's primary is killed, and no acknowledged write is lost", async () => {
            await underLoad("the primary's processes killed", async () => {
                await namespace.killContainer(await subject.leader(namespace), subject.container);
                await sleep(3000);
                await namespace.ready(3);
            });
        });
    });
}
