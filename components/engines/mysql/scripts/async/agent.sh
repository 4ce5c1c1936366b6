#!/usr/bin/env bash
# The member's agent (async replication): makes this server do what the cluster record says of it.
# It never chooses a primary and never forms a cluster: the membership job does.
#   not a member yet       clone the data from a replica (else the primary), replicate, then enter itself
#   record names it        open for writes and keep the write Service on this member's address
#   record names another   stay read-only and replicate from that one
#   retired, or data of another cluster   stay closed
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/sql.sh"
source "${BASH_SOURCE%/*}/seed.sh"
source "${BASH_SOURCE%/*}/disk.sh"

# Reaction time to a changed record; the membership job waits for two of these before it relies on it.
readonly INTERVAL=${QUORUM_AGENT_INTERVAL:?}
open_for_writes() {
  sql_local <<'SQL' && log "$QUORUM_MEMBER is open for writes"
STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF;
SQL
}

follow() { # HOST: replicate from it
  log "$QUORUM_MEMBER replicates from $1"
  sql_local <<SQL
SET GLOBAL super_read_only=ON;
STOP REPLICA;
CHANGE REPLICATION SOURCE TO SOURCE_HOST='$1', SOURCE_PORT=3306, SOURCE_USER='replication',
  SOURCE_PASSWORD='$(secret replication-password)', SOURCE_SSL=1, SOURCE_AUTO_POSITION=1,
  SOURCE_CONNECT_RETRY=2, SOURCE_RETRY_COUNT=0, SOURCE_HEARTBEAT_PERIOD=2;
START REPLICA;
SQL
}

