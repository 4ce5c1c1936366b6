// What the tests of the cloud's stand-in share: they write its files as the provider would, and wait as it waits.

import { Cloud, type JsonObject } from "../../sandbox/cloud/store.js";
import { clusterPath, nodePoolPath } from "../../sandbox/cloud/paths.js";
import type { ClusterStatus, NodePoolStatus } from "../../sandbox/cloud/status.js";
import { cloudDirectory } from "../../sandbox/places.js";
import { eventually } from "./world.js";

export const PROJECT = "quorum-sandbox";
export const CLUSTER = clusterPath(PROJECT, "sandbox", "trial");

const PATIENCE_SECONDS = 120;

export const cloud = new Cloud(cloudDirectory());

export function poolPath(name: string): string {
    return nodePoolPath(PROJECT, "sandbox", "trial", name);
}

/** Waits until a resource's state is one of these; `undefined`: until it is gone. */
export async function state(path: string, ...wanted: (string | undefined)[]): Promise<void> {
    const ask = () =>
        Promise.resolve(cloud.read<{ state: string; message?: string }>(path)?.status);
    const last = await eventually(
        ask,
        (status) => wanted.includes(status?.state),
        PATIENCE_SECONDS,
    );
    if (!wanted.includes(last?.state)) {
        throw new Error(`${path} is ${JSON.stringify(last)}, not ${wanted.join(" or ")}`);
    }
}

/** Makes the cluster `trial`, on the first control plane. */
export async function makeCluster(): Promise<void> {
    const status: ClusterStatus = { state: "PROVISIONING", controlPlane: "sandbox" };
    await cloud.change((writer) =>
        writer.write(CLUSTER, {
            type: "gcp:container/cluster:Cluster",
            id: CLUSTER,
            properties: { name: "trial", location: "sandbox", project: PROJECT },
            status,
        }),
    );
    await state(CLUSTER, "RUNNING");
}

/** Deletes the cluster, and with it what is left in it. */
export async function deleteCluster(): Promise<void> {
    await cloud.update<ClusterStatus>(CLUSTER, (now) => ({
        ...now,
        status: { ...now.status, state: "STOPPING" },
    }));
    await state(CLUSTER, undefined);
}

/** Makes a pool, or changes it; does not wait. */
export async function writePool(name: string, properties: JsonObject): Promise<void> {
    const path = poolPath(name);
    const revision = (cloud.read<NodePoolStatus>(path)?.status.revision ?? 0) + 1;
    const status: NodePoolStatus = {
        state: revision === 1 ? "PROVISIONING" : "RECONCILING",
        revision,
    };
    await cloud.change((writer) =>
        writer.write(path, {
            type: "gcp:container/nodePool:NodePool",
            id: path,
            properties: { name, cluster: "trial", location: "sandbox", ...properties },
            status,
        }),
    );
}

/** Asks for a pool to be deleted; does not wait. */
export async function stopPool(name: string): Promise<void> {
    await cloud.update<NodePoolStatus>(poolPath(name), (now) => ({
        ...now,
        status: { ...now.status, state: "STOPPING", revision: now.status.revision + 1 },
    }));
}

/** Names of a pool's nodes, when it has settled. */
export async function nodesOfPool(name: string): Promise<readonly string[]> {
    await state(poolPath(name), "RUNNING");
    return cloud.read<NodePoolStatus>(poolPath(name))!.status.nodes!;
}
