#!/usr/bin/env bash
# Makes Kine's database, its user and the schema, whatever of them is missing, through the write Service.
set -euo pipefail
readonly SCRIPTS=/quorum/scripts
source "$SCRIPTS/record.sh"
source "$SCRIPTS/job.sh"
source "$SCRIPTS/yugabyte.sh"

# From the plan: KINE_DATABASE, KINE_USER, TIMEOUT (seconds).
: "${KINE_DATABASE:?}" "${KINE_USER:?}" "${TIMEOUT:?}"

readonly ADMIN=/run/quorum/admin KINE_OWNER=/run/quorum/kine-owner

# Terse: the client prints the statement that failed otherwise, and one of them has a password.
as_admin() { ysql "$(address_of "$QUORUM_CLUSTER")" yugabyte "$ADMIN" yugabyte --set=VERBOSITY=terse; }
as_owner() { ysql "$(address_of "$QUORUM_CLUSTER")" "$KINE_USER" "$KINE_OWNER" "$KINE_DATABASE" "$@"; }
answers() { [[ $(as_admin 2>/dev/null <<<'SELECT 1') == 1 ]]; }

umask 077
password_file "$ADMIN" yugabyte superuser-password
printf '*:*:*:%s:%s\n' "$KINE_USER" "$(</quorum/kine-password/password)" >"$KINE_OWNER"

await 'SQL is not answered' answers
# An assignment of its own: within a test a query that fails would not end the job, and count as "is there".
users=$(as_admin <<<"SELECT count(*) FROM pg_roles WHERE rolname = '$KINE_USER'")
if [[ $users == 0 ]]; then
  step "make user $KINE_USER"
  as_admin <<<"CREATE ROLE \"$KINE_USER\" LOGIN"
fi
# The password is set each time: data that an earlier stack left has that of the earlier stack.
as_admin <<<"ALTER ROLE \"$KINE_USER\" PASSWORD '$(</quorum/kine-password/password)'"
databases=$(as_admin <<<"SELECT count(*) FROM pg_database WHERE datname = '$KINE_DATABASE'")
if [[ $databases == 0 ]]; then
  step "make database $KINE_DATABASE"
  as_admin <<<"CREATE DATABASE \"$KINE_DATABASE\" OWNER \"$KINE_USER\""
fi
# Kine relies on seeing what others committed between its statements; its lists are joins, in batches as large as its pages.
as_admin <<<"ALTER DATABASE \"$KINE_DATABASE\" SET default_transaction_isolation = 'read committed'"
as_admin <<<"ALTER DATABASE \"$KINE_DATABASE\" SET yb_bnl_batch_size = 1024"
step 'make the schema'
# Statement by statement: YugabyteDB runs each definition as a transaction of its own.
as_owner --file=/quorum/kine/schema.sql
log "done: database $KINE_DATABASE of user $KINE_USER"
