#!/usr/bin/env bash
# The certificates of Kine: a CA, one for the server, one for its clients, all in one Secret.
set -euo pipefail
readonly SCRIPTS=/quorum/scripts
source "$SCRIPTS/record.sh"
source "$SCRIPTS/job.sh"
source "$SCRIPTS/authority.sh"

# From the plan: SERVICE (Kine's), TIMEOUT (seconds).
: "${SERVICE:?}" "${TIMEOUT:?}"

# As long as those of kubeadm, which stand beside them in a control plane.
readonly DAYS=365
readonly SIGNS='keyUsage=critical,digitalSignature'

service_address() { getent ahosts "$SERVICE.$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN" >"$WORK/addresses"; }

# The Service's address too: a control plane is no pod, and may not know the cluster's names.
ensure_server() {
  local short=$SERVICE.$QUORUM_NAMESPACE address
  await "the Service $SERVICE has no name yet" service_address
  address=$(head -n 1 "$WORK/addresses" | cut -d ' ' -f 1)
  # With x509 -checkip, the answer is in words only.
  if is_good server "$DAYS" && [[ $("$TOOLS/openssl" x509 -in "$WORK/server.crt" -noout -checkip "$address") == *'does match'* ]]; then
    log "the server's certificate is there, until $(end_of server)"
    return
  fi
  issue server "$DAYS" "/CN=$SERVICE" "$SIGNS" 'extendedKeyUsage=serverAuth' \
    "subjectAltName=DNS:$SERVICE,DNS:$short,DNS:$short.svc,DNS:$short.svc.$QUORUM_CLUSTER_DOMAIN,DNS:localhost,IP:127.0.0.1,IP:$address"
}

ensure_client() {
  if is_good client "$DAYS"; then
    log "the clients' certificate is there, until $(end_of client)"
    return
  fi
  issue client "$DAYS" "/O=quorum/CN=$SERVICE-client" "$SIGNS" 'extendedKeyUsage=clientAuth'
}

fetch ca.crt ca.key server.crt server.key client.crt client.key
ensure_authority "$SERVICE"
ensure_server
ensure_client
store
