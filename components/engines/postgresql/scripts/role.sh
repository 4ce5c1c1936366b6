#!/usr/bin/env bash
# Called by Patroni after this member's role changed: ACTION ROLE SCOPE. A new primary takes the label role=primary off
# every other pod. Patroni takes it off its own pod only, and a pod on a lost node stays Ready, and behind the write
# Service, until Kubernetes notices the node (40 s and more): half of the new connections would go nowhere.
# When this fails, that is all that happens: each Patroni puts its own pod's label right with every turn of its loop.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/patroni.sh"

[[ $2 == primary ]] || exit 0

readonly OBJECTS=${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE

take_off() {
  local leader pods pod
  leader=$(kube GET "$OBJECTS/configmaps/$3-leader" | json 'it["metadata"]["annotations"].get("leader")') || return 1
  # This member may have lost the lock again while the script waited for its turn.
  [[ $leader == "$HOSTNAME" ]] || return 0
  pods=$(kube GET "$OBJECTS/pods?labelSelector=cluster-name%3D$3,role%3Dprimary" |
    json '[pod["metadata"]["name"] for pod in it["items"]]') || return 1
  for pod in $pods; do
    [[ $pod != "$HOSTNAME" ]] || continue
    kube PATCH "$OBJECTS/pods/$pod" '{"metadata":{"labels":{"role":null}}}' >/dev/null || return 1
    log "$pod is the primary no more"
  done
}

for _ in 1 2 3 4 5; do
  if take_off "$@"; then exit 0; fi
  sleep 1
done
