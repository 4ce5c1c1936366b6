#!/usr/bin/env bash
# Makes Kine's database, its user and the schema, whatever of them is missing, through the write Service.
set -euo pipefail
readonly SCRIPTS=/quorum/scripts
source "$SCRIPTS/record.sh"
source "$SCRIPTS/job.sh"
source "$SCRIPTS/patroni.sh"

# From the plan: KINE_DATABASE, KINE_USER, TIMEOUT (seconds).
: "${KINE_DATABASE:?}" "${KINE_USER:?}" "${TIMEOUT:?}"

readonly ADMIN=/tmp/admin OWNER=/tmp/owner

sql_as() { # USER PASSWORD-FILE DATABASE [OPTION...] <SQL
  local user=$1 passwords=$2 database=$3
  shift 3
  sql "host=$(address_of "$QUORUM_CLUSTER") dbname=$database user=$user passfile=$passwords $ENCRYPTED target_session_attrs=read-write" "$@"
}
as_admin() { sql_as quorum "$ADMIN" postgres; }
takes_writes() { [[ $(as_admin 2>/dev/null <<<'SELECT 1') == 1 ]]; }

umask 077
password_file "$ADMIN" quorum admin-password
printf '*:*:*:%s:%s\n' "$KINE_USER" "$(</quorum/kine-password/password)" >"$OWNER"

await "no primary takes writes" takes_writes

# An assignment of its own: within a test a query that fails would not end the job, and count as "is there".
users=$(as_admin <<<"SELECT count(*) FROM pg_roles WHERE rolname = '$KINE_USER'")
if [[ $users == 0 ]]; then
  step "make user $KINE_USER"
  as_admin <<<"CREATE ROLE \"$KINE_USER\""
fi
# The password is set each time: data that an earlier stack left has that of the earlier stack.
password=$(verifier </quorum/kine-password/password)
as_admin <<SQL
SET log_min_error_statement = panic;
ALTER ROLE "$KINE_USER" LOGIN PASSWORD '$password';
SQL
databases=$(as_admin <<<"SELECT count(*) FROM pg_database WHERE datname = '$KINE_DATABASE'")
if [[ $databases == 0 ]]; then
  step "make database $KINE_DATABASE"
  as_admin <<SQL
GRANT "$KINE_USER" TO quorum WITH SET TRUE, INHERIT TRUE;
CREATE DATABASE "$KINE_DATABASE" OWNER "$KINE_USER";
SQL
fi
# Kine relies on seeing what others committed between its statements, whatever an operator sets for the rest.
sql_as "$KINE_USER" "$OWNER" "$KINE_DATABASE" <<<"ALTER DATABASE \"$KINE_DATABASE\" SET default_transaction_isolation = 'read committed'"
step "make the schema"
sql_as "$KINE_USER" "$OWNER" "$KINE_DATABASE" --single-transaction --file=/quorum/kine/schema.sql
log "done: database $KINE_DATABASE of user $KINE_USER"
