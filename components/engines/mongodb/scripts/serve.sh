#!/usr/bin/env bash
# The database container: decides whether this member may start, then becomes mongod.
#
# The cluster is formed here and not by the membership job: the first user can be made only over the localhost exception,
# from inside the member. The job names the member in the cluster record (quorum.dev/forming), and the record is what
# makes a second set impossible: a member whose disk is empty forms nothing once the record has a cluster. It starts
# without a configuration, and the set, when it is there, makes it copy everything (initial sync).
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/member.sh"

readonly DISK=/quorum/data
readonly DATA=$DISK/db
readonly OWNER=$DISK/quorum-member
# The cluster whose data is on this disk.
readonly IDENTITY=$DISK/quorum-cluster
# On the disk while this member forms the cluster, until the record has it.
readonly UNFINISHED=$DISK/quorum-forming
readonly PRIVATE=/run/quorum

trap 'exit 0' TERM INT

has_data() { [[ -e $DATA/WiredTiger || -e $IDENTITY ]]; }
data_identity() { if [[ -e $IDENTITY ]]; then cat "$IDENTITY"; else echo unknown; fi; }

# Only mongod's user may read it, and no Secret can be mounted so: Kubernetes lets the group read it too.
copy_keyfile() { (umask 377 && cat /quorum/credentials/keyfile >"$PRIVATE/keyfile.new" && mv -f "$PRIVATE/keyfile.new" "$PRIVATE/keyfile"); }

# A member that was retired and is planned again has old data, and the operations since then may be gone.
come_back_empty() {
  log "$QUORUM_MEMBER was retired and comes back: its old data is removed"
  rm -rf "$DATA" "$IDENTITY"
  record_write "returning=$(list_drop "$(annotation returning)" "$QUORUM_MEMBER")"
}

# Returns when mongod may start; sets `forms` when this member shall form the cluster.
await_permission() {
  forms=false
  while true; do
    if ! record_read; then
      wait_because "cannot read the cluster record"
    elif list_has "$record_retired" "$QUORUM_MEMBER"; then
      wait_because "was retired: it stays closed"
    elif list_has "$(annotation returning)" "$QUORUM_MEMBER"; then
      come_back_empty || wait_because "cannot enter itself in the cluster record"
    elif [[ -n $record_cluster_id ]]; then
      rm -f "$UNFINISHED"
      if ! has_data || [[ $(data_identity) == "$record_cluster_id" ]]; then
        printf '%s' "$record_cluster_id" >"$IDENTITY"
        return
      fi
      report_found
      wait_because "holds data of cluster $(data_identity), and this cluster is $record_cluster_id: it stays closed. Its disk is left as it is."
    elif [[ $(annotation forming) == "$QUORUM_MEMBER" ]] && { ! has_data || [[ -e $UNFINISHED ]]; }; then
      # Begun again from nothing when it was cut off: nobody was told a password, and no write was acknowledged.
      [[ -e $IDENTITY ]] || rm -rf "$DATA"
      touch "$UNFINISHED"
      forms=true
      return
    elif has_data; then
      report_found
      wait_because "holds data of cluster $(data_identity) of an earlier stack, and waits to be taken over"
    else
      wait_because "waits for the cluster to be formed"
    fi
  done
}

# Beside mongod, in its container. The set's own id goes to the disk and into the record, where the job waits for it.
form() {
  local id
  until VERB=form OUTPUT=$PRIVATE/formed mongosh --quiet --norc --nodb "${BASH_SOURCE%/*}/replica-set.js"; do sleep 1; done
  id=$(<"$PRIVATE/formed")
  printf '%s' "$id" >"$IDENTITY"
  until record_read && record_write "formed=$id"; do sleep 1; done
  rm -f "$UNFINISHED"
}

umask 077
check_owner
await_permission
mkdir -p "$DATA"
copy_keyfile
log "$QUORUM_MEMBER starts$([[ $forms == false ]] || echo ', and forms the cluster')"
if [[ $forms == true ]]; then form & fi
exec mongod --config /quorum/configuration/mongod.conf
