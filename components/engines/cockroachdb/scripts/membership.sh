#!/usr/bin/env bash
# The membership job: forms the cluster once, waits until every planned member has joined, makes the application's
# database, finalises an upgrade when asked to, and retires members that are planned no more, by decommissioning them.
# It re-reads the real membership before each step.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/lists.sh"
source "${BASH_SOURCE%/*}/family.sh"
source "${BASH_SOURCE%/*}/checks.sh"

# From the plan: MEMBERS (comma separated), FIRST (forms the cluster), DATABASE, TIMEOUT (seconds), SERIES (of the
# wanted version), FINALIZE (a series, or empty), ADOPT, DELETE_CLAIMS (true or false), LICENCE_ORGANIZATION.
: "${MEMBERS:?}" "${FIRST:?}" "${DATABASE:?}" "${TIMEOUT:?}" "${SERIES:?}"

# A wait that was given up says what was wanted; this, why it could not be had.
trap 'code=$?; ((code == 0)) || [[ ! -s $SAID ]] || log "the database said last:$(said)"' EXIT

# --- forming -----------------------------------------------------------------------------------------------------------

cluster_id_at() { hushed internals_at "$1" "SELECT $INTERNAL.cluster_id();" | tail -n 1; }

formed() { printf '%s\n' "cluster-id=$identity" "forming=" "initialised="; }
mark_initialised() { echo "initialised=$forming"; }

# Succeeds when the member is part of a cluster, new or old.
initialise() {
  local answer
  if answer=$(ask "$forming" init 2>&1); then
    log "$forming: $answer"
    record_change mark_initialised
    return 0
  fi
  case $answer in
    *"already been initialized"* | *"already connected to cluster"*)
      record_read || return 1
      # An init of an earlier run of this job, which died before it noted it, has no other data on the disk either; that
      # cannot be told from foreign data, so it is the user who says.
      if [[ -z $(annotation initialised) ]]; then
        refuse "$forming_host holds the data of another cluster, and this cluster was never formed. To take that data over set quorum:adopt to true."
      fi
      return 0
      ;;
    *)
      echo "$answer" >"$SAID"
      return 1
      ;;
  esac
}
has_identity() { identity=$(cluster_id_at "$forming") && [[ -n $identity ]]; }

# `init` is never called: a member with an empty disk would form a second cluster beside the one on the other disks.
take_over() {
  step 'take over the cluster that is on the disks'
  await 'no member says which cluster it is of: too few of its disks are here, or none has data (set quorum:adopt to false to form a new one). It did not answer' found_identity
  record_change formed
  log "the cluster is $identity"
}
found_identity() {
  local member
  for member in $(words "$MEMBERS"); do
    identity=$(cluster_id_at "$(address_of "$member")") && [[ -n $identity ]] && return 0
  done
  return 1
}

# A record that was deleted by hand is made again, empty. A node that started before that is no data of another cluster
# on a kept disk: that would have been started after the record was made, as all members are.
ran_before() {
  local ASK_SECONDS=3 created
  created=$(found_in_record '"creationTimestamp":"([^"]+)"')
  [[ -n $created ]] && speaks && found_identity || return 1
  [[ -n $(nodes | while read -r _ _ _ state _ _ started; do [[ $state != live || $started == - || ! $started < $created ]] || echo before; done) ]]
}

form() {
  read_record
  if [[ -n $record_cluster_id ]]; then
    log "the cluster was formed before: $record_cluster_id"
    return
  fi
  if ran_before; then
    step "the cluster is older than its record, which is filled again"
    record_change formed
    log "the cluster is $identity"
    return
  fi
  if [[ $ADOPT == true ]]; then
    take_over
    return
  fi
  record_change claim
  read_record
  forming_host=$(annotation forming)
  forming=$(address_of "$forming_host")
  step "form the cluster on $forming_host"
  await "$forming_host could not be initialised" initialise
  await "$forming_host does not say which cluster it is of" has_identity
  record_change formed
  log "the cluster is $identity"
}

# --- joining -----------------------------------------------------------------------------------------------------------

has_joined() { entered=$(node_of "$1") && [[ -n $entered ]]; }
same_cluster() { [[ $(cluster_id_at "$(speaker)") == "$record_cluster_id" ]]; }
let_in() {
  enter
  if list_has "$record_retired" "$entering"; then echo "retired=$(list_drop "$record_retired" "$entering")"; fi
  local entry left=''
  for entry in $(annotation returning | tr ',' ' '); do [[ ${entry%%=*} == "$entering" ]] || left+=${left:+,}$entry; done
  [[ $left == "$(annotation returning)" ]] || echo "returning=$left"
  remember "$entered=$entering"
}
# Whose a node was, for when gossip has forgotten it.
remember() { # ID=MEMBER...
  local entry all
  all=$(annotation nodes)
  for entry in "$@"; do all=$(list_add "$all" "$entry"); done
  [[ $all == "$(annotation nodes)" ]] || echo "nodes=$all"
}
# Members that live and are not in the record: it is a new one, of a cluster that was there before.
recall() {
  local id member state decommissioning members=$record_members
  local -a known=()
  while read -r id member _ state decommissioning _; do
    [[ $state == live && $decommissioning == false ]] || continue
    known+=("$id=$member")
    list_has "$record_retired" "$member" || members=$(list_add "$members" "$member")
  done <<<"$all"
  [[ $members == "$record_members" ]] || echo "members=$members"
  remember "${known[@]}"
}

