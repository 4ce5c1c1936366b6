#!/usr/bin/env bash
# The membership job of YugabyteDB: lets the masters form the universe once, waits until every planned member is alive,
# makes the accounts, retires members that are planned no more, and finalises an upgrade. Every step looks at the real
# state first, so it can be run again at any point.
#
# How a member leaves (YugabyteDB's documents, "Change cluster config"): it is put on the blacklist, the masters move
# its tablets to the others, and only when they say 100 %, and it holds none, it is closed: the record lists it as
# retired, its pod is started anew, and stays closed. When the masters count it as dead the blacklist is cleared; while
# it lived they would move tablets back to it.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/lists.sh"
source "${BASH_SOURCE%/*}/yugabyte.sh"
source "${BASH_SOURCE%/*}/cluster.sh"

# From the plan: MEMBERS and MASTER_MEMBERS (comma separated), PLACEMENT (zones with their least copies),
# REPLICATION_FACTOR, FINALIZE (a release without its build, or empty), TIMEOUT (seconds), ADOPT, DELETE_CLAIMS (true or false).
: "${MEMBERS:?}" "${MASTER_MEMBERS:?}" "${PLACEMENT:?}" "${REPLICATION_FACTOR:?}" "${TIMEOUT:?}"

readonly OBJECTS=${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE
readonly SUPERUSER=/run/quorum/superuser DEFAULT=/run/quorum/default
# auto_flags_apply_delay_ms: until all processes have taken promoted flags.
readonly FLAGS_SECONDS=10

# Nobody starts before this: the token tells this cluster's disks from others. So a record without one, beside a master
# that runs, was made anew: that master gives the token back (ready.sh).
has_token() { record_read && [[ -n $(annotation token) ]]; }
await_token() {
  read_record
  if [[ -n $(annotation token) ]] || ! a_master_runs; then return; fi
  step 'the cluster record was made anew, and the universe runs'
  await 'no master has given the token back' has_token
}
begin() {
  if [[ -z $(annotation token) ]]; then echo "token=$(tr -d - </proc/sys/kernel/random/uuid)"; fi
  if [[ -z $record_cluster_id && ${ADOPT:-false} == true ]]; then echo 'adopt=true'; fi
}

refuse_foreign() {
  record_read || return 1
  local found
  found=$(annotation found)
  [[ -z $found || $(annotation adopt) == true ]] ||
    refuse "the disks of $(words "$found") hold data of another cluster, and this one was never formed with them. Nothing of it was touched. To take that data over set quorum:adopt to true; otherwise remove it."
}
masters_agree() {
  refuse_foreign || return 1
  local member
  for member in $(words "$MASTER_MEMBERS"); do master_is_alive "$member" || return 1; done
}

# Members read certificates at their start, and those of two CAs do not speak with one another. The console takes none: a
# master that says there that it leads, and does not answer yb-admin, has another CA than this job.
readonly LEADER_SECONDS=60
leads_by_console() {
  local member
  for member in $(words "$MASTER_MEMBERS"); do
    if "$TOOLS/curl" --silent --fail --max-time 5 "http://$(address_of "$member"):7000/api/v1/is-leader" >/dev/null; then return; fi
  done
  return 1
}
check_certificates() {
  if ! leads_by_console || wait_until "$LEADER_SECONDS" 'the masters do not answer yb-admin' has_leader; then return; fi
  leads_by_console || return 0
  refuse "a master leads, and does not take this job's certificates: those in the Secret were made anew after the members started. Nothing was changed. Restart all members at once, which interrupts the service, then run pulumi up again: kubectl --namespace $QUORUM_NAMESPACE delete pods --selector app.kubernetes.io/instance=$QUORUM_CLUSTER,app.kubernetes.io/component=member"
}

form() {
  read_record
  if [[ -n $record_cluster_id ]]; then
    log "the universe was formed before: $record_cluster_id"
    return
  fi
  if [[ $(annotation restored) == true ]]; then
    restore
    return
  fi
  step "form the universe on $(words "$MASTER_MEMBERS")"
  await 'the masters did not form a universe' masters_agree
  identity=$(universe_id)
  [[ -n $identity ]] || refuse 'the masters have a leader and no universe. Nothing was removed.'
  change modify_placement_info "$PLACEMENT" "$REPLICATION_FACTOR"
  log "placement: $PLACEMENT, $REPLICATION_FACTOR copies"
  series=''
  await 'the masters do not say their version' leader_series
  record_change formed
  log "the universe is $identity, of series $series"
}
# A universe that runs knows all that the record said but which release was finalised. The plan names the last one that
# was; when it names none, or that which runs, this stays empty, and finalising is run (again, which changes nothing).
restore() {
  step 'fill the cluster record again'
  await 'the masters have no leader' has_leader
  identity=$(universe_id)
  series=''
  await 'the masters do not say their version' leader_series
  await 'the masters do not answer' read_tservers
  record_change restored
  log "the record has the universe $identity again, and its members $(alive_tservers | paste -s -d ' ')"
}
restored() {
  printf '%s\n' "cluster-id=$identity" "series=$series" "members=$(alive_tservers | paste -s -d ,)" 'restored='
  if [[ -n ${FINALIZE:-} ]] && older "$FINALIZE" "$series"; then echo "finalised=$FINALIZE"; fi
}

# Masters are never moved, and two of three are a quorum: one that the universe has and the plan has not is a mistake. The
# record's list (check_leavers) has tservers only.
check_masters() {
  local member
  await 'the masters do not answer' read_masters
  # shellcheck disable=SC2046 # one word an address
  for member in $(names_of $(awk '{ print $1 }' <<<"$masters")); do
    list_has "$MASTER_MEMBERS" "$member" ||
      refuse "master $member is not in the plan, and masters cannot be moved. Nothing was removed."
  done
}

leader_series() { series=$(leaders_series) && [[ -n $series ]]; }
formed() { printf '%s\n' "cluster-id=$identity" "series=$series" "finalised=$series"; }

# A member that is planned again: one that was to leave, and stays.
undo() {
  local member listed
  listed=$(blacklisted)
  # shellcheck disable=SC2086 # one word an address
  for member in $(names_of $listed); do
    list_has "$MEMBERS" "$member" || continue
    step "$member stays after all"
    change change_blacklist REMOVE "$(address_of "$member"):9100"
    log "$member is off the blacklist: data may move to it again"
  done
}
planned_retired() {
  local member retired=$record_retired
  for member in $(words "$record_retired"); do
    if list_has "$MEMBERS" "$member"; then retired=$(list_drop "$retired" "$member"); fi
  done
  [[ $retired == "$record_retired" ]] || echo "retired=$retired"
}

# The masters may count a tserver as alive that has not started since they did, so it is asked itself too: what closes a
# member, or lets it take over old data, is changed only after all have started.
has_started() {
  refuse_foreign && is_alive "$1" && tserver_runs "$1"
}
await_members() {
  for entering in $(words "$MASTER_MEMBERS"); do
    await "master $entering is not alive and in the masters' group" master_is_alive "$entering"
  done
  for entering in $(words "$MEMBERS"); do
    await "$entering is not alive" has_started "$entering"
    record_change enter
    log "$entering is part of the universe"
  done
}
# What was taken over is taken over: from now on foreign disks are refused again.
settled() { [[ -z $(annotation adopt)$(annotation found) ]] || printf '%s\n' 'adopt=' 'found='; }

# The server writes a statement that failed into its log, with the password in it.
readonly UNLOGGED='SET log_min_error_statement = panic;'
as_superuser() { ysql "$(address_of "$QUORUM_CLUSTER")" yugabyte "$SUPERUSER" yugabyte; }
takes_sql() {
  [[ $(as_superuser <<<'SELECT 1' 2>/dev/null) == 1 ]] && return
  # A new universe has the user yugabyte with the password yugabyte.
  printf '*:*:*:yugabyte:yugabyte\n' >"$DEFAULT"
  ysql "$(address_of "$QUORUM_CLUSTER")" yugabyte "$DEFAULT" yugabyte >/dev/null 2>&1 <<<"$UNLOGGED ALTER ROLE yugabyte PASSWORD '$(</quorum/credentials/superuser-password)'" &&
    log 'the superuser has a password of its own'
  return 1
}
count=''
has_counted() { count=$(as_superuser <<<"SELECT count(*) FROM $1") && [[ $count =~ ^[0-9]+$ ]]; } # TABLE and condition
make_accounts() {
  await 'SQL is not answered' takes_sql
  await 'the users are not counted' has_counted "pg_roles WHERE rolname = '$QUORUM_DATABASE'"
  if ((count == 0)); then
    as_superuser <<<"$UNLOGGED CREATE ROLE $QUORUM_DATABASE LOGIN PASSWORD '$(</quorum/credentials/app-password)'"
    log "user $QUORUM_DATABASE is made"
  fi
  await 'the databases are not counted' has_counted "pg_database WHERE datname = '$QUORUM_DATABASE'"
  if ((count == 0)); then
    as_superuser <<<"CREATE DATABASE $QUORUM_DATABASE OWNER $QUORUM_DATABASE"
    log "database $QUORUM_DATABASE is made"
  fi
}

# Both what the record knows and what the masters see.
leavers() {
  local member listed
  await 'the masters do not answer' read_tservers
  # In a subshell, where a command that fails ends nothing.
  listed=$(blacklisted) || return 1
  # shellcheck disable=SC2086 # one word an address
  { words "$record_members" && alive_tservers && names_of $listed; } |
    tr ' ' '\n' | sort -u | while read -r member; do
    [[ -z $member ]] || list_has "$MEMBERS" "$member" || echo "$member"
  done
}

# A tablet that starts or failed counts too. Those that have moved away stay listed, as SHUTDOWN, until they are deleted
# for good (ts_tablet_manager.cc: "We only remove DELETED tablets from the tablet map").
tablets_on() { # MEMBER: how many tablets it has; fails when that cannot be asked
  local uuid list
  read_tservers || return 1
  uuid=$(awk -v address="$(address_of "$1")" '$1 == address { print $3 }' <<<"$tservers")
  [[ -n $uuid ]] || return 1
  list=$(admin list_tablets_for_tablet_server "$uuid") || return 1
  awk -F '\t' '/^Table name/ { answered = 1; next } NF > 3 && $4 !~ /^ *SHUTDOWN *$/ { ++n } END { if (!answered) exit 1; print n + 0 }' <<<"$list"
}

reported=''
is_moved() {
  local answer
  answer=$(admin get_load_move_completion 2>/dev/null) || return 1
  if [[ $answer != "$reported" ]]; then log "moving: $answer"; fi
  reported=$answer
  [[ $answer =~ ^Percent\ complete\ =\ 100\  ]]
}
holds_nothing() {
  local count
  count=$(tablets_on "$1") && [[ $count == 0 ]]
}

# Masters that have a new leader may not list a tserver yet that runs: no line is no death while it answers itself.
state=''
knows_state() { # MEMBER: sets state, to ALIVE, DEAD, or nothing for one that is neither listed nor runs
  read_tservers || return 1
  state=$(awk -v address="$(address_of "$1")" '$1 == address { print $2 }' <<<"$tservers")
  [[ -n $state ]] || ! tserver_runs "$1"
}
is_not_alive() { knows_state "$1" && [[ $state != ALIVE ]]; }

retire() {
  local -a leaving
  local left
  read_record
  left=$(leavers)
  [[ -n $left ]] || return 0
  mapfile -t leaving <<<"$left"
  step "retire ${leaving[*]}"
  (($(words "$MEMBERS" | wc -w) >= REPLICATION_FACTOR)) ||
    refuse "fewer than $REPLICATION_FACTOR tservers would stay, and each tablet has $REPLICATION_FACTOR copies. Nothing was removed."
  await 'some tablets lack a copy, so none can be taken away' all_replicated
  for leaver in "${leaving[@]}"; do
    change change_blacklist ADD "$(address_of "$leaver"):9100"
    log "$leaver is on the blacklist: $(tablets_on "$leaver" || echo 'an unknown number of') tablets are to move"
  done
  await "the data of ${leaving[*]} has not moved away" is_moved
  for leaver in "${leaving[@]}"; do
    await "the masters do not list $leaver" knows_state "$leaver"
    if [[ $state == ALIVE ]]; then
      await "$leaver still holds tablets" holds_nothing "$leaver"
      log "$leaver holds no tablet: verified"
    fi
  done
  await 'some tablets lack a copy' all_replicated
  log 'no tablet lacks a copy: verified'
  for leaver in "${leaving[@]}"; do
    record_change retiring
    await "the masters do not list $leaver" knows_state "$leaver"
    # Also one that counts as dead: it may run, and be cut off.
    if [[ -n $state ]]; then
      kube DELETE "$OBJECTS/pods/$leaver-0" >/dev/null || log "pod $leaver-0 could not be deleted"
      log "$leaver is closed"
    fi
  done
  for leaver in "${leaving[@]}"; do
    await "$leaver is not counted as dead yet" is_not_alive "$leaver"
    change change_blacklist REMOVE "$(address_of "$leaver"):9100"
    if [[ ${DELETE_CLAIMS:-false} == true ]]; then delete_claim "$leaver"; fi
    log "$leaver is retired, and off the blacklist"
  done
}

runs_wanted() { # MEMBER WEB-PORT
  local series
  series=$(series_at "$(address_of "$1")" "$2") || series=''
  [[ $series == "$FINALIZE" ]] || refuse "$1 runs ${series:-nothing that answers}, and only what every member runs can be finalised as $FINALIZE. Nothing was changed."
}
promoted() { printf '%s\n' "series=$FINALIZE" "finalised=$FINALIZE"; }

finalise() {
  local member left answer
  [[ -n ${FINALIZE:-} ]] || return 0
  read_record
  if ! older "$(annotation finalised)" "$FINALIZE"; then
    log "$FINALIZE is finalised"
    return
  fi
  step "finalise $FINALIZE"
  await 'the masters have no leader' has_leader
  # shellcheck disable=SC2046 # one word a member
  left=$(away $(words "$MEMBERS")) || refuse 'the masters do not answer any more. Nothing was changed.'
  [[ -z $left ]] ||
    refuse "${left//$'\n'/, } is dead, and it could not read the data any more when it comes back with an older release. Bring it back first. Nothing was changed."
  for member in $(words "$MASTER_MEMBERS"); do runs_wanted "$member" 7000; done
  for member in $(words "$MEMBERS"); do runs_wanted "$member" 9000; done
  log "every member runs $FINALIZE: verified"
  answer=$(change promote_auto_flags)
  if [[ $answer == *'need to be restarted'* ]]; then
    log 'some of the promoted flags work only after a restart of every member, one at a time, masters first'
  fi
  sleep "$FLAGS_SECONDS"
  # Statements of applications can disturb it, and then it is to be run again (upgrade guide, "Upgrade the YSQL system catalog").
  await 'the YSQL catalogue could not be upgraded' upgrade_catalogue
  record_change promoted
  log "$FINALIZE is finalised: there is no way back to an older series"
}
upgrade_catalogue() { ADMIN_MS=180000 admin upgrade_ysql; }

password_file "$SUPERUSER" yugabyte superuser-password
await_token
record_change begin
check_certificates
form
check_leavers
await 'the masters have no leader' has_leader
check_masters
record_change planned_retired
undo
if [[ -n ${FINALIZE:-} ]]; then finalise; fi
await_members
make_accounts
record_change settled
retire
log "done: the members are $(words "$MEMBERS"), the masters $(words "$MASTER_MEMBERS")"
