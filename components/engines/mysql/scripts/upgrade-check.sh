#!/usr/bin/env bash
# Before members are restarted: every other member takes part in replication and is caught up, because the first one that is
# stopped leaves the cluster with one member less. Changes nothing.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/sql.sh"
readonly MAX_LAG=${QUORUM_MAX_LAG:?}
source "${BASH_SOURCE%/*}/replication.sh"

# From the plan: TIMEOUT (seconds), AWAY_ALLOWED (true or false). From the record: FIRST (touched first, it alone may be away).
: "${TIMEOUT:?}"

# An election, a member that starts or one that joins again takes seconds; a copy may take hours and is not waited for.
readonly SECONDS_FOR_MEMBERS=${QUORUM_MEMBERS_SECONDS:-120}

why_not() { # MEMBER: nothing when it is in and caught up
  local answer
  answer=$(in_and_caught_up | sql_at "$(address_of "$1")" 2>/dev/null) || answer='does not answer'
  [[ $answer == in ]] || echo "${answer:-does not answer}"
}
others_are_in() {
  local member why
  missing=''
  for member in $(words "$record_members"); do
    [[ $member != "$FIRST" ]] || continue
    why=$(why_not "$member")
    [[ -z $why ]] || missing+="${missing:+, }$member ($why)"
  done
  [[ -z $missing ]]
}

missing=''
read_record
: "${FIRST:=$(annotation first)}"
stop_if_superseded
end_if_checked
if [[ -z $record_cluster_id ]]; then
  note_checked
  log 'done: no cluster yet'
  exit 0
fi
step 'look whether all members but the first are in and caught up'
if [[ ${AWAY_ALLOWED:-false} == true ]]; then
  others_are_in || log "goes on without $missing, as allowed"
elif ! wait_until "$SECONDS_FOR_MEMBERS" 'members that are away' others_are_in; then
  refuse "members would be restarted while others are away: $missing. Nothing was touched. Mend them first; or, when this update mends them, allow it with quorum:allowChanges [\"membersAway\"]"
fi
note_checked
log 'done'
