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

address_of() { echo "$1.$QUORUM_MEMBER_DOMAIN"; }
secret() { cat "/quorum/credentials/$1"; }

# What is asked again and again says nothing while it fails; a job that ends with an error shows what was said last.
readonly SAID=${TMPDIR:-/tmp}/said
hushed() { "$@" 2>"$SAID"; }
said() { [[ ! -s $SAID ]] || printf ' (%s)' "$(tr -s '\n' ' ' <"$SAID")"; }

# ask HOST COMMAND...: the program's own client, as root, bounded.
ask() {
  local host=$1 code=0
  shift
  timeout "${ASK_SECONDS:-30}" "$PROGRAM" "$@" --certs-dir="$CERTIFICATES" --host="$host:26257" || code=$?
  [[ $code != 124 ]] || echo "$host does not answer within ${ASK_SECONDS:-30} seconds" >&2
  return "$code"
}

# Statements are read from standard input: arguments are visible to other processes. Prints rows, without the header.
sql_at() { # HOST <SQL
  ask "$1" sql --format=tsv | sed 1d
}

# A statement about the program's internals, which CockroachDB answers only in a session that asks for them. Its client
# prints the tag of that in every format, before the header (pkg/cli/clisqlexec/run_query.go).
internals_at() { # HOST STATEMENT
  ask "$1" sql --format=tsv <<<"$UNLOCK$2" | sed '1{/^SET$/d;}' | sed 1d
}

# ID MEMBER BUILD STATE DECOMMISSIONING MEMBERSHIP STARTED of each node that the cluster lists, as one that answers sees
# it. Columns are found by name: versions differ in their order. STATE is live (is_live and is_available), dead (neither)
# or sick. What gossip does not know is printed as NULL, here -: a node that was down for two hours, or when all others
# restarted, has no address. What it wrote about itself then tells whose it was, and after that the record (ID=MEMBER in
# quorum.dev/nodes).
nodes_at() { # HOST
  local csv line i member state written=''
  local -a names values
  local -A of
  csv=$(hushed ask "$1" node status --decommission --format=csv </dev/null) || return 1
  IFS=, read -r -a names <<<"${csv%%$'\n'*}"
  if [[ $csv == *,NULL,* ]]; then
    written=$(hushed internals_at "$1" "SELECT node_id, address FROM $INTERNAL.kv_node_status;") || written=''
  fi
  while IFS= read -r line; do
    [[ $line == [0-9]*,* ]] || continue
    IFS=, read -r -a values <<<"$line"
    for i in "${!names[@]}"; do of[${names[i]}]=${values[i]:-}; done
    member=${of[address]%:*}
    if [[ $member == NULL ]]; then member=$(sed -nE "s/^${of[id]}\t(.+):[0-9]+$/\1/p" <<<"$written"); fi
    if [[ -z $member ]]; then member=$(annotation nodes | tr ',' '\n' | sed -n "s/^${of[id]}=//p"); fi
    case "${of[is_available]:-} ${of[is_live]:-}" in
      'true true') state=live ;;
      'false false') state=dead ;;
      *) state=sick ;;
    esac
    member=${member%%.*}
    echo "${of[id]} ${member:--} $(known "${of[build]#[vV]}") $state ${of[is_decommissioning]:-false} ${of[membership]:--} $(known "${of[started_at]/ /T}")"
  done <<<"$csv"
}
known() { [[ $1 == NULL || -z $1 ]] && echo - || echo "$1"; }
