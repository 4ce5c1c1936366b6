#!/usr/bin/env bash
# First process of a second API server in the hub's network: it keeps everything in Kine.
# Wants TOOLS_KUBERNETES (folder of the binaries), RUN_DIRECTORY.
set -euo pipefail
# shellcheck source=SCRIPTDIR/supervise.sh
source "$(dirname "${BASH_SOURCE[0]}")/supervise.sh"

# The arguments are written by kine-api-server.ts, one a line.
run_kube-apiserver() {
    local arguments
    mapfile -t arguments <"$RUN_DIRECTORY/conf/kube-apiserver.arguments"
    exec "$TOOLS_KUBERNETES/kube-apiserver" "${arguments[@]}"
}

hostname quorum-kine
begin kube-apiserver
supervise
