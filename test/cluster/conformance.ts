// The promises of Quorum, written once over the engine contract and kept by every engine on real pods, while a client
// writes and reads all the time. No acknowledged write is ever lost; the longest gap of each step is printed.
//
// What it does not prove: anything about hardware or networks slower than this machine's, or about large data.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureSandbox, kubeconfigPath, zoneDown, ZONES, zoneUp } from "../../sandbox/index.js";
import { keepRecord, type Row } from "./conformance-record.js";
import { cutPower, eventually, isReady, MEMBERS, Namespace } from "./kubernetes.js";
import { clear, LOCAL_STORAGE, Stack, succeeded, type Config, type Result } from "./stack.js";
import { compare, sleep, Workload, type EngineClient, type Report } from "./workload.js";

/** One engine in one mode of replication. */
export interface Subject {
    readonly title: string;
    /** Whether the database is a simulator: its record shows no gaps. Default: false. */
    readonly simulator?: boolean;
    /** Name of the cluster and of its namespace. */
    readonly cluster: string;
    /** It is also the name of the engine's images in the sandbox. */
    readonly engine: string;
    /** The members' image; they are upgraded to the same with `-r1` behind it. */
    readonly image: string;
    /** The database's container. */
    readonly container: string;
    /** What differs from the configuration that all have. */
    readonly config: Config;
    readonly client: (appPassword: string) => EngineClient;
    /** Whether another member takes over by itself when one is gone. */
    readonly failsOver: boolean;
    /** Member counts for scaling out, in and back. */
    readonly scale: { readonly out: number; readonly back: number; readonly again: number };
    /**
     * Waits until a leader whose followers are all away goes on alone. What it acknowledges then is lost with its disk, so a
     * person has to say that the others may lead. Left out for engines that stop without a majority.
     */
    readonly leadsAlone?: (namespace: Namespace) => Promise<void>;
    /** Name of the member that leads now. Left out for engines without a leader, whose members all take writes. */
    readonly leader?: (namespace: Namespace) => Promise<string>;
}

/** Key of the application's password in each cluster's Secret. */
const PASSWORD_KEY = "app-password";

/**
 * Registers the tests of one subject. They tell one story and run in order. With `extent` "beginning" only its first: a
 * cluster is formed and takes writes.
 */
