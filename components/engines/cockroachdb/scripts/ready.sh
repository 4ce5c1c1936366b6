#!/usr/bin/env bash
# Readiness: the node serves. Until the cluster was formed, or taken over from kept disks, it is enough that the process
# answers: the first members alone have no majority, and Pulumi makes the next one when the one before is ready.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"

answers() { "$TOOLS/curl" --silent --fail --insecure --max-time 2 --output /dev/null "https://localhost:8080/health$1"; }

answers '?ready=1' && exit
record_read
[[ -z $record_cluster_id ]] && answers ''
