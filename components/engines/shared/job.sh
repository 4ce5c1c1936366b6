# What every membership job needs: plain progress, bounded waits, and refusals that end the job at once.
# shellcheck shell=bash disable=SC2154 # record_* variables come from record.sh
source "${BASH_SOURCE%/*}/remotes.sh"

step() {
  if record_read; then stop_if_superseded; fi
  log "== $*"
}
refuse() { log "REFUSED: $*"; exit 1; }

# No job ends without saying why. In a subshell a failure ends nothing.
set -E
trap '[[ $BASH_SUBSHELL != 0 ]] || log "failed in ${BASH_SOURCE[0]##*/}, line $LINENO: ${BASH_COMMAND%%$'"'\\n'"'*}"' ERR

# wait_until SECONDS WHAT COMMAND...: runs the command every second until it succeeds; says every 10 s what it waits for.
wait_until() {
  local deadline=$((SECONDS + $1)) what=$2 reported=$SECONDS
  shift 2
  until "$@"; do
    if ((SECONDS >= deadline)); then
      log "gave up: $what"
      return 1
    fi
    if ((SECONDS >= reported + 10)); then
      log "still waiting: $what"
      reported=$SECONDS
      if record_read; then stop_if_superseded; fi
    fi
    sleep 1
  done
}

# await WHAT COMMAND...: the same, bounded by the job's own deadline (TIMEOUT, in seconds since its start), after
# which the job ends for good: running it again by itself would only wait again.
await() {
  local left=$((TIMEOUT - SECONDS)) what=$1
  shift
  wait_until "$((left > 0 ? left : 0))" "$what" "$@" || refuse "$what within $TIMEOUT seconds. Nothing was removed; run pulumi up again when that is mended."
}

# A job that reads the record outside of a wait goes on when the API server answers again.
read_record() { await 'the cluster record could not be read' record_read; }

# Writes to the record are repeated when somebody else wrote in between: the change is worked out anew each time.
record_change() { # FUNCTION that prints NAME=VALUE arguments, one a line, from the record_* variables
  local -a changes
  local attempt
  for attempt in 1 2 3 4 5 6 7 8 9 10; do
    if record_read; then
      mapfile -t changes < <("$@")
      ((${#changes[@]})) || return 0
      record_write "${changes[@]}" && return 0
    fi
    sleep 1
  done
  log "the cluster record could not be written in $attempt attempts"
  return 1
}

# The check before a restart is made anew with its job, also where no pod changes: when a rule is allowed no more, or an update
# that was refused is taken back. Pods that were checked once are not what is wanted for the first time.
end_if_checked() {
  [[ -n ${QUORUM_PLAN:-} && $(annotation checked) == "${QUORUM_PLAN#*=}" ]] || return 0
  log 'done: no pod has changed since the last check'
  exit 0
}
checked() { echo "checked=${QUORUM_PLAN#*=}"; }
note_checked() { [[ -z ${QUORUM_PLAN:-} ]] || record_change checked; }

words() { tr ',' ' ' <<<"$1"; }

# The plan's rules compare what was asked for; this compares with what is there. From the plan: MEMBERS (comma
# separated), MAJORITY_MAY_LEAVE (true or false). Before anything is changed.
check_leavers() {
  local member leaving='' present=0 left=0
  read_record
  stop_if_superseded
  for member in $(words "$record_members"); do
    present=$((present + 1))
    list_has "$MEMBERS" "$member" && continue
    left=$((left + 1))
    leaving=$(list_add "$leaving" "$member")
  done
  ((left * 2 < present || left == 0)) || [[ ${MAJORITY_MAY_LEAVE:-false} == true ]] ||
    refuse "$left of the cluster's $present members are not in the plan ($(words "$leaving")): half or more would leave at once. Nothing was removed. If that is meant, set quorum:allowChanges [\"majorityLeaves\"]."
}

# With storage.onDelete keep, Pulumi leaves claims alone; that of a retired member must not stay.
delete_claim() { # MEMBER
  if kube_of "$1" DELETE "/api/v1/namespaces/$QUORUM_NAMESPACE/persistentvolumeclaims/$1" >/dev/null; then
    log "claim $1 is deleted as soon as its pod is gone"
  else
    log "claim $1 could not be deleted: delete it by hand"
  fi
}
