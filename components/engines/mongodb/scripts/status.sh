#!/usr/bin/env bash
# The members' state as this member sees it: version, state, votes, priority, and how far behind the primary.
set -euo pipefail
VERB=status exec mongosh --quiet --norc --nodb "${BASH_SOURCE%/*}/replica-set.js"
