// Which sandbox plays the Kubernetes of which cluster of the cloud, and how to talk to it.

import { kubeconfigOf, SANDBOXES, type Sandbox } from "../cluster/plan.js";
import { Api } from "../controllers/api.js";
import type { ClusterStatus } from "./status.js";
import type { Cloud } from "./store.js";

const apis = new Map<Sandbox, Api>();

/** A client of a sandbox's API server, as its administrator; one for each sandbox. */
export function apiOf(sandbox: Sandbox): Api {
    const api = apis.get(sandbox) ?? new Api(kubeconfigOf(sandbox));
    apis.set(sandbox, api);
    return api;
}

/** The sandbox that a cluster of the cloud was given; undefined when there is no such cluster. */
export function sandboxOf(cloud: Cloud, clusterPath: string): Sandbox | undefined {
    const status = cloud.read<ClusterStatus>(clusterPath)?.status;
    return SANDBOXES.find(({ name }) => name === status?.controlPlane);
}

/** The path of a pool's cluster. */
export function clusterOfPool(poolPath: string): string {
    return poolPath.split("/").slice(0, -2).join("/");
}
