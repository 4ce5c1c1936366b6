#!/usr/bin/env bash
# Before the database stops (preStop): a primary hands over, so that clients wait for a fraction of a second instead of
# for the group's failure detector. Bounded; a hook that fails does not keep the pod from stopping.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/sql.sh"

me=$(sql_local <<<"SELECT member_role FROM performance_schema.replication_group_members WHERE member_id=@@server_uuid AND member_state='ONLINE'")
[[ $me == PRIMARY ]] || exit 0
record_read || exit 0
# The end of the chain if it is online, so that a rolling upgrade hands over twice at the most; else the one that has
# least left to apply.
next=$(sql_local <<SQL
SELECT m.member_id, m.member_host FROM performance_schema.replication_group_members m
JOIN performance_schema.replication_group_member_stats s USING (member_id)
WHERE m.member_state='ONLINE' AND m.member_id <> @@server_uuid
ORDER BY m.member_host = '$(address_of "$(annotation preferred)")' DESC, s.count_transactions_remote_in_applier_queue LIMIT 1
SQL
)
[[ -n $next ]] || exit 0
IFS=$'\t' read -r uuid host <<<"$next"
log "$QUORUM_MEMBER hands over to ${host%%.*}"
timeout 30 bash -c "source ${BASH_SOURCE%/*}/sql.sh; sql_local <<<\"SELECT group_replication_set_as_primary('$uuid', 10)\"" >/dev/null || exit 0
address=$(getent ahostsv4 "$host" | head -n 1 | cut -d ' ' -f 1)
record_read && record_write "primary=${host%%.*}" "address=$address"
# kube-proxy on every node has the new address before this server refuses the clients that are still here.
sleep 1
exit 0
