// The cluster of the benchmarks: Quorum's program with three members, and nothing left of it afterwards.
import { kubectl, kubeconfigPath } from "../sandbox/index.js";
import { eventually, Namespace } from "../test/cluster/kubernetes.js";
import { mysqlClient, primaryOfRecord } from "../test/cluster/mysql-client.js";
import { postgresqlClient, primaryByLabel } from "../test/cluster/postgresql-client.js";
import { Stack, type Config, type Result } from "../test/cluster/stack.js";
import { compare, type EngineClient } from "../test/cluster/workload.js";
import { forgetSettings, pulumi, QUORUM } from "./program.js";

/** Name of the cluster and of its namespace. */
export const CLUSTER = "bench";
const STACK = "bench-quorum";
export const MEMBERS = 3;

/** Disks of the cluster's default StorageClass: a StatefulSet can have the same ones. */
const BASE: Config = {
    name: CLUSTER,
    zones: ["a", "b", "c"],
    replicas: MEMBERS,
    storage: { driver: "dynamic", size: "1Gi" },
    // Little enough for a node that has members of other clusters.
    resources: { cpu: "100m", memory: "1Gi" },
};

/** How the members replicate: group replication (Quorum's default) or asynchronous replication. */
export const REPLICATIONS = ["group", "async"] as const;
export type Replication = (typeof REPLICATIONS)[number];

/** The engines that are measured. */
export const ENGINES = ["postgresql", "mysql"] as const;
export type EngineName = (typeof ENGINES)[number];

const OF_ENGINE = {
    postgresql: {
        config: { engine: "postgresql", version: "18", image: "localhost/postgresql:18" },
        container: "postgresql",
        client: postgresqlClient,
        leader: primaryByLabel,
    },
    mysql: {
        config: { engine: "mysql", version: "9.7.4", image: "localhost/mysql:9.7" },
        container: "mysql",
        client: mysqlClient,
        leader: primaryOfRecord(CLUSTER),
    },
} as const;

/** A row that must be on every member. */
const ROW = 1;

/** The cluster as a stack of Quorum's program. */
export class BenchCluster {
    public readonly namespace = new Namespace(CLUSTER);

    private config: Config;

    private constructor(
        private readonly stack: Stack,
        private readonly engine: EngineName,
        replication: Replication,
    ) {
        this.config = {
            ...BASE,
            ...OF_ENGINE[engine].config,
            ...(engine === "mysql" && { replication }),
        };
    }

    /** Opens the stack and removes what an interrupted run left of it. */
    public static async open(
        replication: Replication,
        engine: EngineName = "mysql",
    ): Promise<BenchCluster> {
        forgetSettings(QUORUM, STACK);
        const stack = await Stack.open(STACK, kubeconfigPath());
        const cluster = new BenchCluster(stack, engine, replication);
        await cluster.clear();
        return cluster;
    }

    /** Resolves to the duration of a preview from nothing, in milliseconds. */
    public async preview(): Promise<number> {
        return succeeded(await this.stack.preview(this.config)).duration;
    }

    /** From nothing to members that are all ready and have a row that was written through the write Service. */
    public async form(): Promise<void> {
        succeeded(await this.stack.up(this.config));
        await this.namespace.ready(MEMBERS);
        const client = await this.client();
        const { write: address } = await this.hosts();
        await client.prepare(address);
        const session = await client.connect(address);
        await session.write(ROW);
        await session.close();
        for (const [name, pod] of await this.namespace.members()) {
            await eventually(`the row on ${name}`, 60, async () => {
                const { lost } = await compare(client, pod.status.podIP!, [ROW]);
                return lost.length === 0;
            });
        }
    }

    /** The application's client. */
    public async client(): Promise<EngineClient> {
        return OF_ENGINE[this.engine].client(await this.password("app-password"));
    }

    /** Addresses of the Services. */
    public async hosts(): Promise<{ write: string; read: string }> {
        return {
            write: await this.namespace.serviceIp(CLUSTER),
            read: await this.namespace.serviceIp(`${CLUSTER}-read`),
        };
    }

    /** The member that leads. */
    public async leader(): Promise<string> {
        return OF_ENGINE[this.engine].leader(this.namespace);
    }

    /** Moves leadership to another member, as a user does: by configuration. */
    public async moveLeadership(): Promise<void> {
        const passedOver = [await this.leader(), this.config["primary"]];
        const members = [...(await this.namespace.members()).keys()];
        const primary = members.find((name) => !passedOver.includes(name));
        this.config = { ...this.config, primary };
        succeeded(await this.stack.up(this.config));
    }

    public async deleteLeadersPod(): Promise<void> {
        await this.namespace.deletePod(await this.leader());
    }

    /** Kills every process of the leader's database container. */
    public async killLeader(): Promise<void> {
        await this.namespace.killContainer(await this.leader(), OF_ENGINE[this.engine].container);
    }

    /** A password of the cluster. */
    public async password(key: string): Promise<string> {
        const secret = await this.namespace.get<{ data: Record<string, string> }>(
            "secret",
            `${CLUSTER}-credentials`,
        );
        return Buffer.from(secret.data[key]!, "base64").toString();
    }

    /** Removes the cluster and its disks, also after an update that was cut off. */
    public async clear(): Promise<void> {
        // An update that was killed leaves its lock.
        await pulumi(QUORUM, "cancel", "--yes", "--stack", STACK).catch(() => undefined);
        await this.stack.destroy();
        await this.namespace.remove();
        await volumesGone(CLUSTER);
    }

    /** Removes everything, the stack too. */
    public async remove(): Promise<void> {
        await this.clear();
        await this.stack.remove();
        forgetSettings(QUORUM, STACK);
    }
}

/** Waits until the volumes of a namespace's claims are gone: the next run starts from nothing. */
export async function volumesGone(namespace: string): Promise<void> {
    const path = "{range .items[*]}{.spec.claimRef.namespace}{'\\n'}{end}";
    await eventually(`the volumes of ${namespace} to be removed`, 120, async () => {
        const claimed = await kubectl(["get", "persistentvolumes", "-o", `jsonpath=${path}`]);
        return !claimed.split("\n").includes(namespace);
    });
}

function succeeded(result: Result): Result {
    if (result.exitCode !== 0) {
        throw new Error(`exit code ${result.exitCode}\n${result.output}`);
    }
    return result;
}
