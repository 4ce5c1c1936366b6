#!/usr/bin/env bash
# preStop: a primary hands over before it stops, to the preferred primary when that is caught up, else to the best
# replica. Bounded: when nobody can take over, Patroni stops the server cleanly and keeps every write.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/patroni.sh"

# Patroni answers when the new primary leads, or after 20 s.
readonly REST_SECONDS=30
readonly ATTEMPTS=2

# Nobody sees the output of a hook: it goes to the container's own log.
if [[ -w /proc/1/fd/2 ]]; then exec >/proc/1/fd/2 2>&1; fi

leads() { rest GET 127.0.0.1 primary >/dev/null 2>&1; }

# The preferred primary, when it is another member and streams without lag.
preferred() {
  local wanted=''
  record_read && wanted=$(annotation preferred)
  [[ -n $wanted && $wanted != "$QUORUM_MEMBER" ]] || return 0
  rest GET 127.0.0.1 cluster |
    json '[m["name"] for m in it["members"] if m["name"] == args[0] and m["state"] == "streaming" and m["lag"] == 0]' "$wanted-0"
}

for ((attempt = 1; attempt <= ATTEMPTS; attempt++)); do
  leads || exit 0
  candidate=$(preferred 2>/dev/null)
  log "$QUORUM_MEMBER stops and hands over to ${candidate:-the best replica}"
  rest POST 127.0.0.1 switchover "{\"leader\":\"$HOSTNAME\"${candidate:+,\"candidate\":\"$candidate\"}}"
  echo
done
