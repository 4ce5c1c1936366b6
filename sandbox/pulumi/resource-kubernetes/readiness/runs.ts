// When a Job or a bare Pod counts as done or running.

import {
    conditionOf,
    numberAt,
    textAt,
    titleOf,
    type KubernetesObject,
} from "../kubernetes-object.js";
import { explainFailure, explainPod, explainPods, isPodReady } from "./pods.js";
import { failed, READY, unless, waiting, type Rule, type Verdict } from "./rule.js";

function checkJob(live: KubernetesObject): Verdict {
    const failure = conditionOf(live, "Failed");
    if (failure?.["status"] === "True") {
        const reason = textAt(failure, "reason");
        return failed(`${titleOf(live)} failed: [${reason}] ${textAt(failure, "message")}`);
    }
    const count = (field: string) => numberAt(live, "status", field) ?? 0;
    const progress = `active: ${count("active")}, succeeded: ${count("succeeded")}, failed: ${count("failed")}`;
    return unless([
        textAt(live, "status", "startTime") === "" && "it has not started",
        conditionOf(live, "Complete")?.["status"] !== "True" &&
            `it has not completed (${progress})`,
    ]);
}

export const job: Rule = {
    check: checkJob,
    explain: async (live, cluster) => {
        const failures = await explainFailure(live, cluster);
        return failures.length > 0 ? failures : explainPods(live, cluster);
    },
    judgedOnRead: true,
};

function checkPod(live: KubernetesObject): Verdict {
    if (isPodReady(live)) return READY;
    if (textAt(live, "status", "phase") === "Failed") return failed("the pod has failed");
    const conditions = ["PodScheduled", "Initialized", "Ready"].filter(
        (type) => conditionOf(live, type)?.["status"] !== "True",
    );
    return waiting(`the pod is not ${conditions.join(", not ")}`);
}

export const pod: Rule = {
    check: checkPod,
    explain: async (live, cluster) => [await explainPod(live, cluster)],
    judgedOnRead: true,
};
