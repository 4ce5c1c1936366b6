// How Google's Kubernetes is reached: an exec plugin gets a token whenever one is needed, so none is kept and none runs out
// in a long update.

import type { Cluster } from "@pulumi/gcp/container/cluster";
import * as pulumi from "@pulumi/pulumi";
import { accessSync, constants } from "fs";
import { delimiter, join } from "path";
import type { ClusterSpec } from "../../spec";

const PLUGIN = "gke-gcloud-auth-plugin";

type Endpoint = NonNullable<ClusterSpec["gke"]>["endpoint"];

/** A kubeconfig without secrets. */
export function kubeconfigOf(cluster: Cluster, endpoint: Endpoint): pulumi.Output<string> {
    return pulumi
        .all([
            cluster.name,
            cluster.endpoint,
            // It is public; but a client's key beside it makes a secret of all masterAuth, and of what is made from that.
            pulumi.unsecret(cluster.masterAuth.apply((auth) => auth.clusterCaCertificate)),
            cluster.controlPlaneEndpointsConfig,
        ])
        .apply(([name, address, clusterCaCertificate, { dnsEndpointConfig }]) => {
            const reached =
                endpoint === "dns"
                    ? // A name of Google's with a certificate that everybody trusts.
                      { server: `https://${dnsEndpointConfig.endpoint}` }
                    : {
                          server: `https://${address}`,
                          "certificate-authority-data": clusterCaCertificate,
                      };
            return JSON.stringify({
                apiVersion: "v1",
                kind: "Config",
                "current-context": name,
                clusters: [{ name, cluster: reached }],
                contexts: [{ name, context: { cluster: name, user: name } }],
                users: [
                    {
                        name,
                        user: {
                            exec: {
                                apiVersion: "client.authentication.k8s.io/v1beta1",
                                command: PLUGIN,
                                installHint: INSTALL,
                                provideClusterInfo: true,
                                interactiveMode: "Never",
                            },
                        },
                    },
                ],
            });
        });
}

interface Kubeconfig {
    readonly clusters: readonly object[];
    readonly contexts: readonly object[];
    readonly users: readonly object[];
}

/** One for all clusters, with a context for each; its current one is that of the first. */
export const mergedKubeconfig = (
    kubeconfigs: readonly pulumi.Output<string>[],
): pulumi.Output<string> =>
    pulumi.all([...kubeconfigs]).apply((texts) => {
        const read = texts.map((text) => JSON.parse(text) as Kubeconfig);
        return JSON.stringify({
            ...read[0],
            clusters: read.flatMap(({ clusters }) => clusters),
            contexts: read.flatMap(({ contexts }) => contexts),
            users: read.flatMap(({ users }) => users),
        });
    });

const INSTALL = `Install it: gcloud components install ${PLUGIN}, or the package google-cloud-cli-${PLUGIN} of your system.`;

/**
 * Looks for the plugin before anything is made: without it the first object in Kubernetes fails, after 20 minutes.
 *
 * @throws RunError with the command that installs it.
 */
export function requirePlugin(path = process.env.PATH ?? ""): void {
    const isThere = path.split(delimiter).some((folder) => {
        try {
            accessSync(join(folder, PLUGIN), constants.X_OK);
            return folder !== "";
        } catch {
            return false;
        }
    });
    if (!isThere) {
        throw new pulumi.RunError(
            `Platform gke needs ${PLUGIN}, by which Pulumi and kubectl reach the cluster, and it is not on PATH. ${INSTALL} Nothing was changed.`,
        );
    }
}
