#!/usr/bin/env bash
# The membership job of PostgreSQL: lets the first member form the cluster, waits until every planned member streams,
# makes the application's database, applies Patroni's settings, moves leadership to the preferred primary, and retires
# members that are planned no more. Every step looks at the real state first, so it can be run again at any point.
#
# How a member leaves: it must not be promoted, nor count for a commit, once the job has said that its disk may go. So
# it is out before the job ends, while its pod still exists: the record lists it as retired, its pod is deleted (which
# hands over, if it leads after all), and the pod that its StatefulSet makes anew reads the record and stays closed.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/lists.sh"
source "${BASH_SOURCE%/*}/patroni.sh"
source "${BASH_SOURCE%/*}/cluster.sh"

# From the plan: MEMBERS (comma separated), FIRST (forms the cluster), PRIMARY, DATABASE, TIMEOUT (seconds), SETTINGS
# (Patroni's, as JSON), ADOPT, DELETE_CLAIMS, ALLOW_FAILOVER (true or false).
: "${MEMBERS:?}" "${FIRST:?}" "${PRIMARY:?}" "${DATABASE:?}" "${TIMEOUT:?}" "${SETTINGS:?}"

readonly OBJECTS=${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE
readonly SYNC=$OBJECTS/configmaps/$QUORUM_CLUSTER-sync
readonly PASSWORDS=/tmp/pgpass
# In which Patroni elects somebody if it may: its lock lasts 20 s, and a member that comes back replays its log first.
readonly ELECTION_SECONDS=30
# A hand-over, then the last checkpoint of the old primary; the grace period of a member is 300 s.
readonly LEAVE_SECONDS=300

sql_at() { # MEMBER DATABASE <SQL
  sql "host=$(address_of "$1") dbname=$2 user=quorum passfile=$PASSWORDS $ENCRYPTED"
}

leads_or_has_data() {
  record_read || return 1
  [[ -n $(found_on "$forming") || $(leader) == "$forming" ]]
}

# The record is empty, and the cluster is not new: the record was deleted. What it said is known: Patroni's lock names the
# leader, the leader says whose data it has, and most of the planned members have the same.
runs_already() {
  local primary member said same=0
  primary=$(leader) && [[ -n $primary ]] || return 1
  says_identity "$primary" || return 1
  for member in $(words "$MEMBERS"); do
    said=$(identity_of "$member") || continue
    if [[ $said == "$identity" ]]; then same=$((same + 1)); fi
  done
  ((same * 2 > $(words "$MEMBERS" | wc -w))) || return 1
  running=$(taking_part | cut -d ' ' -f 1 | paste -s -d ,) && [[ -n $running ]]
}
says_identity() { identity=$(identity_of "$1") && [[ -n $identity ]]; }
somebody_runs() {
  local member
  for member in $(words "$MEMBERS"); do
    if answers "$member"; then return; fi
  done
  return 1
}
given_back() { printf '%s\n' "cluster-id=$identity" "forming=" "found=" "members=$running"; }

form() {
  read_record
  if [[ -n $record_cluster_id ]]; then
    log "the cluster was formed before: $record_cluster_id"
    return
  fi
  # An election may be going on just now.
  if somebody_runs && wait_until "$ELECTION_SECONDS" 'most members run one database, and one of them leads' runs_already; then
    step "give the empty record back what it said: the cluster is $identity, its members are $(words "$running")"
    record_change given_back
    check_leavers
    return
  fi
  record_change claim
  read_record
  forming=$(annotation forming)
  step "form the cluster on $forming"
  await "$forming did not form the cluster" leads_or_has_data
  identity=$(found_on "$forming")
  if [[ -n $identity ]]; then
    [[ ${ADOPT:-false} == true ]] ||
      refuse "$forming holds database $identity, and this cluster was never formed. To take that data over set quorum:adopt to true."
    step "take over database $identity, the data of an earlier stack"
  else
    await "$forming does not say which database it has" says_identity "$forming"
  fi
  record_change formed
  log "the cluster is $identity"
}
formed() { printf '%s\n' "cluster-id=$identity" "forming=" "found=" "members=$(list_add "$record_members" "$forming")"; }

# Whom Patroni knows as the last leader, and as the only one that has everything that was acknowledged.
last_leader() { kube GET "$SYNC?pretty=false" 2>/dev/null | json 'it["metadata"].get("annotations", {}).get("leader", "").rpartition("-")[0]'; }

# With quorum commit a leader whose followers are all away goes on alone. When it is lost in that state, Patroni lets
# nobody lead, because what it acknowledged last would be gone: that is for a person to decide.
await_leader() {
  local last why='the cluster has no leader'
  if wait_until "$ELECTION_SECONDS" "$why" has_leader; then return; fi
  last=$(last_leader) || last=''
  if [[ -n $last && ${ALLOW_FAILOVER:-false} == true ]]; then
    step "give up what only $last may have acknowledged: the member with the newest data leads"
    kube PATCH "$SYNC" '{"metadata":{"annotations":{"leader":null,"sync_standby":null,"quorum":null}}}' >/dev/null
  elif [[ -n $last ]]; then
    why="$last led alone when it was lost, and may have acknowledged writes that nobody else has. Bring it back with its data, or give them up with quorum:allowChanges [\"failover\"]: $why"
    log "$why"
  fi
  await "$why" has_leader
}

await_members() {
  await_leader
  for entering in $(words "$MEMBERS"); do
    await "$entering does not stream from the primary" streams "$entering"
    record_change enter
    log "$entering is part of the cluster"
  done
}

# Patroni merges what it is given into the running cluster's settings. More copies for a commit are asked for only now,
# when there are as many members; fewer, before anyone leaves.
settle() {
  await "Patroni does not take its settings" apply_settings
  log "settings: $SETTINGS"
}
apply_settings() {
  local primary
  primary=$(leader) && [[ -n $primary ]] || return 1
  rest PATCH "$(address_of "$primary")" config "$SETTINGS" >/dev/null
}

# Whether the application's user and its database are there: ROLES DATABASES. No answer is none of these.
look() {
  primary=$(leader) && [[ -n $primary ]] || return 1
  there=$(sql_at "$primary" postgres 2>/dev/null <<SQL
SELECT (SELECT count(*) FROM pg_roles WHERE rolname = '$DATABASE') || ' ' || (SELECT count(*) FROM pg_database WHERE datname = '$DATABASE')
SQL
  ) && [[ $there =~ ^[01]\ [01]$ ]]
}
make_database() {
  local password
  await "the primary answers no SQL; its connections may all be taken" look
  if [[ ${there% *} == 0 ]]; then
    password=$(secret app-password | verifier)
    sql_at "$primary" postgres <<SQL
SET log_min_error_statement = panic;
-- To make a database for the role, this one must be able to act as it.
SET createrole_self_grant = 'set, inherit';
CREATE ROLE "$DATABASE" LOGIN PASSWORD '$password';
SQL
    log "user $DATABASE is made"
  fi
  if [[ ${there#* } == 0 ]]; then
    sql_at "$primary" postgres <<<"CREATE DATABASE \"$DATABASE\" OWNER \"$DATABASE\""
    log "database $DATABASE is made"
  fi
}

caught_up() { [[ $(members_now | awk -v name="$1" '$1 == name && $3 == "streaming" { print $4 }') == 0 ]]; }

# Patroni refuses while the candidate is not part of the quorum yet, a few seconds after it joined: it is asked again.
move_leadership() {
  local old answer
  old=$(leader) && [[ -n $old ]] || return 1
  [[ $old != "$PRIMARY" ]] || return 0
  caught_up "$PRIMARY" || return 1
  answer=$(REST_SECONDS=60 rest POST "$(address_of "$old")" switchover "{\"leader\":\"$old-0\",\"candidate\":\"$PRIMARY-0\"}" 2>/dev/null) || true
  log "Patroni: $answer"
  leads "$PRIMARY"
}

# The write Service reaches the primary (lead.sh).
is_served() { record_read && [[ -n $record_address && $record_address == "$(pod_ip_of "$(leader)")" ]]; }
pod_ip_of() { getent ahostsv4 "$(address_of "$1")" | head -n 1 | cut -d ' ' -f 1; }

switchover() {
  local member
  await "the cluster has no leader" has_leader
  if leads "$PRIMARY"; then
    await "the write Service does not reach the primary" is_served
    log "$PRIMARY leads"
    return
  fi
  step "move leadership from $(leader) to $PRIMARY"
  await "$PRIMARY could not take over the leadership" move_leadership
  for member in $(words "$MEMBERS"); do await "$member does not stream from the new primary" streams "$member"; done
  await "the write Service does not reach the primary" is_served
  log "$PRIMARY leads, and the others follow it"
}

# Both what the record knows and what Patroni sees.
find_leavers() {
  local member seen
  seen=$(members_now) || return 1
  leaving=''
  for member in $(words "$record_members,$record_retired") $(cut -d ' ' -f 1 <<<"$seen"); do
    list_has "$MEMBERS" "$member" || leaving=$(list_add "$leaving" "$member")
  done
}

# Its Patroni is silent, so it is not promoted; it has no stream from the primary and no part in the quorum, so it
# confirms no commit. Its state in Patroni's list says less: of a pod on a lost node that is the last one it wrote.
is_out() {
  local primary role
  ! answers "$1" || return 1
  primary=$(leader) && [[ -n $primary && $primary != "$1" ]] || return 1
  role=$(members_now | awk -v name="$1" '$1 == name { print $2 }') || return 1
  [[ -z $role || $role == replica ]] || return 1
  [[ $(sql_at "$primary" postgres <<<"SELECT count(*) FROM pg_stat_replication WHERE application_name = '$1-0'") == 0 ]]
}
leads_one_of_the_planned() { list_has "$MEMBERS" "$(leader)"; }

retire() {
  local member
  read_record
  await "Patroni does not say who its members are" find_leavers
  for leaver in $(words "$leaving"); do
    if list_has "$record_retired" "$leaver" && is_out "$leaver"; then continue; fi
    step "retire $leaver"
    await "the cluster has no leader" has_leader
    ! leads "$leaver" || refuse "$leaver leads: it cannot leave. Nothing was removed."
    record_change retiring
    if answers "$leaver"; then
      kube DELETE "$OBJECTS/pods/$leaver-0" >/dev/null || log "pod $leaver-0 could not be deleted"
    fi
    wait_until "$LEAVE_SECONDS" "$leaver still takes part" is_out "$leaver"
    await "none of the members that stay leads" leads_one_of_the_planned
    for member in $(words "$MEMBERS"); do await "$member does not stream from the primary" streams "$member"; done
    if [[ ${DELETE_CLAIMS:-false} == true ]]; then delete_claim "$leaver"; fi
    log "$leaver is retired: every transaction is on $(leader), and its followers are $(words "$(list_drop "$MEMBERS" "$(leader)")")"
    read_record
  done
}

password_file "$PASSWORDS" quorum admin-password
check_leavers
find_returning
record_change unretire
form
await_members
make_database
switchover
settle
retire
log "done: the members are $(words "$MEMBERS"), the primary is $(leader)"
