// Disks that are directories on named nodes: local PersistentVolumes, bound to their claims from the start.
// Kubernetes never deletes what is on a local volume: a directory stays until somebody removes it.

import * as k8s from "@pulumi/kubernetes";
import { clusterLabels, memberLabels, objectNames } from "../names";
import { REPLACED_WHEN_FAILED } from "../pod";
import { at } from "../input";
import type { Problem } from "../problems";
import { found, settled, type Rule, type RulesOf } from "../rules/rule";
import type { CompleteSpec } from "../spec";
import type { Member, Plan } from "../topology";
import { registerBoundVolume } from "./bound-volume";
import {
    classForEver,
    EMPTY_DISKS,
    type Storage,
    type StorageContext,
    type StorageDriver,
} from "./driver";
import { localKeys } from "./local-keys";

function inputProblems(input: unknown): Problem[] {
    const [namespace, zones, nodes] = [["namespace"], ["zones"], ["storage", "nodes"]].map((path) =>
        at(input, path),
    );
    const refuse = (reason: string): Problem => ({ path: "storage.nodes", value: nodes, reason });
    const problems: Problem[] = [];
    if (typeof namespace === "string" && namespace.length + "-storage".length > 63) {
        const reason =
            "must have at most 55 characters: driver local has a namespace with -storage behind it";
        problems.push({ path: "namespace", value: namespace, reason });
    }
    if (nodes === undefined) {
        const reason =
            "driver local needs, for each zone, the nodes whose disks it uses, such as {a: [node-1]}";
        return [...problems, refuse(reason)];
    }
    if (typeof nodes !== "object" || nodes === null) {
        return problems;
    }
    const missing = (Array.isArray(zones) ? zones : []).filter(
        (zone) => typeof zone === "string" && !Object.hasOwn(nodes, zone),
    );
    const named = Object.values(nodes).flat();
    const twice = named.filter((node, index) => named.indexOf(node) !== index);
    if (twice.length > 0) {
        const names = [...new Set(twice)].join(", ");
        problems.push(refuse(`names ${names} twice: two members would share a machine`));
    }
    if (missing.length > 0) {
        problems.push(refuse(`driver local needs the nodes of zone ${missing.join(", ")} too`));
    }
    return problems;
}

/** Members of one role never share a host, so each zone needs as many nodes as it has members of one role. */
function planProblems({ zones, storage }: CompleteSpec, { members }: Plan): Problem[] {
    return zones.flatMap((zone) => {
        const named = storage.nodes ?? {};
        const nodes = Object.hasOwn(named, zone) ? named[zone]! : [];
        const most = members
            .filter((member) => member.zone === zone)
            .reduce((highest, { index }) => Math.max(highest, index + 1), 0);
        const reason = `${most} members are planned for this zone, each on a node of its own, but it names ${nodes.length}`;
        return most > nodes.length ? [{ path: `storage.nodes.${zone}`, value: nodes, reason }] : [];
    });
}

const nodesRule: Rule = (old, wanted, { completed }) => {
    const before = old.plan.members;
    return Object.entries(old.storage.nodes ?? {}).flatMap(([zone, nodes]) => {
        const now = wanted.storage.nodes?.[zone];
        const moved = wanted.plan.members.find(
            (member) =>
                member.zone === zone &&
                member.index < nodes.length &&
                nodes[member.index] !== now?.[member.index] &&
                before.some(({ name }) => name === member.name),
        );
        return found(
            moved && {
                severity: "refused",
                path: `storage.nodes.${zone}`,
                old: nodes,
                new: now,
                reason: `${moved.name} would lose its disk: it lives on ${nodes[moved.index]!}. Only add nodes at the end.`,
                ...(!completed && { override: "unfinished" }),
            },
        );
    });
};

/** What changes of the driver's keys mean. */
export const LOCAL_RULES: RulesOf<"storage.nodes" | "storage.path"> = {
    "storage.nodes": nodesRule,
    "storage.path": settled("storage.path", EMPTY_DISKS),
};

/** The driver `local`. */
export const localStorage: StorageDriver = {
    keys: localKeys,
    problems: inputProblems,
    planProblems,
    cannotGrow:
        "Kubernetes cannot grow a local volume: its size is that of the node's file system.",
    leftBehind: "The directories on the nodes stay, with what is in them.",
    bindsAtOnce: true,
    leavesClaims: () => false,
    open,
};

function open({ spec, user, image, namespace, site }: StorageContext): Storage {
    const { named, parent } = site;
    const { storage } = spec;
    const names = objectNames(spec);
    const storageClass = new k8s.storage.v1.StorageClass(
        named(`${spec.name}-disks`),
        {
            metadata: { name: names.storageClass, labels: clusterLabels(spec) },
            provisioner: "kubernetes.io/no-provisioner",
            volumeBindingMode: "WaitForFirstConsumer",
            reclaimPolicy: "Retain",
        },
        { parent, ignoreChanges: classForEver(spec) },
    );
    // The pods that prepare directories mount host paths, which the restricted profile forbids in the cluster's
    // own namespace. Nothing stays running in this one.
    const workshop = new k8s.core.v1.Namespace(
        named(`${spec.name}-storage`),
        {
            metadata: {
                name: names.storageNamespace,
                labels: {
                    ...clusterLabels(spec),
                    "pod-security.kubernetes.io/enforce": "privileged",
                },
            },
        },
        { parent },
    );

    const nodeOf = (member: Member): string => storage.nodes![member.zone]![member.index]!;

    return {
        diskOf: (member, owner) => {
            const node = nodeOf(member);
            const directory = `${storage.path}/${spec.namespace}/${member.name}`;
            const labels = memberLabels(spec, member);
            const prepared = new k8s.batch.v1.Job(
                `${member.name}-directory`,
                {
                    metadata: {
                        namespace: names.storageNamespace,
                        labels,
                        annotations: REPLACED_WHEN_FAILED,
                    },
                    spec: {
                        backoffLimit: 3,
                        activeDeadlineSeconds: 300,
                        template: {
                            metadata: { labels },
                            spec: {
                                restartPolicy: "Never",
                                nodeSelector: { "kubernetes.io/hostname": node },
                                automountServiceAccountToken: false,
                                enableServiceLinks: false,
                                terminationGracePeriodSeconds: 0,
                                containers: [
                                    {
                                        name: "directory",
                                        image,
                                        imagePullPolicy: spec.imagePullPolicy,
                                        // The mount makes the directory; what is left is whose it is.
                                        command: ["chown", `${user}:${user}`, "/disk"],
                                        securityContext: { runAsUser: 0 },
                                        resources: {
                                            requests: { cpu: "10m", memory: "32Mi" },
                                            limits: { memory: "32Mi" },
                                        },
                                        volumeMounts: [{ name: "disk", mountPath: "/disk" }],
                                    },
                                ],
                                volumes: [
                                    {
                                        name: "disk",
                                        hostPath: { path: directory, type: "DirectoryOrCreate" },
                                    },
                                ],
                            },
                        },
                    },
                },
                {
                    parent: owner,
                    dependsOn: [workshop],
                    // A new image must not make the directory again.
                    ignoreChanges: ["spec.template.spec.containers[0].image"],
                },
            );
            return registerBoundVolume({
                context: { spec, namespace, site },
                member,
                owner,
                dependsOn: [storageClass, prepared],
                source: { local: { path: directory } },
                nodes: { key: "kubernetes.io/hostname", values: [node] },
                grows: false,
                place: `${node}:${directory}`,
            });
        },
    };
}
