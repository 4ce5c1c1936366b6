# KaiwuDB's own part of the family: it was forked from CockroachDB 20.1, so what is newer there is missing here.
# shellcheck shell=bash
# shellcheck disable=SC2034 # the scripts that source this file use them

readonly PROGRAM=/kaiwudb/bin/kwbase
readonly INTERNAL=kwdb_internal
# Its internals are open to root.
readonly UNLOCK=''
# There is no column membership.
readonly RETIRED=-
# `node decommission` has no dry run: this counts replicas of a node that has been told to leave, and only of such a one.
readonly -a COUNTING=(--wait=none)

# The time-series side wants an address of its own to listen on. Its pool is made at the start (ee_mempool.cpp).
add_flags() { flags+=(--brpc-addr=0.0.0.0:27257 --buffer-pool-size="$BUFFER_POOL"); }

# A node that is out stays listed as decommissioning, without replicas, and dead once its pod is gone. Whether it was
# verified stands in the record; where that is a new one, the ranges are counted.
is_out() { # ID STATE DECOMMISSIONING MEMBERSHIP
  list_has "$(annotation final)" "$1" || [[ $2 == dead && $3 == true && $(replicas_of "$1") == 0 ]]
}
note_final() { # ID
  noted=$1
  record_change add_final
}
add_final() { list_has "$(annotation final)" "$noted" || echo "final=$(list_add "$(annotation final)" "$noted")"; }

# Every 3.x has the cluster version 20.1-3 (pkg/clusterversion): there is nothing to hold back, and nothing to finalise.
hold_upgrade_back() { :; }
settings() { echo "SET CLUSTER SETTING server.shutdown.drain_wait = '5s';"; }

# What can be checked, check_others and the wait for ranges have checked.
check_leave() { :; }

# Documented from 3.0 on, to any newer release of 3; going back is not.
check_skip() {
  local id member build state decommissioning membership all
  list_nodes
  while read -r id member build state decommissioning membership _; do
    if [[ $build == - ]] || is_out "$id" "$state" "$decommissioning" "$membership"; then continue; fi
    [[ ${build%%.*} == "${SERIES%%.*}" ]] || refuse "node $id ($member) runs $build, and there is no upgrade from there to $SERIES. No member was touched."
  done <<<"$all"
}
