#!/usr/bin/env bash
# Probes of the database container.
#   alive  the server answers on its socket (also while it denies access)
#   ready  it is part of the cluster, takes part in its replication (replication.sh), and is caught up
set -euo pipefail
source "${BASH_SOURCE%/*}/sql.sh"

# A member may be this many seconds behind, and a replica without word from its source, before it leaves the read Service.
readonly MAX_LAG=${QUORUM_MAX_LAG:?}
source "${BASH_SOURCE%/*}/replication.sh"

case ${1:?} in
  alive)
    mysqladmin --no-defaults --socket="$SOCKET" --connect-timeout=3 ping >/dev/null 2>&1
    ;;
  ready)
    [[ -e /run/mysqld/unclaimed ]] && exit 0
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
