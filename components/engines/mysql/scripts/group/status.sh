#!/usr/bin/env bash
# The members' state, as the cluster record and the group tell it.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/sql.sh"

record_read || { log "the cluster record cannot be read"; exit 1; }
printf 'cluster %s, writes go to %s (%s)\n' "${record_cluster_id:-not formed}" "${record_primary:-nobody}" "${record_address:-no address}"
printf '%-24s %-10s %-12s %s\n' MEMBER ROLE STATE TRANSACTIONS
for member in ${record_members//,/ }; do
  row=$(sql_at "$(address_of "$member")" 2>/dev/null <<'SQL'
SELECT COALESCE(NULLIF(m.member_role, ''), '-'), COALESCE(NULLIF(m.member_state, ''), 'OFFLINE'), REPLACE(@@global.gtid_executed, '\n', '')
FROM performance_schema.replication_group_members m RIGHT JOIN (SELECT 1) one ON m.member_id = @@server_uuid
SQL
  ) || row=$'-\tunreachable\t-'
  IFS=$'\t' read -r role state gtids <<<"$row"
  printf '%-24s %-10s %-12s %s\n' "$member" "$role" "$state" "$gtids"
done