# Prints the address of the best donor: a replica that is caught up, else the primary.
donor() {
  local member state
  for member in ${record_members//,/ }; do
    [[ $member == "$QUORUM_MEMBER" || $member == "$record_primary" ]] && continue
    state=$(clone_user_at "$(address_of "$member")" 2>/dev/null <<<"SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE service_state='ON'")
    [[ $state == 1 ]] && { address_of "$member"; return; }
  done
  address_of "$record_primary"
}

# A member enters itself once it replicates and has caught up with what the primary had at that time.
enter() {
  local target
  target=$(clone_user_at "$(address_of "$record_primary")" 2>/dev/null <<<"SELECT @@global.gtid_executed") || return 1
  [[ $(sql_local <<<"SELECT WAIT_FOR_EXECUTED_GTID_SET('$target', 20)") == 0 ]] || return 1
  enter_record
}

# Keeps this server replicating from the primary of the record. SOURCE: whom it follows; RUNNING: 2 when both threads run.
replicate() { # SOURCE RUNNING
  local errant
  if [[ $1 != "$(address_of "$record_primary")" ]]; then
    errant=$(errant_transactions) || return 0
    if [[ -n $errant ]]; then
      say_once "$QUORUM_MEMBER has transactions that the primary does not have ($errant): it stays out"
      sql_local <<<"SET GLOBAL super_read_only=ON; STOP REPLICA"
      return 0
    fi
    follow "$(address_of "$record_primary")"
  elif [[ $2 != 2 ]]; then
    sql_local <<<"START REPLICA"
  fi
}

# Transactions of this member which the primary lacks; fails when the primary does not answer.
errant_transactions() {
  local mine theirs
  theirs=$(clone_user_at "$(address_of "$record_primary")" 2>/dev/null <<<"SELECT @@global.gtid_executed") || return 1
  mine=$(sql_local <<<"SELECT @@global.gtid_executed") || return 1
  sql_local <<<"SELECT GTID_SUBTRACT('$mine', '$theirs')"
}

lead() { # READ ONLY?
  if [[ -n $disk_full ]]; then
    [[ -z $record_address ]] || { record_write "address=" && log "the disk of $QUORUM_MEMBER is full: writes are refused until there is room"; }
    return
  fi
  [[ $1 == 0 ]] || open_for_writes
  local address
  address=$(own_address) || return
  if [[ $record_address != "$address" ]]; then
    record_write "address=$address" && log "writes go to $address"
  fi
}

# Where the Kubernetes cluster with the record reaches this member: its pod, or from another cluster its load balancer.
own_address() { if is_remote; then ip_of "$QUORUM_MEMBER"; else echo "$QUORUM_POD_IP"; fi; }

# In another Kubernetes cluster than the record's the write Service follows the record from here: a primary leads it to its own
# pod, all others to the load balancer of a primary that is elsewhere. It stays as it is while the record cannot be read.
mirror_address() {
  local wanted='' url="$own_server$record_path" now
  if [[ -z $record_address || -n $record_switchover ]]; then
    return 0
  elif [[ $record_primary == "$QUORUM_MEMBER" ]]; then
    wanted=$QUORUM_POD_IP
  elif [[ ${record_primary%-*} == "${QUORUM_MEMBER%-*}" ]]; then
    return 0 # that one does it
  else
    wanted=$(ip_of "$record_primary") || return 0
  fi
  now=$(kube_as "$OWN_ACCOUNT/" GET "$url?pretty=false" 2>/dev/null) || return 0
  [[ $now == *"\"addresses\":[\"$wanted\"]"* ]] && return 0
  kube_as "$OWN_ACCOUNT/" PATCH "$url?fieldManager=quorum" \
    "{\"endpoints\":[{\"addresses\":[\"$wanted\"],\"conditions\":{\"ready\":true}}]}" >/dev/null &&
    log "in this Kubernetes cluster writes go to $wanted"
}

# In one question: read only, the cluster of the data ("-": none), the source it replicates from, running threads.
own_state() {
  sql_local 2>/dev/null <<'SQL'
SELECT @@global.super_read_only,
  COALESCE((SELECT table_comment FROM information_schema.tables WHERE table_schema='quorum' AND table_name='cluster'), '-'),
  COALESCE((SELECT NULLIF(host, '') FROM performance_schema.replication_connection_configuration WHERE channel_name=''), '-'),
  (SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE service_state<>'OFF')
    + (SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE service_state='ON')
SQL
}

tick() {
  local state data read_only source running
  record_read || return
  if [[ -z $record_cluster_id ]]; then
    await_forming
    return
  fi
  rm -f "$UNCLAIMED"
  if is_remote; then mirror_address; fi
  state=$(own_state) || return
  IFS=$'\t' read -r read_only data source running <<<"$state"
  look_at_disk
  if [[ $data != - && $data != "$record_cluster_id" ]]; then
    say_once "holds data of cluster $data, this is cluster $record_cluster_id: it stays closed"
  elif list_has "$record_retired" "$QUORUM_MEMBER"; then
    say_once "was retired: it stays closed"
    sql_local <<<"SET GLOBAL super_read_only=ON; STOP REPLICA; RESET REPLICA ALL" 2>/dev/null
  elif [[ -n $record_switchover ]]; then
    say_once "waits for the switchover to $record_switchover"
  elif [[ $record_primary == "$QUORUM_MEMBER" ]]; then
    if [[ $data == - ]]; then
      say_once "is the primary but its disk is empty: it stays closed. Name another primary (quorum:primary)."
    else
      lead "$read_only"
    fi
  elif [[ -z $record_primary ]]; then
    say_once "waits for a primary"
  else
    [[ $read_only == 1 ]] || { log "$record_primary leads: this member is closed for writes"; sql_local <<<"SET GLOBAL super_read_only=ON"; }
    needs_seed "$data" && { seed "$(donor)"; return; }
    replicate "$source" "$running"
    list_has "$record_members" "$QUORUM_MEMBER" || enter
  fi
}

trap 'exit 0' TERM INT
while true; do
  tick
  sleep "$INTERVAL" &
  wait $!
done
