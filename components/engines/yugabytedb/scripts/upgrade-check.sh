#!/usr/bin/env bash
# Before members are restarted: every master and tserver but the first one to be touched is in, and no tablet lacks a copy.
# Before an upgrade (YugabyteDB's upgrade guide, "Prepare the cluster") also: no data is on the move, and the upgrade
# before this one was finalised. Nothing is changed but the record.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/yugabyte.sh"
source "${BASH_SOURCE%/*}/cluster.sh"

# From the plan: SERIES (the wanted version without its build), AWAY_ALLOWED (true: members that are away are no reason to
# stop), TIMEOUT (seconds). From the record: FIRST (the member that is touched first).
: "${SERIES:?}" "${AWAY_ALLOWED:?}" "${TIMEOUT:?}"

# A member that has just been restarted is back by then.
readonly AWAY_SECONDS=120

next_series() { [[ $(annotation series) == "$SERIES" ]] || echo "series=$SERIES"; }

# What is away may be so because of what this update mends: that must not be stopped for good.
within_time() { # WHAT COMMAND...
  if [[ $AWAY_ALLOWED == true ]]; then "${@:2}"; else wait_until "$AWAY_SECONDS" "$@"; fi
}
complain() {
  [[ $AWAY_ALLOWED == true ]] || refuse "$*. Bring it back first. No member was touched. To go on all the same: quorum:allowChanges [\"membersAway\"]."
  log "$*, and quorum:allowChanges lets the update go on"
}

missing=''
all_in() {
  local answer alive
  missing="the masters' leader"
  read_tservers || return 1
  alive=$(alive_tservers)
  # shellcheck disable=SC2046,SC2086 # one word a member
  answer=$(away $(printf '%s\n' $(words "$record_members") $alive | sort -u)) || return 1
  missing=$(grep -vx "$FIRST" <<<"$answer" | paste -s -d ' ') || true
  [[ -z $missing ]]
}
check_members() {
  local leaving
  within_time 'not every member is in' all_in ||
    complain "$missing is away: a restart takes the next member away, and each tablet and the masters need two of three"
  if ! has_leader; then return; fi
  leaving=$(blacklisted)
  [[ -z $leaving ]] || refuse "data is moving off $(cut -d . -f 1 <<<"$leaving" | paste -s -d ' '): let that end, or take it back, by pulumi up with the members as they were. No member was touched."
  within_time 'some tablets lack a copy' all_replicated || complain 'some tablets lack a copy'
  log 'checked: members, blacklist, copies'
}
check_upgrade() { # FROM
  local finalised
  [[ $1 != "$SERIES" ]] || return 0
  step "check the upgrade from $1 to $SERIES"
  finalised=$(annotation finalised)
  if older "$1" "$SERIES" && older "$finalised" "$1"; then
    refuse "the upgrade to $1 was never finalised, and YugabyteDB takes one upgrade at a time. Set quorum:finalizeUpgrade to \"$1\" with version $1, run pulumi up, and upgrade to $SERIES after that. No member was touched."
  fi
  if older "$SERIES" "$finalised"; then
    refuse "$finalised is finalised: its data cannot be read by $SERIES. No member was touched."
  fi
}

read_record
end_if_checked
: "${FIRST:=$(annotation first)}"
if [[ -n $record_cluster_id ]]; then
  check_upgrade "$(annotation series)"
elif a_master_runs; then
  # Deleted, and made anew: the membership job fills it in.
  running=''
  runs() { running=$(leaders_series) && [[ -n $running ]]; }
  within_time 'the masters do not say their version' runs || true
  [[ $running == "$SERIES" ]] ||
    refuse "the cluster record was deleted, and does not say whether ${running:-what runs} is finalised. Run pulumi up with the version as it was, which fills the record again, and then upgrade. No member was touched."
else
  note_checked
  log 'done: nothing was formed yet, so there is nothing to restart'
  exit
fi
check_members
record_change next_series
note_checked
log "done: the members may run $SERIES"
