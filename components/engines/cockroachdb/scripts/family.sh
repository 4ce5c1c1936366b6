# What all scripts of the family share: CockroachDB, and KaiwuDB, which was forked from it. dialect.sh says how they
# differ. Sourced after record.sh. Of the images, bash, coreutils, sed and grep are used, and nothing else.
# shellcheck shell=bash

# shellcheck source=components/engines/cockroachdb/dialect/dialect.sh
source "${BASH_SOURCE%/*}/dialect.sh"

readonly CERTIFICATES=/run/quorum/certificates

# Both want the keys for their own user alone, and a Secret's files belong to root.
take_certificates() {
  local file
  mkdir -p "$CERTIFICATES"
  for file in /quorum/certificates/*; do
    install -m 0600 "$file" "$CERTIFICATES/${file##*/}"
  done
}

address_of() { echo "$1.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN"; }
secret() { cat "/quorum/credentials/$1"; }

# ask HOST COMMAND...: the program's own client, as root, bounded.
ask() {
  local host=$1
  shift
  timeout "${ASK_SECONDS:-30}" "$PROGRAM" "$@" --certs-dir="$CERTIFICATES" --host="$host:26257"
}

# Statements are read from standard input: arguments are visible to other processes. Prints rows, without the header.
sql_at() { # HOST <SQL
  ask "$1" sql --format=tsv | sed 1d
}

# ID ADDRESS BUILD LIVE DECOMMISSIONING MEMBERSHIP REPLICAS STATE of each node that the cluster lists, as one that
# answers sees it. Columns are found by name: versions differ in their order.
nodes_at() { # HOST
  local csv header line i
  local -a names values
  local -A of
  csv=$(ask "$1" node status --decommission --format=csv 2>/dev/null) || return 1
  header=${csv%%$'\n'*}
  IFS=, read -r -a names <<<"$header"
  while IFS= read -r line; do
    IFS=, read -r -a values <<<"$line"
    for i in "${!names[@]}"; do of[${names[i]}]=${values[i]:-}; done
    echo "${of[id]} ${of[address]%:*} ${of[build]#v} ${of[is_live]} ${of[is_decommissioning]:-false} ${of[membership]:--} ${of[gossiped_replicas]:-0} ${of[status]:-HEALTHY}"
  done <<<"${csv#*$'\n'}"
}
