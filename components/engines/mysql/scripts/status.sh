#!/usr/bin/env bash
# The members' state, as the cluster record and each member's own replication (replication.sh) tell it.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/sql.sh"
source "${BASH_SOURCE%/*}/replication.sh"

# What data and binary logs take of the disk.
used_at() { # HOST
  local data logs
  data=$(sql_at "$1" 2>/dev/null <<<'SELECT ROUND(SUM(file_size) / 1048576) FROM information_schema.innodb_tablespaces') || return
  logs=$(sql_at "$1" 2>/dev/null <<<'SHOW BINARY LOGS' | cut -f 2 | paste -s -d + -) || return
  echo "$data + $(((logs) / 1048576)) MiB"
}

# Why a member does not apply what it receives, or does not get in.
errors_at() { # HOST
  sql_at "$1" 2>/dev/null <<'SQL'
SELECT CONCAT('  ', REPLACE(last_error_message, '\n', ' ')) FROM performance_schema.replication_applier_status_by_coordinator WHERE last_error_number <> 0
UNION SELECT CONCAT('  ', REPLACE(last_error_message, '\n', ' ')) FROM performance_schema.replication_applier_status_by_worker WHERE last_error_number <> 0
UNION SELECT CONCAT('  ', REPLACE(last_error_message, '\n', ' ')) FROM performance_schema.replication_connection_status WHERE last_error_number <> 0;
SQL
}

record_read || { log "the cluster record cannot be read"; exit 1; }
printf 'cluster %s, writes go to %s (%s)\n' "${record_cluster_id:-not formed}" "${record_primary:-nobody}" "${record_address:-no address}"
printf '%-24s %-10s %-12s %-22s %s\n' MEMBER ROLE REPLICATION 'DATA + LOGS' TRANSACTIONS
for member in ${record_members//,/ }; do
  host=$(address_of "$member")
  row=$(role_and_state | sql_at "$host" 2>/dev/null) || row=$'-\tunreachable\t-'
  IFS=$'\t' read -r role state gtids <<<"$row"
  printf '%-24s %-10s %-12s %-22s %s\n' "$member" "$role" "$state" "$(used_at "$host")" "$gtids"
  if list_has "$(annotation full)" "$member"; then echo "  its disk is full: it takes no writes"; fi
  errors_at "$host"
done
