// A stack of PostgreSQL, or of MongoDB's simulator, on the sandbox's stand-in of Google Cloud: the whole program, with its cluster, its nodes and its disks.
// What Google itself would do is not shown by any of it.
import { afterAll, beforeAll } from "vitest";
import { Cloud } from "../../sandbox/cloud/store.js";
import {
    ensureSandbox,
    kubeconfigPath,
    kubectl,
    ON_CLOUD,
    stopSandbox,
} from "../../sandbox/index.js";
import { cloudDirectory } from "../../sandbox/places.js";
import { EVERY_NODE_POOL, EVERY_ZONAL_DISK } from "../../sandbox/cloud/paths.js";
import { eventually, isReady, Namespace } from "./kubernetes.js";
import { mongodbClient } from "./mongodb-client.js";
import { postgresqlClient } from "./postgresql-client.js";
import { Stack, succeeded, type Config, type Result } from "./stack.js";
import { sleep, Workload, type EngineClient, type Report } from "./workload.js";

export const PROJECT = "quorum-sandbox";
const NAME = "cloudy";

/** What is told of an engine, and how it is reached with the password of the application's user. */
interface Subject {
    readonly engine: string;
    readonly config: Config;
    readonly client: (password: string) => EngineClient;
}

const POSTGRESQL: Subject = {
    engine: "postgresql",
    config: {
        version: "18",
        image: "localhost/postgresql:18",
        resources: { cpu: "100m", memory: "512Mi" },
    },
    client: postgresqlClient,
};

export const MONGODB: Subject = {
    engine: "mongodb",
    config: {
        version: "8.0.26",
        image: "localhost/mongodb-simulator:8.0.26",
        resources: { cpu: "50m", memory: "1Gi" },
    },
    client: mongodbClient(NAME),
};

const ON_GKE: Config = {
    name: NAME,
    platform: "gke",
    zones: ["sandbox-a", "sandbox-b", "sandbox-c"],
    gke: { project: PROJECT },
    machines: { type: "e2-standard-4" },
};

/** What holds of the whole file: one sandbox, one stack, one configuration at a time. */
export class GoogleStack {
    public readonly namespace = new Namespace(NAME);
    public readonly cloud = new Cloud(cloudDirectory());
    private stack!: Stack;
    private client!: EngineClient;

    public constructor(private readonly subject: Subject) {}

    public async open(): Promise<void> {
        await ensureSandbox([this.subject.engine], () => undefined, ON_CLOUD);
        this.stack = await Stack.open("test-gke", kubeconfigPath(), cloudDirectory());
    }

    /** Everything goes, kept disks too: with the sandbox. */
    public async close(): Promise<void> {
        await stopSandbox();
        await this.stack.remove();
    }

    public async up(over: Config = {}, ...options: string[]): Promise<Result> {
        const { engine, config } = this.subject;
        const result = await this.stack.up({ ...ON_GKE, engine, ...config, ...over }, ...options);
        succeeded(result);
        return result;
    }

    /** With the two steps that it takes. */
    public async destroyed(over: Config = {}): Promise<void> {
        await this.up({ ...over, gke: { project: PROJECT, deletionProtection: false } });
        succeeded(await this.stack.destroy());
    }

    /** Names of the disks that the cloud has. */
    public disks(): string[] {
        return this.cloud
            .find(EVERY_ZONAL_DISK)
            .map(({ path }) => path.split("/").at(-1)!)
            .sort();
    }

    /** Deletes the members' pool of a zone, as somebody in Google's console would, and waits until it is gone. */
    public async deletePool(zone: string): Promise<void> {
        const pool = this.cloud
            .find(EVERY_NODE_POOL)
            .find(
                ({ path, resource }) =>
                    !path.includes("/system-") &&
                    JSON.stringify(resource.properties["nodeLocations"]) === JSON.stringify([zone]),
            );
        await this.cloud.update(pool!.path, (now) => ({
            ...now,
            status: { ...now.status, state: "STOPPING" },
        }));
        await eventually(`the pool of ${zone} to go`, 300, () =>
            Promise.resolve(this.cloud.read(pool!.path) === undefined),
        );
    }

    /** Counts ready members until it is asked for the fewest that it saw. */
    public watchReadiness(): { fewestReady: () => Promise<number> } {
        let fewest = Infinity;
        let watching = true;
        const look = async () => {
            while (watching) {
                const pods = [...(await this.namespace.members()).values()];
                fewest = Math.min(fewest, pods.filter(isReady).length);
                await sleep(1000);
            }
        };
        const done = look();
        return {
            fewestReady: async () => {
                watching = false;
                await done;
                return fewest;
            },
        };
    }

    public async refresh(): Promise<void> {
        succeeded(await this.stack.refresh());
    }

    /** The state of before is gone: what comes next is another stack. */
    public async forget(): Promise<void> {
        await this.stack.reset();
    }

    /** Makes the table of the workload, as the application's user. */
    public async prepare(): Promise<void> {
        await this.readPassword();
        await this.client.prepare(await this.namespace.serviceIp(NAME));
    }

    /** As an application does that reads the outputs. */
    private async readPassword(): Promise<void> {
        const { connection } = await this.stack.outputs();
        this.client = this.subject.client(new URL(connection as string).password);
    }

    private async hosts() {
        const [write, read] = await Promise.all(
            [NAME, `${NAME}-read`].map((name) => this.namespace.serviceIp(name)),
        );
        return { write: write!, read: read! };
    }

    /** A client writes and reads all the while; and which acknowledged rows are not there afterwards. */
    public async under(action: () => Promise<unknown>): Promise<Report & { lost: number[] }> {
        const report = await Workload.during(this.client, await this.hosts(), action);
        const there = new Set(await this.ids());
        return { ...report, lost: report.ids.filter((id) => !there.has(id)) };
    }

    /** All rows, as a client that connects anew finds them. */
    public async ids(): Promise<number[]> {
        await this.readPassword();
        const session = await this.client.connect(await this.namespace.serviceIp(NAME));
        try {
            return await session.ids();
        } finally {
            await session.close();
        }
    }

    /** Size of a member's file system in GiB, as it sees it. */
    public async sizeOf(member: string): Promise<number> {
        const output = await kubectl([
            ...["-n", NAME, "exec", `${member}-0`, "-c", this.subject.engine, "--"],
            ...["df", "--block-size=1M", "--output=size", "/quorum/data"],
        ]);
        return Math.round(Number(output.trim().split("\n").at(-1)) / 1024);
    }

    /** Nodes for members -> zone. */
    public async memberNodes(): Promise<string[]> {
        const output = await kubectl([
            ...["get", "nodes", "-l", `quorum.dev/members=${NAME}`],
            ...[
                "-o",
                "jsonpath={range .items[*]}{.metadata.labels.topology\\.kubernetes\\.io/zone}{'\\n'}{end}",
            ],
        ]);
        return output.split("\n").filter(Boolean).sort();
    }
}

/** A stack that is opened before the tests of a file, and gone after them. */
export function openGoogleStack(subject = POSTGRESQL): GoogleStack {
    const google = new GoogleStack(subject);
    beforeAll(() => google.open());
    afterAll(() => google.close());
    return google;
}
