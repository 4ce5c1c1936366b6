#!/usr/bin/env bash
# Run by Patroni on the member that forms the cluster, after initdb and as superuser: the membership job's account.
# It may make databases and roles, and is no superuser; superusers are let in from inside the pod only (pg_hba).
set -euo pipefail
source "${BASH_SOURCE%/*}/patroni.sh"

admin=$(secret admin-password | verifier)
sql "$1" <<SQL
SET log_min_error_statement = panic;
CREATE ROLE quorum LOGIN CREATEDB CREATEROLE PASSWORD '$admin';
-- A server whose connections are all taken still answers the membership job.
GRANT pg_monitor, pg_use_reserved_connections TO quorum;
GRANT SET ON PARAMETER log_min_error_statement TO quorum;
SQL

# From here on the data is whole. With this mark of serve.sh still on the disk, a later cluster that takes the disk over
# (adopt) would take it for a forming that was cut off, and begin it again from nothing.
rm -f /quorum/data/quorum-forming
