#!/usr/bin/env bash
# An interactive client as the application's user, on the write Service; arguments go to ysqlsh. With --superuser as the
# first one: as yugabyte.
set -euo pipefail
source "${BASH_SOURCE%/*}/yugabyte.sh"

user=$QUORUM_DATABASE key=app-password database=$QUORUM_DATABASE
if [[ ${1:-} == --superuser ]]; then
  shift
  user=yugabyte key=superuser-password database=yugabyte
fi
file=$(mktemp /tmp/client.XXXXXX)
trap 'rm -f "$file"' EXIT
password_file "$file" "$user" "$key"
PGPASSFILE=$file PGSSLMODE=require "$BIN/ysqlsh" -h "$(address_of "$QUORUM_CLUSTER")" -p "$YSQL_PORT" -U "$user" -d "$database" "$@"
