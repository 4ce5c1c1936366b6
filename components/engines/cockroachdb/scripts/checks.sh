# What must hold before a node leaves, and before an upgrade. Sourced by the jobs.
# shellcheck shell=bash

member_of() { echo "${1%%.*}"; }

# A planned member that answers; the others are asked in turn when it does not.
speaker_name=''
speaks() {
  local member
  for member in $speaker_name $(words "$MEMBERS"); do
    if [[ $(ASK_SECONDS=5 sql_at "$(address_of "$member")" 2>/dev/null <<<'SELECT 1;') == 1 ]]; then
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

is_replicated() { [[ $(sql_at "$(speaker)" 2>/dev/null <<<"$UNDERREPLICATED" | tail -n 1) == 0 ]]; }

# Every node that stays must live and be healthy.
check_others() { # ID of the leaver
  local id address live membership state count=0 factor
  while read -r id address _ live _ membership _ state; do
    if [[ $id == "$1" ]] || is_final "$membership" "$id"; then continue; fi
    [[ $state == HEALTHY ]] || refuse "node $id ($(member_of "$address")) is $state: no node may leave meanwhile. Nothing was removed."
    # Another one that leaves too takes no replicas.
    list_has "$MEMBERS" "$(member_of "$address")" || continue
    if [[ $live != true && -z $(node_of "$(member_of "$address")") ]]; then
      refuse "node $id ($(member_of "$address")) does not live: no node may leave while one that stays is down. Nothing was removed."
    fi
    [[ $live != true ]] || count=$((count + 1))
  done < <(nodes)
  factor=$(replication_factor)
  ((count >= ${factor:-3})) || refuse "$count nodes would stay, and every range has ${factor:-3} replicas: there is nowhere to move them. Nothing was removed."
}
replication_factor() { sql_at "$(speaker)" <<<'SHOW ZONE CONFIGURATION FOR RANGE default;' | sed -nE 's/.*num_replicas = ([0-9]+).*/\1/p' | head -n 1; }
