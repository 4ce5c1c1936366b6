#!/usr/bin/env bash
# Startup: the process listens. It says nothing about the cluster, which has no masters yet when the first one starts.
set -euo pipefail
exec 3<>"/dev/tcp/$QUORUM_ADDRESS/$RPC_PORT"
