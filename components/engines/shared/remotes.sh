# The other Kubernetes clusters of a database (layout cluster-per-zone), as its jobs reach them. Sourced by job.sh.
# Of each, the Secret that is mounted has ZONE.server, ZONE.token and ZONE.ca.crt; in other layouts nothing is mounted.
# shellcheck shell=bash

readonly REMOTES=${QUORUM_REMOTES:-/quorum/remotes}

kube_in() { # ZONE METHOD PATH [BODY]
  kube_as "$REMOTES/$1." "$2" "$(<"$REMOTES/$1.server")$3" "${@:4}"
}

remote_zones() {
  local file
  for file in "$REMOTES"/*.server; do
    [[ ! -e $file ]] || basename "$file" .server
  done
}

# The zone of a member that is in another Kubernetes cluster; fails for all others. Also that of a member which left: from its
# name, CLUSTER-ZONE-INDEX or CLUSTER-ROLE-ZONE-INDEX.
remote_zone_of() { # MEMBER
  local zone role
  for role in '' '*-'; do
    for zone in $(remote_zones); do
      # shellcheck disable=SC2053 # a pattern
      [[ ${1%-*} != $QUORUM_CLUSTER-$role$zone ]] || { echo "$zone"; return; }
    done
  done
  return 1
}

# Asks the API server of the Kubernetes cluster that a member is in.
kube_of() { # MEMBER METHOD PATH [BODY]
  local zone
  if zone=$(remote_zone_of "$1"); then kube_in "$zone" "${@:2}"; else kube "$2" "${RECORD_URL%%/apis/*}$3" "${@:4}"; fi
}

# What members may see of the certificates goes into the Secret of each other cluster; never a CA's own key.
# From the plan: SECRET (its name there too), CARRIED (file names, comma separated).
carry() { # DIRECTORY
  local zone name data=''
  for name in $(words "${CARRIED:-}"); do data+="${data:+,}\"$name\":\"$(base64 -w 0 <"$1/$name")\""; done
  for zone in $(remote_zones); do
    await "the Kubernetes cluster of zone $zone does not take the certificates" \
      kube_in "$zone" PATCH "/api/v1/namespaces/$QUORUM_NAMESPACE/secrets/$SECRET?fieldManager=quorum-certificates" "{\"data\":{$data}}" >/dev/null
    log "the Kubernetes cluster of zone $zone has the certificates"
  done
}
