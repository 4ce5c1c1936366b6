#!/usr/bin/env bash
# Before the members get another image (the release notes, "Upgrade"): the data is of a feature compatibility version that
# the new servers start on, and every member is PRIMARY or SECONDARY. Nothing is changed.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/replica-set.sh"

# From the plan: SERIES (that of the wanted version), SOURCES (feature compatibility versions that its servers start on,
# comma separated), ALLOWED (true: members that are away are no reason to stop), TIMEOUT (seconds).
: "${SERIES:?}" "${SOURCES:?}" "${ALLOWED:?}" "${TIMEOUT:?}"

read_record
if [[ -z $record_cluster_id ]]; then
  log 'done: nothing was formed yet, so there is nothing to upgrade'
  exit
fi
# Whether anybody leads is then waited for no longer than an election takes (electionTimeoutMillis, 10 s).
if [[ $ALLOWED == true ]]; then TIMEOUT=30; fi
replica_set upgradable
log "done: the members may run $SERIES"
