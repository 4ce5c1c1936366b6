#!/usr/bin/env bash
# Before an upgrade (YugabyteDB's upgrade guide, "Prepare the cluster"): every master and tserver is alive, no tablet
# lacks a copy, no data is on the move, and the upgrade before this one was finalised. Nothing is changed but the record.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/yugabyte.sh"
source "${BASH_SOURCE%/*}/cluster.sh"

# From the plan: SERIES (that of the wanted version), ALLOWED (true: members that are away are no reason to stop), TIMEOUT
# (seconds).
: "${SERIES:?}" "${ALLOWED:?}" "${TIMEOUT:?}"

older() { [[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
next_series() { [[ $(annotation series) == "$SERIES" ]] || echo "series=$SERIES"; }

# What is away may be so because of its image, which another one mends: that must not be stopped for good.
complain() {
  [[ $ALLOWED == true ]] || refuse "$*. Bring it back first. No member was touched. To go on all the same: quorum:allowChanges [\"version\"]."
  log "$*, and quorum:allowChanges lets the upgrade go on"
}
check_members() {
  local address member state leaving
  await 'the masters have no leader' has_leader
  await 'the masters do not answer' read_masters
  for address in $(not_alive "$masters"); do
    complain "master ${address%%.*} is not alive: an upgrade takes the next one away, and two are needed"
  done
  for member in $(words "$record_members"); do
    state=$(state_of "$member")
    [[ $state == ALIVE ]] || complain "$member is dead: an upgrade takes the next copy of its tablets away"
  done
  leaving=$(blacklisted)
  [[ -z $leaving ]] || refuse "data is moving off $(cut -d . -f 1 <<<"$leaving" | paste -s -d ' '): let that end, or take it back, by pulumi up without an upgrade. No member was touched."
  if all_replicated; then
    log 'every tablet has all its copies'
  elif [[ $ALLOWED == true ]]; then
    log 'some tablets lack a copy, and quorum:allowChanges lets the upgrade go on'
  else
    await 'some tablets lack a copy' all_replicated
  fi
}

read_record
if [[ -z $record_cluster_id ]]; then
  log 'done: nothing was formed yet, so there is nothing to upgrade'
  exit
fi
running=$(annotation series)
finalised=$(annotation finalised)
if [[ $running != "$SERIES" ]]; then
  step "check the upgrade from $running to $SERIES"
  if older "$running" "$SERIES" && older "$finalised" "$running"; then
    refuse "the upgrade to $running was never finalised, and YugabyteDB takes one upgrade at a time. Set quorum:finalizeUpgrade to \"$running\" with version $running, run pulumi up, and upgrade to $SERIES after that. No member was touched."
  fi
  if older "$SERIES" "$finalised"; then
    refuse "$finalised is finalised: its data cannot be read by $SERIES. No member was touched."
  fi
fi
if has_leader || [[ $ALLOWED != true ]]; then
  check_members
else
  log 'the masters have no leader: nothing can be checked, and quorum:allowChanges lets the upgrade go on'
fi
record_change next_series
log "done: the members may run $SERIES"
