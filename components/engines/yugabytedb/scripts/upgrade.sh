#!/usr/bin/env bash
# Before an upgrade (YugabyteDB's upgrade guide, "Prepare the cluster"): every master and tserver is alive, no tablet
# lacks a copy, no data is on the move, and the upgrade before this one was finalised. Nothing is changed but the record.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/yugabyte.sh"
source "${BASH_SOURCE%/*}/cluster.sh"

# From the plan: SERIES (that of the wanted version), TIMEOUT (seconds).
: "${SERIES:?}" "${TIMEOUT:?}"

older() { [[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; }
next_series() { [[ $(annotation series) == "$SERIES" ]] || echo "series=$SERIES"; }

await 'the cluster record could not be read' record_read
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
await 'the masters have no leader' has_leader
await 'the masters do not answer' read_masters
for address in $(not_alive "$masters"); do
  refuse "master ${address%%.*} is not alive: an upgrade takes the next one away, and two are needed. Bring it back first. No member was touched."
done
for member in $(words "$record_members"); do
  state=$(state_of "$member")
  [[ $state == ALIVE ]] || refuse "$member is dead: an upgrade takes the next copy of its tablets away. Bring it back first. No member was touched."
done
leaving=$(blacklisted)
[[ -z $leaving ]] || refuse "data is moving off $(cut -d . -f 1 <<<"$leaving" | paste -s -d ' '): let that end, or take it back, by pulumi up without an upgrade. No member was touched."
await 'some tablets lack a copy' all_replicated
record_change next_series
log "done: every member is alive and no tablet lacks a copy; the members may run $SERIES"
