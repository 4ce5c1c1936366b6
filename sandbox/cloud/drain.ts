// Empties a node as GKE does it: nothing new is scheduled on it, then its pods are asked to go.

import type { V1Node, V1Pod } from "@kubernetes/client-node";
import { setTimeout as sleep } from "node:timers/promises";
import { ApiError, type Api } from "../controllers/api.js";

/** Budgets and grace periods count for this long, then GKE goes on (its documentation: workload disruption readiness). */
const PATIENCE_MILLISECONDS = 60 * 60_000;

/** Between two tries of an eviction that a budget forbids. */
const RETRY_MILLISECONDS = 1_000;

/**
 * A machine that is deleted is shut down first, and has this long for it (Compute Engine's documentation, shutdown period).
 * Kubelet lives on meanwhile, and says that the pods' volumes are unmounted. A node that is gone without having said so keeps
 * its volumes for six minutes (kube-controller-manager, ReconcilerMaxWaitForUnmountDuration).
 */
const SHUTDOWN_MILLISECONDS = 90_000;

/** The status of an eviction that a budget forbids now (Kubernetes, API-initiated eviction). */
const TOO_MANY_REQUESTS = 429;

interface PodList {
    readonly items: readonly V1Pod[];
}

/** Pods that belong to the node itself, and so go only with it. */
function staysWithNode({ metadata }: V1Pod): boolean {
    const isDaemon = (metadata?.ownerReferences ?? []).some(({ kind }) => kind === "DaemonSet");
    return isDaemon || metadata?.annotations?.["kubernetes.io/config.mirror"] !== undefined;
}

async function podsOn(api: Api, node: string): Promise<V1Pod[]> {
    const path = `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`;
    const { items } = await api.request<PodList>("GET", path);
    return items.filter((pod) => !staysWithNode(pod));
}

/** Nothing new is scheduled on a cordoned node. */
export async function cordon(api: Api, node: string): Promise<void> {
    await ignoringGone(() =>
        api.request("PATCH", `/api/v1/nodes/${node}`, { spec: { unschedulable: true } }),
    );
}

async function ignoringGone(work: () => Promise<unknown>): Promise<void> {
    try {
        await work();
    } catch (thrown) {
        if (!(thrown instanceof ApiError && thrown.status === 404)) throw thrown;
    }
}

/** Asks a pod to go; one whose budget forbids it now is asked again later. */
async function evict(api: Api, { metadata }: V1Pod): Promise<void> {
    const { name, namespace } = metadata!;
    try {
        await ignoringGone(() =>
            api.request("POST", `/api/v1/namespaces/${namespace!}/pods/${name!}/eviction`, {
                apiVersion: "policy/v1",
                kind: "Eviction",
                metadata: { name, namespace },
            }),
        );
    } catch (thrown) {
        if (!(thrown instanceof ApiError && thrown.status === TOO_MANY_REQUESTS)) throw thrown;
    }
}

async function remove(api: Api, { metadata }: V1Pod): Promise<void> {
    const { name, namespace } = metadata!;
    await ignoringGone(() =>
        api.request("DELETE", `/api/v1/namespaces/${namespace!}/pods/${name!}`),
    );
}

/** Waits until kubelet has said that it uses no volume, as long as a shutdown takes at most. */
async function letGoOfVolumes(api: Api, name: string): Promise<void> {
    const end = Date.now() + SHUTDOWN_MILLISECONDS;
    while (Date.now() < end) {
        let node: V1Node | undefined;
        await ignoringGone(async () => {
            node = await api.request<V1Node>("GET", `/api/v1/nodes/${name}`);
        });
        if ((node?.status?.volumesInUse ?? []).length === 0) return;
        await sleep(RETRY_MILLISECONDS);
    }
}

/**
 * Empties a node. Returns when its pods are gone and their volumes free, or after an hour with the rest of them still there.
 *
 * @param respectsBudgets asked again in every round, for the pool may change meanwhile
 */
export async function drain(api: Api, node: string, respectsBudgets: () => boolean): Promise<void> {
    await cordon(api, node);
    const end = Date.now() + PATIENCE_MILLISECONDS;
    while (Date.now() < end) {
        const pods = await podsOn(api, node);
        if (pods.length === 0) return letGoOfVolumes(api, node);
        const staying = pods.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
        const ask = respectsBudgets() ? evict : remove;
        for (const pod of staying) await ask(api, pod);
        await sleep(RETRY_MILLISECONDS);
    }
}
