// What Quorum is compared with: the same pods as one plain StatefulSet of three replicas, applied with kubectl. Its
// manifest is made from a member's own, so that image, init step, command, probes and resources cannot differ.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubectl } from "../sandbox/index.js";
import { eventually, Namespace } from "../test/cluster/kubernetes.js";
import { mysqlClient } from "../test/cluster/mysql-client.js";
import { MEMBERS, volumesGone, type BenchCluster } from "./cluster.js";

const NAME = "bench-plain";
const LABELS = { app: NAME };

interface Container {
    name: string;
    env: { name: string; value?: string; valueFrom?: unknown }[];
    readinessProbe?: unknown;
    volumeMounts: { name: string }[];
}

interface Volume {
    name: string;
    configMap?: { name: string };
    secret?: { secretName: string };
}

interface PodSpec {
    affinity: unknown;
    serviceAccountName?: string | undefined;
    serviceAccount?: string | undefined;
    initContainers: Container[];
    containers: Container[];
    volumes: Volume[];
}

interface StatefulSet {
    spec: { template: { spec: PodSpec } };
}

interface Keyed {
    kind: string;
    data: Record<string, string>;
}

/** Everything that is applied. */
export interface Manifest {
    readonly objects: readonly unknown[];
    /** The administrator's password on every server. */
    readonly password: string;
}

/** Makes the manifest from a running cluster. */
export async function manifestFrom(cluster: BenchCluster): Promise<Manifest> {
    const { namespace } = cluster;
    const [member] = await namespace.names("statefulsets");
    const { spec } = (await namespace.get<StatefulSet>("statefulset", member!)).spec.template;
    const pod = plainPod(spec);
    const kept = await Promise.all(pod.volumes.flatMap((volume) => copyOf(namespace, volume)));
    const metadata = { name: NAME, namespace: NAME };
    return {
        password: await cluster.password("admin-password"),
        objects: [
            { apiVersion: "v1", kind: "Namespace", metadata: { name: NAME } },
            ...kept,
            {
                apiVersion: "v1",
                kind: "Service",
                metadata,
                spec: { clusterIP: "None", publishNotReadyAddresses: true, selector: LABELS },
            },
            {
                apiVersion: "apps/v1",
                kind: "StatefulSet",
                metadata,
                spec: {
                    replicas: MEMBERS,
                    podManagementPolicy: "Parallel",
                    serviceName: NAME,
                    selector: { matchLabels: LABELS },
                    template: { metadata: { labels: LABELS }, spec: pod },
                    volumeClaimTemplates: [
                        {
                            metadata: { name: "data" },
                            spec: {
                                accessModes: ["ReadWriteOnce"],
                                resources: { requests: { storage: "1Gi" } },
                            },
                        },
                    ],
                },
            },
        ],
    };
}

/** A member's pod without what makes it a member: no agent, no account, no readiness that asks for a cluster. */
function plainPod(spec: PodSpec): PodSpec {
    const server = spec.containers.filter(({ name }) => name === "mysql").map(plainContainer);
    const init = spec.initContainers.map(plainContainer);
    const mounted = new Set(
        [...init, ...server].flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name)),
    );
    return {
        ...spec,
        serviceAccountName: undefined,
        serviceAccount: undefined,
        // One a zone, as the members are.
        affinity: {
            podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [
                    {
                        topologyKey: "topology.kubernetes.io/zone",
                        labelSelector: { matchLabels: LABELS },
                    },
                ],
            },
        },
        initContainers: init,
        containers: server,
        // The disk comes from the template of claims.
        volumes: spec.volumes.filter(({ name }) => name !== "data" && mounted.has(name)),
    };
}

function plainContainer(container: Container): Container {
    // The name under which a server marks its disk.
    const own = { name: "QUORUM_MEMBER", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };
    return {
        ...container,
        readinessProbe: undefined,
        env: [...container.env.filter(({ name }) => name !== own.name), own],
    };
}

/** The ConfigMap or Secret behind a volume, for the other namespace. */
function copyOf(namespace: Namespace, volume: Volume): Promise<unknown>[] {
    const copy = async (kind: string, name: string): Promise<unknown> => {
        const { data } = await namespace.get<Keyed>(kind, name);
        return { apiVersion: "v1", kind, metadata: { name, namespace: NAME }, data };
    };
    return [
        ...(volume.configMap ? [copy("ConfigMap", volume.configMap.name)] : []),
        ...(volume.secret ? [copy("Secret", volume.secret.secretName)] : []),
    ];
}

/** From nothing to servers that all run and let the administrator in. */
export async function startPlainServers({ objects, password }: Manifest): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "quorum-bench-"));
    try {
        const file = join(folder, "plain.json");
        const list = { apiVersion: "v1", kind: "List", items: objects };
        writeFileSync(file, JSON.stringify(list), { mode: 0o600 });
        await kubectl(["apply", "--filename", file]);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
    const client = mysqlClient(password, "quorum", "mysql");
    await eventually("the plain servers", 300, async () => {
        const pods = await runningPods();
        for (const address of pods) {
            await (await client.connect(address)).close();
        }
        return pods.length === MEMBERS;
    });
}

/** Addresses of the plain servers that run. */
async function runningPods(): Promise<string[]> {
    const output = await kubectl([
        ...["get", "pods", "--namespace", NAME, "--field-selector", "status.phase=Running"],
        ...["--output", "jsonpath={.items[*].status.podIP}"],
    ]);
    return output.split(" ").filter(Boolean);
}

/** Removes the servers and their disks. */
export async function removePlainServers(): Promise<void> {
    await new Namespace(NAME).remove();
    await volumesGone(NAME);
}
