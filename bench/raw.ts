// What the raw clusters of the write gaps have in common: a namespace with one StatefulSet of three pods over three
// zones, applied with kubectl, and as little around it as works.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kubectl } from "../sandbox/index.js";
import { Namespace, type Pod } from "../test/cluster/kubernetes.js";
import { MEMBERS, volumesGone } from "./cluster.js";

/** Name of the cluster, its namespace and its headless Service. */
export const RAW = "bench-raw";
export const LABELS = { app: RAW };
/** The user of the sandbox's images, who owns the disks. */
const USER = 999;
/** The same as a member of Quorum has here. */
const RESOURCES = { requests: { cpu: "100m", memory: "1Gi" }, limits: { memory: "1Gi" } };

/** What differs between the two databases. */
export interface RawPod {
    readonly image: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly serviceAccount?: string;
    /** Content of the Secret that is mounted at /bench. */
    readonly files: Readonly<Record<string, string>>;
    /** Bash; the database's data is to be below /data. */
    readonly init?: string;
    readonly run: string;
    readonly preStop?: string;
    readonly readiness?: object;
    /** Writable folders in memory. */
    readonly scratch: readonly string[];
}

/** The namespace, the Secret, the headless Service and the StatefulSet. */
export function rawObjects(pod: RawPod): object[] {
    const metadata = { name: RAW, namespace: RAW };
    const labels = { ...LABELS, ...pod.labels };
    const volumeMounts = [
        { name: "data", mountPath: "/data" },
        { name: "files", mountPath: "/bench" },
        ...pod.scratch.map((mountPath, index) => ({ name: `scratch-${index}`, mountPath })),
    ];
    const container = (name: string, script: string) => ({
        name,
        image: pod.image,
        command: ["bash", "-c", script],
        env: [
            { name: "POD", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
            { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
        ],
        resources: RESOURCES,
        volumeMounts,
    });
    return [
        { apiVersion: "v1", kind: "Namespace", metadata: { name: RAW } },
        { apiVersion: "v1", kind: "Secret", metadata, stringData: pod.files },
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
                serviceName: RAW,
                selector: { matchLabels: LABELS },
                template: {
                    metadata: { labels },
                    spec: {
                        ...(pod.serviceAccount && { serviceAccountName: pod.serviceAccount }),
                        terminationGracePeriodSeconds: 60,
                        securityContext: {
                            runAsUser: USER,
                            runAsGroup: USER,
                            fsGroup: USER,
                            // Else the next pod finds its files open to the group, and PostgreSQL refuses that.
                            fsGroupChangePolicy: "OnRootMismatch",
                        },
                        affinity: onePerZone(),
                        ...(pod.init && { initContainers: [container("init", pod.init)] }),
                        containers: [
                            {
                                ...container("database", pod.run),
                                ...(pod.preStop && {
                                    lifecycle: {
                                        preStop: { exec: { command: ["bash", "-c", pod.preStop] } },
                                    },
                                }),
                                ...(pod.readiness && { readinessProbe: pod.readiness }),
                            },
                        ],
                        volumes: [
                            { name: "files", secret: { secretName: RAW, defaultMode: 0o440 } },
                            ...pod.scratch.map((_, index) => ({
                                name: `scratch-${index}`,
                                emptyDir: { medium: "Memory" },
                            })),
                        ],
                    },
                },
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
    ];
}

const onePerZone = (): object => ({
    podAntiAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: "topology.kubernetes.io/zone", labelSelector: { matchLabels: LABELS } },
        ],
    },
});

export async function apply(objects: readonly object[]): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), "quorum-bench-"));
    try {
        const file = join(folder, "raw.json");
        const list = { apiVersion: "v1", kind: "List", items: objects };
        writeFileSync(file, JSON.stringify(list), { mode: 0o600 });
        await kubectl(["apply", "--filename", file]);
    } finally {
        rmSync(folder, { recursive: true, force: true });
    }
}

/** The raw pods, by name. */
export async function rawPods(selector = `app=${RAW}`): Promise<Pod[]> {
    const output = await kubectl([
        ...["get", "pods", "--namespace", RAW, "--selector", selector],
        ...["--output", "json"],
    ]);
    return (JSON.parse(output) as { items: Pod[] }).items;
}

/** Standard output of a shell line in a database container. */
export async function inPod(pod: string, script: string): Promise<string> {
    const command = ["bash", "-c", script];
    return kubectl(["exec", "--namespace", RAW, pod, "-c", "database", "--", ...command]);
}

export async function deleteRawPod(pod: string): Promise<void> {
    await kubectl(["delete", "pod", "--namespace", RAW, pod, "--wait=false"]);
}

/** Kills every process of a database container but the first, as the tests do it to Quorum's members. */
export async function killRawPod(pod: string): Promise<void> {
    await inPod(pod, "kill -9 -1").catch(() => undefined);
}

/** Removes the raw cluster and its disks. */
export async function removeRaw(): Promise<void> {
    await new Namespace(RAW).remove();
    await volumesGone(RAW);
}
