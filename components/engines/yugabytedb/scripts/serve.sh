#!/usr/bin/env bash
# The database container: decides whether this member may start, then becomes yb-master or yb-tserver. Arguments are
# their flags.
#
# Who may be part of which universe is decided here. The membership job writes a token into the record before anybody
# starts, and each disk keeps the token with which it was first used: a disk with data of another token, or of none, is
# refused. Once the universe was formed, a master with an empty disk is told never to make a new one: YugabyteDB's own
# flag master_join_existing_universe. So it is never formed twice.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/member.sh"
source "${BASH_SOURCE%/*}/yugabyte.sh"

readonly DISK=/quorum/data

rm -f "$CAUGHT_UP"
trap 'exit 0' TERM INT

has_data() { [[ -d $DISK/yb-data ]]; }

# Whether the record lets this member start with what is on its disk.
may_start() {
  record_read || { wait_because 'cannot read the cluster record'; return 1; }
  if list_has "$record_retired" "$QUORUM_MEMBER"; then
    wait_because 'was retired: its data is elsewhere, and it stays closed until it is removed'
    return 1
  fi
  token=$(annotation token)
  [[ -n $token ]] || { wait_because 'waits for the membership job'; return 1; }
  has_data || return 0
  [[ -e $OWNER && $(<"$OWNER") == "$token $QUORUM_MEMBER" ]] && return 0
  if [[ $(annotation adopt) == true ]]; then
    log "$QUORUM_MEMBER takes over the data of an earlier stack"
    return 0
  fi
  local found
  found=$(list_add "$(annotation found)" "$QUORUM_MEMBER")
  [[ $(annotation found) == "$found" ]] || record_write "found=$found" || true
  wait_because 'REFUSED: its disk holds data of another cluster, and nothing of it was touched. To take it over set quorum:adopt to true; otherwise give the member an empty disk.'
  return 1
}

until may_start; do :; done

join=()
# A record that is being filled again is that of a universe, too.
if [[ $ROLE == master && -n $record_cluster_id$(annotation restored) ]]; then
  join=(--master_join_existing_universe=true)
  has_data || log "$QUORUM_MEMBER has lost its disk: it makes no new universe, and waits to be added (docs/engines/yugabytedb.md, \"A master that lost its disk\")"
fi
echo "$token $QUORUM_MEMBER" >"$OWNER.new"
mv "$OWNER.new" "$OWNER"

# Also after a restart of the container, where they are from the process before.
install -d -m 0700 "$FILES"
install -m 0400 "$CERTIFICATES/ca.crt" "$FILES/ca.crt"
install -m 0400 "$CERTIFICATES/node.crt" "$FILES/node.$QUORUM_ADDRESS.crt"
install -m 0400 "$CERTIFICATES/node.key" "$FILES/node.$QUORUM_ADDRESS.key"

# The name of a new pod leads nowhere, or to the one before, until DNS has heard of it. A process ends when it cannot bind
# what its name stands for (rpc_server.cc); YugabyteDB's chart waits likewise (k8s_preflight.py dnscheck).
resolves() { getent ahosts "$QUORUM_ADDRESS" | grep -q "^$QUORUM_POD_IP "; }
until resolves; do wait_because "waits until $QUORUM_ADDRESS is $QUORUM_POD_IP"; done

# The address that never changes: a pod's own changes with each restart. tini, where the image has it, reaps processes.
mapfile -t init < <(command -v tini || true)
exec "${init[@]}" "$BIN/yb-$ROLE" "--rpc_bind_addresses=$QUORUM_ADDRESS:$RPC_PORT" "--server_broadcast_addresses=$QUORUM_ADDRESS:$RPC_PORT" \
  "${join[@]}" "$@"
