// What every pod of the cluster stands on: its namespace, the passwords, and the files that it mounts.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { Engine } from "./engines/engine";
import type { Files } from "./files";
import { clusterLabels, objectNames } from "./names";
import { PLATFORMS } from "./platforms";
import type { Vault } from "./platforms/platform";
import type { Site } from "./site";
import type { CompleteSpec } from "./spec";

/** The namespace of the cluster's own. */
export function registerNamespace(
    spec: CompleteSpec,
    { named, parent, kept }: Site,
): k8s.core.v1.Namespace {
    return new k8s.core.v1.Namespace(
        named(`${spec.name}-namespace`),
        {
            metadata: {
                name: spec.namespace,
                labels: {
                    ...clusterLabels(spec),
                    "pod-security.kubernetes.io/enforce": spec.privileged
                        ? "privileged"
                        : "restricted",
                },
            },
        },
        { parent, retainOnDelete: isKept(spec), ...kept },
    );
}

/** Whether what is in Kubernetes stays when the stack goes: not where Kubernetes goes with it. */
const isKept = ({ storage, platform }: CompleteSpec): boolean =>
    storage.onDelete === "keep" && PLATFORMS[platform].outlivesStack;

/**
 * Passwords are made once and kept. What counts is what the Secret holds: nothing writes into one that exists, so a
 * password that is made anew cannot lock the members out. With `adopt` the Secret that an earlier stack left is imported
 * as it is; from then on it is this one, with or without `adopt`. Where Kubernetes goes with the stack, they are kept in the
 * platform's vault too, and come from there. An engine that gets one more password later needs another Secret for it.
 */
export function registerCredentials(
    spec: CompleteSpec,
    engine: Engine,
    namespace: k8s.core.v1.Namespace,
    parent: pulumi.Resource,
    vault?: Vault,
): { resource: pulumi.Resource; values: pulumi.Output<Record<string, string>> } {
    const name = objectNames(spec).credentials;
    const kept = spec.adopt ? vault?.recall() : undefined;
    const passwords = engine.credentials.map(({ key, length }) => {
        // Letters and digits only: the passwords stand in option files, URLs and SQL.
        const password = new random.RandomPassword(
            `${spec.name}-${key}`,
            { length, special: false },
            { parent },
        );
        return [key, password.result] as const;
    });
    const resource = new k8s.core.v1.Secret(
        name,
        {
            metadata: { name, namespace: spec.namespace, labels: clusterLabels(spec) },
            type: "Opaque",
            stringData: kept ?? Object.fromEntries(passwords),
        },
        {
            parent,
            dependsOn: [namespace],
            retainOnDelete: isKept(spec),
            // The provider keeps both as `data`.
            ignoreChanges: ["data", "stringData"],
            ...(spec.adopt && !vault && { import: `${spec.namespace}/${name}` }),
        },
    );
    const values = resource.data.apply((data) =>
        Object.fromEntries(
            Object.entries(data).map(([key, value]) => [
                key,
                Buffer.from(value, "base64").toString(),
            ]),
        ),
    );
    const secrets = pulumi.secret(values);
    vault?.keep(secrets, parent);
    return { resource, values: secrets };
}

/** The same passwords in another Kubernetes cluster. They follow what the first one's Secret holds. */
export function copyCredentials(
    spec: CompleteSpec,
    values: pulumi.Output<Record<string, string>>,
    namespace: k8s.core.v1.Namespace,
    { named, parent }: Site,
): pulumi.Resource {
    const name = objectNames(spec).credentials;
    return new k8s.core.v1.Secret(
        named(name),
        {
            metadata: { name, namespace: spec.namespace, labels: clusterLabels(spec) },
            type: "Opaque",
            stringData: values,
        },
        { parent, dependsOn: [namespace] },
    );
}

/** The two ConfigMaps that every pod mounts. */
export function registerFiles(
    spec: CompleteSpec,
    files: Files,
    namespace: k8s.core.v1.Namespace,
    { named, parent }: Site,
): pulumi.Resource[] {
    const names = objectNames(spec);
    return (["configuration", "scripts"] as const).map(
        (kind) =>
            new k8s.core.v1.ConfigMap(
                named(names[kind]),
                {
                    metadata: {
                        name: names[kind],
                        namespace: spec.namespace,
                        labels: clusterLabels(spec),
                    },
                    data: files[kind],
                },
                { parent, dependsOn: [namespace] },
            ),
    );
}
