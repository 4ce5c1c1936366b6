# The state of group replication, asked in one place.
# shellcheck shell=bash

# State, role, whether a majority of the view can be reached (1), and how many are in the view. From performance_schema alone: a new primary
# holds back every other query until it has applied what the old one left.
# shellcheck disable=SC2034 # the scripts that source this file use it
readonly OWN_STATE="SELECT COALESCE(NULLIF(m.member_state, ''), 'OFFLINE'), COALESCE(NULLIF(m.member_role, ''), '-'),
  (SELECT SUM(member_state <> 'UNREACHABLE') * 2 > COUNT(*) FROM performance_schema.replication_group_members),
  (SELECT COUNT(*) FROM performance_schema.replication_group_members)
  FROM performance_schema.replication_group_members m
  RIGHT JOIN (SELECT 1) one ON m.member_id = @@server_uuid"

state_at() { # MEMBER: its own state, nothing when it does not answer
  sql_at "$(address_of "$1")" 2>/dev/null <<<"SELECT COALESCE((SELECT NULLIF(member_state, '') FROM performance_schema.replication_group_members WHERE member_id=@@server_uuid), 'OFFLINE')"
}

includes() { # A B: has A every transaction of B?
  [[ $(sql_local <<<"SELECT GTID_SUBSET('$2', '$1')") == 1 ]]
}
