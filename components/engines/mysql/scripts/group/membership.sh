#!/usr/bin/env bash
# The membership job of MySQL (group replication): bootstraps the group once on the first member, waits until every
# planned member has entered, moves leadership to the preferred primary, and retires members that are planned no more.
# Every step looks at the real state first, so it can be run again at any point.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/sql.sh"
source "${BASH_SOURCE%/*}/group.sh"
source "${BASH_SOURCE%/*}/forming.sh"

# From the plan: MEMBERS (comma separated), FIRST (forms the cluster), PRIMARY, DATABASE, TIMEOUT (seconds),
# ADOPT, ALLOW_FAILOVER, DELETE_CLAIMS (true or false).
: "${MEMBERS:?}" "${FIRST:?}" "${PRIMARY:?}" "${DATABASE:?}" "${TIMEOUT:?}"

takes_writes() { [[ $(value_at "$1" "SELECT @@global.super_read_only" 2>/dev/null) == 0 ]]; }

# A member that does not answer is not one that is out of the group.
knows_its_state() { state=$(state_at "$1"); [[ -n $state ]]; }
bootstrap() { # MEMBER ID
  local state
  await "$1 does not answer" knows_its_state "$1"
  if [[ $state != ONLINE ]]; then
    sql_at "$(address_of "$1")" --force <<SQL
SET GLOBAL group_replication_group_name='$2';
SET GLOBAL group_replication_bootstrap_group=ON;
START GROUP_REPLICATION USER='replication', PASSWORD='$(secret replication-password)';
SET GLOBAL group_replication_bootstrap_group=OFF;
SQL
  fi
  await "$1 does not take writes" takes_writes "$1"
}

# A primary of a majority says which cluster it is, and who is in it.
runs() {
  local member answer state role majority host
  for member in $(words "$MEMBERS"); do
    answer=$(sql_at "$(address_of "$member")" 2>/dev/null <<<"$OWN_STATE") || continue
    IFS=$'\t' read -r state role majority _ <<<"$answer"
    [[ $state == ONLINE && $role == PRIMARY && $majority == 1 ]] || continue
    running_id=$(value_at "$member" "$CLUSTER_OF_DATA" 2>/dev/null) || continue
    [[ $running_id != - ]] || continue
    answer=$(value_at "$member" "SELECT member_host FROM performance_schema.replication_group_members WHERE member_state IN ('ONLINE', 'RECOVERING')" 2>/dev/null) || continue
    running_primary=$member running_members=''
    for host in $answer; do running_members=$(list_add "$running_members" "${host%%.*}"); done
    return
  done
  return 1
}

online() { [[ $(state_at "$1") == ONLINE ]]; }

await_online() {
  local member
  for member in $(words "$MEMBERS"); do
    await "$member is not online in the group" online "$member"
  done
}

# After an outage of all, the agents bring the group back when every member of the record answers. Those that are gone for
# good would be waited for for ever: with quorum:allowChanges ["failover"] the others go on without them, and what only they
# had is lost. They come back only as empty members that are seeded anew.
somebody_is_online() {
  local member
  for member in $(words "$record_members"); do
    [[ $(state_at "$member") != ONLINE ]] || return 0
  done
  return 1
}
answering_members() {
  local member state
  answering='' silent=''
  for member in $(words "$record_members"); do
    state=$(state_at "$member") || state=''
    if [[ -n $state ]]; then answering=$(list_add "$answering" "$member"); else silent=$(list_add "$silent" "$member"); fi
  done
}
nobody_is_silent() { answering_members; [[ -z $silent ]] || somebody_is_online; }
without_silent() { echo "members=$answering"; }
readonly LOST_SECONDS=${QUORUM_LOST_SECONDS:-60}
go_on_without_the_lost() {
  read_record
  wait_until "$LOST_SECONDS" "a member that is online, or an answer of every member" nobody_is_silent && return
  [[ -n $answering ]] || refuse "no member answers"
  [[ ${ALLOW_FAILOVER:-false} == true ]] || refuse "no member is online, and $silent does not answer: the others wait for it, because it may have transactions that they lack. When it is lost for good, allow going on without it with quorum:allowChanges [\"failover\"]"
  step "go on without $silent: what only it had is lost"
  record_change without_silent
  await "none of $answering brings the group back" somebody_is_online
}

preferred() { echo "preferred=$PRIMARY"; }
moved() { printf '%s\n' "primary=$PRIMARY" "address=$(ip_of "$PRIMARY")"; }

# Clients on the primary with a transaction that is open for more than 5 s, without Quorum's own.
open_transactions() {
  value_at "$record_primary" "SELECT CONCAT(p.user, '@', p.host, ' (connection ', p.id, ', open for ', TIMESTAMPDIFF(SECOND, t.trx_started, NOW()), ' s)')
    FROM information_schema.innodb_trx t JOIN performance_schema.processlist p ON p.id = t.trx_mysql_thread_id
    WHERE t.trx_started < NOW() - INTERVAL 5 SECOND AND p.user NOT IN ('system user', 'event_scheduler')"
}
nothing_is_open() { blocking=$(open_transactions 2>/dev/null) && [[ -z $blocking ]]; }

# The server itself waits without a bound for every open transaction. So those that are open for long are waited for before;
# whatever is still open after 10 s of the move is cut off by the server (the second argument), and nothing moves later.
readonly OPEN_SECONDS=${QUORUM_OPEN_SECONDS:-60}
switchover() {
  local uuid blocking=''
  record_change preferred
  read_record
  [[ $record_primary == "$PRIMARY" ]] && { log "$PRIMARY leads"; return; }
  step "move leadership from $record_primary to $PRIMARY"
  await "$PRIMARY is not online in the group" online "$PRIMARY"
  list_has "$(annotation full)" "$PRIMARY" && refuse "the disk of $PRIMARY is full: it cannot lead"
  wait_until "$OPEN_SECONDS" "open transactions on $record_primary" nothing_is_open ||
    refuse "leadership stays with $record_primary, whose clients have transactions open: ${blocking//$'\n'/, }. End them (KILL on $record_primary), and run pulumi up again."
  uuid=$(value_at "$PRIMARY" 'SELECT @@server_uuid')
  value_at "$PRIMARY" "SELECT group_replication_set_as_primary('$uuid', 10)" >/dev/null
  record_change moved
  log "$PRIMARY leads"
}

# A leaver stops group replication; whether it is out, its primary says: one that does not answer may still be in.
detached() {
  local listed
  if [[ $(state_at "$1") == ONLINE ]]; then value_at "$1" 'STOP GROUP_REPLICATION' >/dev/null; fi
  listed=$(value_at "$record_primary" "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE member_host='$(address_of "$1")'") &&
    [[ $listed == 0 ]]
}

check_leavers
record_change unretire
form
# A record that was empty has members now.
check_leavers
go_on_without_the_lost
await_members
await_online
switchover
retire
read_record
log "done: members $record_members, primary $record_primary"
