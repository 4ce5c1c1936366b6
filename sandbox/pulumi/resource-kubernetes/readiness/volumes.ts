// When a claim or a volume counts as ready.

import type { Cluster } from "../cluster.js";
import { textAt, type KubernetesObject } from "../kubernetes-object.js";
import { READY, waiting, type Phase, type Rule, type Verdict } from "./rule.js";

/** Fixed in the real provider: customTimeouts do not make it longer. */
const LONGEST_SECONDS = 5 * 60;

const STORAGE_CLASS = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };

async function bindingMode(claim: KubernetesObject, cluster: Cluster): Promise<string> {
    const name = textAt(claim, "spec", "storageClassName");
    if (name === "") return "";
    return textAt(await cluster.find(STORAGE_CLASS, "", name), "volumeBindingMode");
}

export function volumeClaim(phase: Phase): Rule {
    const check = async (live: KubernetesObject, cluster: Cluster): Promise<Verdict> => {
        const state = textAt(live, "status", "phase");
        if (state === "Bound") return READY;
        const mode = await bindingMode(live, cluster);
        // Such a claim is bound when a pod uses it, and the pod may come after the claim.
        const waitsForConsumer = mode === "WaitForFirstConsumer" && state === "Pending";
        if (waitsForConsumer && phase === "create") return READY;
        return waiting(`it is ${state === "" ? "not seen yet" : state}, not Bound`);
    };
    return { check, longestSeconds: LONGEST_SECONDS, judgedOnRead: false };
}

export const volume: Rule = {
    check: (live) => {
        const state = textAt(live, "status", "phase");
        if (state === "Available" || state === "Bound") return READY;
        return waiting(`it is ${state === "" ? "not seen yet" : state}, not Available`);
    },
    longestSeconds: LONGEST_SECONDS,
    judgedOnRead: false,
};
