#!/usr/bin/env bash
# First process of the hub: etcd, the control plane, the name server and a kube-proxy, in a network
# namespace that has no way out.
# Wants TOOLS_ETCD, TOOLS_KUBERNETES, TOOLS_COREDNS (folders of the binaries), RUN_DIRECTORY, PKI,
# API_SERVER, NODE_PROGRAM, PROGRAM_DIRECTORY, CONTROLLERS (the script of the sandbox's controllers).
set -euo pipefail
# shellcheck source=SCRIPTDIR/supervise.sh
source "$(dirname "${BASH_SOURCE[0]}")/supervise.sh"

# Each program's arguments are written by control-plane.ts, one a line.
run_with_arguments() {
    local program=$1 arguments
    mapfile -t arguments <"$RUN_DIRECTORY/conf/$(basename "$program").arguments"
    exec "$program" "${arguments[@]}"
}

run_etcd() { run_with_arguments "$TOOLS_ETCD/etcd"; }
run_kube-apiserver() { run_with_arguments "$TOOLS_KUBERNETES/kube-apiserver"; }
run_kube-controller-manager() { run_with_arguments "$TOOLS_KUBERNETES/kube-controller-manager"; }
run_kube-scheduler() { run_with_arguments "$TOOLS_KUBERNETES/kube-scheduler"; }
run_kube-proxy() { run_with_arguments "$TOOLS_KUBERNETES/kube-proxy"; }
run_coredns() { run_with_arguments "$TOOLS_COREDNS/coredns"; }
# From the program's folder, where the packages are that the script imports.
run_controllers() {
    cd "$PROGRAM_DIRECTORY"
    exec "$NODE_PROGRAM" --import tsx "$CONTROLLERS"
}

api_server_is_ready() {
    curl --silent --fail --max-time 2 --cacert "$PKI/ca.crt" "$API_SERVER/readyz"
}

hostname quorum-hub
# In order: what a program finds ready it does not have to try again for.
begin etcd
begin kube-apiserver
wait_until 120 api_server_is_ready
log "API server is ready"
begin kube-controller-manager
begin kube-scheduler
begin kube-proxy
# Their rights are among the first objects of the cluster, which the command line creates.
wait_until 120 test -e "$RUN_DIRECTORY/bootstrapped"
begin coredns
begin controllers
supervise