# A member that is planned again: one that was only on its way out stays (the decommissioning is undone); one that was
# retired for good comes back with an empty disk (start.sh).
take_back() {
  local id member state decommissioning membership entry all
  list_nodes
  while read -r id member _ state decommissioning membership _; do
    if [[ $decommissioning != true ]] || ! list_has "$MEMBERS" "$member"; then continue; fi
    if is_out "$id" "$state" "$decommissioning" "$membership"; then
      read_record
      entry=$member=$id
      if list_has "$record_retired" "$member" && ! list_has "$(annotation returning)" "$entry"; then
        step "$member was retired as node $id: it comes back with an empty disk"
        returning=$entry
        record_change come_back
      fi
    elif [[ $state == live ]] || ! is_among "$member"; then
      # Not a dead one whose member is another node by now: it is on its way out.
      step "$member is planned again: undo its decommissioning (node $id)"
      await "node $id could not be recommissioned" tell_to_stay "$id"
      record_change stay
    fi
  done <<<"$all"
}
tell_to_stay() { hushed ask "$(speaker)" node recommission "$1" >/dev/null </dev/null; } # ID
come_back() { echo "returning=$(list_add "$(annotation returning)" "$returning")"; }
stay() { [[ -z $record_retired ]] || ! list_has "$record_retired" "$member" || echo "retired=$(list_drop "$record_retired" "$member")"; }

await_members() {
  read_record
  # Members that run keep the certificates they were started with.
  await "no member answers, or none trusts the certificates of the Secret (if that was made anew, restart all members at once)" speaks
  await "the members are not those of cluster $record_cluster_id" same_cluster
  list_nodes
  record_change recall
  check_leavers
  take_back
  check_dead
  for entering in $(words "$MEMBERS"); do
    await "$entering has not joined" has_joined "$entering"
    record_change let_in
    log "$entering is node $entered"
  done
  # One that was on its way out when its pod stopped shows that only when it lives again.
  take_back
}

# --- settings and the application's database ---------------------------------------------------------------------------

statements() {
  hold_upgrade_back
  settings
  echo "CREATE DATABASE IF NOT EXISTS $DATABASE;"
  echo "CREATE USER IF NOT EXISTS $DATABASE WITH PASSWORD '$(secret app-password)';"
  echo "GRANT ALL ON DATABASE $DATABASE TO $DATABASE;"
}
settle() { statements | hushed sql_at "$(speaker)" >/dev/null; }

