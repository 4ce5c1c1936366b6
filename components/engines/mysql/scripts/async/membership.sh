#!/usr/bin/env bash
# The membership job of MySQL (async replication): forms the cluster on the first member, waits until every planned
# member has entered, moves leadership to the preferred primary, and retires members that are planned no more.
# Every step looks at the real state first, so it can be run again at any point.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/sql.sh"
source "${BASH_SOURCE%/*}/forming.sh"

# From the plan: MEMBERS (comma separated), FIRST (forms the cluster), PRIMARY, DATABASE, TIMEOUT (seconds),
# ADOPT, ALLOW_FAILOVER, DELETE_CLAIMS (true or false).
: "${MEMBERS:?}" "${FIRST:?}" "${PRIMARY:?}" "${DATABASE:?}" "${TIMEOUT:?}"

bootstrap() {
  await "$1 has not applied what it received" drained "$1"
  value_at "$1" 'SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF'
}

# Has it applied all that it received? What it has not applied when it becomes a primary is thrown away.
drained() {
  local received
  received=$(transactions_at "$1") && [[ $(value_at "$1" "SELECT GTID_SUBSET('$received', @@global.gtid_executed)") == 1 ]]
}

# One member is open for writes, and all others that hold data replicate from it.
runs() {
  local member host answer read_only id source primary=''
  local -a sources=()
  running_members=''
  for member in $(words "$MEMBERS"); do
    answer=$(sql_at "$(address_of "$member")" 2>/dev/null <<<"SELECT @@global.super_read_only, ($CLUSTER_OF_DATA),
      COALESCE((SELECT NULLIF(host, '') FROM performance_schema.replication_connection_configuration WHERE channel_name=''), '-')") || return
    IFS=$'\t' read -r read_only id source <<<"$answer"
    [[ $id != - ]] || continue
    running_members=$(list_add "$running_members" "$member")
    if [[ $read_only == 1 ]]; then sources+=("$source"); continue; fi
    [[ -z $primary ]] || return
    primary=$member running_id=$id
  done
  [[ -n $primary ]] || return
  host=$(address_of "$primary")
  for source in "${sources[@]+"${sources[@]}"}"; do [[ $source == "$host" ]] || return; done
  # shellcheck disable=SC2034 # forming.sh takes it
  running_primary=$primary
}

caught_up() { # MEMBER: replicates, and less than 5 seconds behind
  [[ $(value_at "$1" "SELECT (SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE service_state='ON')
    AND (SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, applying_transaction_original_commit_timestamp, NOW())), 0)
         FROM performance_schema.replication_applier_status_by_worker WHERE applying_transaction <> '') < 5" 2>/dev/null) == 1 ]]
}

freeze() { echo "switchover=$PRIMARY"; }
moved() { printf '%s\n' "switchover=" "primary=$PRIMARY" "address=$(ip_of "$PRIMARY")"; }
unfreeze() { echo "switchover="; }

switchover() {
  read_record
  local old=$record_primary target
  [[ $old == "$PRIMARY" && -z $record_switchover ]] && { log "$PRIMARY leads"; return; }
  step "move leadership from $old to $PRIMARY"
  reachable "$PRIMARY" || await "$PRIMARY does not answer" reachable "$PRIMARY"
  if ! wait_until 30 "$old does not answer" reachable "$old" || [[ $(cluster_at "$old") == - ]]; then
    failover "$old"
    return
  fi
  if [[ -z $record_switchover ]]; then
    await "$PRIMARY has not caught up" caught_up "$PRIMARY"
    record_change freeze
    # An agent that read the record just before may still act on it: let two of its rounds pass.
    sleep $((2 * QUORUM_AGENT_INTERVAL + 1))
  fi
  # From here to the end writes are refused. Running commits end first: this statement waits for them.
  value_at "$old" 'SET GLOBAL super_read_only=ON'
  target=$(value_at "$old" 'SELECT @@global.gtid_executed')
  if [[ $(value_at "$PRIMARY" "SELECT WAIT_FOR_EXECUTED_GTID_SET('$target', 30)") != 0 ]]; then
    # The old primary's agent opens it again.
    record_change unfreeze
    refuse "$PRIMARY did not receive every transaction of $old within 30 s; $old goes on leading"
  fi
  value_at "$PRIMARY" 'STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF'
  record_change moved
  # Clients that stay on the old primary would get read-only errors for ever: they are made to connect anew.
  value_at "$old" "SELECT CONCAT('KILL ', id, ';') FROM information_schema.processlist WHERE user='$DATABASE'" |
    sql_at "$(address_of "$old")" --force 2>/dev/null || true
  log "$PRIMARY leads, with every transaction of $old"
}

# The old primary is gone or empty: what it had and no replica received is lost, so this needs to be allowed.
failover() { # OLD
  local member
  [[ ${ALLOW_FAILOVER:-false} == true ]] || refuse "$1 leads and does not answer (or lost its data): what only it had would be lost. Allow that with quorum:allowChanges [\"failover\"]"
  for member in $(words "$record_members"); do
    [[ $member == "$1" || $member == "$PRIMARY" ]] && continue
    if reachable "$member" && ! is_ahead "$PRIMARY" "$member"; then
      refuse "$member has transactions that $PRIMARY lacks: name it as quorum:primary"
    fi
  done
  old_primary=$1
  await "$PRIMARY has not applied what it received" drained "$PRIMARY"
  value_at "$PRIMARY" 'STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF'
  record_change failed_over
  log "$PRIMARY leads; $1 comes back only as an empty member that is seeded anew"
}

# Out of the members, so that its agent seeds it anew when it comes back: it may have transactions nobody else has.
failed_over() { moved; echo "members=$(list_drop "$record_members" "$old_primary")"; }

detached() { # MEMBER: replicates no more, or cannot be reached
  reachable "$1" || return 0
  [[ $(value_at "$1" "SELECT COUNT(*) FROM performance_schema.replication_connection_configuration") == 0 ]]
}

check_leavers
record_change unretire
form
# A record that was empty has members now.
check_leavers
await_members
switchover
retire
read_record
log "done: members $record_members, primary $record_primary"
