# What an agent does to its own server in both kinds of replication: seed it, and enter it in the cluster record.
# shellcheck shell=bash disable=SC2154 # record_* variables come from record.sh
source "${BASH_SOURCE%/*}/member.sh"

# Holds the id of the cluster for which this disk was seeded, until the member is in the record. While it is copied:
# "copying", and when the copy before it began.
readonly MARKER=${QUORUM_DISK:-/var/lib/mysql}/seeded-for

# The cluster whose data this server holds, "-" for none; fails when the server does not answer, which is not the same.
cluster_of_data() {
  sql_local 2>/dev/null <<<"$CLUSTER_OF_DATA"
}

clone_user_at() { # HOST
  mysql --defaults-extra-file=<(printf '[client]\nuser=clone\npassword=%s\nssl-mode=REQUIRED\n' "$(secret clone-password)") \
    --host="$1" --connect-timeout=3 --batch --skip-column-names 2> >(without_statement >&2)
}

# While there is no record, a server with data of an earlier stack counts as ready, so that the chain goes on to the
# others: the membership job chooses among all of them.
readonly UNCLAIMED=/run/mysqld/unclaimed
await_forming() {
  say_once "waits for the cluster to be formed"
  local data
  data=$(cluster_of_data) || return
  if [[ $data != - ]]; then touch "$UNCLAIMED"; fi
}

# Is this server to be seeded? It is empty (a new disk), or not in the record and not seeded for it already.
needs_seed() { # CLUSTER OF ITS DATA
  if [[ -e $MARKER && $(<"$MARKER") == copying* ]]; then
    ! copy_is_complete
    return
  fi
  [[ $1 == - ]] && return
  ! list_has "$record_members" "$QUORUM_MEMBER" && [[ ! -e $MARKER || $(<"$MARKER") != "$record_cluster_id" ]]
}

# State and begin of the last copy, "-" for none; fails when the server does not answer.
copy_state() {
  sql_local 2>/dev/null <<<"SELECT COALESCE(MAX(state), '-'), COALESCE(REPLACE(MAX(begin_time), ' ', 'T'), '-') FROM performance_schema.clone_status"
}

# Asked of a server that answers, however long it took to start on the copy: redo and many tables take minutes.
copy_is_complete() {
  local state began answer
  answer=$(copy_state) || return
  IFS=$'\t' read -r state began <<<"$answer"
  [[ $state == Completed && "copying $began" != "$(<"$MARKER")" ]] || return
  printf '%s' "$record_cluster_id" >"$MARKER"
  log "$QUORUM_MEMBER holds a complete copy"
}

is_copying() { # MEMBER
  [[ $(sql_at "$(address_of "$1")" 2>/dev/null <<<"SELECT COUNT(*) FROM performance_schema.clone_status WHERE state='In Progress'") != 0 ]]
}

seed() { # DONOR: replaces all data of this server by the donor's
  local from=$1 answer
  answer=$(copy_state) || return
  # Another client of this server copies: one of an agent that was stopped.
  [[ $answer != 'In Progress'* ]] || { say_once "is being copied to"; return; }
  printf 'copying %s' "${answer#*$'\t'}" >"$MARKER"
  log "$QUORUM_MEMBER is seeded from $from"
  # The server restarts at the end, which cuts this connection: the outcome is read from clone_status when it answers again.
  sql_local <<SQL || true
SET GLOBAL super_read_only=OFF;
STOP REPLICA; RESET REPLICA ALL;
SET GLOBAL clone_valid_donor_list='$from:3306';
CLONE INSTANCE FROM clone@'$from':3306 IDENTIFIED BY '$(secret clone-password)' REQUIRE SSL;
SQL
}

enter_record() {
  record_read && record_write "members=$(list_add "$record_members" "$QUORUM_MEMBER")" || return
  rm -f "$MARKER"
  log "$QUORUM_MEMBER is part of the cluster"
}
