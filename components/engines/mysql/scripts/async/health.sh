#!/usr/bin/env bash
# Probes of the database container.
#   alive  the server answers on its socket (also while it denies access)
#   ready  a primary that takes writes, or a replica that is caught up
set -euo pipefail
source "${BASH_SOURCE%/*}/sql.sh"

# A replica may be this many seconds behind, and without word from its source, before it leaves the read Service.
readonly MAX_LAG=${QUORUM_MAX_LAG:?}

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
  WHEN @@global.super_read_only = 0 THEN 'ready'
  WHEN (SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE service_state='ON') = 0
    THEN 'replication is not applying'
  WHEN NOT EXISTS (SELECT 1 FROM performance_schema.replication_connection_status
      WHERE channel_name='' AND (service_state='ON' OR (service_state='CONNECTING'
        AND last_heartbeat_timestamp > NOW() - INTERVAL $MAX_LAG SECOND)))
    THEN 'no connection to the primary'
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
