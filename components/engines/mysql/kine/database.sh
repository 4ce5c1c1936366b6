#!/usr/bin/env bash
# Makes Kine's database, its user and the schema, whatever of them is missing, through the write Service.
set -euo pipefail
readonly SCRIPTS=/quorum/scripts
source "$SCRIPTS/record.sh"
source "$SCRIPTS/job.sh"
source "$SCRIPTS/sql.sh"

# From the plan: KINE_DATABASE, KINE_USER, TIMEOUT (seconds).
: "${KINE_DATABASE:?}" "${KINE_USER:?}" "${TIMEOUT:?}"

readonly WRITE=$QUORUM_CLUSTER.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN

takes_writes() { [[ $(sql_at "$WRITE" 2>/dev/null <<<'SELECT @@global.super_read_only') == 0 ]]; }

await "no primary takes writes" takes_writes

step "make database $KINE_DATABASE and user $KINE_USER"
# The password is set each time: data that an earlier stack left has that of the earlier stack. In the name of a GRANT an
# underscore stands for any letter. A syntax error is told with what follows it in the statement, and that is left out:
# it may be the password.
error=$(sql_at "$WRITE" 2>&1 <<SQL
CREATE DATABASE IF NOT EXISTS \`$KINE_DATABASE\`;
CREATE USER IF NOT EXISTS '$KINE_USER'@'%' REQUIRE SSL;
ALTER USER '$KINE_USER'@'%' IDENTIFIED BY '$(</quorum/kine-password/password)' REQUIRE SSL;
GRANT ALL ON \`${KINE_DATABASE//_/\\_}\`.* TO '$KINE_USER'@'%';
SQL
) || { log "the database cannot be made: ${error%% near \'*}"; exit 1; }
step "make the schema"
sql_at "$WRITE" --database="$KINE_DATABASE" </quorum/kine/schema.sql
log "done: database $KINE_DATABASE of user $KINE_USER"
