# What group replication says of a server. Sourced by health.sh and status.sh.
# shellcheck shell=bash

# As branches of a CASE.
readiness() {
  cat <<'SQL'
  WHEN NOT EXISTS (SELECT 1 FROM performance_schema.replication_group_members WHERE member_id=@@server_uuid AND member_state='ONLINE')
    THEN CONCAT('not online in the group: ', COALESCE((SELECT member_state FROM performance_schema.replication_group_members WHERE member_id=@@server_uuid), 'OFFLINE'))
SQL
}

# "in", or why not. The queue: received and not yet applied.
in_and_caught_up() {
  cat <<'SQL'
SELECT COALESCE((SELECT CASE
    WHEN m.member_state <> 'ONLINE' THEN m.member_state
    WHEN s.count_transactions_remote_in_applier_queue > 1000 THEN 'has more than 1000 transactions to apply'
    ELSE 'in' END
  FROM performance_schema.replication_group_members m
  JOIN performance_schema.replication_group_member_stats s USING (member_id) WHERE m.member_id=@@server_uuid), 'OFFLINE')
SQL
}

role_and_state() {
  cat <<'SQL'
SELECT COALESCE(NULLIF(m.member_role, ''), '-'), COALESCE(NULLIF(m.member_state, ''), 'OFFLINE'), REPLACE(@@global.gtid_executed, '\n', '')
FROM performance_schema.replication_group_members m RIGHT JOIN (SELECT 1) one ON m.member_id = @@server_uuid
SQL
}
