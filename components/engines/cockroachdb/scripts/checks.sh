# What must hold before a node leaves, and before members are restarted. Sourced by the jobs.
# shellcheck shell=bash

# A planned member that answers; the others are asked in turn when it does not.
speaker_name=''
speaks() {
  local member
  for member in $speaker_name $(words "$MEMBERS"); do
    if [[ $(ASK_SECONDS=${ASK_SECONDS:-5} hushed sql_at "$(address_of "$member")" <<<'SELECT 1;') == 1 ]]; then
      speaker_name=$member
      return 0
    fi
  done
  return 1
}
speaker() {
  speaks || true
  address_of "${speaker_name:-${MEMBERS%%,*}}"
}
nodes() { nodes_at "$(speaker)"; }
# Sets all. A list that fails is none: what is decided by it waits for one, and whoever reads it from a process substitution
# would not see that it failed.
has_nodes() { all=$(nodes) && [[ -n $all ]]; }
list_nodes() { await "the nodes could not be listed" has_nodes; }
# MEMBER has a node that lives, by that list.
is_among() { grep -q "^[0-9]* $1 [^ ]* live " <<<"$all"; }

# A member's node that lives.
node_of() { nodes | while read -r id member _ state _; do [[ $state != live || $member != "$1" ]] || echo "$id"; done | tail -n 1; }

# The replicas on a node, counted in the ranges themselves. `node status` has what the node's stores gossip: 0 as soon as
# they are silent, NULL when they are forgotten. The columns begin with id,is_live,replicas in all versions; with
# --wait=all they are printed again at each change.
replicas_of() { # ID
  hushed ask "$(speaker)" node decommission "$1" "${COUNTING[@]}" --format=csv </dev/null |
    sed -nE "s/^$1,[^,]*,([0-9]+),.*/\1/p" | tail -n 1
}

# How many ranges lack a replica, or their majority, as the nodes that live have counted: what a dead one wrote last
# stays. The numbers are up to 20 seconds old, so they are waited for.
lacking() { # METRIC...
  local ids metric sum=''
  ids=$(nodes | while read -r id _ _ state _; do [[ $state != live ]] || printf '%s,' "$id"; done)
  [[ -n $ids ]] || return 1
  for metric in "$@"; do sum+="${sum:+ + }(metrics->>'ranges.$metric')::DECIMAL"; done
  hushed internals_at "$(speaker)" "SELECT sum($sum)::INT FROM $INTERNAL.kv_store_status WHERE node_id IN (${ids%,});" | tail -n 1
}
is_replicated() { [[ $(lacking underreplicated unavailable) == 0 ]]; }

# Every node that stays must live and be healthy.
check_others() { # ID of the leaver
  local id member state decommissioning membership count=0 factor all
  list_nodes
  while read -r id member _ state decommissioning membership _; do
    if [[ $id == "$1" ]] || is_out "$id" "$state" "$decommissioning" "$membership"; then continue; fi
    [[ $state != sick ]] || refuse "node $id ($member) is not healthy (is_live or is_available is false): no node may leave meanwhile. Nothing was removed."
    # Another one that leaves too takes no replicas.
    list_has "$MEMBERS" "$member" || continue
    if [[ $state != live ]] && ! is_among "$member"; then
      refuse "node $id ($member) does not live: no node may leave while one that stays is down. Nothing was removed."
    fi
    [[ $state != live ]] || count=$((count + 1))
  done <<<"$all"
  factor=$(replication_factor)
  ((count >= ${factor:-3})) || refuse "$count nodes would stay, and every range has ${factor:-3} replicas: there is nowhere to move them. Nothing was removed."
}
replication_factor() { sql_at "$(speaker)" <<<'SHOW ZONE CONFIGURATION FOR RANGE default;' | sed -nE 's/.*num_replicas = ([0-9]+).*/\1/p' | head -n 1; }
