#!/usr/bin/env bash
# The database container: mysqld, started again when it asks for it (after CLONE, exit code 16) or the agent does.
set -uo pipefail
source "${BASH_SOURCE%/*}/disk.sh"

# mysqld restarts itself only under a supervisor, which it recognises by this variable: its parent's pid.
export MYSQLD_PARENT_PID=$$
child=''
stopping=''
trap 'stopping=1; [[ -n $child ]] && kill -TERM "$child"' TERM INT

# Temporary files live on the member's disk; nobody needs those of a server that is gone.
readonly TEMPORARY=/var/lib/mysql/tmp

# What is freed goes back to the system; else one large transaction leaves its peak behind. Of the two allocators that builds
# of mysqld use: glibc's (a threshold that is set does not grow), and tcmalloc (Debian's).
export MALLOC_MMAP_THRESHOLD_=262144 MALLOC_TRIM_THRESHOLD_=262144 MALLOC_ARENA_MAX=4
export TCMALLOC_AGGRESSIVE_DECOMMIT=true TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=16777216

# The agent asks here, with a reason, for a restart that waits for nobody (group/agent.sh): killed, and started again in place,
# because the kubelet lets a container that ends twice wait.
readonly RESTART=/run/mysqld/restart ASKED=/run/mysqld/restart-asked
rm -f "$RESTART"
mkfifo -m 600 "$RESTART"
while true; do
  read -r reason <"$RESTART" || continue
  echo "mysqld is killed and started again: $reason" >&2
  touch "$ASKED"
  kill -KILL "$(</run/mysqld/mysqld.pid)"
done &

while true; do
  rm -f "$ASKED"
  mkdir -p "$TEMPORARY"
  rm -rf "${TEMPORARY:?}"/*
  # The probes know by this file that the server starts (health.sh).
  rm -f /run/mysqld/progress
  touch /run/mysqld/starting
  mysqld --defaults-file=/quorum/configuration/my.cnf \
    --server-id="$QUORUM_SERVER_ID" --report-host="$QUORUM_ADDRESS" --max-binlog-size="$(binlog_bytes)" \
    --loose-group-replication-local-address="$QUORUM_ADDRESS:33061" &
  child=$!
  echo "$child" >/run/mysqld/starting
  while true; do
    wait "$child"
    code=$?
    # wait returns early when the trap runs; the server is gone only when its pid is.
    kill -0 "$child" 2>/dev/null || break
  done
  if [[ -n $stopping || $code -ne 16 && ! -e $ASKED ]]; then
    exit "$code"
  fi
  [[ -e $ASKED ]] || echo "The server asked to be restarted." >&2
done
