# What the members' certificate says of the world outside of Kubernetes: the names and addresses by which clients reach members
# from there. Sourced after record.sh and job.sh.
# From the plan: OUTSIDE (names and IPv4 addresses, comma separated; may be empty).
# shellcheck shell=bash

# `*.db.example.com` is a name here, and no pattern.
IFS=, read -r -a outside <<<"${OUTSIDE:-}"

as_alternative() { # NAME: as a certificate's extension is asked for it
  if [[ $1 =~ ^[0-9]+(\.[0-9]+){3}$ ]]; then echo "IP:$1"; else echo "DNS:$1"; fi
}

alternatives_outside() {
  local name
  for name in "${outside[@]}"; do printf ',%s' "$(as_alternative "$name")"; done
}

lacking_outside() { # FILE: what this certificate does not say
  local said name wanted
  said=" $("$TOOLS/openssl" x509 -in "$1" -noout -ext subjectAltName | tail -n 1 | sed -e 's/IP Address:/IP:/g' -e 's/,//g') "
  for name in "${outside[@]}"; do
    wanted=$(as_alternative "$name")
    [[ $said == *" $wanted "* ]] || echo "$name"
  done
}

# Both certificates are of one CA: members that show the old one and members that show the new one trust one another.
says_all_outside() { # FILE
  local lacking
  lacking=$(lacking_outside "$1")
  [[ -n $lacking ]] || return 0
  log "the members' certificate does not say ${lacking//$'\n'/, }: it is made anew, and each member shows it from its next start on"
  return 1
}
