# What a member's start needs while it decides whether its database may run. Sourced after record.sh.
# shellcheck shell=bash

said=''
say_once() { [[ $said == "$*" ]] || log "$*"; said=$*; }

# wait_because WHY...: says it, once as long as it stays the reason; a signal is taken in between.
wait_because() {
  say_once "$QUORUM_MEMBER $*"
  sleep 1 &
  wait $!
}

# A disk belongs to the member that it was given to first. From the script: OWNER (a file on the disk).
check_owner() {
  while [[ -e $OWNER && $(<"$OWNER") != "$QUORUM_CLUSTER/$QUORUM_MEMBER" ]]; do
    wait_because "was given the disk of $(<"$OWNER"): it is not started"
  done
  until { printf '%s' "$QUORUM_CLUSTER/$QUORUM_MEMBER" >"$OWNER"; } 2>/dev/null; do
    wait_because "cannot write to its disk: if another engine used it before, its files belong to another user. It is not started"
  done
}

# Tells the membership job what is on this disk. From the script: data_identity.
report_found() {
  local entry
  entry="$QUORUM_MEMBER=$(data_identity)"
  list_has "$(annotation found)" "$entry" || record_write "found=$(list_add "$(annotation found)" "$entry")" || true
}
