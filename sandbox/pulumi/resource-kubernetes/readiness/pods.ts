// Why a pod is not ready, in words: for the messages during a long wait and for its failure.

import type { Cluster } from "../cluster.js";
import {
    conditionOf,
    nameOf,
    namespaceOf,
    objectAt,
    objectsAt,
    textAt,
    uidOf,
    type KubernetesObject,
} from "../kubernetes-object.js";
import type { Tree, TreeObject } from "../../property-tree.js";

const POD = { apiVersion: "v1", kind: "Pod" };
const EVENT = { apiVersion: "v1", kind: "Event" };

/** Enough to see an error with its cause, little enough to read. */
const LOG_LINES = 5;

/** A workload with a hundred broken pods has one reason, not a hundred. */
const MOST_PODS = 3;

/** Waits that every starting pod goes through. */
const ORDINARY = new Set(["ContainerCreating", "PodInitializing"]);

function textOf(value: Tree | undefined): string {
    return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** A selector (matchLabels, matchExpressions) as the query parameter that lists take. */
export function labelSelector(selector: TreeObject): string {
    const labels = Object.entries(objectAt(selector, "matchLabels")).map(
        ([key, value]) => `${key}=${textOf(value)}`,
    );
    const expressions = objectsAt(selector, "matchExpressions").map((expression) => {
        const key = textAt(expression, "key");
        const values = expression["values"];
        const list = Array.isArray(values) ? values.map(String).join(",") : "";
        switch (textAt(expression, "operator")) {
            case "In":
                return `${key} in (${list})`;
            case "NotIn":
                return `${key} notin (${list})`;
            case "DoesNotExist":
                return `!${key}`;
            default:
                return key;
        }
    });
    return [...labels, ...expressions].join(",");
}

export function podsOf(workload: KubernetesObject, cluster: Cluster): Promise<KubernetesObject[]> {
    const labels = labelSelector(objectAt(workload, "spec", "selector"));
    return cluster.list(POD, namespaceOf(workload), { labels });
}

export function isPodReady(pod: KubernetesObject): boolean {
    if (textAt(pod, "status", "phase") === "Succeeded") return true;
    return conditionOf(pod, "Ready")?.["status"] === "True";
}

async function lastWarning(pod: KubernetesObject, cluster: Cluster): Promise<string> {
    const events = await cluster.list(EVENT, namespaceOf(pod), {
        fields: `involvedObject.uid=${uidOf(pod)},type=Warning`,
    });
    const latest = events
        .map((event) => ({
            at: textAt(event, "lastTimestamp") || textAt(event, "eventTime"),
            text: `${textAt(event, "reason")}: ${textAt(event, "message")}`,
        }))
        .sort((a, b) => a.at.localeCompare(b.at))
        .at(-1);
    return latest?.text ?? "";
}

async function logOf(
    pod: KubernetesObject,
    container: string,
    previous: boolean,
    cluster: Cluster,
): Promise<string> {
    const text = await cluster.logTail(pod, container, LOG_LINES, previous);
    return text === "" ? "" : `; its log ends: ${text.split("\n").join(" | ")}`;
}

function endOf(terminated: TreeObject): string {
    const message = textAt(terminated, "message");
    const code = textOf(terminated["exitCode"]);
    return `${textAt(terminated, "reason")} (exit code ${code})${message === "" ? "" : `: ${message}`}`;
}

/** Why one container is not ready, or "" when it is or has ended well. */
async function explainContainer(
    pod: KubernetesObject,
    status: TreeObject,
    cluster: Cluster,
): Promise<string> {
    const name = textAt(status, "name");
    const waitingFor = objectAt(status, "state", "waiting");
    const ended = objectAt(status, "state", "terminated");
    const endedBefore = objectAt(status, "lastState", "terminated");
    if (Object.keys(ended).length > 0) {
        if (ended["exitCode"] === 0) return "";
        return `container "${name}" ended: ${endOf(ended)}${await logOf(pod, name, false, cluster)}`;
    }
    const reason = textAt(waitingFor, "reason");
    if (Object.keys(endedBefore).length > 0 && status["ready"] !== true) {
        const now = reason === "" ? "" : ` [${reason}]`;
        return `container "${name}"${now} ended before: ${endOf(endedBefore)}${await logOf(pod, name, true, cluster)}`;
    }
    if (reason !== "" && !ORDINARY.has(reason)) {
        return `container "${name}" waits: ${reason}: ${textAt(waitingFor, "message")}`;
    }
    return "";
}

/** Why a pod is not ready, in one line that begins with its name. */
export async function explainPod(pod: KubernetesObject, cluster: Cluster): Promise<string> {
    const statuses = [
        ...objectsAt(pod, "status", "initContainerStatuses"),
        ...objectsAt(pod, "status", "containerStatuses"),
    ];
    const readyCount = objectsAt(pod, "status", "containerStatuses").filter(
        (status) => status["ready"] === true,
    ).length;
    const count = objectsAt(pod, "spec", "containers").length;
    const scheduled = conditionOf(pod, "PodScheduled");
    const reasons: string[] = [];
    if (scheduled?.["status"] === "False") {
        reasons.push(`${textAt(scheduled, "reason")}: ${textAt(scheduled, "message")}`);
    }
    for (const status of statuses) reasons.push(await explainContainer(pod, status, cluster));
    const found = reasons.filter((reason) => reason !== "");
    if (found.length === 0) {
        const warning = await lastWarning(pod, cluster);
        const ready = conditionOf(pod, "Ready");
        found.push(
            warning !== "" ? warning : textAt(ready, "message") || textAt(pod, "status", "phase"),
        );
    }
    return `${nameOf(pod)}: ${readyCount}/${count} ready: ${found.join("; ")}`;
}

/** The unready pods of a workload, each in one line. */
export async function explainPods(
    workload: KubernetesObject,
    cluster: Cluster,
): Promise<readonly string[]> {
    const pods = (await podsOf(workload, cluster)).filter((pod) => !isPodReady(pod));
    const lines = await Promise.all(
        pods.slice(0, MOST_PODS).map((pod) => explainPod(pod, cluster)),
    );
    if (pods.length > MOST_PODS) lines.push(`and ${pods.length - MOST_PODS} more pods`);
    return lines;
}

/** The end of the log of every pod of a failed workload. */
export async function explainFailure(
    workload: KubernetesObject,
    cluster: Cluster,
): Promise<readonly string[]> {
    const pods = (await podsOf(workload, cluster)).filter(
        (pod) => textAt(pod, "status", "phase") === "Failed",
    );
    return Promise.all(pods.slice(-MOST_PODS).map((pod) => explainPod(pod, cluster)));
}
