#!/usr/bin/env bash
# Before members are restarted, for an upgrade (the release notes, "Upgrade") or anything else: the data is of a feature
# compatibility version that the servers start on, and every member but the one that is touched first is PRIMARY or
# SECONDARY and has caught up. Nothing is changed.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/replica-set.sh"

# From the plan: SERIES (that of the wanted version), SOURCES (feature compatibility versions that its servers start on,
# comma separated), AWAY_ALLOWED (true: members that are away are no reason to stop), TIMEOUT (seconds). From the record: FIRST
# (touched first; it may be away).
: "${SERIES:?}" "${SOURCES:?}" "${AWAY_ALLOWED:?}" "${TIMEOUT:?}"

# A member that restarts is back in this time, and one that is longer away is so for a reason. Where that may be, no longer
# than an election takes (electionTimeoutMillis, 10 s).
if [[ $AWAY_ALLOWED == true ]]; then limit=30; else limit=120; fi
TIMEOUT=$((TIMEOUT < limit ? TIMEOUT : limit))

read_record
end_if_checked
: "${FIRST:=$(annotation first)}"
if [[ -z $record_cluster_id ]]; then
  note_checked
  log 'done: nothing was formed yet, so there is nothing to upgrade'
  exit
fi
replica_set upgradable FIRST="$FIRST"
note_checked
log "done: the members may run $SERIES"
