# KaiwuDB's own part of the family: it was forked from CockroachDB 20.1, so what is newer there is missing here.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source this file use them

readonly PROGRAM=/kaiwudb/bin/kwbase
readonly INTERNAL=kwdb_internal
# There is no column membership.
readonly RETIRED=-
readonly UNDERREPLICATED="SELECT sum((metrics->>'ranges.underreplicated')::DECIMAL)::INT FROM kwdb_internal.kv_store_status;"
# The series that this member was last started with, and the mark of a node that stopped for an upgrade.
readonly UPGRADING=/quorum/data/quorum-upgrading

# The time-series side wants an address of its own to listen on, and clears the mark of an upgrade when it is told to.
add_flags() {
  flags+=(--brpc-addr=0.0.0.0:27257)
  if [[ -e $UPGRADING ]]; then
    flags+=(--upgrade-complete)
    rm "$UPGRADING"
  fi
}

# `node upgrade` tells the others that this node comes back: they wait 3 h in place of 30 min before they copy its data.
# The check before the upgrade has written the wanted image into the record; a stop for another reason is no upgrade.
before_stop() {
  local id wanted
  record_read || return 0
  wanted=$(annotation upgrade)
  [[ -n $wanted && $wanted != "$QUORUM_IMAGE" ]] || return 0
  id=$(nodes_at localhost | while read -r id address _; do [[ $address != "$(address_of "$QUORUM_MEMBER")" ]] || echo "$id"; done | tail -n 1)
  if [[ -n $id ]] && ask localhost node upgrade "$id" </dev/null; then
    : >"$UPGRADING"
  else
    log "$QUORUM_MEMBER could not be marked for its upgrade: it stops without"
  fi
}

# A node that is out stays listed as decommissioning, without replicas, and dead once its pod is gone. Whether it was
# verified stands in the record.
is_final() { list_has "$(annotation final)" "$2"; } # MEMBERSHIP ID
note_final() { # ID
  noted=$1
  record_change add_final
}
add_final() { echo "final=$(list_add "$(annotation final)" "$noted")"; }
series_of() { sed -E 's/^([0-9]+\.[0-9]+).*/\1/' <<<"$1"; }

# The option holds the version that is active now; without it the upgrade is final when the last node has restarted.
hold_upgrade_back() {
  local host
  host=$(speaker)
  [[ ${FINALIZE:-} != "$SERIES" ]] || return 0
  [[ -n $(sql_at "$host" <<<'SHOW CLUSTER SETTING cluster.preserve_downgrade_option;') ]] ||
    echo "SET CLUSTER SETTING cluster.preserve_downgrade_option = '$(sql_at "$host" <<<'SHOW CLUSTER SETTING version;')';"
}
settings() { echo "SET CLUSTER SETTING server.shutdown.drain_wait = '5s';"; }

is_finalized() { record_read && [[ $(annotation finalised) == "$1" ]]; }
switch_on() {
  sql_at "$(speaker)" <<<'RESET CLUSTER SETTING cluster.preserve_downgrade_option;' || return 1
  record_change finalised
}
finalised() { echo "finalised=$FINALIZE"; }

lives() { [[ -n $(nodes | while read -r id _ _ live _; do [[ $id != "$1" || $live != true ]] || echo "$id"; done) ]]; } # ID

# There is no dry run: what can be checked, check_others has checked. The missing replicas of a dead node are its own.
check_leave() { ! lives "$1" || is_replicated || refuse "some ranges have too few replicas: node $1 cannot leave now. Nothing was removed."; }

# Documented from 3.0 on, to any newer release of 3; going back is not.
check_skip() {
  local id address build membership
  while read -r id address build _ _ membership _; do
    if is_final "$membership" "$id"; then continue; fi
    [[ ${build%%.*} == "${SERIES%%.*}" ]] || refuse "node $id ($(member_of "$address")) runs $build, and there is no upgrade from there to $SERIES. No member was touched."
  done < <(nodes)
}
