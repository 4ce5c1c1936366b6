#!/usr/bin/env bash
# The membership job of MySQL (async replication): forms the cluster on the first member, waits until every planned
# member has entered, moves leadership to the preferred primary, and retires members that are planned no more.
# Every step looks at the real state first, so it can be run again at any point.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/sql.sh"

# From the plan: MEMBERS (comma separated), FIRST (forms the cluster), PRIMARY, DATABASE, TIMEOUT (seconds),
# ADOPT, ALLOW_FAILOVER, DELETE_CLAIMS (true or false).
: "${MEMBERS:?}" "${FIRST:?}" "${PRIMARY:?}" "${DATABASE:?}" "${TIMEOUT:?}"

reachable() { [[ $(sql_at "$(address_of "$1")" 2>/dev/null <<<'SELECT 1') == 1 ]]; }
value_at() { sql_at "$(address_of "$1")" <<<"$2"; }
cluster_at() { sql_at "$(address_of "$1")" 2>/dev/null <<<'SELECT id FROM quorum.cluster' || true; }
pod_ip_of() { getent ahostsv4 "$(address_of "$1")" | head -n 1 | cut -d ' ' -f 1; }

# A member that is planned again may enter again.
unretire() {
  local left=$record_retired member
  for member in $(words "$MEMBERS"); do left=$(list_drop "$left" "$member"); done
  [[ $left == "$record_retired" ]] || echo "retired=$left"
}

# The record is claimed for one id and one member before anything is written to a disk: if this job dies here, the
# next one goes on with the same id on the same member, and no other member can be the first.
claim() {
  [[ -n $record_cluster_id ]] || printf '%s\n' "cluster-id=$new_id" "forming=$FIRST"
}