export function conformance(subject: Subject, extent: "whole" | "beginning" = "whole"): void {
    const { engine, image } = subject;
    const upgradeImage = `${image}-r1`;
    describe(subject.title, () => {
        const namespace = new Namespace(subject.cluster);
        const member = (zone: string, index = 0) => `${subject.cluster}-${zone}-${index}`;
        const rows: Row[] = [];
        const acknowledged: number[] = [];
        let config: Config = {
            name: subject.cluster,
            zones: ["a", "b", "c"],
            replicas: 3,
            engine,
            image,
            storage: LOCAL_STORAGE,
            ...subject.config,
        };
        let stack: Stack;
        let client: EngineClient;
        let hosts: { write: string; read: string };
        const { leader } = subject;

        /** Where clients write and read; without a leader that is one Service. */
        const services = async (): Promise<{ write: string; read: string }> => ({
            write: await namespace.serviceIp(subject.cluster),
            read: await namespace.serviceIp(`${subject.cluster}${leader ? "-read" : ""}`),
        });

        const expectLeader = async (name: string): Promise<void> => {
            if (leader) expect(await leader(namespace)).toBe(name);
        };

        /** The member that leads; without a leader, one like any other. */
        const leading = async (): Promise<string> =>
            leader ? await leader(namespace) : member("a");

        const up = async (change: Config = {}): Promise<Result> => {
            config = { ...config, ...change };
            const result = await stack.up(config);
            succeeded(result);
            return result;
        };

        /** Every acknowledged write is on every member, once. Replicas may need a moment. */
        const verify = async (promise: string, report: Report): Promise<void> => {
            acknowledged.push(...report.ids);
            let lost = 0;
            let doubled = 0;
            for (const [name, pod] of await namespace.members()) {
                let found = { lost: [] as number[], doubled: [] as number[] };
                await eventually(`${name} to have every write`, 30, async () => {
                    found = await compare(client, pod.status.podIP!, acknowledged);
                    return found.lost.length === 0;
                }).catch(() => undefined);
                lost += found.lost.length;
                doubled += found.doubled.length;
            }
            const test = expect.getState().currentTestName ?? "";
            rows.push({ test, promise, report, lost, doubled });
            console.log(describeRow(rows.at(-1)!));
            expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
            expect(report.acknowledged).toBeGreaterThan(0);
        };

        const underLoad = async (
            promise: string,
            action: () => Promise<unknown>,
        ): Promise<void> => {
            const report = await Workload.during(client, hosts, action);
            await verify(promise, report);
        };

        beforeAll(async () => {
            await ensureSandbox([engine]);
            stack = await Stack.open(`test-${subject.cluster}`, kubeconfigPath());
            // Whatever an interrupted run left behind.
            await clear(stack, namespace);
        });

        afterAll(async (suite) => {
            console.log(`\n${subject.title}\n${table(rows)}`);
            const { title, cluster, simulator = false } = subject;
            if (extent === "whole") {
                await keepRecord({ title, cluster, simulator, image }, suite, rows);
            }
            // A test that failed may have left a zone without power, and nothing can be removed from it then.
            await ensureSandbox([engine]);
            await clear(stack, namespace);
            await stack.remove();
        });

        test("a cluster is formed; what is written through `write` is read through `read` and on every member", async () => {
            await up();
            await namespace.ready(3);
            const secret = await namespace.get<{ data: Record<string, string> }>(
                "secret",
                `${subject.cluster}-credentials`,
            );
            client = subject.client(Buffer.from(secret.data[PASSWORD_KEY]!, "base64").toString());
            hosts = await services();
            await client.prepare(hosts.write);
            await underLoad("steady", () => sleep(2000));
            await expectLeader(member("a"));
        });

        test("an update without a change changes nothing, and a refresh finds no drift", async () => {
            const again = await up();
            expect(again.output).toMatch(/Resources:\n +\d+ unchanged\n/);
            const refreshed = await stack.refresh("--expect-no-changes");
            expect(refreshed.output).toMatch(/Resources:\n +\d+ unchanged\n/);
            expect(refreshed.exitCode).toBe(0);
        });

        if (extent === "beginning") return;

        test("members are added without a restart of those that are there", async () => {
            const before = await namespace.members();
            await underLoad(`scale out 3 to ${subject.scale.out}`, () =>
                up({ replicas: subject.scale.out }),
            );
            const after = await namespace.members();
            expect(after.size).toBe(subject.scale.out);
            for (const [name, pod] of before) {
                expect(after.get(name)!.metadata.uid).toBe(pod.metadata.uid);
            }
        });

        test("a member that leaves takes no data with it, and its claim goes with it", async () => {
            await underLoad(`scale in ${subject.scale.out} to ${subject.scale.back}`, () =>
                up({ replicas: subject.scale.back }),
            );
            await eventually(
                "the leavers to be gone",
                60,
                async () => (await namespace.members()).size === subject.scale.back,
            );
            expect(await namespace.names("persistentvolumeclaims", MEMBERS)).toHaveLength(
                subject.scale.back,
            );
        });

        test("an index that comes back is seeded anew", async () => {
            await underLoad(`scale out ${subject.scale.back} to ${subject.scale.again}`, () =>
                up({ replicas: subject.scale.again }),
            );
            await namespace.ready(subject.scale.again);
        });

        const last = leader ? ", the primary last" : "";
        test(`a new image is rolled out one member after the other${last}`, async () => {
            const order: string[] = [];
            const watching = watchImages(namespace, subject.container, upgradeImage, order);
            await underLoad("image upgrade", () => up({ image: upgradeImage }));
            watching.stop();
            await watching.done;
            expect(order).toHaveLength(subject.scale.again);
            expect(order.at(-1)).toBe(member("a"));
        });

        if (leader) {
            test("a switchover by configuration loses no transaction", async () => {
                await underLoad("switchover", () => up({ primary: member("c") }));
                await expectLeader(member("c"));
                await namespace.ready(subject.scale.again);
                await underLoad("switchover back", () => up({ primary: member("a") }));
                await expectLeader(member("a"));
            });
        }

        test(`${leader ? "a replica" : "a member"}'s pod is deleted and comes back`, async () => {
            await underLoad("replica's pod deleted", async () => {
                await namespace.deletePod(member("b"));
                await sleep(2000);
                await namespace.ready(subject.scale.again);
            });
        });

        const one = leader ? "the primary" : "another member";
        test(`${one}'s pod is deleted and writes go on`, async () => {
            await underLoad("primary's pod deleted", async () => {
                await namespace.deletePod(await leading());
                await sleep(3000);
                await namespace.ready(subject.scale.again);
            });
        });

        test(`${one}'s processes are killed and writes go on`, async () => {
            await underLoad("primary's processes killed", async () => {
                await namespace.killContainer(await leading(), subject.container);
                await sleep(3000);
                await namespace.ready(subject.scale.again);
            });
        });

        test("a membership job that fails deletes nothing, and the next update goes on", async () => {
            // A zone has no power: the job must move leadership there before it may retire anybody, or, without a leader,
            // must not retire anybody while a member that stays is down.
            const wanted = {
                replicas: 3,
                membershipTimeout: 60,
                ...(leader && { primary: member("c") }),
            };
            const before = await namespace.names("statefulsets");
            const claims = await namespace.names("persistentvolumeclaims");
            await cutPower("c");
            const failed = await stack.up({ ...config, ...wanted });
            expect(failed.exitCode).not.toBe(0);
            expect(failed.output).toContain("REFUSED");
            expect(await namespace.names("statefulsets")).toEqual(before);
            expect(await namespace.names("persistentvolumeclaims")).toEqual(claims);
            await zoneUp("c");
            await namespace.ready(subject.scale.again, 300);
            await underLoad("the next update goes on", () => up(wanted));
            expect(await namespace.names("statefulsets", MEMBERS)).toHaveLength(3);
            await expectLeader(member("c"));
        });

        test("a zone loses power and comes back", async () => {
            const primary = await leading();
            // Without failover, a primary that lost power is waited for: a replica shows more.
            const zone = subject.failsOver ? primary.split("-").at(-2)! : "b";
            await underLoad(
                `zone ${subject.failsOver ? "of the primary" : "of a replica"} without power`,
                async () => {
                    await zoneDown(zone);
                    await sleep(subject.failsOver ? 30_000 : 10_000);
                    await zoneUp(zone);
                    await namespace.ready(3, 300);
                },
            );
        });

        test("all members lose power and the cluster comes back without a person", async () => {
            await underLoad("outage of all zones", async () => {
                for (const zone of ZONES) {
                    await zoneDown(zone);
                }
                await sleep(5000);
                for (const zone of ZONES) {
                    await zoneUp(zone);
                }
                await namespace.ready(3, 300);
            });
        });

        test("a first member that lost its disk while the others cannot be reached forms no second cluster", async () => {
            const first = member("b");
            // The worst of the members to lose is the one that leads.
            if (leader && subject.failsOver) await up({ primary: first });
            await zoneDown("a");
            await zoneDown("c");
            await subject.leadsAlone?.(namespace);
            await namespace.loseDisk(first);
            await eventually(`${first} to run again`, 60, async () => {
                const pod = (await namespace.members()).get(first);
                return (
                    pod?.status.containerStatuses?.some(({ name }) => name === subject.container) ??
                    false
                );
            });
            // Time enough for a second cluster to be formed, if anything would do it.
            for (let second = 0; second < 20; second++) {
                await expect(writeOnce(client, hosts.write)).rejects.toThrow();
                expect(isReady((await namespace.members()).get(first)!)).toBe(false);
                await sleep(1000);
            }
            await zoneUp("a");
            await zoneUp("c");
            if (subject.leadsAlone) {
                const refused = await stack.up({ ...config, membershipTimeout: 90 });
                expect(refused.exitCode).not.toBe(0);
                expect(refused.output).toContain('quorum:allowChanges ["failover"]');
                await up({ allowChanges: ["failover"], primary: member("c") });
                await up({ allowChanges: [] });
            }
            await namespace.ready(3, 300);
            await underLoad("after the first member's disk was lost", () => sleep(1000));
        });

        test("destroy keeps the data, and a new stack takes it over", async () => {
            succeeded(await stack.destroy());
            expect(await namespace.names("statefulsets")).toEqual([]);
            expect(await namespace.names("secrets")).toContain(`${subject.cluster}-credentials`);
            await up({ adopt: true });
            await namespace.ready(3);
            hosts = await services();
            await underLoad("after destroy and adopt", () => sleep(1000));
        });
    });
}

