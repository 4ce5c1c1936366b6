# The cluster record: annotations on the EndpointSlice of the write Service, and its one address.
# The API server orders all writes to it (optimistic locking by resourceVersion), so two writers never both win.
#   quorum.dev/cluster-id   set once, when the cluster is formed
#   quorum.dev/primary      the member that leads
#   quorum.dev/members      members whose data is part of the cluster, comma separated
#   quorum.dev/retired      members that were asked to leave
#   quorum.dev/returning    members that were retired, are planned again, and must come back with an empty disk
#   quorum.dev/found        member=cluster: members whose disk has data that is not of this cluster
#   quorum.dev/forming      the member on which the cluster is being formed, until that is done
#   quorum.dev/switchover   set while leadership moves: nobody but the membership job changes roles then
#   quorum.dev/plan         what the membership job of the newest update works from (Pulumi writes it)
#   quorum.dev/pods         the pods that the newest update wants (Pulumi writes it)
#   quorum.dev/checked      the pods for which the last check before a restart has passed
#   quorum.dev/first        the member that it touches first (Pulumi writes it)
# Sourced by other scripts. Takes QUORUM_NAMESPACE, QUORUM_RECORD and the token of the pod's service account; in another
# Kubernetes cluster than the record's (layout cluster-per-zone), what is mounted for that one.
# shellcheck shell=bash

readonly OWN_ACCOUNT=/var/run/secrets/kubernetes.io/serviceaccount RECORD_ACCESS=${QUORUM_RECORD_ACCESS:-/quorum/record-access}
is_remote() { [[ -e $RECORD_ACCESS/server ]]; }
own_server="https://${KUBERNETES_SERVICE_HOST:-kubernetes.default.svc}:${KUBERNETES_SERVICE_PORT:-443}"
record_path="/apis/discovery.k8s.io/v1/namespaces/${QUORUM_NAMESPACE:?}/endpointslices/${QUORUM_RECORD:?}"
if is_remote; then readonly ACCOUNT=$RECORD_ACCESS; else readonly ACCOUNT=$OWN_ACCOUNT; fi
# Looked up whenever the record is read: a control plane may get another address while pods run.
record_url() { if is_remote; then echo "$(<"$RECORD_ACCESS/server")$record_path"; else echo "$own_server$record_path"; fi; }
RECORD_URL=$(record_url)
# curl and openssl (lay-tools.sh): no image of a database need have them.
readonly TOOLS=${QUORUM_TOOLS:-/quorum/tools}

log() { printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*" >&2; }

# http OPTION... URL: prints what is answered, also when it is no success and this fails.
http() {
  local answer status
  answer=$("$TOOLS/curl" --silent --show-error --write-out '\n%{http_code}' "$@") || return 1
  status=${answer##*$'\n'}
  answer=${answer%$'\n'*}
  printf '%s\n' "$answer"
  [[ $status == 2* ]] && return
  log "HTTP $status from ${*: -1} $(sed -nE 's/.*"message": ?"(([^"\\]|\\.)*)".*/\1/p' <<<"$answer")"
  return 1
}

# Token and body are handed over by pipes: arguments are visible to other processes.
kube_as() { # ACCOUNT METHOD URL [BODY]; ACCOUNT with its token and ca.crt behind it: a directory and "/", or the begin of files' names
  local account=$1 method=$2 url=$3 body=${4:-}
  printf '%s' "$body" | http --connect-timeout 2 --max-time 5 --request "$method" --cacert "${account}ca.crt" \
    --header @<(printf 'Authorization: Bearer %s' "$(<"${account}token")") \
    ${body:+--header 'Content-Type: application/merge-patch+json' --data-binary @-} \
    "$url"
}
kube() { kube_as "$ACCOUNT/" "$@"; } # METHOD URL [BODY]

# The first text that matches PATTERN's group, or nothing.
found_in_record() { sed -nE "s/.*$1.*/\\1/p" <<<"$record_json"; }
annotation() { found_in_record "\"quorum\.dev\/$1\":\"([^\"]*)\""; }

# Reads the record into record_* variables; fails when the API server does not answer.
# shellcheck disable=SC2034 # the scripts that source this file use them
record_read() {
  RECORD_URL=$(record_url)
  record_json=$(kube GET "$RECORD_URL?pretty=false" 2>&1) || { record_json=''; return 1; }
  record_version=$(found_in_record '"resourceVersion":"([0-9]+)"')
  record_cluster_id=$(annotation cluster-id)
  record_primary=$(annotation primary)
  record_members=$(annotation members)
  record_retired=$(annotation retired)
  record_switchover=$(annotation switchover)
  record_address=$(found_in_record '"addresses":\["([^"]*)"\]')
}

# A job of an update that was killed must not undo what a later one did. It was made with what the record said then
# (QUORUM_PLAN: plan=HASH or pods=HASH); a write is refused when the record changed after it was read. So a job that is
# out of date never writes. Members have no plan.
is_superseded() { [[ -n ${QUORUM_PLAN:-} && $(annotation "${QUORUM_PLAN%%=*}") != "${QUORUM_PLAN#*=}" ]]; }
stop_if_superseded() {
  is_superseded || return 0
  log "REFUSED: a newer update has made another plan, and this job is out of date: it changes nothing any more."
  exit 1
}

# Writes annotations (NAME=VALUE; an empty value removes one) and, with address=IP, the address behind the write
# Service (address= closes it). Fails when somebody else wrote since record_read; ends a job that is out of date.
record_write() {
  local annotations='' endpoints='' pair name value
  stop_if_superseded
  for pair in "$@"; do
    name=${pair%%=*} value=${pair#*=}
    if [[ $name == address ]]; then
      if [[ -n $value ]]; then
        endpoints=",\"endpoints\":[{\"addresses\":[\"$value\"],\"conditions\":{\"ready\":true}}]"
      else
        endpoints=',"endpoints":[]'
      fi
    elif [[ -n $value ]]; then
      annotations+="${annotations:+,}\"quorum.dev/$name\":\"$value\""
    else
      annotations+="${annotations:+,}\"quorum.dev/$name\":null"
    fi
  done
  kube PATCH "$RECORD_URL?fieldManager=quorum" \
    "{\"metadata\":{\"resourceVersion\":\"$record_version\",\"annotations\":{$annotations}}$endpoints}" >/dev/null
}

list_has() { [[ ",$1," == *",$2,"* ]]; }
list_add() { if [[ -z $1 ]]; then echo "$2"; elif list_has "$1" "$2"; then echo "$1"; else echo "$1,$2"; fi; }
list_drop() { # LIST MEMBER
  local each left=''
  for each in ${1//,/ }; do [[ $each == "$2" ]] || left+="${left:+,}$each"; done
  echo "$left"
}
