#!/usr/bin/env bash
# An interactive client as the application's user, on the primary; arguments go to mongosh (for example --eval).
set -euo pipefail
if (($# == 0)); then set -- --shell; fi
exec mongosh --norc --nodb --eval "load('${BASH_SOURCE%/*}/client.js')" "$@"
