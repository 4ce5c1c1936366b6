# A CA and what it signed, kept in one Secret: makes what is missing or ends soon, and leaves the rest. A CA that is
# there is never replaced, because everybody trusts it. Sourced after record.sh and job.sh.
# From the plan: SECRET (its name).
# shellcheck shell=bash

readonly SECRET_URL=${RECORD_URL%%/apis/*}/api/v1/namespaces/$QUORUM_NAMESPACE/secrets/${SECRET:?}
readonly WORK=/tmp/certificates
# As long as those of kubeadm.
readonly CA_DAYS=3650
# How keys are made; set it before the first call for another kind.
KEY_KIND=(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)

changed=''

fetch() { # FILE...
  local json name value
  umask 077
  rm -rf "$WORK"
  mkdir -p "$WORK"
  json=$(kube GET "$SECRET_URL?pretty=false")
  version=$(sed -nE 's/.*"resourceVersion":"([0-9]+)".*/\1/p' <<<"$json")
  for name in "$@"; do
    value=$(sed -nE "s/.*\"${name/./\\.}\":\"([^\"]+)\".*/\1/p" <<<"$json")
    if [[ -n $value ]]; then base64 -d <<<"$value" >"$WORK/$name"; fi
  done
}

new_key() { "$TOOLS/openssl" genpkey "${KEY_KIND[@]}" -out "$WORK/$1.key" 2>/dev/null; }
end_of() { "$TOOLS/openssl" x509 -in "$WORK/$1.crt" -noout -enddate | cut -d = -f 2; }

ensure_authority() { # COMMON-NAME
  if [[ -e $WORK/ca.crt ]]; then
    log "the CA is there, until $(end_of ca)"
    return
  fi
  [[ ! -e $WORK/ca.key ]] || refuse "Secret $SECRET has ca.key and no ca.crt. Bring ca.crt back, or remove both and every certificate of it."
  step "make a CA"
  new_key ca
  "$TOOLS/openssl" req -x509 -new -key "$WORK/ca.key" -days "$CA_DAYS" -subj "/O=quorum/CN=$1" \
    -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$WORK/ca.crt"
  changed+=' ca.crt ca.key'
}

is_good() { # NAME DAYS: made by this CA, and a third of its life is left
  [[ -e $WORK/$1.crt && -e $WORK/$1.key ]] &&
    "$TOOLS/openssl" verify -CAfile "$WORK/ca.crt" "$WORK/$1.crt" >/dev/null 2>&1 &&
    "$TOOLS/openssl" x509 -in "$WORK/$1.crt" -noout -checkend "$(($2 * 86400 / 3))" >/dev/null
}

issue() { # NAME DAYS SUBJECT EXTENSION...
  local name=$1 days=$2 subject=$3
  shift 3
  [[ -e $WORK/ca.key ]] || refuse "$name.crt must be made, and Secret $SECRET has no ca.key. Put the key there, or a $name.crt and $name.key of this CA."
  step "make the $name's certificate"
  new_key "$name"
  "$TOOLS/openssl" req -new -key "$WORK/$name.key" -subj "$subject" -out "$WORK/$name.csr"
  "$TOOLS/openssl" x509 -req -in "$WORK/$name.csr" -CA "$WORK/ca.crt" -CAkey "$WORK/ca.key" -set_serial "0x$("$TOOLS/openssl" rand -hex 16)" \
    -days "$days" -extfile <(printf '%s\n' 'basicConstraints=critical,CA:false' "$@") \
    -out "$WORK/$name.crt" 2>/dev/null
  changed+=" $name.crt $name.key"
}

store() {
  local name data=''
  if [[ -z $changed ]]; then
    log 'done: nothing was missing'
    return
  fi
  for name in $changed; do data+="${data:+,}\"$name\":\"$(base64 -w 0 <"$WORK/$name")\""; done
  kube PATCH "$SECRET_URL?fieldManager=quorum-certificates" \
    "{\"metadata\":{\"resourceVersion\":\"$version\"},\"data\":{$data}}" >/dev/null
  log "done: stored$changed"
}
