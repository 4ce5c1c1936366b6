#!/usr/bin/env bash
# The nodes, as this member sees them.
set -euo pipefail
source "${BASH_SOURCE%/*}/family.sh"
exec "$PROGRAM" node status --decommission --certs-dir="$CERTIFICATES" --host=localhost:26257
