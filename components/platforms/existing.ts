// The platform `existing`: Kubernetes clusters that are there already, by their kubeconfigs.

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { OnKubernetes, Platform, ZoneCluster } from "./platform";

/** Which Kubernetes cluster. */
export interface ExistingClusterArgs {
    /** Path or content of a kubeconfig. Default: KUBECONFIG, else ~/.kube/config. */
    readonly kubeconfig?: pulumi.Input<string>;
    /** Context in it. Default: its current one. */
    readonly context?: pulumi.Input<string>;
}

interface Adopting {
    /** What an earlier stack kept is taken over, not refused (`adopt`). */
    readonly adopt: boolean;
}

export type ExistingPlatformArgs = ExistingClusterArgs & Adopting;

/** One of several Kubernetes clusters. */
export interface ExistingZoneArgs extends ExistingClusterArgs {
    /** URL by which pods of the other clusters reach its API server, for example `https://10.0.0.2:6443`. */
    readonly server: pulumi.Input<string>;
}

export interface ExistingPlatformsArgs extends Adopting {
    /** Zone -> its cluster. */
    readonly clusters: Readonly<Record<string, ExistingZoneArgs>>;
}

/** A provider for an existing cluster. */
export function existingPlatform({ adopt, ...cluster }: ExistingPlatformArgs): Platform {
    const { identity, ...opened } = openCluster("kubernetes", cluster, adopt);
    return { identity, ...opened, machinesOf: () => [] };
}

/** A provider for the existing cluster of each zone (layout `cluster-per-zone`). */
export function existingPlatforms({ clusters, adopt }: ExistingPlatformsArgs): Platform {
    const opened = Object.entries(clusters)
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([zone, { server, ...cluster }]) => ({
            zone,
            server,
            ...openCluster(`kubernetes-${zone}`, cluster, adopt),
        }));
    const byZone = <T>(value: (each: (typeof opened)[number]) => T): Record<string, T> =>
        Object.fromEntries(opened.map((each) => [each.zone, value(each)]));
    return {
        identity: pulumi.output(byZone(({ identity }) => identity)),
        options: opened[0]!.options,
        ...(opened[0]!.keeper && { keeper: opened[0]!.keeper }),
        clusters: byZone(({ options, keeper, server }): ZoneCluster => ({
            options,
            server,
            ...(keeper && { keeper }),
        })),
        machinesOf: () => [],
    };
}

function openCluster(
    name: string,
    { kubeconfig, context }: ExistingClusterArgs,
    adopt: boolean,
): { identity: pulumi.Output<string> } & OnKubernetes {
    const args: k8s.ProviderArgs = {
        kubeconfig: kubeconfig && pulumi.secret(kubeconfig),
        context,
        // Configuration and scripts change in place; what must restart for it carries a checksum.
        enableConfigMapMutable: true,
        enableSecretMutable: true,
        // Another path or content of a kubeconfig is not another cluster: without this, every resource would be
        // planned for replacement when it changes. That it is none, the change rules see by the identity below.
        clusterIdentifier: name === "kubernetes" ? "existing" : name,
    };
    const provider = new k8s.Provider(name, args);
    return {
        identity: new SystemNamespace(name, provider).metadata.apply(({ uid }) => uid),
        options: { provider },
        // With it a create overwrites: a member's StatefulSet, Service or record that is there but not in the state belongs to
        // somebody, and must stop the update.
        ...(adopt && {
            keeper: new k8s.Provider(`${name}-kept`, { ...args, upsertExistingObjects: true }),
        }),
    };
}

/**
 * The namespace that every Kubernetes has, read and not managed. Not by `Namespace.get`: the provider keeps as its inputs
 * all that it finds then, and less with each refresh, so that a refresh would always see a change. What it is given here
 * is what it keeps.
 */
class SystemNamespace extends pulumi.CustomResource {
    declare public readonly metadata: pulumi.Output<{ uid: string }>;

    public constructor(name: string, provider: k8s.Provider) {
        const id = "kube-system";
        const known = { apiVersion: "v1", kind: "Namespace", metadata: { name: id } };
        super("kubernetes:core/v1:Namespace", name, known, { id, provider });
    }
}
