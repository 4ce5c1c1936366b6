#!/usr/bin/env bash
# First process of the cloud's stand-in. It stays in this machine's namespaces: it lays networks and starts nodes.
# Wants RUN_DIRECTORY, NODE_PROGRAM, PROGRAM_DIRECTORY, CLOUD (the script of its controllers).
set -euo pipefail
# shellcheck source=SCRIPTDIR/supervise.sh
source "$(dirname "${BASH_SOURCE[0]}")/supervise.sh"

# From the program's folder, where the packages are that the script imports. It ends with this process, which has no
# namespace that would end it; the nodes that it has started do not.
run_cloud() {
    cd "$PROGRAM_DIRECTORY"
    exec setpriv --pdeathsig KILL "$NODE_PROGRAM" --import tsx "$CLOUD"
}

begin cloud
supervise
