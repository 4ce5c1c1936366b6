#!/usr/bin/env bash
# Run by Patroni on the member that forms the cluster, after initdb and as superuser: the membership job's account.
# It may make databases and roles, and is no superuser; superusers are let in from inside the pod only (pg_hba).
set -euo pipefail
source "${BASH_SOURCE%/*}/patroni.sh"

psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 "$1" <<SQL
-- A statement that fails is logged with its password otherwise.
SET log_min_error_statement = panic;
CREATE ROLE quorum LOGIN CREATEDB CREATEROLE PASSWORD '$(secret admin-password)';
GRANT pg_monitor TO quorum;
GRANT SET ON PARAMETER log_min_error_statement TO quorum;
SQL
