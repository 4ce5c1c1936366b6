# The record's lists of members, as membership jobs read and change them. Sourced after record.sh and job.sh. What prints
# NAME=VALUE is for record_change.
# From the plan: MEMBERS (comma separated), FIRST (forms the cluster).
# shellcheck shell=bash disable=SC2154 # record_* variables come from record.sh

# A member that is planned again: one that never left, because an earlier run did not finish, goes on; the others come
# back empty (a member's start sees itself in quorum.dev/returning). From the script: answers MEMBER.
planned_again=''
closed_again=''
find_returning() {
  local member
  read_record
  for member in $(words "$record_retired"); do
    list_has "$MEMBERS" "$member" || continue
    planned_again=$(list_add "$planned_again" "$member")
    answers "$member" || closed_again=$(list_add "$closed_again" "$member")
  done
}
unretire() {
  local retired=$record_retired returning member
  returning=$(annotation returning)
  for member in $(words "$planned_again"); do retired=$(list_drop "$retired" "$member"); done
  for member in $(words "$closed_again"); do returning=$(list_add "$returning" "$member"); done
  [[ $retired == "$record_retired" ]] || printf '%s\n' "retired=$retired" "returning=$returning"
}

# One member is named before anything is written to a disk: if this job dies here, the next one goes on with it, and
# no other member can be the first.
claim() {
  [[ -n $record_cluster_id || -n $(annotation forming) ]] || echo "forming=$FIRST"
}

found_on() { # MEMBER: the cluster of an earlier stack, or another one, whose data is on its disk
  local entry
  for entry in $(words "$(annotation found)"); do
    [[ ${entry%%=*} != "$1" ]] || echo "${entry#*=}"
  done
}

# The member in the script's variable `entering` is part of the cluster.
enter() { list_has "$record_members" "${entering:?}" || echo "members=$(list_add "$record_members" "$entering")"; }

# The member in the script's variable `leaver` is none any more, and its next start stays closed.
retiring() {
  printf '%s\n' "retired=$(list_add "$record_retired" "${leaver:?}")" "members=$(list_drop "$record_members" "$leaver")"
}
