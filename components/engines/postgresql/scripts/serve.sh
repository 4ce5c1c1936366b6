#!/usr/bin/env bash
# The database container: decides whether this member may start, writes Patroni's configuration, becomes Patroni.
#
# Who may make a new database is decided here, not by Patroni's race: Patroni runs initdb only when its configuration
# has a section `bootstrap`, and only the member that the membership job named gets it (quorum.dev/forming), only as
# long as the record has no cluster, only on an empty disk. So a cluster is never formed twice: not when its first
# member lost its disk while the others are away (that member waits for a leader to copy from), and not when
# Patroni's own ConfigMaps are lost (a member with data makes them anew, with its settings from patroni.dynamic.json).
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/member.sh"
source "${BASH_SOURCE%/*}/patroni.sh"

readonly DISK=/quorum/data
readonly PGDATA=$DISK/pgdata
readonly OWNER=$DISK/quorum-member
# On the disk while this member forms the cluster: what is in PGDATA then is unfinished.
readonly UNFINISHED=$DISK/quorum-forming
readonly PRIVATE=/run/quorum
readonly SETTINGS=$PRIVATE/patroni

trap 'exit 0' TERM INT

has_data() { [[ -e $PGDATA/PG_VERSION || -e $PGDATA/global/pg_control ]]; }
# pg_basebackup writes the control file last.
copy_is_unfinished() { has_data && [[ ! -e $PGDATA/global/pg_control ]]; }
data_identity() { LC_ALL=C "$BIN/pg_controldata" "$PGDATA" | sed -n 's/^Database system identifier: *//p'; }

configmap_url() { echo "${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE/configmaps/$QUORUM_CLUSTER-$1"; }

# Prints what Patroni keeps in one of its ConfigMaps, or nothing when there is none; fails when nobody answers.
kept_by_patroni() { # OBJECT NAME
  local answer
  if answer=$(kube GET "$(configmap_url "$1")?pretty=false" 2>&1); then
    sed -nE "s/.*\"$2\":\"([^\"]*)\".*/\1/p" <<<"$answer"
  else
    [[ $answer == *'"code":404'* ]]
  fi
}

# The data's own major version, else the wanted one: an image may have several, and PATH names only one of them.
find_programs() {
  local major=$QUORUM_MAJOR
  if [[ -e $PGDATA/PG_VERSION ]]; then major=$(<"$PGDATA/PG_VERSION"); fi
  BIN=/usr/lib/postgresql/$major/bin
  [[ -x $BIN/postgres ]] || BIN=$(dirname "$(command -v postgres || echo /nowhere/postgres)")
  until [[ $("$BIN/postgres" --version 2>/dev/null) == *" $major"[.a-z]* ]]; do
    wait_because "needs PostgreSQL $major, and the image has $(echo /usr/lib/postgresql/*/bin). Set quorum:image to one that has it."
  done
}

# A member that was retired and is planned again has an old copy: it is emptied and copied from the others. Patroni
# could rewind it, but the WAL between then and now is gone, and nothing says what happened to the disk meanwhile.
come_back_empty() {
  local leader
  leader=$(kept_by_patroni leader leader) || return 1
  if [[ $leader == "$HOSTNAME" ]]; then
    log "$QUORUM_MEMBER leads: its data is kept"
  else
    log "$QUORUM_MEMBER was retired and comes back: its old data is removed"
    rm -rf "$PGDATA"
  fi
  record_write "returning=$(list_drop "$(annotation returning)" "$QUORUM_MEMBER")"
}

# A forming that was interrupted: Patroni's key `initialize` is empty while initdb runs, and has the identity of the
# database when it is complete.
resume_forming() {
  local identity
  identity=$(kept_by_patroni config initialize) || return 1
  if [[ $identity =~ ^[0-9]{10,}$ ]]; then
    return 0
  fi
  rm -rf "$PGDATA"
  touch "$UNFINISHED"
  # Patroni forms nothing while the key is there, and only the process that set it takes it back.
  kube PATCH "$(configmap_url config)" '{"metadata":{"annotations":{"initialize":null}}}' >/dev/null 2>&1 || true
  forms=true
}

# Returns when Patroni may start; sets `forms` when it shall form the cluster.
await_permission() {
  forms=false
  while true; do
    if ! record_read; then
      wait_because "cannot read the cluster record"
    elif list_has "$record_retired" "$QUORUM_MEMBER"; then
      wait_because "was retired: it stays closed"
    elif list_has "$(annotation returning)" "$QUORUM_MEMBER"; then
      come_back_empty || wait_because "cannot enter itself in the cluster record"
    elif [[ -n $record_cluster_id ]]; then
      rm -f "$UNFINISHED"
      if copy_is_unfinished; then
        log "$QUORUM_MEMBER removes an unfinished copy of the data"
        rm -rf "$PGDATA"
      fi
      if ! has_data || [[ $(data_identity) == "$record_cluster_id" ]]; then return; fi
      wait_because "holds database $(data_identity), and this cluster is $record_cluster_id: it stays closed. Its disk is left as it is."
    elif has_data && [[ ! -e $UNFINISHED ]]; then
      report_found
      wait_because "holds database $(data_identity) of an earlier stack, and waits to be taken over"
    elif [[ $(annotation forming) != "$QUORUM_MEMBER" ]]; then
      wait_because "waits for the cluster to be formed"
    else
      if resume_forming; then return; fi
      wait_because "cannot read Patroni's ConfigMaps"
    fi
  done
}

make_certificate() {
  "$TOOLS/openssl" req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -days 3650 -subj "/CN=$QUORUM_MEMBER" \
    -addext "subjectAltName=DNS:$QUORUM_ADDRESS" -keyout "$PRIVATE/tls.key" -out "$PRIVATE/tls.crt" 2>/dev/null
}

write_settings() {
  local host=$QUORUM_POD_IP
  [[ $host != *:* ]] || host="[$host]"
  rm -rf "$SETTINGS"
  mkdir -p "$SETTINGS"
  # Patroni merges the files of a folder in the order of their names.
  cp /quorum/configuration/patroni.yml "$SETTINGS/1-cluster.yml"
  cat >"$SETTINGS/2-member.yml" <<YAML
# Addresses, not names: in an outage of the API server and with it of DNS, members must still find one another.
name: $HOSTNAME
restapi:
  connect_address: "$host:8008"
  authentication: { username: quorum, password: "$(secret patroni-password)" }
postgresql:
  connect_address: "$host:5432"
  bin_dir: "$BIN"
  authentication:
    # By the socket only, where there is no channel to bind to.
    superuser: { username: postgres, password: "$(secret superuser-password)" }
    replication: { username: replication, password: "$(secret replication-password)", sslmode: require, channel_binding: require }
    rewind: { username: rewind, password: "$(secret rewind-password)", sslmode: require, channel_binding: require }
YAML
  if [[ $forms == true ]]; then cp /quorum/configuration/form.yml "$SETTINGS/3-form.yml"; fi
}

umask 077
check_owner
find_programs
await_permission
# The wait may have emptied the disk.
find_programs
make_certificate
write_settings
log "$QUORUM_MEMBER starts with $("$BIN/postgres" --version)$([[ $forms == false ]] || echo ', and forms the cluster')"
export PATH="$BIN:$PATH"
exec patroni "$SETTINGS"
