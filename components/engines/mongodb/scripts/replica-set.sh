# What the jobs ask of the replica set, by mongosh. Sourced after record.sh; the record must have been read.
# From the plan: TIMEOUT (seconds). MEMBERS, where the job has it.
# shellcheck shell=bash disable=SC2154 # record_* variables come from record.sh

replica_set() { # VERB [NAME=VALUE...]
  local verb=$1 known=${MEMBERS:-} member
  shift
  # A member that leaves may lead until now.
  for member in $(words "$record_members"); do known=$(list_add "$known" "$member"); done
  env VERB="$verb" KNOWN="$known" DEADLINE="$(($(date +%s) + TIMEOUT - SECONDS))" "$@" \
    mongosh --quiet --norc --nodb "${BASH_SOURCE%/*}/replica-set.js" || exit 1 # it has said why
}
