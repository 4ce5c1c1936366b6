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
# ADOPT, DELETE_CLAIMS (true or false).
: "${MEMBERS:?}" "${FIRST:?}" "${PRIMARY:?}" "${DATABASE:?}" "${TIMEOUT:?}"

takes_writes() { [[ $(value_at "$1" "SELECT @@global.super_read_only" 2>/dev/null) == 0 ]]; }

bootstrap() { # MEMBER ID
  if [[ $(state_at "$1") != ONLINE ]]; then
    sql_at "$(address_of "$1")" --force <<SQL
SET GLOBAL group_replication_group_name='$2';
SET GLOBAL group_replication_bootstrap_group=ON;
START GROUP_REPLICATION USER='replication', PASSWORD='$(secret replication-password)';
SET GLOBAL group_replication_bootstrap_group=OFF;
SQL
  fi
  await "$1 does not take writes" takes_writes "$1"
}

online() { [[ $(state_at "$1") == ONLINE ]]; }

await_online() {
  local member
  for member in $(words "$MEMBERS"); do
    await "$member is not online in the group" online "$member"
  done
}

preferred() { echo "preferred=$PRIMARY"; }
moved() { printf '%s\n' "primary=$PRIMARY" "address=$(pod_ip_of "$PRIMARY")"; }

switchover() {
  local uuid
  record_change preferred
  read_record
  [[ $record_primary == "$PRIMARY" ]] && { log "$PRIMARY leads"; return; }
  step "move leadership from $record_primary to $PRIMARY"
  await "$PRIMARY is not online in the group" online "$PRIMARY"
  uuid=$(value_at "$PRIMARY" 'SELECT @@server_uuid')
  value_at "$PRIMARY" "SELECT group_replication_set_as_primary('$uuid')" >/dev/null
  record_change moved
  log "$PRIMARY leads"
}

# A leaver stops group replication; one that cannot be reached was expelled by the others already.
detached() {
  reachable "$1" || return 0
  [[ $(state_at "$1") == ONLINE ]] && value_at "$1" 'STOP GROUP_REPLICATION' >/dev/null
  [[ $(state_at "$1") == OFFLINE ]]
}

record_change unretire
form
await_members
await_online
switchover
retire
read_record
log "done: members $record_members, primary $record_primary"
