#!/usr/bin/env bash
# The members' CA, and the one certificate that they all show: its name is that of every Service of this namespace, and what
# clients outside call them.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/job.sh"
source "${BASH_SOURCE%/*}/authority.sh"
source "${BASH_SOURCE%/*}/outside.sh"

# As long as the CA: YugabyteDB's documents have the same, and members read it at their start only.
readonly DAYS=$CA_DAYS
readonly DOMAIN=$QUORUM_NAMESPACE.svc.$QUORUM_CLUSTER_DOMAIN

# YugabyteDB's documents make RSA keys (secure/tls-encryption/server-certificates).
# shellcheck disable=SC2034 # authority.sh uses it
KEY_KIND=(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)

fetch ca.crt ca.key node.crt node.key
ensure_authority "$QUORUM_CLUSTER"
if is_good node "$DAYS" && says_all_outside "$WORK/node.crt"; then
  log "the node's certificate is there, until $(end_of node)"
else
  issue node "$DAYS" "/O=quorum/CN=$QUORUM_CLUSTER" 'keyUsage=critical,digitalSignature,keyEncipherment' \
    'extendedKeyUsage=serverAuth,clientAuth' "subjectAltName=DNS:*.$DOMAIN,DNS:localhost,IP:127.0.0.1$(alternatives_outside)"
fi
store
carry "$WORK"
