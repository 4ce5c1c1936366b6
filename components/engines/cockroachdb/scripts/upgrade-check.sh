#!/usr/bin/env bash
# Before members are restarted: that all others are in and have what they need, and what the documents ask for before an
# upgrade. Nothing was touched yet when this refuses.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/family.sh"
source "${BASH_SOURCE%/*}/checks.sh"

# From the plan: SEEDS, SERIES (of the wanted version), TIMEOUT (seconds),
# AWAY_ALLOWED (true or false). From the record: FIRST (touched first, may be away). The members are those of the record: scaling is no restart.
: "${SEEDS:?}" "${SERIES:?}" "${TIMEOUT:?}" "${AWAY_ALLOWED:?}"
# What goes on by itself, such as the restart of another member, ends within this.
readonly PATIENCE=${QUORUM_PATIENCE:-120}

within_patience() { wait_until "$((SECONDS < PATIENCE ? PATIENCE - SECONDS : 0))" "$@"; }
unless_allowed() {
  [[ $AWAY_ALLOWED == true ]] || refuse "$*: with one member more away, data may be out of reach. No member was touched. If the restart is what mends it, set quorum:allowChanges [\"membersAway\"]."
  log "$*: that is allowed"
}

away=''
others_live() {
  local member
  away=''
  for member in $(words "$(list_drop "$MEMBERS" "$FIRST")"); do
    [[ -n $(node_of "$member") ]] || away=$(list_add "$away" "$member")
  done
  [[ -z $away ]]
}
# Where the first one is away its replicas are missing, and its restart brings them back.
has_majorities() {
  if [[ -n $(node_of "$FIRST") ]]; then is_replicated; else [[ $(lacking unavailable) == 0 ]]; fi
}
check_members() {
  if ! within_patience "a member other than $FIRST is away" others_live; then
    unless_allowed "$(words "$away") does not live"
  elif ! within_patience 'some ranges have too few replicas' has_majorities; then
    unless_allowed "some ranges have too few replicas$(said)"
  fi
}
check_nodes() {
  local id member state decommissioning membership all
  list_nodes
  while read -r id member _ state decommissioning membership _; do
    if is_out "$id" "$state" "$decommissioning" "$membership"; then continue; fi
    [[ $decommissioning == false ]] || refuse "node $id ($member) is being decommissioned: finish that first. No member was touched."
  done <<<"$all"
}
hold() {
  local statements
  statements=$(hold_upgrade_back)
  [[ -z $statements ]] || hushed sql_at "$(speaker)" >/dev/null <<<"$statements"
}

read_record
end_if_checked
: "${FIRST:=$(annotation first)}"
if [[ -z $record_cluster_id ]]; then
  note_checked
  log 'there is no cluster yet: nothing to check'
  exit 0
fi
readonly MEMBERS=${record_members:-$SEEDS}
take_certificates
if ! within_patience 'no member answers' speaks; then
  unless_allowed "no member answers$(said)"
  note_checked
  exit 0
fi
check_members
check_nodes
check_skip
if ! hold; then unless_allowed "the upgrade cannot be held back from being final$(said)"; fi
note_checked
log "done: the members may be restarted"
