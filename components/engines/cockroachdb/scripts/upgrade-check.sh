#!/usr/bin/env bash
# Before the members get another image: what the documents ask for before an upgrade. Nothing was touched yet when this
# refuses.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/family.sh"
source "${BASH_SOURCE%/*}/checks.sh"

# From the plan: SEEDS, SERIES (of the wanted version), IMAGE (the wanted one), TIMEOUT (seconds). Not the members: scaling
# is no upgrade.
: "${SEEDS:?}" "${SERIES:?}" "${IMAGE:?}" "${TIMEOUT:?}"
readonly MEMBERS=$SEEDS

check_nodes() {
  local id address live decommissioning membership
  while read -r id address _ live decommissioning membership _; do
    if is_final "$membership" "$id"; then continue; fi
    # It may be down because of its image, which this upgrade mends.
    [[ $live == true ]] || log "node $id ($(member_of "$address")) does not live"
    [[ $decommissioning == false ]] || refuse "node $id ($(member_of "$address")) is being decommissioned: finish that first. No member was touched."
  done < <(nodes)
}
upgrading() { [[ $(annotation upgrade) == "$IMAGE" ]] || echo "upgrade=$IMAGE"; }

read_record
if [[ -z $record_cluster_id ]]; then
  log 'there is no cluster yet: nothing to check'
  exit 0
fi
take_certificates
# A cluster that is down is not upgraded, but its members must be startable with a mended image.
if ! speaks; then
  log 'no member answers: nothing can be checked'
  exit 0
fi
check_nodes
check_skip
hold_upgrade_back | sql_at "$(speaker)" >/dev/null
record_change upgrading
log "done: the members may be restarted with $IMAGE"
