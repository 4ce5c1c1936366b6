// What of a cluster's memory is not the database's.
import { setTimeout as sleep } from "node:timers/promises";
import { kubectl } from "../sandbox/index.js";
import { BenchCluster, CLUSTER } from "./cluster.js";
import type { Section } from "./main.js";
import { load, median, type Run } from "./measure.js";

/** kubelet measures containers about every 10 s. */
const INTERVAL_MILLISECONDS = 10_000;
/** The container of the database; the others in a member's pod are agents. */
const DATABASE = "mysql";
const MIB = 1024 * 1024;

interface Pod {
    metadata: { name: string; namespace: string; labels?: Record<string, string> };
    spec: { nodeName?: string };
    status: { phase: string };
}

interface Summary {
    pods: {
        podRef: { name: string; namespace: string };
        containers?: { name: string; memory?: { rssBytes?: number; workingSetBytes?: number } }[];
    }[];
}

/** Bytes of one container at one time. */
interface Sample {
    readonly pod: string;
    readonly container: string;
    readonly rss: number;
    readonly workingSet: number;
}

export const memory: Section = {
    name: "memory",
    title: "Memory of what is not the database",
    includes: [
        "a formed cluster of three MySQL members without load",
        "pods: all in the cluster's namespaces or with its label, but for the members' own and those that have ended",
        "agent sidecars: the other containers in the members' pods, as kubelet measures their control groups",
        "database: the container with mysqld in the same pods",
    ],
    run: async (run, atEnd) => {
        const cluster = await BenchCluster.open(run.replication);
        atEnd(() => cluster.remove());
        await cluster.form();
        const { members, others } = await standingPods();
        run.print(
            `pods that stay running and are not members: ${others.length}` +
                (others.length > 0
                    ? ` (${others.map(({ metadata }) => metadata.name).join(", ")})`
                    : ""),
        );
        if (others.length > 0) {
            process.exitCode = 1;
        }
        const samples: Sample[][] = [];
        while (samples.length < 2 * run.rounds) {
            await sleep(INTERVAL_MILLISECONDS, undefined, { signal: run.signal });
            samples.push(await sample(members));
        }
        report(run, samples);
    },
};

/** The cluster's pods that have not ended. */
async function standingPods(): Promise<{ members: Pod[]; others: Pod[] }> {
    const { items } = JSON.parse(
        await kubectl(["get", "pods", "--all-namespaces", "-o", "json"]),
    ) as {
        items: Pod[];
    };
    const standing = items.filter(
        ({ metadata, status }) =>
            ([CLUSTER, `${CLUSTER}-storage`].includes(metadata.namespace) ||
                metadata.labels?.["app.kubernetes.io/instance"] === CLUSTER) &&
            !["Succeeded", "Failed"].includes(status.phase),
    );
    const isMember = (pod: Pod): boolean =>
        pod.metadata.labels?.["app.kubernetes.io/component"] === "member";
    return {
        members: standing.filter(isMember),
        others: standing.filter((pod) => !isMember(pod)),
    };
}

/** Asks the kubelets of the members' nodes. */
async function sample(members: readonly Pod[]): Promise<Sample[]> {
    const nodes = [...new Set(members.map(({ spec }) => spec.nodeName!))];
    const summaries = await Promise.all(
        nodes.map(async (node) => {
            const text = await kubectl([
                "get",
                "--raw",
                `/api/v1/nodes/${node}/proxy/stats/summary`,
            ]);
            return JSON.parse(text) as Summary;
        }),
    );
    return summaries
        .flatMap(({ pods }) => pods)
        .filter(({ podRef }) =>
            members.some(
                ({ metadata }) =>
                    metadata.name === podRef.name && metadata.namespace === podRef.namespace,
            ),
        )
        .flatMap(({ podRef, containers = [] }) =>
            containers.map(({ name, memory: used }) => ({
                pod: podRef.name,
                container: name,
                rss: used?.rssBytes ?? 0,
                workingSet: used?.workingSetBytes ?? 0,
            })),
        );
}

function report({ print }: Run, samples: readonly Sample[][]): void {
    const total = (isCounted: (each: Sample) => boolean, kind: "rss" | "workingSet"): number =>
        median(
            samples.map((round) =>
                round.filter(isCounted).reduce((sum, each) => sum + each[kind], 0),
            ),
        );
    const isDatabase = ({ container }: Sample): boolean => container === DATABASE;
    const isAgent = (each: Sample): boolean => !isDatabase(each);
    const counted = samples[0]!.filter(isAgent).length;
    for (const [kind, title] of [
        ["rss", "resident (anonymous) memory"],
        ["workingSet", "working set (with the page cache in use)"],
    ] as const) {
        const [agents, database] = [total(isAgent, kind), total(isDatabase, kind)];
        print(
            `${title}: ${counted} agent sidecars ${(agents / MIB).toFixed(1)} MiB, ` +
                `database ${(database / MIB).toFixed(1)} MiB, RATIO ${(agents / database).toFixed(4)}`,
        );
    }
    print(`medians of ${samples.length} samples, load average ${load().toFixed(1)}`);
}
