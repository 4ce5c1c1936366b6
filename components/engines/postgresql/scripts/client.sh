#!/usr/bin/env bash
# An interactive client as the application's user, on the write Service; arguments go to psql. With --superuser as the
# first one: as postgres, on this member's own socket.
set -euo pipefail
source "${BASH_SOURCE%/*}/patroni.sh"

if [[ ${1:-} == --superuser ]]; then
  shift
  user=postgres key=superuser-password target='host=/run/postgresql dbname=postgres'
else
  user=$QUORUM_DATABASE key=app-password
  target="host=$(address_of "$QUORUM_CLUSTER") dbname=$QUORUM_DATABASE $ENCRYPTED"
fi
file=$(mktemp /tmp/client.XXXXXX)
trap 'rm -f "$file"' EXIT
password_file "$file" "$user" "$key"
psql "$target user=$user passfile=$file" "$@"