quoted() { local mark=\'; printf "'%s'" "${1//$mark/$mark$mark}"; }
license() { [[ -z ${LICENCE_ORGANIZATION:-} ]] || await "the licence could not be set" set_license; }
set_license() {
  hushed sql_at "$(speaker)" >/dev/null <<SQL || return 1
SET CLUSTER SETTING cluster.organization = $(quoted "$LICENCE_ORGANIZATION");
SET CLUSTER SETTING enterprise.license = $(quoted "$(cat /quorum/licence/licence)");
SQL
  log "the licence of $LICENCE_ORGANIZATION is set"
}

# --- finalising an upgrade ----------------------------------------------------------------------------------------------

# Before anybody is waited for: a node that is down would be waited for in vain.
check_dead() {
  local id member state decommissioning membership all
  [[ -n ${FINALIZE:-} ]] && ! is_finalized "$FINALIZE" || return 0
  list_nodes
  while read -r id member _ state decommissioning membership _; do
    if [[ $state == live ]] || is_out "$id" "$state" "$decommissioning" "$membership" || is_among "$member"; then continue; fi
    refuse "node $id ($member) is dead and not decommissioned: an upgrade is finalised only when every node runs the new release. Nothing was changed."
  done <<<"$all"
}

finalize() {
  local id member build state decommissioning membership all
  [[ -n ${FINALIZE:-} ]] || return 0
  if is_finalized "$FINALIZE"; then
    log "the upgrade to $FINALIZE is finalised"
    return
  fi
  step "finalise the upgrade to $FINALIZE"
  list_nodes
  while read -r id member build state decommissioning membership _; do
    if is_out "$id" "$state" "$decommissioning" "$membership"; then continue; fi
    [[ $(series_of "$build") == "$FINALIZE" ]] || refuse "node $id ($member) runs $build: the upgrade to $FINALIZE cannot be finalised. Nothing was changed."
  done <<<"$all"
  await "the upgrade to $FINALIZE is not final" finalise_now
  log "the upgrade to $FINALIZE is finalised"
}
# Started again when the connection broke: what was done stays done.
finalise_now() {
  is_finalized "$FINALIZE" || switch_on "$FINALIZE" || {
    if grep -q '^ERROR: ' "$SAID" && ! grep -Eqi 'cannot dial|connection|timeout|EOF|broken pipe|shutting down|not accepting' "$SAID"; then
      refuse "the server does not finalise the upgrade to $FINALIZE. What it did before stays done; run pulumi up again when that is mended.$(said)"
    fi
    return 1
  }
  is_finalized "$FINALIZE"
}

# --- retiring ------------------------------------------------------------------------------------------------------------

# ID MEMBER of each node that is not out yet and of a member that is planned no more; dead ones first, because nothing
# can be moved off the others while these leave ranges without a replica.
unplanned() {
  local id member state decommissioning membership turn
  for turn in dead other; do
    while read -r id member _ state decommissioning membership _; do
      if [[ $turn == dead && $state != dead || $turn == other && $state == dead ]] || list_has "$MEMBERS" "$member"; then continue; fi
      is_out "$id" "$state" "$decommissioning" "$membership" || echo "$id $member"
    done <<<"$all"
  done
}
# The same of dead nodes whose member has lost its disk and is another node now.
replaced() {
  local id member state decommissioning membership
  while read -r id member _ state decommissioning membership _; do
    if [[ $state != dead ]] || ! list_has "$MEMBERS" "$member" || is_out "$id" "$state" "$decommissioning" "$membership"; then continue; fi
    if is_among "$member"; then echo "$id $member"; fi
  done <<<"$all"
}
# Nodes that left before this record was made: all planned members live by now, so none of them is a member that starts.
note_gone() {
  local id state decommissioning membership all
  list_nodes
  while read -r id _ _ state decommissioning membership _; do
    if [[ $state == dead ]] && is_out "$id" "$state" "$decommissioning" "$membership"; then note_final "$id"; fi
  done <<<"$all"
}
left=''
is_empty() { # ID
  local now
  now=$(replicas_of "$1")
  [[ -n $now ]] || return 1
  [[ $now == "$left" ]] || log "node $1: $now replicas left to move"
  left=$now
  [[ $now == 0 ]]
}
is_retired() { # ID: listed as retired, or listed no more
  local all now
  all=$(nodes) && [[ -n $all ]] || return 1
  now=$(while read -r id _ _ _ decommissioning membership _; do [[ $id != "$1" ]] || echo "$decommissioning $membership"; done <<<"$all")
  [[ -z $now || $now == "true ${RETIRED:?}" ]]
}

# Asked again when the node that was asked had no quorum for a moment: both are safe to repeat. Before it makes a node
# final CockroachDB drains it.
tell_to_leave() { ASK_SECONDS=120 hushed ask "$(speaker)" node decommission "$1" --wait="$2" >/dev/null </dev/null; } # ID none|all

retire() { # FUNCTION that takes nodes and their members out of the list of all
  local id leaver all
  list_nodes
  while read -r id leaver <&3; do
    [[ -n $id ]] || continue
    step "retire $leaver (node $id)"
    check_others "$id"
    if lives "$id"; then await "some ranges have too few replicas: node $id ($leaver) cannot leave" is_replicated; fi
    check_leave "$id"
    # A node that nothing knows the member of is retired all the same, but no list names it.
    if [[ $leaver != - ]] && ! list_has "$MEMBERS" "$leaver"; then record_change retiring; fi
    await "node $id ($leaver) could not be told to leave" tell_to_leave "$id" none
    left=''
    await "the replicas of $leaver (node $id) could not be moved; set quorum:replicas back to undo it" is_empty "$id"
    await "node $id ($leaver) could not be made final" tell_to_leave "$id" all
    await "node $id ($leaver) is not decommissioned" is_retired "$id"
    await "some ranges have too few replicas" is_replicated
    note_final "$id"
    log "$leaver (node $id) is decommissioned, it holds no replica, and every range has all of its own: it may be removed"
    if [[ ${DELETE_CLAIMS:-false} == true && $leaver != - ]] && ! list_has "$MEMBERS" "$leaver"; then delete_claim "$leaver"; fi
  done 3< <("$1")
}
lives() { [[ -n $(nodes | while read -r id _ _ state _; do [[ $id != "$1" || $state != live ]] || echo "$id"; done) ]]; } # ID

take_certificates
form
await_members
# Before the schema: KaiwuDB changes none while it counts a node as dead.
retire replaced
await "settings, database and user could not be made" settle
license
finalize
note_gone
retire unplanned
log "done: the members are $(words "$MEMBERS")"
