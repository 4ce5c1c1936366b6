#!/usr/bin/env bash
# Readiness. A master: it listens until the universe was formed, and from then on the leader counts it as alive and in
# its group. A tserver: its tablets have caught up with their logs, and its SQL answers, which needs the masters.
#
# Nobody starts without the record's token, so a master that runs and finds none there knows that the record was deleted
# and made anew. It gives the token back; the membership job fills in the rest.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/yugabyte.sh"
export ADMIN_MS=4000

if [[ $ROLE == master ]]; then
  record_read
  [[ -n $(annotation token) ]] || record_write "token=$(cut -d ' ' -f 1 "$OWNER")" 'restored=true' || true
  [[ -n $record_cluster_id ]] || exit 0
  masters_now | grep -qE "^$QUORUM_ADDRESS ALIVE (LEADER|FOLLOWER)$"
  exit
fi
# Asked once in the life of a process: serve.sh takes the mark away.
has_caught_up() {
  [[ -e $CAUGHT_UP ]] && return
  "$BIN/yb-ts-cli" --server_address="$QUORUM_ADDRESS:$RPC_PORT" --certs_dir_name="$(certificates)" --timeout_ms=4000 is_server_ready |
    grep -q 'Tablet server is ready' || return 1
  : >"$CAUGHT_UP"
}

# Before the membership job has set the password, the server refuses this one: it has read the users' table for that.
answers_sql() {
  local answer
  answer=$(ysql "$QUORUM_ADDRESS" yugabyte "$passwords" yugabyte <<<'SELECT 1' 2>&1) || [[ $answer == *'authentication failed'* ]]
}

passwords=$(mktemp /tmp/ready.XXXXXX)
trap 'rm -f "$passwords"' EXIT
password_file "$passwords" yugabyte superuser-password
if has_caught_up && answers_sql; then exit; fi
# While the data of an earlier stack is taken over, the first tserver alone has no majority, and Pulumi makes the next one
# when the one before is ready.
record_read
[[ $(annotation adopt) == true ]]
