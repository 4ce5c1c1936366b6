// When StatefulSets, Deployments and DaemonSets count as rolled out (provider/pkg/await/*.go).

import { conditionOf, numberAt, textAt, type KubernetesObject } from "../kubernetes-object.js";
import { explainPods } from "./pods.js";
import { isObserved, unless, waiting, type Rule, type Verdict } from "./rule.js";

function status(live: KubernetesObject, field: string): number {
    return numberAt(live, "status", field) ?? 0;
}

const NOT_OBSERVED = "its controller has not seen the change yet";

function checkStatefulSet(live: KubernetesObject): Verdict {
    if (!isObserved(live)) return waiting(NOT_OBSERVED);
    const replicas = numberAt(live, "spec", "replicas") ?? 1;
    const ready = status(live, "readyReplicas");
    const podsAreReady = status(live, "replicas") === replicas && ready === replicas;
    const notReady = !podsAreReady && `${ready} out of ${replicas} replicas are ready`;
    const generation = numberAt(live, "metadata", "generation") ?? 0;
    // OnDelete: after a change the pods become new only when somebody deletes them.
    if (generation > 1 && textAt(live, "spec", "updateStrategy", "type") === "OnDelete") {
        return unless([notReady]);
    }
    const current = textAt(live, "status", "currentRevision");
    const wanted = textAt(live, "status", "updateRevision");
    return unless([
        notReady,
        status(live, "currentReplicas") !== replicas &&
            `${status(live, "currentReplicas")} out of ${replicas} replicas have the current revision`,
        (current === "" || current !== wanted) &&
            `the update from revision "${current}" to "${wanted}" is not complete`,
    ]);
}

function checkDeployment(live: KubernetesObject): Verdict {
    if (!isObserved(live)) return waiting(NOT_OBSERVED);
    const replicas = numberAt(live, "spec", "replicas") ?? 1;
    const progressing = conditionOf(live, "Progressing");
    const hasProgressed =
        progressing === undefined
            ? numberAt(live, "spec", "progressDeadlineSeconds") === undefined
            : progressing["status"] === "True" &&
              textAt(progressing, "reason") === "NewReplicaSetAvailable";
    const isAvailable = replicas === 0 || conditionOf(live, "Available")?.["status"] === "True";
    const count = (field: string) => `${status(live, field)} out of ${replicas}`;
    return unless([
        status(live, "updatedReplicas") < replicas &&
            `${count("updatedReplicas")} replicas are updated`,
        status(live, "readyReplicas") < replicas && `${count("readyReplicas")} replicas are ready`,
        status(live, "replicas") > status(live, "updatedReplicas") &&
            `${status(live, "replicas") - status(live, "updatedReplicas")} old replicas are still there`,
        !isAvailable && "the least number of replicas is not available",
        !hasProgressed &&
            `its rollout has not completed${textAt(progressing, "message") === "" ? "" : `: ${textAt(progressing, "message")}`}`,
    ]);
}

function checkDaemonSet(live: KubernetesObject): Verdict {
    if (!isObserved(live)) return waiting(NOT_OBSERVED);
    const desired = numberAt(live, "status", "desiredNumberScheduled");
    if (desired === undefined) return waiting("its controller has not counted the nodes yet");
    const missing = (field: string, what: string) =>
        status(live, field) < desired &&
        `${status(live, field)} out of ${desired} pods are ${what}`;
    return unless([
        missing("currentNumberScheduled", "scheduled"),
        missing("updatedNumberScheduled", "updated"),
        missing("numberAvailable", "available"),
        missing("numberReady", "ready"),
    ]);
}

function workload(check: (live: KubernetesObject) => Verdict): Rule {
    return { check, explain: explainPods, judgedOnRead: true };
}

export const statefulSet = workload(checkStatefulSet);
export const deployment = workload(checkDeployment);
export const daemonSet = workload(checkDaemonSet);
