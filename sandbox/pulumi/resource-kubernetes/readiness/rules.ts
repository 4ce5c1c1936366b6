// Which kinds are waited for, and by which rule.

import { annotationOf, conditionOf, textAt, type KubernetesObject } from "../kubernetes-object.js";
import { skipsAwait, WAIT_FOR } from "../annotations.js";
import { unless, type Phase, type Rule } from "./rule.js";
import { job, pod } from "./runs.js";
import { service } from "./services.js";
import { volume, volumeClaim } from "./volumes.js";
import { waitFor } from "./wait-for.js";
import { daemonSet, deployment, statefulSet } from "./workloads.js";

const namespace: Rule = {
    check: (live) => unless([textAt(live, "status", "phase") !== "Active" && "it is not Active"]),
    judgedOnRead: false,
};

/** Kubernetes fills it (provider/pkg/await/awaiters.go, untilCoreV1SecretInitialized); of other types the data is the program's. */
const secret: Rule = {
    check: (live) =>
        unless([
            textAt(live, "type") === "kubernetes.io/service-account-token" &&
                live["data"] === undefined &&
                "it has no token yet",
        ]),
    judgedOnRead: false,
};

/** Stricter than the real provider, which lets the first custom resource retry instead. */
const customResourceDefinition: Rule = {
    check: (live) =>
        unless([
            conditionOf(live, "Established")?.["status"] !== "True" &&
                `it is not Established${explainNames(live)}`,
        ]),
    judgedOnRead: false,
};

function explainNames(live: KubernetesObject): string {
    const accepted = conditionOf(live, "NamesAccepted");
    return accepted?.["status"] === "False" ? `: ${textAt(accepted, "message")}` : "";
}

const RULES: Readonly<Record<string, (phase: Phase) => Rule>> = {
    "apps/v1/StatefulSet": () => statefulSet,
    "apps/v1/Deployment": () => deployment,
    "apps/v1/DaemonSet": () => daemonSet,
    "batch/v1/Job": () => job,
    "v1/Pod": () => pod,
    "v1/PersistentVolumeClaim": volumeClaim,
    "v1/PersistentVolume": () => volume,
    "v1/Secret": () => secret,
    "v1/Service": service,
    "v1/Namespace": () => namespace,
    "apiextensions.k8s.io/v1/CustomResourceDefinition": () => customResourceDefinition,
};

function ruleOfKind(object: KubernetesObject, phase: Phase): Rule | undefined {
    const key = `${textAt(object, "apiVersion")}/${textAt(object, "kind")}`;
    return RULES[key]?.(phase);
}

/** The kind's own rule, whatever the annotations say: for pulumi.com/replaceUnready. */
export function ruleForNow(object: KubernetesObject): Rule | undefined {
    return ruleOfKind(object, "read");
}

/** What to wait for after a write; undefined: nothing. skipAwait is stronger than waitFor. */
export function ruleAfterWrite(object: KubernetesObject, phase: Phase): Rule | undefined {
    if (skipsAwait(object)) return undefined;
    const annotation = annotationOf(object, WAIT_FOR);
    return annotation === "" ? ruleOfKind(object, phase) : waitFor(annotation);
}

/** By what a refresh judges; as in the real provider waitFor has no say in it. */
export function ruleOnRead(object: KubernetesObject): Rule | undefined {
    if (skipsAwait(object)) return undefined;
    const rule = ruleOfKind(object, "read");
    return rule?.judgedOnRead === true ? rule : undefined;
}
