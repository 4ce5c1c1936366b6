# The part of MySQL's membership job that is the same in both kinds of replication: forming the cluster once, waiting
# for its members, and the bookkeeping of who leaves. Needs bootstrap MEMBER ID: make it a primary that takes writes; and
# runs: does a cluster run among the planned members? It sets running_id, running_primary and running_members then.
# shellcheck shell=bash disable=SC2154 # record_* variables come from record.sh

reachable() { [[ $(sql_at "$(address_of "$1")" 2>/dev/null <<<'SELECT 1') == 1 ]]; }
value_at() { sql_at "$(address_of "$1")" <<<"$2"; }
# The cluster whose data a member holds, "-" for none. A member that does not answer is waited for: it is not an empty one.
cluster_at() {
  local cluster=''
  await "$1 does not answer" read_cluster "$1"
  echo "$cluster"
}
read_cluster() { cluster=$(sql_at "$(address_of "$1")" 2>/dev/null <<<"$CLUSTER_OF_DATA") && [[ -n $cluster ]]; }

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
  local id forming cluster=''
  read_record
  forming=$(annotation forming)
  if [[ -n $record_cluster_id && -z $forming ]]; then
    log "the cluster was formed before: $record_cluster_id"
    return
  fi
  step "form the cluster on ${forming:-$FIRST}"
  if [[ -z $record_cluster_id ]]; then
    await "$FIRST does not answer, and no cluster runs" runs_or_reachable
    take_over_running && return
    refuse_foreign_data
    await "$FIRST does not answer" read_cluster "$FIRST"
    [[ $cluster == - ]] || { adopt; return; }
    new_id=$(value_at "$FIRST" 'SELECT UUID()')
    record_change claim
    read_record
    forming=$(annotation forming)
  fi
  id=$record_cluster_id
  await "$forming does not answer" reachable "$forming"
  bootstrap "$forming" "$id"
  sql_at "$(address_of "$forming")" <<SQL
CREATE DATABASE IF NOT EXISTS quorum;
CREATE TABLE IF NOT EXISTS quorum.cluster (id CHAR(36) PRIMARY KEY, formed_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)
  COMMENT='$id';
INSERT IGNORE INTO quorum.cluster (id) VALUES ('$id');
CREATE DATABASE IF NOT EXISTS \`$DATABASE\`;
CREATE USER IF NOT EXISTS '$DATABASE'@'%' IDENTIFIED BY '$(secret app-password)';
GRANT ALL ON \`${DATABASE//_/\\_}\`.* TO '$DATABASE'@'%';
SQL
  formed_by=$forming
  record_change formed
  log "cluster $id is formed on $forming"
}

# The members that hold the data of this cluster: at first the forming one, after an adoption all that were kept.
formed() {
  printf '%s\n' "forming=" "primary=$formed_by" "members=${kept_members:-$formed_by}" "address=$(ip_of "$formed_by")"
}

# A record that was deleted by hand comes back empty while the cluster runs on: who leads and what it is called is asked of
# the members, and nobody's word is needed, because nothing is chosen.
runs_or_reachable() { runs || reachable "$FIRST"; }

take_over_running() {
  local member
  runs || {
    # Between two primaries for a moment, or none that runs.
    holds_data || return
    wait_until 30 "a cluster that runs" runs || return
  }
  for member in $(words "$MEMBERS"); do
    reachable "$member" || continue
    case $(cluster_at "$member") in
      -) ;;
      "$running_id") running_members=$(list_add "$running_members" "$member") ;;
      *) refuse "$running_primary leads cluster $running_id, and $member holds data of another one" ;;
    esac
  done
  record_change taken_over
  log "cluster $running_id runs, and $running_primary leads: the record says so again"
}

holds_data() {
  local cluster=''
  read_cluster "$FIRST" && [[ $cluster != - ]]
}

taken_over() {
  printf '%s\n' "cluster-id=$running_id" "primary=$running_primary" "members=$running_members" "address=$(ip_of "$running_primary")"
}

# Volumes with data but no record: an earlier stack's. They are taken over only when asked for, by the member that
# has every transaction that any of them has.
refuse_foreign_data() {
  local member id
  [[ ${ADOPT:-false} == true ]] && return
  for member in $(words "$MEMBERS"); do
    reachable "$member" || continue
    id=$(cluster_at "$member")
    [[ $id == - ]] || refuse "$member holds data of cluster $id, and this cluster was never formed. To take that data over set quorum:adopt to true."
  done
}

adopt() {
  local member id most=$FIRST
  kept_members=''
  step "take over the data of an earlier stack"
  new_id=$(cluster_at "$FIRST")
  for member in $(words "$MEMBERS"); do
    id=$(cluster_at "$member")
    [[ $id != - ]] || continue
    [[ $id == "$new_id" ]] || refuse "$FIRST and $member hold data of different clusters"
    kept_members=$(list_add "$kept_members" "$member")
    # Of those that have the same, the first of the chain.
    if is_ahead "$member" "$most" && ! is_ahead "$most" "$member"; then most=$member; fi
  done
  formed_by=$most
  bootstrap "$most" "$new_id"
  record_change adopted
  log "cluster $new_id goes on with $most as its primary"
}

adopted() { echo "cluster-id=$new_id"; formed; }

# Has it every transaction of the other, those that are received and not yet applied included? Both must answer.
is_ahead() { # MEMBER OTHER
  local subset=''
  await "$1 or $2 does not answer" compare "$1" "$2"
  [[ $subset == 1 ]]
}
compare() {
  local mine theirs
  mine=$(transactions_at "$1") && theirs=$(transactions_at "$2") && subset=$(value_at "$1" "SELECT GTID_SUBSET('$theirs', '$mine')" 2>/dev/null)
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
