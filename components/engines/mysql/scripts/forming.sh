# The part of MySQL's membership job that is the same in both kinds of replication: forming the cluster once, waiting
# for its members, and the bookkeeping of who leaves. Needs bootstrap MEMBER ID: make it a primary that takes writes.
# shellcheck shell=bash disable=SC2154 # record_* variables come from record.sh

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
  read_record
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
    read_record
    forming=$(annotation forming)
  fi
  id=$record_cluster_id
  bootstrap "$forming" "$id"
  sql_at "$(address_of "$forming")" <<SQL
CREATE DATABASE IF NOT EXISTS quorum;
CREATE TABLE IF NOT EXISTS quorum.cluster (id CHAR(36) PRIMARY KEY, formed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)
  COMMENT='$id';
INSERT IGNORE INTO quorum.cluster (id) VALUES ('$id');
CREATE DATABASE IF NOT EXISTS \`$DATABASE\`;
CREATE USER IF NOT EXISTS '$DATABASE'@'%' IDENTIFIED BY '$(secret app-password)';
GRANT ALL ON \`$DATABASE\`.* TO '$DATABASE'@'%';
SQL
  formed_by=$forming
  record_change formed
  log "cluster $id is formed on $forming"
}

# The members that hold the data of this cluster: at first the forming one, after an adoption all that were kept.
formed() {
  printf '%s\n' "forming=" "primary=$formed_by" "members=${kept_members:-$formed_by}" "address=$(pod_ip_of "$formed_by")"
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
  kept_members=''
  step "take over the data of an earlier stack"
  for member in $(words "$MEMBERS"); do
    await "$member does not answer" reachable "$member"
    [[ -n $(cluster_at "$member") ]] || continue
    [[ $(cluster_at "$member") == "$(cluster_at "$FIRST")" ]] || refuse "$FIRST and $member hold data of different clusters"
    kept_members=$(list_add "$kept_members" "$member")
    if is_ahead "$member" "$most"; then most=$member; fi
  done
  new_id=$(cluster_at "$most") formed_by=$most
  bootstrap "$most" "$new_id"
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


retiring() { echo "retired=$(list_add "$record_retired" "$leaver")"; }
removed() { echo "members=$(list_drop "$record_members" "$leaver")"; }

# Retires every member of the record that is planned no more. Needs detached MEMBER: has it left?
retire() {
  local member
  read_record
  for member in $(words "$record_members"); do
    list_has "$MEMBERS" "$member" && continue
    step "retire $member"
    read_record
    [[ $member != "$record_primary" ]] || refuse "$member leads: it cannot leave"
    leaver=$member
    record_change retiring
    wait_until 60 "$member to leave" detached "$member" || refuse "$member did not leave"
    record_change removed
    if [[ ${DELETE_CLAIMS:-false} == true ]]; then delete_claim "$member"; fi
    log "$member is retired: every transaction is on $record_primary and on the members that stay"
  done
}
