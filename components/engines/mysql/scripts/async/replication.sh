# What asynchronous replication says of a server. Sourced by health.sh and status.sh.
# shellcheck shell=bash disable=SC2154 # health.sh sets MAX_LAG

# As branches of a CASE: a primary that takes writes is ready at once, a replica when it applies what its source sends.
readiness() {
  cat <<SQL
  WHEN @@global.super_read_only = 0 THEN 'ready'
  WHEN (SELECT COUNT(*) FROM performance_schema.replication_applier_status WHERE service_state='ON') = 0
    THEN 'replication is not applying'
  WHEN NOT EXISTS (SELECT 1 FROM performance_schema.replication_connection_status
      WHERE channel_name='' AND (service_state='ON' OR (service_state='CONNECTING'
        AND last_heartbeat_timestamp > NOW() - INTERVAL $MAX_LAG SECOND)))
    THEN 'no connection to the primary'
SQL
}

# "in", or why not.
in_and_caught_up() {
  cat <<SQL
SELECT CASE
$(readiness | sed "s/'ready'/'in'/")
  WHEN (SELECT COALESCE(MAX(TIMESTAMPDIFF(SECOND, applying_transaction_original_commit_timestamp, NOW())), 0)
      FROM performance_schema.replication_applier_status_by_worker WHERE applying_transaction <> '') > $MAX_LAG
    THEN 'more than $MAX_LAG seconds behind'
  ELSE 'in' END
SQL
}

role_and_state() {
  cat <<'SQL'
SELECT IF(@@global.super_read_only, 'replica', 'primary'),
  COALESCE((SELECT service_state FROM performance_schema.replication_connection_status WHERE channel_name=''), '-'),
  REPLACE(@@global.gtid_executed, '\n', '');
SQL
}
