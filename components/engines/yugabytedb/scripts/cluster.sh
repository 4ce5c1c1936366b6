# What both jobs of YugabyteDB ask the cluster. Sourced by them.
# shellcheck shell=bash

is_alive() { tservers_now 2>/dev/null | grep -q "^$(address_of "$1") ALIVE "; }
master_is_alive() { masters_now 2>/dev/null | grep -qE "^$(address_of "$1") ALIVE (LEADER|FOLLOWER)$"; }
has_leader() { masters_now 2>/dev/null | grep -q ' LEADER$'; }
leader() { masters_now | awk '$3 == "LEADER" { print $1 }'; }

# What a decision rests on is read first and must have been answered: no answer is neither "dead" nor "none".
# shellcheck disable=SC2034 # the scripts that source this file use it
masters=''
tservers='' config=''
# shellcheck disable=SC2034
read_masters() { masters=$(masters_now 2>/dev/null); }
read_tservers() { tservers=$(tservers_now 2>/dev/null); }
read_config() { config=$(admin get_universe_config 2>/dev/null | tr -d '\n '); }
not_alive() { awk '$2 != "" && $2 != "ALIVE" { print $1 }' <<<"$1"; } # LIST: addresses
state_of() { # MEMBER: ALIVE, DEAD, or nothing when the masters do not know it
  await 'the masters do not answer' read_tservers
  awk -v address="$(address_of "$1")" '$1 == address { print $2 }' <<<"$tservers"
}
# A change is asked for again until it is answered; both the list and the placement stay the same when it was made twice.
change() { await "yb-admin $1 is not answered" admin "$@"; }

universe_id() {
  await 'the masters do not answer' read_config
  sed -nE 's/.*"clusterUuid":"([^"]+)".*/\1/p' <<<"$config"
}
# Addresses of the members from which data is moved away.
blacklisted() {
  await 'the masters do not answer' read_config
  sed -nE 's/.*"serverBlacklist":\{"hosts":\[([^]]*)\].*/\1/p' <<<"$config" | { grep -oE '"host":"[^"]+"' || true; } | cut -d '"' -f 4
}

# Tablets with fewer copies than asked for, as the leader counts them; fails when it does not answer.
all_replicated() {
  local answer
  answer=$("$TOOLS/curl" --silent --fail --max-time 5 "http://$(leader):7000/api/v1/health-check") || return 1
  [[ $(tr -d ' \n' <<<"$answer") == *'"under_replicated_tablets":[]'* ]]
}

# The release series that a process says it runs.
series_at() { # ADDRESS WEB-PORT
  "$TOOLS/curl" --silent --fail --max-time 5 "http://$1:$2/api/v1/version" | tr -d ' \n' | sed -nE 's/.*"version_number":"([0-9]+\.[0-9]+)\..*/\1/p'
}
