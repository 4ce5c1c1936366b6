#!/usr/bin/env bash
# The database container: mysqld, started again when it asks for it (after CLONE, exit code 16).
set -uo pipefail

# mysqld restarts itself only under a supervisor, which it recognises by this variable: its parent's pid.
export MYSQLD_PARENT_PID=$$
child=''
stopping=''
trap 'stopping=1; [[ -n $child ]] && kill -TERM "$child"' TERM INT

while true; do
  mysqld --defaults-file=/quorum/configuration/my.cnf \
    --server-id="$QUORUM_SERVER_ID" --report-host="$QUORUM_ADDRESS" \
    --loose-group-replication-local-address="$QUORUM_ADDRESS:33061" &
  child=$!
  while true; do
    wait "$child"
    code=$?
    # wait returns early when the trap runs; the server is gone only when its pid is.
    kill -0 "$child" 2>/dev/null || break
  done
  if [[ -n $stopping || $code -ne 16 ]]; then
    exit "$code"
  fi
  echo "The server asked to be restarted." >&2
done
