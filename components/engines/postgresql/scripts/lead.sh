#!/usr/bin/env bash
# Called by Patroni when its server started or its role changed: ACTION ROLE SCOPE. On the primary it keeps the one
# address behind the write Service on this pod, for as long as it leads. Patroni runs it beside its loop, and ends it
# when the role changes again.
#
# Patroni's label role=primary would do as a selector, but for two moments. After the loss of a node two pods carry it
# until Kubernetes notices (40 s and more): half of the new connections go nowhere. And in every hand-over no pod
# carries it for a second: kube-proxy refuses connections, and those made while it opens the Service again hang until
# their own time limit (measured: 3 s). An address that is replaced in one write has neither.
set -uo pipefail
source "${BASH_SOURCE%/*}/record.sh"

# Looked at again this often, in case somebody else changed it.
readonly INTERVAL=10

[[ $2 == primary ]] || exit 0

readonly LEADER=${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE/configmaps/$3-leader

# The record is read before the lock: if another member leads by the time of the write, it has written too, or will.
keep_address() {
  local lock
  record_read && lock=$(kube GET "$LEADER?pretty=false" 2>/dev/null) || return 1
  [[ $lock == *"\"leader\":\"$HOSTNAME\""* ]] || exit 0
  [[ $record_address != "$QUORUM_POD_IP" ]] || return 0
  record_write "address=$QUORUM_POD_IP" 2>/dev/null && log "writes go to $QUORUM_POD_IP"
}

while true; do
  if keep_address; then sleep "$INTERVAL"; else sleep 0.5; fi
done
