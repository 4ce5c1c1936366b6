#!/usr/bin/env bash
# preStop: a primary steps down before it stops, so that clients wait for one election and not for a time limit. Bounded;
# when nobody can take over, mongod stops all the same and keeps every write.
set -uo pipefail

# Nobody sees the output of a hook: it goes to the container's own log.
if [[ -w /proc/1/fd/2 ]]; then exec >/proc/1/fd/2 2>&1; fi

[[ $(bash "${BASH_SOURCE%/*}/health.sh" role) == PRIMARY ]] || exit 0
VERB=step-down timeout 60 mongosh --quiet --norc --nodb "${BASH_SOURCE%/*}/replica-set.js"
exit 0
