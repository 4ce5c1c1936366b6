#!/usr/bin/env bash
# The members' state, as the cluster record and each member's own replication (replication.sh) tell it.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/sql.sh"
source "${BASH_SOURCE%/*}/replication.sh"

record_read || { log "the cluster record cannot be read"; exit 1; }
printf 'cluster %s, writes go to %s (%s)\n' "${record_cluster_id:-not formed}" "${record_primary:-nobody}" "${record_address:-no address}"
printf '%-24s %-10s %-12s %s\n' MEMBER ROLE REPLICATION TRANSACTIONS
for member in ${record_members//,/ }; do
  row=$(role_and_state | sql_at "$(address_of "$member")" 2>/dev/null) || row=$'-\tunreachable\t-'
  IFS=$'\t' read -r role state gtids <<<"$row"
  printf '%-24s %-10s %-12s %s\n' "$member" "$role" "$state" "$gtids"
done
