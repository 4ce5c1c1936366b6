#!/usr/bin/env bash
# The certificates of Kine: a CA, one for the server, one for its clients, all in one Secret. Makes what is missing or
# ends soon, and leaves the rest: a CA that is there is never replaced, because every client trusts it.
set -euo pipefail
readonly SCRIPTS=/quorum/scripts
source "$SCRIPTS/record.sh"
source "$SCRIPTS/job.sh"

# From the plan: SECRET (its name), SERVICE (Kine's), TIMEOUT (seconds).
: "${SECRET:?}" "${SERVICE:?}" "${TIMEOUT:?}"

readonly URL=${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE/secrets/$SECRET
readonly WORK=/tmp/certificates
readonly FILES='ca.crt ca.key server.crt server.key client.crt client.key'
# As long as those of kubeadm, which stand beside them in a control plane: ten years and one.
readonly CA_DAYS=3650 DAYS=365
# A certificate with less left than this is made anew: a third of its life.
readonly LEAST_SECONDS=$((DAYS * 86400 / 3))

fetch() {
  local json name value
  json=$(kube GET "$URL?pretty=false")
  version=$(sed -nE 's/.*"resourceVersion":"([0-9]+)".*/\1/p' <<<"$json")
  for name in $FILES; do
    value=$(sed -nE "s/.*\"${name/./\\.}\":\"([^\"]+)\".*/\1/p" <<<"$json")
    if [[ -n $value ]]; then base64 -d <<<"$value" >"$WORK/$name"; fi
  done
}

changed=''
ensure_authority() {
  if [[ -e $WORK/ca.crt ]]; then
    log "the CA is there, until $(end_of ca)"
    return
  fi
  [[ ! -e $WORK/ca.key ]] || refuse "Secret $SECRET has ca.key and no ca.crt. Bring ca.crt back, or remove both and every certificate of it."
  step "make a CA"
  new_key ca
  openssl req -x509 -new -key "$WORK/ca.key" -days "$CA_DAYS" -subj "/O=quorum/CN=$SERVICE" \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$WORK/ca.crt"
  changed+=' ca.crt ca.key'
}

new_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$WORK/$1.key"; }
end_of() { openssl x509 -in "$WORK/$1.crt" -noout -enddate | cut -d = -f 2; }

is_good() { # NAME: made by this CA, and lasts
  [[ -e $WORK/$1.crt && -e $WORK/$1.key ]] &&
    openssl verify -CAfile "$WORK/ca.crt" "$WORK/$1.crt" >/dev/null 2>&1 &&
    openssl x509 -in "$WORK/$1.crt" -noout -checkend "$LEAST_SECONDS" >/dev/null
}

issue() { # NAME SUBJECT EXTENSION...
  local name=$1 subject=$2
  shift 2
  [[ -e $WORK/ca.key ]] || refuse "$name.crt must be made, and Secret $SECRET has no ca.key. Put the key there, or a $name.crt and $name.key of this CA."
  step "make the $name's certificate"
  new_key "$name"
  openssl req -new -key "$WORK/$name.key" -subj "$subject" -out "$WORK/$name.csr"
  openssl x509 -req -in "$WORK/$name.csr" -CA "$WORK/ca.crt" -CAkey "$WORK/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
    -days "$DAYS" -extfile <(printf '%s\n' 'basicConstraints=critical,CA:false' 'keyUsage=critical,digitalSignature' "$@") \
    -out "$WORK/$name.crt" 2>/dev/null
  changed+=" $name.crt $name.key"
}

service_address() { getent ahosts "$SERVICE.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN" >"$WORK/addresses"; }

# The Service's address too: a control plane is no pod, and may not know the cluster's names.
ensure_server() {
  local short=$SERVICE.$QUORUM_NAMESPACE address
  await "the Service $SERVICE has no name yet" service_address
  address=$(head -n 1 "$WORK/addresses" | cut -d ' ' -f 1)
  # With x509 -checkip, the answer is in words only.
  if is_good server && [[ $(openssl x509 -in "$WORK/server.crt" -noout -checkip "$address") == *'does match'* ]]; then
    log "the server's certificate is there, until $(end_of server)"
    return
  fi
  issue server "/CN=$SERVICE" 'extendedKeyUsage=serverAuth' \
    "subjectAltName=DNS:$SERVICE,DNS:$short,DNS:$short.svc,DNS:$short.svc.$QUORUM_CLUSTER_DOMAIN,DNS:localhost,IP:127.0.0.1,IP:$address"
}

ensure_client() {
  if is_good client; then
    log "the clients' certificate is there, until $(end_of client)"
    return
  fi
  issue client "/O=quorum/CN=$SERVICE-client" 'extendedKeyUsage=clientAuth'
}

# Not by the function kube: its body would be an argument, which other processes can see.
store() {
  local name data=''
  for name in $changed; do data+="${data:+,}\"$name\":\"$(base64 -w 0 <"$WORK/$name")\""; done
  printf '{"metadata":{"resourceVersion":"%s"},"data":{%s}}' "$version" "$data" >"$WORK/body"
  curl --silent --show-error --fail-with-body --max-time 10 --request PATCH --cacert "$ACCOUNT/ca.crt" \
    --header @<(printf 'Authorization: Bearer %s' "$(<"$ACCOUNT/token")") \
    --header 'Content-Type: application/merge-patch+json' --data "@$WORK/body" \
    --output "$WORK/answer" "$URL?fieldManager=quorum-certificates" || { cat "$WORK/answer" >&2; return 1; }
}

umask 077
rm -rf "$WORK"
mkdir -p "$WORK"
fetch
ensure_authority
ensure_server
ensure_client
if [[ -z $changed ]]; then
  log 'done: nothing was missing'
else
  store
  log "done: stored$changed"
fi