form() {
  local id forming
  record_read
  forming=$(annotation forming)
  if [[ -n $record_cluster_id && -z $forming ]]; then
    log "the cluster was formed before: $record_cluster_id"
    return
  fi
  step "form the cluster on ${forming:-$FIRST}"
  await "${forming:-$FIRST} does not answer" reachable "${forming:-$FIRST}"
  if [[ -z $record_cluster_id ]]; then
    refuse_foreign_data
    [[ -z $(cluster_at "$FIRST") ]] || { adopt; return; }
    new_id=$(value_at "$FIRST" 'SELECT UUID()')
    record_change claim
    record_read
    forming=$(annotation forming)
  fi
  id=$record_cluster_id
  sql_at "$(address_of "$forming")" <<SQL
SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF;
CREATE DATABASE IF NOT EXISTS quorum;
CREATE TABLE IF NOT EXISTS quorum.cluster (id CHAR(36) PRIMARY KEY, formed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
INSERT IGNORE INTO quorum.cluster (id) VALUES ('$id');
CREATE DATABASE IF NOT EXISTS \`$DATABASE\`;
CREATE USER IF NOT EXISTS '$DATABASE'@'%' IDENTIFIED BY '$(secret app-password)';
GRANT ALL ON \`$DATABASE\`.* TO '$DATABASE'@'%';
SQL
  formed_by=$forming
  record_change formed
  log "cluster $id is formed on $forming"
}

formed() {
  printf '%s\n' "forming=" "primary=$formed_by" "members=$(list_add "$record_members" "$formed_by")" "address=$(pod_ip_of "$formed_by")"
}

# Volumes with data but no record: an earlier stack's. They are taken over only when asked for, by the member that
# has every transaction that any of them has.
refuse_foreign_data() {
  local member
  [[ ${ADOPT:-false} == true ]] && return
  for member in $(words "$MEMBERS"); do
    if reachable "$member" && [[ -n $(cluster_at "$member") ]]; then
      refuse "$member holds data of cluster $(cluster_at "$member"), and this cluster was never formed. To take that data over set quorum:adopt to true."
    fi
  done
}

adopt() {
  local member most=$FIRST
  step "take over the data of an earlier stack"
  for member in $(words "$MEMBERS"); do
    await "$member does not answer" reachable "$member"
    [[ -n $(cluster_at "$member") ]] || continue
    [[ $(cluster_at "$member") == "$(cluster_at "$FIRST")" ]] || refuse "$FIRST and $member hold data of different clusters"
    is_ahead "$member" "$most" && most=$member
  done
  new_id=$(cluster_at "$most") formed_by=$most
  record_change adopted
  log "cluster $new_id goes on with $most as its primary"
}

adopted() { echo "cluster-id=$new_id"; formed; }

is_ahead() { # MEMBER OTHER: has it every transaction of the other?
  [[ $(value_at "$1" "SELECT GTID_SUBSET('$(value_at "$2" 'SELECT @@global.gtid_executed')', @@global.gtid_executed)") == 1 ]]
}

entered() { record_read && list_has "$record_members" "$1"; }

await_members() {
  local member
  for member in $(words "$MEMBERS"); do
    await "$member has not entered" entered "$member"
    log "$member is part of the cluster"
  done
}

caught_up() { # MEMBER: replicates, and less than 5 seconds behind
  [[ $(value_at "$1" "SELECT (SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE service_state='ON')
    AND (SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, applying_transaction_original_commit_timestamp, NOW())), 0)
         FROM performance_schema.replication_applier_status_by_worker WHERE applying_transaction <> '') < 5" 2>/dev/null) == 1 ]]
}

freeze() { echo "switchover=$PRIMARY"; }
moved() { printf '%s\n' "switchover=" "primary=$PRIMARY" "address=$(pod_ip_of "$PRIMARY")"; }
unfreeze() { echo "switchover="; }

switchover() {
  record_read
  local old=$record_primary target
  [[ $old == "$PRIMARY" && -z $record_switchover ]] && { log "$PRIMARY leads"; return; }
  step "move leadership from $old to $PRIMARY"
  reachable "$PRIMARY" || await "$PRIMARY does not answer" reachable "$PRIMARY"
  if ! wait_until 30 "$old does not answer" reachable "$old" || [[ -z $(cluster_at "$old") ]]; then
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
  value_at "$PRIMARY" 'STOP REPLICA; RESET REPLICA ALL; SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF'
  record_change failed_over
  log "$PRIMARY leads; $1 comes back only as an empty member that is seeded anew"
}

# Out of the members, so that its agent seeds it anew when it comes back: it may have transactions nobody else has.
failed_over() { moved; echo "members=$(list_drop "$record_members" "$old_primary")"; }

retiring() { echo "retired=$(list_add "$record_retired" "$leaver")"; }
removed() { echo "members=$(list_drop "$record_members" "$leaver")"; }
detached() { # MEMBER: replicates no more, or cannot be reached
  reachable "$1" || return 0
  [[ $(value_at "$1" "SELECT COUNT(*) FROM performance_schema.replication_connection_configuration") == 0 ]]
}

retire() {
  local member
  record_read
  for member in $(words "$record_members"); do
    list_has "$MEMBERS" "$member" && continue
    step "retire $member"
    record_read
    [[ $member != "$record_primary" ]] || refuse "$member leads: it cannot leave"
    leaver=$member
    record_change retiring
    wait_until 60 "$member still replicates" detached "$member"
    record_change removed
    if [[ ${DELETE_CLAIMS:-false} == true ]]; then delete_claim "$member"; fi
    log "$member is retired: every transaction is on $record_primary and on the members that stay"
  done
}

# With storage.onDelete keep, Pulumi leaves claims alone; that of a retired member must not stay.
delete_claim() {
  local url="${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE/persistentvolumeclaims/$1"
  if kube DELETE "$url" >/dev/null; then
    log "claim $1 is deleted as soon as its pod is gone"
  else
    log "claim $1 could not be deleted: delete it by hand"
  fi
}

record_change unretire
form
await_members
switchover
retire
record_read
log "done: members $record_members, primary $record_primary"
