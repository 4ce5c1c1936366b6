# Patroni's REST API and PostgreSQL's clients, with passwords from files: none is ever an argument or an environment
# variable. Sourced by other scripts.
# shellcheck shell=bash

# Debian's own psql is a wrapper in Perl, which not every image has: the newest real one goes first.
for each in /usr/lib/postgresql/*/bin; do PATH=$each:$PATH; done

secret() { cat "/quorum/credentials/$1"; }

address_of() { echo "$1.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN"; }

# By http of record.sh. Every member's certificate is its own and signed by nobody: the connection is encrypted, the
# password proves the caller.
rest() { # METHOD HOST PATH [BODY]
  http --insecure --connect-timeout 3 --max-time "${REST_SECONDS:-5}" --request "$1" \
    --config <(printf 'user = "quorum:%s"\n' "$(secret patroni-password)") \
    ${4:+--header 'Content-Type: application/json' --data "$4"} \
    "https://$2:8008/$3"
}

# Every image with Patroni has Python; jq is not in all of them. The expressions are those of these scripts.
json() { # EXPRESSION [ARGUMENT...] <JSON: a Python expression over `it` and `args`; a list gives one line each
  python3 -c '
import json, sys
value = eval(sys.argv[1], {"it": json.load(sys.stdin), "args": sys.argv[2:]})
print(*(value if isinstance(value, list) else [] if value is None else [value]), sep="\n")
' "$@"
}

# libpq reads passwords from plain files only, which nobody else may read.
password_file() { # FILE USER KEY
  (umask 077 && printf '*:*:*:%s:%s\n' "$2" "$(secret "$3")" >"$1")
}
