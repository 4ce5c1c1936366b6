# Clients for MySQL, with passwords from files: none is ever an argument or an environment variable.
# shellcheck shell=bash

readonly SOCKET=/run/mysqld/mysqld.sock

secret() { cat "/quorum/credentials/$1"; }

# What a client says of a failure, without the statement: a syntax error quotes it, and some have passwords.
without_statement() { sed -n "s/ near '.*//; /^ERROR/p; /^mysql:/p"; }

# Statements are read from standard input; -N -B: plain values, one row a line, tab separated. No answer is not an empty
# one: a caller that compares the output looks at the exit code too, or asks for a value that is never empty.
sql_local() { own_client --connect-timeout=3; }
sql_local_all() { own_client --connect-timeout=3 --force; } # goes on after a statement that failed
own_client() {
  mysql --defaults-extra-file=<(printf '[client]\nuser=root\npassword=%s\nsocket=%s\n' "$(secret root-password)" "$SOCKET") \
    --batch --skip-column-names "$@" 2> >(without_statement >&2)
}

sql_at() { # HOST [OPTION...]
  local host=$1
  shift
  mysql --defaults-extra-file=<(printf '[client]\nuser=quorum\npassword=%s\nssl-mode=REQUIRED\n' "$(secret admin-password)") \
    --host="$host" --port=3306 --connect-timeout=3 --batch --skip-column-names "$@" 2> >(without_statement >&2)
}

address_of() { echo "$1.$QUORUM_MEMBER_DOMAIN"; }
ip_of() { # MEMBER: of its pod, or of its load balancer where the members' names are those of these
  local ip
  ip=$(getent ahostsv4 "$(address_of "$1")" | head -n 1 | cut -d ' ' -f 1) && [[ -n $ip ]] && echo "$ip"
}

# The cluster whose data a server holds, "-" for none. From the dictionary, so that no server gives an error for it.
# shellcheck disable=SC2034 # the scripts that source this file use it
readonly CLUSTER_OF_DATA="SELECT COALESCE((SELECT table_comment FROM information_schema.tables
  WHERE table_schema='quorum' AND table_name='cluster'), '-')"

# Everything that a server has: executed, or received and not yet applied (of the group, or of a source).
readonly TRANSACTIONS="SELECT CONCAT_WS(',', NULLIF(REPLACE(@@global.gtid_executed, '\n', ''), ''),
  (SELECT NULLIF(REPLACE(received_transaction_set, '\n', ''), '') FROM performance_schema.replication_connection_status WHERE channel_name='group_replication_applier'),
  (SELECT NULLIF(REPLACE(received_transaction_set, '\n', ''), '') FROM performance_schema.replication_connection_status WHERE channel_name=''))"
transactions_at() { sql_at "$(address_of "$1")" 2>/dev/null <<<"$TRANSACTIONS"; }
