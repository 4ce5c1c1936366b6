# The state of group replication, asked in one place.
# shellcheck shell=bash

# State, role, whether a majority of the view is reachable (1), and the cluster of the data ("-": none).
# shellcheck disable=SC2034 # the scripts that source this file use it
readonly OWN_STATE="SELECT COALESCE(NULLIF(m.member_state, ''), 'OFFLINE'), COALESCE(NULLIF(m.member_role, ''), '-'),
  (SELECT SUM(member_state <> 'UNREACHABLE') * 2 > COUNT(*) FROM performance_schema.replication_group_members),
  COALESCE((SELECT table_comment FROM information_schema.tables WHERE table_schema='quorum' AND table_name='cluster'), '-')
  FROM performance_schema.replication_group_members m
  RIGHT JOIN (SELECT 1) one ON m.member_id = @@server_uuid"

state_at() { # MEMBER: its own state, nothing when it does not answer
  sql_at "$(address_of "$1")" 2>/dev/null <<<"SELECT COALESCE((SELECT NULLIF(member_state, '') FROM performance_schema.replication_group_members WHERE member_id=@@server_uuid), 'OFFLINE')"
}

# Everything a member has: executed, or received and not yet applied.
transactions_at() {
  sql_at "$(address_of "$1")" 2>/dev/null <<<"SELECT CONCAT_WS(',', NULLIF(REPLACE(@@global.gtid_executed, '\n', ''), ''),
    (SELECT NULLIF(REPLACE(received_transaction_set, '\n', ''), '') FROM performance_schema.replication_connection_status WHERE channel_name='group_replication_applier'))"
}

includes() { # A B: has A every transaction of B?
  [[ $(sql_local <<<"SELECT GTID_SUBSET('$2', '$1')") == 1 ]]
}
