#!/usr/bin/env bash
# The member's agent (group replication): joins this server to its group and keeps the write Service on the primary
# that the group has elected. It never forms a group, but for one case: after an outage of all members, the one that
# has every transaction brings the group back, if the cluster record says that nobody else does.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/sql.sh"
source "${BASH_SOURCE%/*}/seed.sh"
source "${BASH_SOURCE%/*}/group.sh"

# How often the server is asked for its state: part of the write gap after a failover.
readonly INTERVAL=0.3
# The record is read again after this many rounds, or when this server's role changes.
readonly RECORD_ROUNDS=7

# One client stays connected, so that asking often costs nothing. The answer is left in a variable: a command
# substitution could not open the client for the rounds to come.
answer=''
open_client() {
  [[ -z ${CLIENT_PID:-} ]] || { kill "$CLIENT_PID" && wait "$CLIENT_PID"; } 2>/dev/null
  coproc CLIENT { exec mysql --defaults-extra-file=<(printf '[client]\nuser=root\npassword=%s\nsocket=%s\n' "$(secret root-password)" "$SOCKET") \
    --batch --skip-column-names --unbuffered --force 2>&1; }
}
ask() { # SQL
  local line
  answer=''
  [[ -n ${CLIENT_PID:-} ]] || open_client
  { printf '%s;\nSELECT "=end";\n' "$1" >&"${CLIENT[1]}"; } 2>/dev/null || return
  while IFS= read -r -t 3 -u "${CLIENT[0]}" line; do
    [[ $line == '=end' ]] && return 0
    [[ $line == ERROR* ]] && break
    answer+=$line
  done 2>/dev/null
  return 1
}

# Somebody of the record is ONLINE: there is a group to join.
group_is_there() {
  local member
  for member in ${record_members//,/ }; do
    [[ $member == "$QUORUM_MEMBER" ]] && continue
    [[ $(state_at "$member") == ONLINE ]] && return 0
  done
  return 1
}

# An online member that is not the primary, else the primary.
donor() {
  local member
  for member in ${record_members//,/ }; do
    [[ $member == "$QUORUM_MEMBER" || $member == "$record_primary" ]] && continue
    [[ $(state_at "$member") == ONLINE ]] && { address_of "$member"; return; }
  done
  address_of "$record_primary"
}

seeds() {
  local member list=''
  for member in ${record_members//,/ }; do list+="${list:+,}$(address_of "$member"):33061"; done
  echo "$list"
}

join_group() {
  log "$QUORUM_MEMBER joins the group"
  sql_local 2>&1 <<SQL
STOP GROUP_REPLICATION;
SET GLOBAL offline_mode=OFF;
SET GLOBAL group_replication_group_name='$record_cluster_id';
SET GLOBAL group_replication_group_seeds='$(seeds)';
START GROUP_REPLICATION USER='replication', PASSWORD='$(secret replication-password)';
SQL
  # Refused (for example for transactions the group does not have): not again at once.
  sleep 2
}

# After an outage of all members nobody is ONLINE. The group is brought back only when every member of the record
# answers and is out of any group (a majority that cannot be seen may be at work), by the one that has every
# transaction that any of them has, the first by name among equals. It claims the record first; the API server lets one
# claim win, and only a primary that is ONLINE takes a claim back: two groups are impossible.
recover_group() {
  local member state mine
  mine=$(transactions_at "$QUORUM_MEMBER") || return
  for member in ${record_members//,/ }; do
    [[ $member == "$QUORUM_MEMBER" ]] && continue
    state=$(state_at "$member")
    [[ $state == OFFLINE || $state == ERROR ]] || { say_once "waits for $member (${state:-no answer}) before the group can be brought back"; return; }
    if ! includes "$mine" "$(transactions_at "$member")" ||
      { [[ $member < $QUORUM_MEMBER ]] && includes "$(transactions_at "$member")" "$mine"; }; then
      say_once "leaves it to $member to bring the group back"
      return
    fi
  done
  local claim
  claim=$(annotation bootstrap)
  if [[ -z $claim ]]; then
    record_write "bootstrap=$QUORUM_MEMBER" || return
  elif [[ $claim != "$QUORUM_MEMBER" ]]; then
    say_once "$claim has claimed to bring the group back"
    return
  fi
  log "all members were out: $QUORUM_MEMBER has every transaction and brings the group back"
  sql_local --force <<SQL
STOP GROUP_REPLICATION;
SET GLOBAL offline_mode=OFF;
SET GLOBAL group_replication_group_name='$record_cluster_id';
SET GLOBAL group_replication_bootstrap_group=ON;
START GROUP_REPLICATION USER='replication', PASSWORD='$(secret replication-password)';
SET GLOBAL group_replication_bootstrap_group=OFF;
SQL
}

# This server is the primary of a majority: the record and the write Service say so.
lead() {
  [[ $record_primary == "$QUORUM_MEMBER" && $record_address == "$QUORUM_POD_IP" && -z $(annotation bootstrap) ]] && return
  record_read && record_write "primary=$QUORUM_MEMBER" "address=$QUORUM_POD_IP" "bootstrap=" &&
    log "$QUORUM_MEMBER leads: writes go to $QUORUM_POD_IP"
}

said_role=''
round=0
tick() {
  local state role majority data
  ask "$OWN_STATE" || { open_client; return; }
  IFS=$'\t' read -r state role majority <<<"$answer"
  if ((round++ % RECORD_ROUNDS == 0)) || [[ $role != "$said_role" ]]; then
    record_read || return
    said_role=$role
  fi
  if [[ -z $record_cluster_id ]]; then
    await_forming
    return
  fi
  rm -f "$UNCLAIMED"
  if [[ $state == ONLINE ]]; then
    [[ $role == PRIMARY && $majority == 1 ]] && lead
    if ! list_has "$record_members" "$QUORUM_MEMBER" && ! list_has "$record_retired" "$QUORUM_MEMBER" && [[ -z $(annotation forming) ]]; then
      enter_record
    fi
    return
  fi
  [[ $state == OFFLINE || $state == ERROR ]] || return
  # Out of the group: look at the newest record before anything is done about it.
  record_read || return
  data=$(cluster_of_data) || return
  if [[ $data != - && $data != "$record_cluster_id" ]]; then
    say_once "holds data of cluster $data, this is cluster $record_cluster_id: it stays closed"
  elif list_has "$record_retired" "$QUORUM_MEMBER"; then
    say_once "was retired: it stays closed"
  elif [[ -n $(annotation forming) ]]; then
    say_once "waits for the cluster to be formed"
  elif group_is_there; then
    needs_seed "$data" && { seed "$(donor)"; return; }
    join_group
  elif list_has "$record_members" "$QUORUM_MEMBER"; then
    [[ $data == - ]] && { say_once "its disk is empty and no other member is online: it waits"; return; }
    recover_group
  fi
}

trap 'exit 0' TERM INT
trap '' PIPE
while true; do
  tick
  sleep "$INTERVAL" &
  wait $!
done
