// A database over three Kubernetes clusters of one zone each, which reach one another's load balancers and API servers and nothing
// else. Its members' names are in all three name servers, as an operator's DNS would have them.
import { afterAll, beforeAll } from "vitest";
import {
    ensureSandboxes,
    kubeconfigPath,
    kubectl,
    ONE_ZONE_EACH,
    SANDBOXES,
    setNames,
    stopSandbox,
    ZONES,
    type Sandbox,
} from "../../sandbox/index.js";
import { eventually, isReady, MEMBERS, type Pod } from "./kubernetes.js";
import { Stack, succeeded, type Config, type Result } from "./stack.js";
import { compare, Workload, type EngineClient, type Report } from "./workload.js";

const DOMAIN = "db.test";
export const NAME = "wide";

const ofZones = <T>(value: (sandbox: Sandbox, zone: string) => T): Record<string, T> =>
    Object.fromEntries(ZONES.map((zone, number) => [zone, value(SANDBOXES[number]!, zone)]));
const SANDBOX_OF = ofZones((sandbox) => sandbox);

/** Each cluster has one node, so one member. */
const ADDRESSES = Object.fromEntries(
    ZONES.map((zone, number) => [`${NAME}-${zone}-0`, `172.30.8.${50 + number}`]),
);

const configOf = (replicas: number): Config => ({
    name: NAME,
    layout: "cluster-per-zone",
    zones: [...ZONES],
    replicas,
    clusters: ofZones((sandbox) => ({
        kubeconfig: kubeconfigPath(sandbox),
        server: sandbox.apiServer,
    })),
    names: { domain: DOMAIN },
    access: {
        members: {
            type: "LoadBalancer",
            // This machine, and whoever is let in below.
            sourceRanges: ["172.30.0.0/16"],
            addresses: Object.fromEntries(
                // Members fill the zones in turn.
                Object.entries(ADDRESSES).slice(0, replicas),
            ),
        },
        peerRanges: SANDBOXES.flatMap(({ networks }) => [networks.nodes, networks.pods]),
    },
});

/** The sandboxes, and one stack on them. */
export class PerZone {
    private stack!: Stack;

    public constructor(private readonly engine: Config) {}

    public async open(): Promise<void> {
        await ensureSandboxes(ONE_ZONE_EACH, [this.engine["engine"] as string]);
        // A run that was killed leaves a cluster with rows; that of another engine has the same addresses.
        for (const sandbox of SANDBOXES) {
            await kubectl(["delete", "namespace", NAME, "--ignore-not-found"], sandbox);
        }
        setNames(SANDBOXES, DOMAIN, ADDRESSES);
        this.stack = await Stack.open(
            `test-per-zone-${this.engine["engine"] as string}`,
            kubeconfigPath(),
        );
        await this.stack.reset();
    }

    public async close(): Promise<void> {
        await stopSandbox();
        await this.stack.remove();
    }

    public async up(over: Config = {}): Promise<Result> {
        const replicas = (over["replicas"] as number | undefined) ?? 3;
        const result = await this.stack.up({ ...configOf(replicas), ...this.engine, ...over });
        succeeded(result);
        return result;
    }

    public async password(): Promise<string> {
        const { connection } = await this.stack.outputs();
        return new URL(connection as string).password;
    }

    /** Address of the clients' Service of a zone's Kubernetes cluster. */
    public async service(zone: string, suffix = ""): Promise<string> {
        const args = ["-n", NAME, "get", "service", `${NAME}${suffix}`];
        return kubectl([...args, "-o", "jsonpath={.spec.clusterIP}"], SANDBOX_OF[zone]);
    }

    public addressOf(member: string): string {
        return ADDRESSES[member]!;
    }

    /** Members that are ready, over all Kubernetes clusters that answer. */
    public async readyMembers(): Promise<string[]> {
        const found = await Promise.all(
            SANDBOXES.map(async (sandbox) => {
                const args = ["--request-timeout=3s", "-n", NAME, "get", "pods", "-l", MEMBERS];
                const text = await kubectl([...args, "-o", "json"], sandbox).catch(
                    () => '{"items":[]}',
                );
                return (JSON.parse(text) as { items: Pod[] }).items.filter(isReady);
            }),
        );
        return found
            .flat()
            .map(({ metadata }) => metadata.labels["quorum.dev/member"]!)
            .sort();
    }

    public async ready(count: number, seconds = 180): Promise<void> {
        await eventually(
            `${count} ready members`,
            seconds,
            async () => (await this.readyMembers()).length === count,
        );
    }

    public async claims(zone: string): Promise<string> {
        return kubectl(["-n", NAME, "get", "pvc", "-o", "name"], SANDBOX_OF[zone]);
    }

    /** What a client sees that writes and reads by a zone's Services meanwhile. */
    public async under(
        client: EngineClient,
        zone: string,
        action: () => Promise<unknown>,
        read = "-read",
    ): Promise<Report> {
        const [write, reads] = [await this.service(zone), await this.service(zone, read)];
        return Workload.during(client, { write, read: reads }, action);
    }

    /** Acknowledged writes that a member does not have once it has caught up, and doubled ones. */
    public async missing(
        client: EngineClient,
        member: string,
        report: Report,
    ): Promise<{ lost: number[]; doubled: number[] }> {
        let found = { lost: [...report.ids], doubled: [] as number[] };
        await eventually(`${member} to have every acknowledged write`, 60, async () => {
            found = await compare(client, this.addressOf(member), report.ids);
            return found.lost.length === 0;
        }).catch(() => undefined);
        return found;
    }
}

/** The sandboxes and the stack of a test file. */
export function openPerZone(engine: Config): PerZone {
    const wide = new PerZone(engine);
    beforeAll(() => wide.open());
    afterAll(() => wide.close());
    return wide;
}
