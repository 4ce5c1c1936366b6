#!/usr/bin/env bash
# Init container: makes an empty server on an empty disk. The accounts are the same on every member and are made
# outside the binary log, so a fresh member has executed no transaction of its own.
set -euo pipefail
source "${BASH_SOURCE%/*}/sql.sh"

readonly DATA=/var/lib/mysql/data NEW=/var/lib/mysql/data.new OWNER=/var/lib/mysql/quorum-member

if [[ -e $OWNER && $(<"$OWNER") != "$QUORUM_CLUSTER/$QUORUM_MEMBER" ]]; then
  echo "This disk belongs to $(<"$OWNER"), and this is $QUORUM_CLUSTER/$QUORUM_MEMBER: not started." >&2
  exit 1
fi
printf '%s' "$QUORUM_CLUSTER/$QUORUM_MEMBER" >"$OWNER"
if [[ -d $DATA ]]; then
  exit 0
fi

# An initialisation that was interrupted is begun again: data.new becomes data only when it is complete.
rm -rf "$NEW"
mkdir -m 0750 "$NEW"
umask 077
cat >/tmp/accounts.sql <<SQL
SET sql_log_bin=0;
ALTER USER root@localhost IDENTIFIED BY '$(secret root-password)';
CREATE USER quorum@'%' IDENTIFIED BY '$(secret admin-password)' REQUIRE SSL;
GRANT ALL ON *.* TO quorum@'%' WITH GRANT OPTION;
CREATE USER replication@'%' IDENTIFIED BY '$(secret replication-password)' REQUIRE SSL;
GRANT REPLICATION SLAVE, BACKUP_ADMIN, CONNECTION_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO replication@'%';
CREATE USER clone@'%' IDENTIFIED BY '$(secret clone-password)' REQUIRE SSL;
GRANT BACKUP_ADMIN, REPLICATION CLIENT ON *.* TO clone@'%';
GRANT SELECT ON performance_schema.* TO clone@'%';
SQL
mysqld --no-defaults --initialize-insecure --datadir="$NEW" --init-file=/tmp/accounts.sql --log-error-verbosity=1
rm -f /tmp/accounts.sql
mv "$NEW" "$DATA"
echo "An empty server was made for $QUORUM_MEMBER."
