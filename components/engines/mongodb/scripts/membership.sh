#!/usr/bin/env bash
# The membership job of MongoDB: lets the first member form the replica set, finalises an upgrade, lets every planned
# member enter, gives votes and priorities, moves leadership to the preferred primary, and retires members that are planned
# no more. Every step looks at the real state first, so it can be run again at any point.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/lists.sh"
source "${BASH_SOURCE%/*}/replica-set.sh"

# From the plan: MEMBERS (comma separated, in the order in which they are started), FIRST (forms the cluster), PRIMARY, REPLICA_SET (JSON: what the set's
# configuration should say of each member), TIMEOUT (seconds), FINALIZE (a release series or nothing), ADOPT,
# DELETE_CLAIMS (true or false).
: "${MEMBERS:?}" "${FIRST:?}" "${PRIMARY:?}" "${REPLICA_SET:?}" "${TIMEOUT:?}"

# What the replica set says of its members.
readonly LISTED=${TMPDIR:-/tmp}/listed

# shellcheck disable=SC2016 # the inner shell expands it
answers() { timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/27017"' "$1.$QUORUM_MEMBER_DOMAIN" 2>/dev/null; }

# A record that was deleted by hand is made again empty, as that of a cluster that was never formed. Members that run say
# what belongs there.
find_lost() {
  local member
  read_record
  [[ -z $record_cluster_id ]] || return 0
  for member in $(words "$MEMBERS"); do
    answers "$member" || continue
    replica_set find OUTPUT="$LISTED" FORMING="$(annotation forming)"
    lost=$(<"$LISTED")
    [[ -n $lost ]] || return 0
    record_change found_again
    log "the cluster record was empty, and the replica set ${lost%%:*} runs: it is in the record again, with ${lost#*:}"
    return
  done
}
found_again() {
  [[ -n $record_cluster_id ]] ||
    printf '%s\n' "cluster-id=${lost%%:*}" "forming=" "formed=" "found=" "members=${lost#*:}"
}

formed_or_found() {
  record_read || return 1
  [[ -n $(annotation formed) || -n $(found_on "$forming") ]]
}

form() {
  read_record
  if [[ -n $record_cluster_id ]]; then
    log "the cluster was formed before: $record_cluster_id"
    return
  fi
  record_change claim
  read_record
  forming=$(annotation forming)
  step "form the cluster on $forming"
  await "$forming did not form the cluster" formed_or_found
  identity=$(annotation formed)
  if [[ -z $identity ]]; then
    identity=$(found_on "$forming")
    [[ ${ADOPT:-false} == true ]] ||
      refuse "$forming holds data of cluster $identity, and this cluster was never formed. To take that data over set quorum:adopt to true."
    step "take over cluster $identity, the data of an earlier stack"
  fi
  record_change formed
  log "the cluster is $identity"
}
formed() { printf '%s\n' "cluster-id=$identity" "forming=" "formed=" "found=" "members=$(list_add "$record_members" "$forming")"; }

# Reachable, or closed because its disk has data of another cluster: that is no use waiting for.
appeared() {
  local found
  answers "$1" && return
  record_read || return 1
  found=$(found_on "$1")
  [[ -z $found || $found == "$record_cluster_id" ]] ||
    refuse "$1 holds data of cluster $found, and this cluster is $record_cluster_id. Its disk is left as it is, and it stays closed; nothing was removed."
  return 1
}

await_members() {
  local healthy
  replica_set members OUTPUT="$LISTED"
  healthy=$(<"$LISTED.healthy")
  for entering in $(words "$MEMBERS"); do
    if ! list_has "$record_members" "$entering" || ! list_has "$healthy" "$entering"; then
      await "$entering does not answer" appeared "$entering"
      replica_set join MEMBER="$entering"
      record_change enter
    fi
    log "$entering is part of the cluster"
  done
}

# Both what the record knows and what the replica set listed before anybody entered.
leavers() {
  { words "$record_members" && words "$(<"$LISTED")"; } | tr ' ' '\n' | sort -u
}

retire() {
  read_record
  for leaver in $(leavers); do
    if list_has "$MEMBERS" "$leaver"; then continue; fi
    step "retire $leaver"
    replica_set retire MEMBER="$leaver"
    record_change retiring
    if [[ ${DELETE_CLAIMS:-false} == true ]]; then delete_claim "$leaver"; fi
    log "$leaver is retired"
    read_record
  done
}

find_lost
check_leavers
find_returning
record_change unretire
form
# Before anybody enters or is waited for: it says by itself who does not answer.
if [[ -n ${FINALIZE:-} ]]; then
  step "finalise the upgrade to $FINALIZE"
  replica_set finalize
fi
await_members
step "votes, priorities and leadership"
replica_set arrange,database,lead,settle
retire
read_record
log "done: the members are $(words "$record_members"), the primary is $PRIMARY"
