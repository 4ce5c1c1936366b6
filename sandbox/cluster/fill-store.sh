#!/usr/bin/env bash
# Fills a container store: starts a containerd on it, imports the archives, and ends.
# Usage: fill-store.sh CONFIGURATION SOCKET ARCHIVE...
set -euo pipefail

config=$1
socket=$2
shift 2

mount --make-rprivate /
containerd --config "$config" --log-level warn &
containerd_pid=$!

for ((try = 0; try < 300; try++)); do
    if ctr --address "$socket" version >/dev/null 2>&1; then break; fi
    sleep 0.1
done
for archive in "$@"; do
    ctr --address "$socket" --namespace k8s.io images import "$archive"
done
kill -TERM "$containerd_pid"
wait "$containerd_pid" || true
