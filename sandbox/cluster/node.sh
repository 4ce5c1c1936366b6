#!/usr/bin/env bash
# First process of a node: makes the parts of the file system that a machine has to itself, then
# runs containerd, kube-proxy and kubelet.
# Wants NODE, NODE_DIRECTORY, TOOLS_KUBERNETES, CONTAINERD.
set -euo pipefail
# shellcheck source=SCRIPTDIR/supervise.sh
source "$(dirname "${BASH_SOURCE[0]}")/supervise.sh"

# All nodes share the root file system of this machine. /run is new at every power-on; /var is the
# node's disk. What we need from below the real /var is bound into /run first.
make_private() {
    mount --make-rprivate /
    mount -t tmpfs -o mode=755 quorum-run /run
    mkdir -p /run/quorum/node /run/quorum/kubernetes /run/containerd
    mount --bind "$NODE_DIRECTORY" /run/quorum/node
    mount --bind "$TOOLS_KUBERNETES" /run/quorum/kubernetes
    mount --bind "$NODE_DIRECTORY/var" /var
    # Volumes of containers must be seen where kubelet mounts them.
    mount --make-rshared /
}

run_containerd() { exec "$CONTAINERD" --config /run/quorum/node/conf/containerd.toml; }

run_kube-proxy() {
    exec /run/quorum/kubernetes/kube-proxy --config=/run/quorum/node/conf/kube-proxy.yaml --v=0
}

run_kubelet() {
    exec /run/quorum/kubernetes/kubelet \
        --config=/run/quorum/node/conf/kubelet.yaml \
        --kubeconfig=/run/quorum/node/conf/kubelet.kubeconfig \
        --hostname-override="$NODE" \
        --node-ip="$NODE_ADDRESS" \
        --node-labels="$NODE_LABELS" \
        --housekeeping-interval=30s \
        --v=0
}

hostname "$NODE"
make_private
cd /
RUN_DIRECTORY=/run/quorum/node
begin containerd
wait_until 60 test -S /run/containerd/containerd.sock
begin kube-proxy
begin kubelet
supervise
