// A client of the database that writes and reads all the time and keeps count: failed, lost and doubled writes, and
// the longest time without an acknowledged one. It never retries a write: a retry would hide what happened.

/** A connection to one address of a database. */
export interface Session {
    /** Inserts one numbered row; resolves when the database acknowledged it. */
    write(id: number): Promise<void>;
    /** One cheap read of the table. */
    read(): Promise<void>;
    /** All numbers that are there, with repetitions. */
    ids(): Promise<number[]>;
    close(): Promise<void>;
}

/** How a workload reaches an engine. */
export interface EngineClient {
    connect(host: string): Promise<Session>;
    /** Makes the table; called once through the write address. */
    prepare(host: string): Promise<void>;
}

/** What a workload saw. */
export interface Report {
    readonly acknowledged: number;
    /** Not acknowledged: refused, timed out or cut off. The row may be there or not. */
    readonly failed: number;
    /** Longest time between two acknowledged writes, in milliseconds. */
    readonly longestGap: number;
    /** The same for reads through the read address. */
    readonly longestReadGap: number;
    readonly failedReads: number;
    /** Ids of acknowledged writes. */
    readonly ids: readonly number[];
    /** The first of each kind of failure. */
    readonly failures: readonly string[];
}

/** Time between two writes, in milliseconds: the figure that the peers' measurements use. */
const INTERVAL = 20;

/** Ids stay distinct over all workloads of a test run. */
let nextId = 1;

/** A running workload. */
export class Workload {
    private readonly ids: number[] = [];
    private readonly failures = new Set<string>();
    private failed = 0;
    private failedReads = 0;
    private gap = 0;
    private readGap = 0;
    private stopping = false;
    private readonly running: Promise<unknown>;

    private constructor(
        private readonly client: EngineClient,
        private readonly writeHost: string,
        readHost: string,
    ) {
        this.running = Promise.all([this.writeLoop(), this.readLoop(readHost)]);
    }

    /** Starts writing and reading. */
    public static start(client: EngineClient, hosts: { write: string; read: string }): Workload {
        return new Workload(client, hosts.write, hosts.read);
    }

    /** Runs `action` under load, a little before and after it, and reports what the client saw. */
    public static async during(
        client: EngineClient,
        hosts: { write: string; read: string },
        action: () => Promise<unknown>,
    ): Promise<Report> {
        const workload = Workload.start(client, hosts);
        try {
            await sleep(500);
            await action();
            await sleep(1000);
        } finally {
            await workload.stop();
        }
        return workload.report();
    }

    /** Ends after the writes and reads under way. */
    public async stop(): Promise<Report> {
        this.stopping = true;
        await this.running;
        return this.report();
    }

    /** Writes that were acknowledged so far. */
    public count(): number {
        return this.ids.length;
    }

    private report(): Report {
        return {
            acknowledged: this.ids.length,
            failed: this.failed,
            longestGap: this.gap,
            longestReadGap: this.readGap,
            failedReads: this.failedReads,
            ids: this.ids,
            failures: [...this.failures],
        };
    }

    private async writeLoop(): Promise<void> {
        let session: Session | undefined;
        let last = performance.now();
        while (!this.stopping) {
            const id = nextId++;
            try {
                session ??= await this.client.connect(this.writeHost);
                await session.write(id);
                this.ids.push(id);
                this.gap = Math.max(this.gap, performance.now() - last);
                last = performance.now();
            } catch (error) {
                this.failed++;
                this.failures.add(messageOf(error));
                await session?.close().catch(() => undefined);
                session = undefined;
            }
            await sleep(INTERVAL);
        }
        // A workload that ends in a gap has seen at least this much of it.
        this.gap = Math.max(this.gap, performance.now() - last);
        await session?.close().catch(() => undefined);
    }

    private async readLoop(host: string): Promise<void> {
        let session: Session | undefined;
        let last = performance.now();
        while (!this.stopping) {
            try {
                session ??= await this.client.connect(host);
                await session.read();
                this.readGap = Math.max(this.readGap, performance.now() - last);
                last = performance.now();
            } catch {
                this.failedReads++;
                await session?.close().catch(() => undefined);
                session = undefined;
            }
            await sleep(10 * INTERVAL);
        }
        await session?.close().catch(() => undefined);
    }
}

/** Which acknowledged writes are missing on a member, and which rows are there twice. */
export async function compare(
    client: EngineClient,
    host: string,
    acknowledged: readonly number[],
): Promise<{ lost: number[]; doubled: number[] }> {
    const session = await client.connect(host);
    try {
        const found = await session.ids();
        const seen = new Set(found);
        const doubled = found.filter((id, index) => found.indexOf(id) !== index);
        return { lost: acknowledged.filter((id) => !seen.has(id)), doubled };
    } finally {
        await session.close();
    }
}

export const sleep = (milliseconds: number): Promise<void> =>
    new Promise((resolve) => setTimeout(resolve, milliseconds));

const messageOf = (error: unknown): string =>
    error instanceof Error ? error.message : String(error);
