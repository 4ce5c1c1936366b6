# CockroachDB's own part of the family.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source this file use them

readonly PROGRAM=/cockroach/cockroach
readonly INTERNAL=crdb_internal
# Since 25.4 there is a variable that opens its internals, built-in functions too; since 26.1 it is off, also for root.
readonly UNLOCK='SET allow_unsafe_internals = on; '
# What the column membership says of a node that left for good.
readonly RETIRED=decommissioned
# `node decommission` with these counts replicas, and changes nothing.
readonly -a COUNTING=(--dry-run --checks=skip)

add_flags() { flags+=(--logtostderr=INFO); }

is_out() { [[ $4 == "$RETIRED" ]]; } # ID STATE DECOMMISSIONING MEMBERSHIP
note_final() { :; }
series_of() { sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<<"$1"; }

# Since 23.2: an upgrade is final when the membership job makes it so, not when the last node has restarted.
hold_upgrade_back() { echo "SET CLUSTER SETTING cluster.auto_upgrade.enabled = false;"; }
# As long as Kubernetes needs to take a node that drains out of the Services.
settings() { echo "SET CLUSTER SETTING server.shutdown.initial_wait = '5s';"; }

active_series() { series_of "$(hushed sql_at "$(speaker)" <<<'SHOW CLUSTER SETTING version;')"; }
is_finalized() { [[ $(active_series) == "$1" ]]; }
# Runs the release's migrations, and returns when they are done: that takes as long as the data is large.
switch_on() { ASK_SECONDS=$((TIMEOUT > SECONDS ? TIMEOUT - SECONDS : 1)) hushed sql_at "$(speaker)" <<<"SET CLUSTER SETTING version = '$1';"; }

# The server checks itself whether the replicas have somewhere to go.
check_leave() { # ID
  local answer
  if answer=$(ask "$(speaker)" node decommission "$1" --dry-run --checks=enabled 2>&1 </dev/null); then
    log "the check before leaving found nothing in the way of node $1"
  else
    refuse "node $1 cannot leave: $(tr '\n' ' ' <<<"$answer"). Nothing was removed."
  fi
}

# Whether the members can be opened by the wanted release: the next regular one, or an innovation after the active one.
has_version() { active=$(active_series) && [[ -n $active ]]; }
check_skip() {
  local active=''
  if ! within_patience 'no member says which version is active' has_version; then
    unless_allowed "no member says which version is active$(said)"
    return 0
  fi
  local -i from to
  from=$(quarter "$active") to=$(quarter "$SERIES")
  ((to >= from)) || refuse "the cluster is finalised at $active and cannot go back to $SERIES. No member was touched."
  # Even ones are regular, and may not be skipped.
  ((to <= from + 2 - from % 2)) ||
    refuse "an upgrade from $active to $SERIES skips a regular release. Upgrade to the one between, finalise it, and then go on. No member was touched."
}
# Four releases a year: 25.4 is followed by 26.1.
quarter() { echo $((${1%%.*} * 4 + ${1##*.})); }
