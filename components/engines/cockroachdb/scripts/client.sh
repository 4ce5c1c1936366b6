#!/usr/bin/env bash
# An interactive client as root, by its certificate, on this member; arguments go to the program's sql command.
set -euo pipefail
source "${BASH_SOURCE%/*}/family.sh"
exec "$PROGRAM" sql --certs-dir="$CERTIFICATES" --host=localhost:26257 --database="$QUORUM_DATABASE" "$@"
