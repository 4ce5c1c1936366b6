// Faults that last for seconds: a database that is frozen, and a network that is cut between all nodes. Written once over the
// engines, on real pods, while a client writes and reads all the time. Afterwards every member is in again, writes are back
// within seconds of the end, and no acknowledged write is lost.
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cutNetwork, ensureSandbox, healNetwork, kubeconfigPath } from "../../sandbox/index.js";
import type { Subject } from "./conformance.js";
import { eventually, Namespace } from "./kubernetes.js";
import { clear, LOCAL_STORAGE, Stack, succeeded, type Config } from "./stack.js";
import { compare, sleep, Workload, type EngineClient } from "./workload.js";

/** What the list has to know beside what the conformance list does. */
export interface FaultSubject extends Subject {
    /** Name of the database's process, which is frozen. */
    readonly process: string;
    /** Every member is in, as the database says. */
    readonly allIn: (namespace: Namespace, members: number) => Promise<boolean>;
}

/** How long a fault lasts. */
const FAULT_SECONDS = 15;
/** Bound on the time from its end to the next acknowledged write. */
const BACK_SECONDS = 10;
/** Bound on the time from its end until every member is in again. */
const IN_SECONDS = 120;

/** What a test of one engine may use. */
export interface FaultStory {
    readonly namespace: Namespace;
    readonly up: (change?: Config) => Promise<string>;
    readonly client: () => EngineClient;
    readonly hosts: () => { write: string; read: string };
    readonly leading: () => Promise<string>;
    /** Compares the state with what is there, so that the next update makes what was deleted by hand. */
    readonly refreshed: () => Promise<void>;
    /** The application's password. */
    readonly password: () => string;
}

/** Registers the faults, `rounds` times over, and after them the tests of the engine's own. */
export function faults(
    subject: FaultSubject,
    rounds: number,
    more: (story: FaultStory) => void = () => undefined,
): void {
    describe(`${subject.title}, faults of seconds`, () => {
        const cluster = `${subject.cluster}-f`;
        const namespace = new Namespace(cluster);
        const acknowledged: number[] = [];
        let config: Config = {
            name: cluster,
            zones: ["a", "b", "c"],
            replicas: 3,
            engine: subject.engine,
            image: subject.image,
            storage: LOCAL_STORAGE,
            ...subject.config,
        };
        let stack: Stack;
        let client: EngineClient;
        let password: string;
        let hosts: { write: string; read: string };

        const up = async (change: Config = {}): Promise<string> => {
            config = { ...config, ...change };
            const result = await stack.up(config);
            succeeded(result);
            return result.output;
        };
        const leading = async (): Promise<string> => subject.leader!(namespace);

        /** A fault under load: back in time, all in, nothing lost. */
        const survives = async (
            what: string,
            begin: () => Promise<unknown>,
            end: () => Promise<unknown>,
        ): Promise<void> => {
            const load = Workload.start(client, hosts);
            let back = Infinity;
            try {
                await sleep(1000);
                await begin();
                await sleep(FAULT_SECONDS * 1000);
                await end();
                const ended = performance.now();
                const probe = Workload.start(client, hosts);
                await eventually("a write after the fault", 60, async () => {
                    await sleep(100);
                    return probe.count() > 0;
                }).finally(() => probe.stop());
                back = (performance.now() - ended) / 1000;
                acknowledged.push(...(await probe.stop()).ids);
                await eventually("every member to be in", IN_SECONDS, async () =>
                    subject.allIn(namespace, 3),
                );
            } finally {
                await end();
                await load.stop();
            }
            const report = await load.stop();
            acknowledged.push(...report.ids);
            await namespace.ready(3);
            let lost = 0;
            for (const [name, pod] of await namespace.members()) {
                let missing: number[] = [];
                await eventually(`${name} to have every write`, 30, async () => {
                    missing = (await compare(client, pod.status.podIP!, acknowledged)).lost;
                    return missing.length === 0;
                }).catch(() => undefined);
                lost += missing.length;
            }
            console.log(
                `${what}: ${report.acknowledged} writes acknowledged, ${report.failed} failed, ${lost} lost, ` +
                    `longest gap ${(report.longestGap / 1000).toFixed(1)} s, back ${back.toFixed(1)} s after the end`,
            );
            expect(lost).toBe(0);
            expect(back).toBeLessThan(BACK_SECONDS);
        };

        /** Sends a signal to the database of a member, from outside: its container need not have the program for that. */
        const signal = async (member: string, name: "STOP" | "CONT"): Promise<void> => {
            const pid = await processOf(namespace, member, subject);
            await execa("kill", [`-${name}`, pid]);
        };

        beforeAll(async () => {
            await ensureSandbox([subject.engine]);
            stack = await Stack.open(`test-${cluster}`, kubeconfigPath());
            await clear(stack, namespace);
            await up();
            await namespace.ready(3);
            const secret = await namespace.get<{ data: Record<string, string> }>(
                "secret",
                `${cluster}-credentials`,
            );
            password = Buffer.from(secret.data["app-password"]!, "base64").toString();
            client = subject.client(password);
            hosts = {
                write: await namespace.serviceIp(cluster),
                read: await namespace.serviceIp(`${cluster}-read`),
            };
            await client.prepare(hosts.write);
        });

        afterAll(async () => {
            await healNetwork();
            await ensureSandbox([subject.engine]);
            await clear(stack, namespace);
            await stack.remove();
        });

        for (let round = 1; round <= rounds; round++) {
            test(`a secondary that is frozen for ${FAULT_SECONDS} s comes back, round ${round}`, async () => {
                const leader = await leading();
                const member = [...(await namespace.members()).keys()].find(
                    (each) => each !== leader,
                )!;
                await survives(
                    "secondary frozen",
                    () => signal(member, "STOP"),
                    () => signal(member, "CONT"),
                );
            });

            test(`a primary that is frozen for ${FAULT_SECONDS} s comes back, round ${round}`, async () => {
                const leader = await leading();
                await survives(
                    "primary frozen",
                    () => signal(leader, "STOP"),
                    () => signal(leader, "CONT"),
                );
            });

            test(`nodes that are cut off from one another for ${FAULT_SECONDS} s go on together, round ${round}`, async () => {
                await survives("network cut between all nodes", cutNetwork, healNetwork);
            });
        }

        more({
            namespace,
            up,
            client: () => client,
            hosts: () => hosts,
            leading,
            refreshed: async () => succeeded(await stack.refresh()),
            password: () => password,
        });
    });
}

/** The process id, on this machine, of the database of a member. */
async function processOf(
    namespace: Namespace,
    member: string,
    subject: FaultSubject,
): Promise<string> {
    const pod = (await namespace.members()).get(member)!;
    const { stdout } = await execa("pgrep", ["-x", subject.process]);
    for (const pid of stdout.split("\n")) {
        const { stdout: own } = await execa("cat", [`/proc/${pid}/cgroup`], { reject: false });
        if (own.includes(pod.metadata.uid)) return pid;
    }
    throw new Error(`${member} has no process ${subject.process}`);
}
