#!/usr/bin/env bash
# The member's agent (group replication): joins this server to its group and keeps the write Service on the primary
# that the group has elected. It never forms a group, but for one case: after an outage of all members, the one that
# has every transaction brings the group back, if the cluster record says that nobody else does.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/sql.sh"
source "${BASH_SOURCE%/*}/seed.sh"
source "${BASH_SOURCE%/*}/group.sh"
source "${BASH_SOURCE%/*}/disk.sh"

# How often the server is asked for its state: part of the write gap after a failover.
readonly INTERVAL=0.3
# The record is read again after this many rounds, or when this server's role changes.
readonly RECORD_ROUNDS=7

# One client stays connected, so that asking often costs nothing. It ends at the first error, and then its answers end:
# what it says of errors never comes where rows come from. It reads from a pipe that is made anew for each client.
readonly QUESTIONS=${TMPDIR:-/tmp}/questions
client='' questions='' answers='' answer=''
open_client() {
  if [[ -n $client ]]; then
    { kill "$client"; wait "$client"; } 2>/dev/null
    exec {answers}<&- {questions}>&-
    client=''
  fi
  rm -f "$QUESTIONS"
  mkfifo -m 600 "$QUESTIONS" || return
  exec {questions}<>"$QUESTIONS"
  exec {answers}< <(exec mysql --defaults-extra-file=<(printf '[client]\nuser=root\npassword=%s\nsocket=%s\n' "$(secret root-password)" "$SOCKET") \
    --connect-timeout=3 --batch --skip-column-names --unbuffered <"$QUESTIONS" 2>/dev/null)
  client=$!
}
# The answer is left in a variable: a command substitution could not open the client for the rounds to come.
ask() { # SQL that gives one row
  local line
  answer=''
  [[ -n $client ]] || open_client
  [[ -n $client ]] || return
  printf '%s;\nSELECT "=end";\n' "$1" >&"$questions" || return
  while IFS= read -r -t 3 -u "$answers" line; do
    [[ $line != '=end' ]] || { [[ -n $answer ]]; return; }
    answer=$line
  done
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
  sql_local <<SQL
STOP GROUP_REPLICATION;
SET GLOBAL group_replication_bootstrap_group=OFF;
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
  local member state mine theirs
  mine=$(transactions_at "$QUORUM_MEMBER") || return
  for member in ${record_members//,/ }; do
    [[ $member == "$QUORUM_MEMBER" ]] && continue
    state=$(state_at "$member")
    if [[ $state != OFFLINE && $state != ERROR ]] || ! theirs=$(transactions_at "$member"); then
      say_once "waits for $member (${state:-no answer}) before the group can be brought back"
      return
    fi
    if ! includes "$mine" "$theirs" || { [[ $member < $QUORUM_MEMBER ]] && includes "$theirs" "$mine"; }; then
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
  bring_back_group
}

bring_back_group() {
  sql_local_all <<SQL
STOP GROUP_REPLICATION;
SET GLOBAL offline_mode=OFF;
SET GLOBAL group_replication_group_name='$record_cluster_id';
SET GLOBAL group_replication_bootstrap_group=ON;
START GROUP_REPLICATION USER='replication', PASSWORD='$(secret replication-password)';
SET GLOBAL group_replication_bootstrap_group=OFF;
SQL
}

# A primary that is alone in its view can still hold earlier incarnations of the others underneath, and then refuses them for
# ever ("Old incarnation found while trying to add node"), while it counts as healthy. When it was alone for long although
# every other member answers, is out of any group, copies nothing and has nothing that it lacks, it starts its group anew: by
# the same claim as after an outage of all, so two groups are impossible. Clients wait for seconds.
readonly ALONE_ROUNDS=${QUORUM_ALONE_ROUNDS:-60}
alone=0
free_the_refused() {
  local member state theirs mine
  if [[ -n $(annotation forming) || $record_members != *,* ]] || ! mine=$(transactions_at "$QUORUM_MEMBER"); then
    alone=0
    return
  fi
  for member in ${record_members//,/ }; do
    [[ $member == "$QUORUM_MEMBER" ]] && continue
    state=$(state_at "$member")
    if [[ $state != OFFLINE && $state != ERROR ]] || is_copying "$member" ||
      ! theirs=$(transactions_at "$member") || ! includes "$mine" "$theirs"; then
      alone=0
      return
    fi
  done
  ((++alone < ALONE_ROUNDS)) && { say_once "is alone in its group; the others answer and are refused or still start"; return; }
  alone=0
  record_read && record_write "bootstrap=$QUORUM_MEMBER" || return
  log "$QUORUM_MEMBER was alone although every other member answers: it starts its group anew, so that they can join"
  bring_back_group
}

# The disk of this primary is full: writes would hang. Another member whose disk has room leads, or nobody is written to.
give_up() {
  local uuid host
  while IFS=$'\t' read -r uuid host; do
    [[ -n $host ]] || continue
    list_has "$(annotation full)" "${host%%.*}" && continue
    log "the disk of $QUORUM_MEMBER is full: it hands over to ${host%%.*}"
    timeout 30 bash -c "source ${BASH_SOURCE%/*}/sql.sh; sql_local <<<\"SELECT group_replication_set_as_primary('$uuid', 10)\"" >/dev/null && return
  done < <(sql_local <<<"SELECT member_id, member_host FROM performance_schema.replication_group_members WHERE member_state='ONLINE' AND member_id <> @@server_uuid")
  [[ -n $record_address ]] || return 0
  record_read && record_write "address=" "bootstrap=" && log "the disk of $QUORUM_MEMBER is full, and no other member can lead: writes are refused until there is room"
}

# This server is the primary of a majority: the record and the write Service say so.
lead() {
  [[ -z $disk_full ]] || { give_up; return; }
  [[ $record_primary == "$QUORUM_MEMBER" && $record_address == "$QUORUM_POD_IP" && -z $(annotation bootstrap) ]] && return
  record_read && record_write "primary=$QUORUM_MEMBER" "address=$QUORUM_POD_IP" "bootstrap=" &&
    log "$QUORUM_MEMBER leads: writes go to $QUORUM_POD_IP"
}

# Without a majority nothing commits, and after contact is back the group stands still for as long again as it took, up to
# 20 s: it asks again for what is under way at intervals that grow (wakeup_delay in XCom's xcom_base.cc), and it closes the
# connections on which the questions of the cut arrive all at once. [Measured: writes back 1.5 to 17 s after a cut of 15 s.]
# Leaving such a group takes the server 20 s. So a server that is without a majority for these seconds, after the 5 of the
# failure detector, is killed and starts again outside of any group: it joins the group that goes on without it, or all
# of them bring theirs back.
readonly MAJORITY_SECONDS=3 RESTART=${QUORUM_RESTART:-/run/mysqld/restart}
lost_at=''
without_majority() {
  : "${lost_at:=$SECONDS}"
  ((SECONDS - lost_at >= MAJORITY_SECONDS)) || return 0
  lost_at=''
  log "$QUORUM_MEMBER cannot reach a majority of its group: it leaves it by a restart"
  timeout 3 bash -c "echo 'it could not reach a majority of its group' >'$RESTART'"
}

said_role=''
round=0
tick() {
  local state role majority view data fresh=''
  ask "$OWN_STATE" || { open_client; return; }
  IFS=$'\t' read -r state role majority view <<<"$answer"
  if [[ $majority == 0 && $state == @(ONLINE|RECOVERING) ]]; then
    without_majority
    return
  fi
  lost_at=''
  if ((round++ % RECORD_ROUNDS == 0)) || [[ $role != "$said_role" ]]; then
    record_read || return
    said_role=$role fresh=1
  fi
  if [[ -z $record_cluster_id ]]; then
    await_forming
    return
  fi
  rm -f "$UNCLAIMED"
  [[ -z $fresh ]] || look_at_disk
  if [[ $state == ONLINE ]]; then
    if [[ $role == PRIMARY && $majority == 1 ]]; then
      lead
      if ((view > 1)); then alone=0; elif [[ -n $fresh ]]; then free_the_refused; fi
    fi
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
