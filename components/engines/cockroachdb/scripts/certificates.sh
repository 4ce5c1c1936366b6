#!/usr/bin/env bash
# The certificates: a CA, one that all members share, and root's. Made by the database's own program, kept in one Secret.
# What is there stays, but for a members' certificate that does not say what clients outside call them. The members' names
# are covered by one wildcard, so scaling needs no new certificate.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/family.sh"
source "${BASH_SOURCE%/*}/outside.sh"

# From the plan: SECRET (its name).
readonly SECRET_URL=${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE/secrets/${SECRET:?}
readonly WORK=/tmp/certificates
readonly FILES='ca.crt ca.key node.crt node.key client.root.crt client.root.key'
# Ten years for the CA; five, the program's own default, for what it signs.
readonly CA_LIFETIME=87600h LIFETIME=43824h

fetch() {
  local json name value
  json=$(kube GET "$SECRET_URL?pretty=false")
  version=$(sed -nE 's/.*"resourceVersion":"([0-9]+)".*/\1/p' <<<"$json")
  for name in $FILES; do
    value=$(sed -nE "s/.*\"${name//./\\.}\":\"([^\"]+)\".*/\1/p" <<<"$json")
    if [[ -n $value ]]; then base64 -d <<<"$value" >"$WORK/$name"; fi
  done
}

changed=''
make() { # FILES... -- COMMAND...
  local -a files=()
  while [[ $1 != -- ]]; do files+=("$1") && shift; done
  shift
  if [[ -e $WORK/${files[0]} ]]; then
    log "${files[0]} is there"
    return
  fi
  [[ ${files[0]} == ca.crt || -e $WORK/ca.key ]] || refuse "${files[0]} must be made, and Secret $SECRET has no ca.key. Put the key there, or a ${files[0]} of this CA with its key."
  step "make ${files[0]}"
  "$PROGRAM" cert "$@" --certs-dir="$WORK" --ca-key="$WORK/ca.key"
  changed+=" ${files[*]}"
}

store() {
  local name data=''
  for name in $changed; do data+="${data:+,}\"$name\":\"$(base64 -w 0 <"$WORK/$name")\""; done
  kube PATCH "$SECRET_URL?fieldManager=quorum-certificates" \
    "{\"metadata\":{\"resourceVersion\":\"$version\"},\"data\":{$data}}" >/dev/null
}

umask 077
rm -rf "$WORK"
mkdir -p "$WORK"
fetch
make ca.crt ca.key -- create-ca --lifetime="$CA_LIFETIME"
if [[ -e $WORK/node.crt ]] && ! says_all_outside "$WORK/node.crt"; then rm -f "$WORK"/node.{crt,key}; fi
# shellcheck disable=SC2154 # outside comes from outside.sh
make node.crt node.key -- create-node localhost 127.0.0.1 "$QUORUM_CLUSTER" "$QUORUM_CLUSTER.$QUORUM_NAMESPACE" \
  "$QUORUM_CLUSTER.$QUORUM_NAMESPACE.svc" "$QUORUM_CLUSTER.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN" "$(address_of '*')" "${outside[@]}" --lifetime="$LIFETIME"
make client.root.crt client.root.key -- create-client root --lifetime="$LIFETIME"
if [[ -z $changed ]]; then
  log 'done: nothing was missing'
else
  store
  if [[ $changed == *ca.crt* ]]; then
    log "the CA is a new one. Members that run already keep the old one, and trust nobody with this: restart all of them at once (kubectl --namespace $QUORUM_NAMESPACE delete pod --selector app.kubernetes.io/instance=$QUORUM_CLUSTER,app.kubernetes.io/component=member)."
  fi
  log "done: stored$changed"
fi
carry "$WORK"
