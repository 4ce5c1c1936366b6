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

# --- forming -----------------------------------------------------------------------------------------------------------

cluster_id_at() { sql_at "$1" 2>/dev/null <<<"SELECT $INTERNAL.cluster_id();"; }

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
    *"already been initialized"*)
      record_read || return 1
      # An init of an earlier run of this job, which died before it noted it, has no other data on the disk either; that
      # cannot be told from foreign data, so it is the user who says.
      if [[ -z $(annotation initialised) ]]; then
        refuse "$forming_host holds the data of another cluster, and this cluster was never formed. To take that data over set quorum:adopt to true."
      fi
      return 0
      ;;
    *) return 1 ;;
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

form() {
  read_record
  if [[ -n $record_cluster_id ]]; then
    log "the cluster was formed before: $record_cluster_id"
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

node_of() { nodes | while read -r id address _ live _; do [[ $live != true || $address != "$(address_of "$1")" ]] || echo "$id"; done | tail -n 1; }
has_joined() { [[ -n $(node_of "$1") ]]; }
same_cluster() { [[ $(cluster_id_at "$(speaker)") == "$record_cluster_id" ]]; }
let_in() {
  enter
  if list_has "$record_retired" "$entering"; then echo "retired=$(list_drop "$record_retired" "$entering")"; fi
  local entry left=''
  for entry in $(annotation returning | tr ',' ' '); do [[ ${entry%%=*} == "$entering" ]] || left+=${left:+,}$entry; done
  [[ $left == "$(annotation returning)" ]] || echo "returning=$left"
}

# A member that is planned again: one that was only on its way out stays (the decommissioning is undone); one that was
# retired for good comes back with an empty disk (start.sh).
take_back() {
  local id address decommissioning membership member entry
  nodes | while read -r id address _ _ decommissioning membership _; do
    member=$(member_of "$address")
    if [[ $decommissioning != true ]] || ! list_has "$MEMBERS" "$member"; then continue; fi
    if is_final "$membership" "$id"; then
      read_record
      entry=$member=$id
      if list_has "$record_retired" "$member" && ! list_has "$(annotation returning)" "$entry"; then
        step "$member was retired as node $id: it comes back with an empty disk"
        returning=$entry
        record_change come_back
      fi
    else
      step "$member is planned again: undo its decommissioning (node $id)"
      await "node $id could not be recommissioned" tell_to_stay "$id"
      record_change stay
    fi
  done
}
tell_to_stay() { ask "$(speaker)" node recommission "$1" >/dev/null </dev/null; } # ID
come_back() { echo "returning=$(list_add "$(annotation returning)" "$returning")"; }
stay() { [[ -z $record_retired ]] || ! list_has "$record_retired" "$member" || echo "retired=$(list_drop "$record_retired" "$member")"; }

await_members() {
  read_record
  await "no member answers" speaks
  await "the members are not those of cluster $record_cluster_id" same_cluster
  take_back
  check_dead
  for entering in $(words "$MEMBERS"); do
    await "$entering has not joined" has_joined "$entering"
    record_change let_in
    log "$entering is node $(node_of "$entering")"
  done
}

# --- settings and the application's database ---------------------------------------------------------------------------

statements() {
  hold_upgrade_back
  settings
  echo "CREATE DATABASE IF NOT EXISTS $DATABASE;"
  echo "CREATE USER IF NOT EXISTS $DATABASE WITH PASSWORD '$(secret app-password)';"
  echo "GRANT ALL ON DATABASE $DATABASE TO $DATABASE;"
}
settle() { statements | sql_at "$(speaker)" >/dev/null; }

license() {
  [[ -n ${LICENCE_ORGANIZATION:-} ]] || return 0
  sql_at "$(speaker)" >/dev/null <<SQL
SET CLUSTER SETTING cluster.organization = '$LICENCE_ORGANIZATION';
SET CLUSTER SETTING enterprise.license = '$(cat /quorum/licence/licence)';
SQL
  log "the licence of $LICENCE_ORGANIZATION is set"
}

# --- finalising an upgrade ----------------------------------------------------------------------------------------------

# Before anybody is waited for: a node that is down would be waited for in vain.
check_dead() {
  local id address live membership member
  [[ -n ${FINALIZE:-} ]] && ! is_finalized "$FINALIZE" || return 0
  while read -r id address _ live _ membership _; do
    member=$(member_of "$address")
    if [[ $live == true ]] || is_final "$membership" "$id" || [[ -n $(node_of "$member") ]]; then continue; fi
    refuse "node $id ($member) is dead and not decommissioned: an upgrade is finalised only when every node runs the new release. Nothing was changed."
  done < <(nodes)
}

finalize() {
  local id address build live membership
  [[ -n ${FINALIZE:-} ]] || return 0
  if is_finalized "$FINALIZE"; then
    log "the upgrade to $FINALIZE is finalised"
    return
  fi
  step "finalise the upgrade to $FINALIZE"
  while read -r id address build live _ membership _; do
    if is_final "$membership" "$id"; then continue; fi
    [[ $(series_of "$build") == "$FINALIZE" ]] || refuse "node $id ($(member_of "$address")) runs $build: the upgrade to $FINALIZE cannot be finalised. Nothing was changed."
  done < <(nodes)
  switch_on "$FINALIZE" || refuse "the server refuses to finalise the upgrade to $FINALIZE. Nothing was changed."
  await "the upgrade to $FINALIZE is not final" is_finalized "$FINALIZE"
  log "the upgrade to $FINALIZE is finalised"
}

# --- retiring ------------------------------------------------------------------------------------------------------------

# ID MEMBER of each node that is not out yet and of a member that is planned no more.
unplanned() {
  local id address membership member
  nodes | while read -r id address _ _ _ membership _; do
    member=$(member_of "$address")
    if ! is_final "$membership" "$id" && ! list_has "$MEMBERS" "$member"; then echo "$id $member"; fi
  done
}
# The same of dead nodes whose member has lost its disk and is another node now.
replaced() {
  local id address live membership member
  nodes | while read -r id address _ live _ membership _; do
    member=$(member_of "$address")
    if [[ $live == true ]] || is_final "$membership" "$id" || ! list_has "$MEMBERS" "$member"; then continue; fi
    if [[ -n $(node_of "$member") ]]; then echo "$id $member"; fi
  done
}
left=''
is_empty() { # ID
  local now
  now=$(nodes | while read -r id _ _ _ _ _ replicas _; do [[ $id != "$1" ]] || echo "$replicas"; done)
  [[ -n $now ]] || return 1
  [[ $now == "$left" ]] || log "node $1: $now replicas left to move"
  left=$now
  [[ $now == 0 ]]
}
is_retired() { # ID: listed as retired and empty, or listed no more
  local all now
  all=$(nodes) && [[ -n $all ]] || return 1
  now=$(while read -r id _ _ _ decommissioning membership replicas _; do [[ $id != "$1" ]] || echo "$decommissioning $membership $replicas"; done <<<"$all")
  [[ -z $now || $now == "true $RETIRED 0" ]]
}

# Asked again when the node that was asked had no quorum for a moment: both are safe to repeat.
tell_to_leave() { ask "$(speaker)" node decommission "$1" --wait="$2" >/dev/null </dev/null; } # ID none|all

retire() { # FUNCTION that lists nodes and their members
  local id leaver
  while read -r id leaver <&3; do
    [[ -n $id ]] || continue
    step "retire $leaver (node $id)"
    check_others "$id"
    check_leave "$id"
    if ! list_has "$MEMBERS" "$leaver"; then record_change retiring; fi
    await "node $id ($leaver) could not be told to leave" tell_to_leave "$id" none
    left=''
    await "the replicas of $leaver (node $id) could not be moved; set quorum:replicas back to undo it" is_empty "$id"
    await "node $id ($leaver) was emptied and could not be made final" tell_to_leave "$id" all
    await "node $id ($leaver) is not decommissioned" is_retired "$id"
    await "some ranges have too few replicas" is_replicated
    note_final "$id"
    log "$leaver (node $id) is decommissioned, it holds no replica, and every range has all of its own: it may be removed"
    if [[ ${DELETE_CLAIMS:-false} == true ]] && ! list_has "$MEMBERS" "$leaver"; then delete_claim "$leaver"; fi
  done 3< <("$1")
}

take_certificates
form
await_members
# Before the schema: KaiwuDB changes none while it counts a node as dead.
retire replaced
await "settings, database and user could not be made" settle
license
finalize
retire unplanned
log "done: the members are $(words "$MEMBERS")"
