#!/usr/bin/env bash
# Probes of the database container.
#   alive  the server answers on its socket (also while it denies access), or is starting and makes progress
#   ready  it is part of the cluster, takes part in its replication (replication.sh), is caught up, and has room to write
set -euo pipefail
source "${BASH_SOURCE%/*}/sql.sh"

# A member may be this many seconds behind, and a replica without word from its source, before it leaves the read Service.
readonly MAX_LAG=${QUORUM_MAX_LAG:?}
source "${BASH_SOURCE%/*}/replication.sh"
source "${BASH_SOURCE%/*}/disk.sh"

# A start recovers, upgrades the dictionary and opens every table: it takes as long as it works, which shows in its
# processor time (fields 14 and 15 of /proc/PID/stat). Without any for this many seconds it hangs.
readonly NO_PROGRESS_SECONDS=600
readonly STARTING=/run/mysqld/starting PROGRESS=/run/mysqld/progress
is_starting() {
  local pid spent
  pid=$(cat "$STARTING" 2>/dev/null) || return
  # serve.sh has not named the process yet.
  [[ -n $pid ]] || return 0
  spent=$(cut -d ' ' -f 14,15 "/proc/$pid/stat" 2>/dev/null) || return
  if [[ ! -e $PROGRESS || $(<"$PROGRESS") != "$spent" ]]; then
    echo "$spent" >"$PROGRESS"
  fi
  (($(date +%s) - $(stat --format=%Y "$PROGRESS") < NO_PROGRESS_SECONDS))
}

case ${1:?} in
  alive)
    if mysqladmin --no-defaults --socket="$SOCKET" --connect-timeout=3 ping >/dev/null 2>&1; then
      rm -f "$STARTING"
    else
      is_starting
    fi
    ;;
  ready)
    [[ -e /run/mysqld/unclaimed ]] && exit 0
    disk_has_room || { echo "$QUORUM_MEMBER: its disk is full"; exit 1; }
    state=$(sql_local <<SQL
SELECT CASE
  WHEN NOT EXISTS (SELECT 1 FROM information_schema.tables WHERE table_schema='quorum' AND table_name='cluster')
    THEN 'not part of the cluster yet'
  $(readiness)
  WHEN (SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, applying_transaction_original_commit_timestamp, NOW())), 0)
      FROM performance_schema.replication_applier_status_by_worker WHERE applying_transaction <> '') > $MAX_LAG
    THEN 'more than $MAX_LAG seconds behind'
  ELSE 'ready' END;
SQL
    )
    if [[ $state != ready ]]; then
      echo "$QUORUM_MEMBER: $state"
      exit 1
    fi
    ;;
esac
