// How long writes stop: Quorum's PostgreSQL and MySQL beside raw Patroni and raw group replication, with the same
// disturbances in the same run and the client of the cluster tests.
import { NODES, zoneDown, zoneUp } from "../sandbox/index.js";
import { compare as rowsOf, sleep, Workload, type EngineClient } from "../test/cluster/workload.js";
import { BenchCluster, MEMBERS, type EngineName } from "./cluster.js";
import type { Section } from "./main.js";
import { compare, type Run, type Side } from "./measure.js";
import { rawGroupReplication } from "./raw-group-replication.js";
import { rawPatroni } from "./raw-patroni.js";
import { removeRaw } from "./raw.js";

/** How long a zone stays without power: longer than any failover here takes. */
const OUTAGE_MILLISECONDS = 40_000;
/** How long the client goes on after a pod was deleted or killed. */
const AFTERWARDS_MILLISECONDS = 15_000;

/** A cluster whose primary can be taken away in every way that is measured. */
export interface Contender {
    readonly name: string;
    /** Made anew for each disturbance: a client that knows the members learns them at its start. */
    readonly client: () => Promise<EngineClient>;
    readonly hosts: () => Promise<{ write: string; read: string }>;
    readonly leadersNode: () => Promise<string>;
    readonly moveLeadership: () => Promise<void>;
    readonly deleteLeadersPod: () => Promise<void>;
    readonly killLeader: () => Promise<void>;
    /** Resolves when all members are there again. */
    readonly healthy: () => Promise<void>;
}

interface Disturbance {
    readonly name: string;
    readonly happen: (contender: Contender) => Promise<void>;
}

const DISTURBANCES: readonly Disturbance[] = [
    { name: "planned switchover", happen: (contender) => contender.moveLeadership() },
    {
        name: "primary's pod deleted",
        happen: async (contender) => {
            await contender.deleteLeadersPod();
            await sleep(AFTERWARDS_MILLISECONDS);
        },
    },
    {
        name: "primary's processes killed",
        happen: async (contender) => {
            await contender.killLeader();
            await sleep(AFTERWARDS_MILLISECONDS);
        },
    },
    { name: "zone of the primary without power", happen: cutPower },
];

const RAW: Readonly<Record<EngineName, () => Promise<Contender>>> = {
    postgresql: rawPatroni,
    mysql: rawGroupReplication,
};

export const gaps: Section = {
    name: "gaps",
    title: "Write gaps: Quorum against the same database with as little around it as works",
    includes: [
        "both: three members over three zones, the same image, resources, disks and time limits; one client, which " +
            "writes one row every 20 ms; the gap is the longest time between two acknowledged writes",
        "ours: written through the write Service; the planned switchover is a changed `primary` and `pulumi up`; MySQL " +
            "as --replication says",
        "theirs, PostgreSQL: a StatefulSet with Patroni, written through a Service that selects Patroni's label; the " +
            "switchover is asked of Patroni's API",
        "theirs, MySQL: a StatefulSet with group replication, written by a client that looks for the primary itself; " +
            "the switchover is group_replication_set_as_primary, in preStop too",
    ],
    run: async (run, atEnd) => {
        for (const engine of run.engines) {
            await measureEngine(run, engine, atEnd);
        }
    },
};

async function measureEngine(
    run: Run,
    engine: EngineName,
    atEnd: (undo: () => Promise<unknown>) => void,
): Promise<void> {
    const cluster = await BenchCluster.open(run.replication, engine);
    atEnd(() => cluster.remove());
    await removeRaw();
    atEnd(() => removeRaw());
    await cluster.form();
    const pair = [ours(cluster), await RAW[engine]()] as const;
    for (const disturbance of DISTURBANCES) {
        run.print(`${engine}, ${disturbance.name}`);
        const side = (contender: Contender): Side => ({
            name: contender.name,
            measure: async () => {
                // An outage of a zone hits both.
                await Promise.all(pair.map((each) => each.healthy()));
                return gap(run, contender, disturbance);
            },
        });
        await compare(run, side(pair[0]), side(pair[1]));
    }
    await removeRaw();
    await cluster.clear();
}

function ours(cluster: BenchCluster): Contender {
    return {
        name: "Quorum",
        client: () => cluster.client(),
        hosts: () => cluster.hosts(),
        leadersNode: async () => {
            const leader = await cluster.leader();
            return (await cluster.namespace.members()).get(leader)!.spec.nodeName;
        },
        moveLeadership: () => cluster.moveLeadership(),
        deleteLeadersPod: () => cluster.deleteLeadersPod(),
        killLeader: () => cluster.killLeader(),
        healthy: () => cluster.namespace.ready(MEMBERS, 300),
    };
}

/** The longest time without an acknowledged write, in milliseconds. */
async function gap(run: Run, contender: Contender, { name, happen }: Disturbance): Promise<number> {
    const client = await contender.client();
    const hosts = await contender.hosts();
    const report = await Workload.during(client, hosts, () => happen(contender));
    await contender.healthy();
    const { lost } = await rowsOf(await contender.client(), hosts.write, report.ids);
    if (lost.length > 0) {
        run.print(`${contender.name} LOST ${lost.length} acknowledged writes: ${name}`);
    }
    return report.longestGap;
}

async function cutPower(contender: Contender): Promise<void> {
    const node = await contender.leadersNode();
    const { zone } = NODES.find((each) => each.name === node)!;
    await zoneDown(zone);
    try {
        await sleep(OUTAGE_MILLISECONDS);
    } finally {
        await zoneUp(zone);
    }
}
