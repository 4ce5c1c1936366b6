#!/usr/bin/env bash
# The database container: decides whether this member may start, and becomes the database.
#
# A cluster is formed by `init` alone, which only the membership job calls, and only while the record has no cluster. A
# member whose disk is empty waits here to be let in: it never forms one. A retired member's data never comes back.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/member.sh"
source "${BASH_SOURCE%/*}/family.sh"

readonly DISK=/quorum/data
readonly STORE=$DISK/store
readonly OWNER=$DISK/quorum-member
# Whom the job let come back, and for whom the disk was emptied already: the retired node's number.
readonly RETURNED=$DISK/quorum-returned

trap 'exit 0' TERM INT

returning_number() {
  local entry
  for entry in $(annotation returning | tr ',' ' '); do
    if [[ ${entry%%=*} == "$QUORUM_MEMBER" ]]; then echo "${entry#*=}"; fi
  done
}

check_retired() {
  local number
  until record_read; do wait_because "waits for the API server, to read the cluster record"; done
  number=$(returning_number)
  if [[ -n $number && $(cat "$RETURNED" 2>/dev/null) != "$number" ]]; then
    log "$QUORUM_MEMBER was retired as node $number and comes back with an empty disk"
    rm -rf "$STORE"
    echo "$number" >"$RETURNED"
  fi
  while [[ -e $STORE ]] && list_has "$record_retired" "$QUORUM_MEMBER"; do
    wait_because "does not start: it was retired, and its data is out of date"
    record_read || continue
  done
}

take_certificates
check_owner
check_retired
mkdir -p "$STORE"

# The join list is pinned, so that scaling restarts nobody; a member in it simply finds itself there.
join=''
for seed in ${SEEDS//,/ }; do join+=${join:+,}$(address_of "$seed"):26257; done
# The zone is a locality tier: replicas of a range are spread over zones.
flags=(
  --certs-dir="$CERTIFICATES"
  --store="$STORE"
  --listen-addr=0.0.0.0:26257
  --advertise-addr="$(address_of "$QUORUM_MEMBER"):26257"
  --http-addr=0.0.0.0:8080
  --join="$join"
  --locality="zone=$QUORUM_ZONE"
  --cache="$CACHE"
  --max-sql-memory="$SQL_MEMORY"
)
add_flags
trap - TERM INT
cd "$DISK"
exec "$PROGRAM" start "${flags[@]}"
