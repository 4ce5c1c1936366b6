# Clients for MySQL, with passwords from files: none is ever an argument or an environment variable.
# shellcheck shell=bash

readonly SOCKET=/run/mysqld/mysqld.sock

secret() { cat "/quorum/credentials/$1"; }

# Statements are read from standard input; -N -B: plain values, one row a line, tab separated.
sql_local() {
  mysql --defaults-extra-file=<(printf '[client]\nuser=root\npassword=%s\nsocket=%s\n' "$(secret root-password)" "$SOCKET") \
    --connect-timeout=3 --batch --skip-column-names
}

sql_at() { # HOST [OPTION...]
  local host=$1
  shift
  mysql --defaults-extra-file=<(printf '[client]\nuser=quorum\npassword=%s\nssl-mode=REQUIRED\n' "$(secret admin-password)") \
    --host="$host" --port=3306 --connect-timeout=3 --batch --skip-column-names "$@"
}

address_of() { echo "$1.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN"; }
