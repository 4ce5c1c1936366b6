// Configuration of kube-proxy, for the nodes and for the hub.

import type { Sandbox } from "./plan.js";

/**
 * @param name the node whose addresses and zone it takes for its own
 * @param address where it listens, and which address it takes for the machine's
 */
export function kubeProxyConfiguration(
    sandbox: Sandbox,
    name: string,
    address: string,
    kubeconfig: string,
): object {
    return {
        apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
        kind: "KubeProxyConfiguration",
        hostnameOverride: name,
        bindAddress: address,
        clientConnection: { kubeconfig },
        mode: "iptables",
        clusterCIDR: sandbox.networks.pods,
        detectLocalMode: "ClusterCIDR",
        healthzBindAddress: `${address}:10256`,
        metricsBindAddress: "127.0.0.1:10249",
        // These are settings of the whole kernel, and not ours to change from a namespace.
        conntrack: {
            maxPerCore: 0,
            min: 0,
            tcpEstablishedTimeout: "0s",
            tcpCloseWaitTimeout: "0s",
        },
        oomScoreAdj: 0,
        iptables: { minSyncPeriod: "500ms", syncPeriod: "60s" },
    };
}
