#!/usr/bin/env bash
# Before members are restarted: every member of the cluster leads or follows closely, so that one at a time can be spared.
# The one that is touched first may be away: a restart may be what it needs. Nothing is changed.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/patroni.sh"
source "${BASH_SOURCE%/*}/cluster.sh"

# From the plan: AWAY_ALLOWED (true: members that are away are no reason to stop), MAX_LAG (bytes), TIMEOUT (seconds). From
# the record: FIRST (touched first).
: "${AWAY_ALLOWED:?}" "${MAX_LAG:?}" "${TIMEOUT:?}"

# A failover, and the start of a member that was stopped a moment ago.
PATIENCE=120
if [[ $AWAY_ALLOWED == true ]]; then PATIENCE=0; fi
readonly PATIENCE

follows_closely() { # MEMBER
  taking_part | awk -v name="$1" -v most="$MAX_LAG" '$1 == name && $2 ~ /^[0-9]+$/ && $2 + 0 <= most + 0 { found = 1 } END { exit !found }'
}

read_record
end_if_checked
: "${FIRST:=$(annotation first)}"
if [[ -z $record_cluster_id ]]; then
  note_checked
  log 'done: nothing was formed yet, so there is nothing to restart'
  exit
fi
# shellcheck disable=SC2034 # cluster.sh asks them
MEMBERS=$record_members
for member in $(words "$(list_drop "$record_members" "$FIRST")"); do
  left=$((PATIENCE - SECONDS))
  why="$member neither leads nor follows the primary closely"
  if wait_until "$((left > 0 ? left : 0))" "$why" follows_closely "$member"; then
    log "$member is in"
  elif [[ $AWAY_ALLOWED == true ]]; then
    log "$why, and quorum:allowChanges lets the update go on"
  else
    refuse "$why, and a restart takes the next one away. Bring it back first. No member was touched. To go on all the same: quorum:allowChanges [\"membersAway\"]."
  fi
done
note_checked
log 'done: the members may be restarted, one after the other'
