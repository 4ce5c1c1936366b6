// What the cluster tests ask Kubernetes, and do to it.
import { readdirSync, rmSync } from "node:fs";
import { kubectl, localDisks, nodeNames, readyNodes, zoneDown } from "../../sandbox/index.js";
import { sleep } from "./workload.js";

/** What the tests look at of a pod. */
export interface Pod {
    metadata: {
        name: string;
        uid: string;
        deletionTimestamp?: string;
        labels: Record<string, string>;
    };
    spec: { nodeName: string; containers: { name: string; image: string }[] };
    status: {
        podIP?: string;
        startTime?: string;
        conditions?: { type: string; status: string }[];
        containerStatuses?: { name: string; restartCount: number; containerID: string }[];
    };
}

/** Selects what belongs to the members that hold the data, and not to processes of other roles. */
export const MEMBERS = "app.kubernetes.io/component=member,quorum.dev/role=member";

/** A namespace of the sandbox. */
export class Namespace {
    public constructor(public readonly name: string) {}

    /** Objects of a kind, by name. */
    public async names(kind: string, selector?: string): Promise<string[]> {
        const output = await kubectl([
            "-n",
            this.name,
            "get",
            kind,
            ...(selector === undefined ? [] : ["-l", selector]),
            "-o",
            "name",
            "--ignore-not-found",
        ]);
        return output
            .split("\n")
            .filter(Boolean)
            .map((line) => line.split("/").at(-1)!)
            .sort();
    }

    public async get<T>(kind: string, name: string): Promise<T> {
        return JSON.parse(await kubectl(["-n", this.name, "get", kind, name, "-o", "json"])) as T;
    }

    /** The pods of the members, by member. */
    public async members(): Promise<Map<string, Pod>> {
        const output = await kubectl(["-n", this.name, "get", "pods", "-l", MEMBERS, "-o", "json"]);
        const { items } = JSON.parse(output) as { items: Pod[] };
        return new Map(items.map((pod) => [pod.metadata.labels["quorum.dev/member"]!, pod]));
    }

    /** Address of a Service of type ClusterIP. */
    public async serviceIp(name: string): Promise<string> {
        const service = await this.get<{ spec: { clusterIP: string } }>("service", name);
        return service.spec.clusterIP;
    }

    /** Deletes a member's pod, as an eviction would: with its grace. */
    public async deletePod(member: string): Promise<void> {
        await kubectl(["-n", this.name, "delete", "pod", `${member}-0`, "--wait=false"]);
    }

    /** Kills every process of a container at once, as running out of memory would. */
    public async killContainer(member: string, container: string): Promise<void> {
        // The first process of a namespace ignores signals from inside it that it does not handle; the others do not.
        await kubectl([
            "-n",
            this.name,
            "exec",
            `${member}-0`,
            "-c",
            container,
            "--",
            "bash",
            "-c",
            "kill -9 -1",
        ]).catch(() => undefined);
    }

    /** A new, empty disk in place of a member's: what is on it is deleted under the running database. */
    public async loseDisk(member: string): Promise<void> {
        const { spec } = (await this.members()).get(member)!;
        const folder = localDisks()[nodeNames.indexOf(spec.nodeName)]!;
        for (const entry of readdirSync(`${folder}/${this.name}/${member}`)) {
            rmSync(`${folder}/${this.name}/${member}/${entry}`, { recursive: true, force: true });
        }
        await kubectl([
            "-n",
            this.name,
            "delete",
            "pod",
            `${member}-0`,
            "--grace-period=0",
            "--force",
        ]);
    }

    /** Removes members, also those that a killed run left and no stack knows: claims would wait for their pods for ever. */
    public async removeMembers(): Promise<void> {
        await kubectl([
            ...["-n", this.name, "delete", "statefulsets", "--all"],
            ...["--ignore-not-found", "--wait=false"],
        ]);
    }

    /** Removes the namespace and what a cluster in it left: its disks' namespace and their data on the nodes. */
    public async remove(): Promise<void> {
        await this.removeObjects();
        wipeLocalDisks(this.name);
    }

    /** Removes the namespace and its disks' objects; what is on local disks stays, as after the loss of a cluster. */
    public async removeObjects(): Promise<void> {
        await kubectl([
            "delete",
            "namespace",
            this.name,
            `${this.name}-storage`,
            "--ignore-not-found",
        ]);
        await kubectl([
            "delete",
            "persistentvolumes",
            "-l",
            `app.kubernetes.io/instance=${this.name}`,
        ]);
        await kubectl(["delete", "storageclass", "-l", `app.kubernetes.io/instance=${this.name}`]);
    }

    /** Waits until every member has been ready for a moment, with as many pods as asked for. */
    public async ready(count: number, seconds = 180): Promise<void> {
        await eventually(`${count} ready members in ${this.name}`, seconds, async () => {
            const pods = [...(await this.members()).values()];
            return pods.length === count && pods.every(isReady);
        });
    }
}

/** Kubernetes never deletes what is on a local volume: the tests do. */
function wipeLocalDisks(namespace: string): void {
    for (const folder of localDisks()) {
        rmSync(`${folder}/${namespace}`, { recursive: true, force: true });
    }
}

/** Whether a pod is ready and stays. */
export function isReady(pod: Pod): boolean {
    return (
        pod.metadata.deletionTimestamp === undefined &&
        (pod.status.conditions ?? []).some(
            ({ type, status }) => type === "Ready" && status === "True",
        )
    );
}

/** Cuts a zone's power and waits until Kubernetes knows: a job's pod must not land on a node that is dead. */
export async function cutPower(zone: string): Promise<void> {
    await zoneDown(zone);
    await eventually(`zone ${zone} to be known as lost`, 60, async () =>
        (await readyNodes()).every((node) => !node.startsWith(zone)),
    );
}

/** Asks again until it is so. */
export async function eventually(
    what: string,
    seconds: number,
    isSo: () => Promise<boolean>,
): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    let last: unknown;
    do {
        try {
            if (await isSo()) {
                return;
            }
        } catch (error) {
            last = error;
        }
        await sleep(500);
    } while (Date.now() < deadline);
    throw new Error(`waited ${seconds} s in vain for ${what}`, { cause: last });
}