async function writeOnce(client: EngineClient, host: string): Promise<void> {
    const session = await client.connect(host);
    try {
        await session.write(0);
    } finally {
        await session.close();
    }
}

/** Notes the members in the order in which their pods take the new image. */
function watchImages(
    namespace: Namespace,
    container: string,
    wanted: string,
    order: string[],
): { stop: () => void; done: Promise<void> } {
    const stop = new AbortController();
    const done = (async () => {
        while (!stop.signal.aborted) {
            for (const [name, pod] of await namespace
                .members()
                .catch(() => new Map<string, never>())) {
                const image = pod.spec.containers.find(
                    (each: { name: string }) => each.name === container,
                )?.image;
                if (image === wanted && !order.includes(name)) {
                    order.push(name);
                }
            }
            await sleep(300);
        }
    })();
    return { stop: () => stop.abort(), done };
}

const describeRow = ({ promise, report, lost, doubled }: Row): string =>
    `${promise}: ${report.acknowledged} writes acknowledged, ${report.failed} failed, ${lost} lost, ${doubled} doubled, ` +
    `longest gap ${(report.longestGap / 1000).toFixed(1)} s` +
    (report.failures.length > 0 ? ` (${report.failures.slice(0, 3).join("; ")})` : "");

function table(rows: readonly Row[]): string {
    const cells = rows.map(({ promise, report, lost, doubled }) => [
        promise,
        `${report.acknowledged}`,
        `${report.failed}`,
        `${lost}`,
        `${doubled}`,
        `${(report.longestGap / 1000).toFixed(1)} s`,
        `${(report.longestReadGap / 1000).toFixed(1)} s`,
    ]);
    const head = [
        "promise",
        "acknowledged",
        "failed",
        "lost",
        "doubled",
        "longest gap",
        "read gap",
    ];
    const widths = head.map((title, index) =>
        Math.max(title.length, ...cells.map((row) => row[index]!.length)),
    );
    return [head, ...cells]
        .map((row) =>
            row
                .map((cell, index) => cell.padEnd(widths[index]!))
                .join("  ")
                .trimEnd(),
        )
        .join("\n");
}
