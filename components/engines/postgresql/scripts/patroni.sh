# Patroni's REST API and PostgreSQL's clients, with passwords from files: none is ever an argument or an environment
# variable. Sourced by other scripts.
# shellcheck shell=bash

# Debian's own psql is a wrapper in Perl, which not every image has: the newest real one goes first.
for each in /usr/lib/postgresql/*/bin; do PATH=$each:$PATH; done

secret() { cat "/quorum/credentials/$1"; }

address_of() { echo "$1.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN"; }

# By http of record.sh. Every member's certificate is its own and signed by nobody: the connection is encrypted, the
# password proves the caller. Who answers is not proven, so it is sent only where Patroni asks for one: with what changes
# something.
rest() { # METHOD HOST PATH [BODY]
  http --insecure --connect-timeout 3 --max-time "${REST_SECONDS:-5}" --request "$1" \
    --config <([[ $1 == GET ]] || printf 'user = "quorum:%s"\n' "$(secret patroni-password)") \
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

# To a server that nobody vouches for: with channel binding the password is given to no one but a server that has it too,
# and at this end of the connection (https://www.postgresql.org/docs/18/libpq-connect.html, channel_binding).
# shellcheck disable=SC2034 # the scripts that source this file use it
readonly ENCRYPTED='sslmode=require channel_binding=require connect_timeout=5'

# Terse: psql prints the statement that failed otherwise, with whatever is in it.
sql() { # CONNECTION [OPTION...] <SQL
  local connection=$1
  shift
  psql "$connection" --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse "$@"
}

# What the server keeps of a password (RFC 5802), made here: then no statement has the password itself, and no error or
# log of the server's. Quorum's passwords are ASCII, which SASLprep leaves as it is.
verifier() { # <PASSWORD
  python3 -c '
import base64, hashlib, hmac, os, sys
salt, rounds = os.urandom(16), 4096
key = hashlib.pbkdf2_hmac("sha256", sys.stdin.read().rstrip("\n").encode("ascii"), salt, rounds)
of = lambda name: hmac.digest(key, name, "sha256")
text = lambda value: base64.b64encode(value).decode()
stored = hashlib.sha256(of(b"Client Key")).digest()
print("SCRAM-SHA-256$%d:%s$%s:%s" % (rounds, text(salt), text(stored), text(of(b"Server Key"))))
'
}
