# What the scripts of YugabyteDB share: its programs, addresses, and password files. Sourced by them.
# shellcheck shell=bash

readonly BIN=/home/yugabyte/bin
readonly CERTIFICATES=/quorum/certificates
# What a disk was first used for: the record's token, and the member.
# shellcheck disable=SC2034 # the scripts that source this file use it
readonly OWNER=/quorum/data/quorum-member
# What a process that runs was started with: what is mounted may have been made anew since.
readonly FILES=/run/quorum/certificates
readonly YSQL_PORT=5433
# Since a tserver's tablets have caught up with their logs after its start.
# shellcheck disable=SC2034 # the scripts that source this file use it
readonly CAUGHT_UP=/tmp/caught-up

address_of() { echo "$1.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN"; }

certificates() { if [[ -e $FILES/ca.crt ]]; then echo "$FILES"; else echo "$CERTIFICATES"; fi; }

# yb-admin's own bound is 60 s; all callers ask again.
admin() {
  "$BIN/yb-admin" --master_addresses "$MASTERS" --certs_dir_name "$(certificates)" --timeout_ms "${ADMIN_MS:-10000}" "$@"
}

password_file() { # FILE USER CREDENTIAL
  (umask 077 && printf '*:*:*:%s:%s\n' "$2" "$(<"/quorum/credentials/$3")" >"$1")
}

ysql() { # HOST USER PASSWORD-FILE DATABASE [OPTION...] <SQL
  local host=$1 user=$2 passwords=$3 database=$4
  shift 4
  PGPASSFILE=$passwords PGCONNECT_TIMEOUT=5 PGSSLMODE=require "$BIN/ysqlsh" -h "$host" -p "$YSQL_PORT" -U "$user" -d "$database" \
    --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"
}

# ADDRESS STATE ROLE of each master; ADDRESS STATE UUID of each tserver. They need a leader among the masters, and what has
# no header is no answer. A master that was never reached may be listed as UNKNOWN, without an address: it has no line.
masters_now() {
  admin list_all_masters |
    awk '/^Master UUID/ { answered = 1 } $2 ~ /:7100$/ { sub(/:.*/, "", $2); print $2, $3, $4 } END { exit !answered }'
}
tservers_now() {
  admin list_all_tablet_servers |
    awk '/^Tablet Server UUID/ { answered = 1 } $2 ~ /:9100$/ { sub(/:.*/, "", $2); print $2, $4, $1 } END { exit !answered }'
}
