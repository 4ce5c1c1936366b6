#!/usr/bin/env bash
# An interactive client as the application's user, on the write Service; arguments go to mysql.
set -euo pipefail
source "${BASH_SOURCE%/*}/sql.sh"
exec mysql --defaults-extra-file=<(printf '[client]\nuser=%s\npassword=%s\nssl-mode=PREFERRED\n' "$QUORUM_DATABASE" "$(secret app-password)") \
  --host="$QUORUM_CLUSTER.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN" --database="$QUORUM_DATABASE" "$@"
