#!/usr/bin/env bash
# The readiness of the database container, and the member's role for other scripts.
#   ready  it is PRIMARY or SECONDARY: not while it copies, recovers, rolls back, or is no member
#   role   prints PRIMARY, SECONDARY or OTHER
# A probe every few seconds must be cheap, and mongosh is a Node.js program: the command `hello`, which needs no login, is
# sent as the bytes that it has in MongoDB's wire protocol (https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/).
set -euo pipefail

# shellcheck disable=SC2016 # $db is the name of a field
# {hello: 1, $db: "admin"} as BSON, in an OP_MSG of 52 bytes.
readonly HELLO='\x34\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1f\0\0\0\x10hello\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0'

hex() { od -An -v -tx1 | tr -d ' \n'; }

exec 3<>/dev/tcp/127.0.0.1/27017
# shellcheck disable=SC2059 # the bytes are a format, nothing of it comes from outside
printf "$HELLO" >&3
# The answer begins with its own length.
size=$(timeout 3 head -c 4 <&3 | od -An -tu4)
answer=$(timeout 3 head -c "$((size - 4))" <&3 | hex)

is_true() { [[ $answer == *"08$(printf '%s' "$1" | hex)0001"* ]]; }
if is_true isWritablePrimary; then role=PRIMARY; elif is_true secondary; then role=SECONDARY; else role=OTHER; fi

case ${1:?} in
  ready) [[ $role != OTHER ]] || { echo "$QUORUM_MEMBER is neither PRIMARY nor SECONDARY"; exit 1; } ;;
  role) echo "$role" ;;
esac
