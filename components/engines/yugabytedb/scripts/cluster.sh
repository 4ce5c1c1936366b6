# What both jobs of YugabyteDB ask the cluster. Sourced by them.
# shellcheck shell=bash

: "${MASTERS:?}"

is_alive() { read_tservers && lists_tserver "$1"; }
master_is_alive() { read_masters && lists_master "$1"; }
has_leader() { masters_now 2>/dev/null | grep -q ' LEADER$'; }
leader() { masters_now 2>/dev/null | awk '$3 == "LEADER" { print $1 }'; }

# What a decision rests on is read first and must have been answered: no answer is neither "dead" nor "none".
# shellcheck disable=SC2034 # the scripts that source this file use it
masters=''
tservers='' config=''
# shellcheck disable=SC2034
read_masters() { masters=$(masters_now 2>/dev/null); }
read_tservers() { tservers=$(tservers_now 2>/dev/null); }
read_config() { config=$(admin get_universe_config 2>/dev/null | tr -d '\n ') && [[ $config == *'"clusterUuid":"'* ]]; }
lists_master() { grep -qE "^$(address_of "$1") ALIVE (LEADER|FOLLOWER)$" <<<"$masters"; }
lists_tserver() { grep -q "^$(address_of "$1") ALIVE " <<<"$tservers"; }

# Names of the members at these addresses. Those of others, and UNKNOWN, are no member's.
names_of() { # ADDRESS...
  local address
  for address; do [[ $address != "$(address_of "${address%%.*}")" ]] || echo "${address%%.*}"; done
}
alive_tservers() {
  # shellcheck disable=SC2046 # one word an address
  names_of $(awk '$2 == "ALIVE" { print $1 }' <<<"$tservers")
}
planned_masters() { tr ',' '\n' <<<"$MASTERS" | cut -d . -f 1; }

# A process says itself that it runs, whatever the masters know of it; the console takes no certificate.
master_runs() { [[ -n $(series_at "$(address_of "$1")" 7000) ]]; }
tserver_runs() { [[ -n $(series_at "$(address_of "$1")" 9000) ]]; }
a_master_runs() {
  local member
  for member in $(planned_masters); do if master_runs "$member"; then return; fi; done
  return 1
}

# Who of the masters and of these tservers is not in, one a line: not listed as alive, or silent itself, since the masters
# count a tserver as alive for a minute after its last word. Fails when the masters do not answer.
away() { # TSERVER...
  local member
  read_masters && read_tservers || return 1
  for member in $(planned_masters); do
    if lists_master "$member" && master_runs "$member"; then continue; fi
    echo "$member"
  done
  for member; do
    if lists_tserver "$member" && tserver_runs "$member"; then continue; fi
    echo "$member"
  done
}
# A change is asked for again until it is answered; both the list and the placement stay the same when it was made twice.
change() { await "yb-admin $1 is not answered" admin "$@"; }

universe_id() {
  await 'the masters do not answer' read_config
  sed -nE 's/.*"clusterUuid":"([^"]+)".*/\1/p' <<<"$config"
}
# Addresses of the tservers from which data is moved away.
blacklisted() {
  await 'the masters do not answer' read_config
  sed -nE 's/.*"serverBlacklist":\{"hosts":\[([^]]*)\].*/\1/p' <<<"$config" | { grep -oE '"host":"[^"]+"' || true; } | cut -d '"' -f 4
}

# Tablets with fewer copies than asked for, as the leader counts them; fails when it does not answer.
all_replicated() {
  local host answer
  host=$(leader) && [[ -n $host ]] || return 1
  answer=$("$TOOLS/curl" --silent --fail --max-time 5 "http://$host:7000/api/v1/health-check") || return 1
  [[ $(tr -d ' \n' <<<"$answer") == *'"under_replicated_tablets":[]'* ]]
}

# The release that a process says it runs, without its build. Upgrades inside a series have a second step too (upgrade
# guide, "Finalize"), so this is what the record calls a series.
series_at() { # ADDRESS WEB-PORT
  "$TOOLS/curl" --silent --fail --max-time 5 "http://$1:$2/api/v1/version" | tr -d ' \n' | sed -nE 's/.*"version_number":"([0-9]+(\.[0-9]+)+)".*/\1/p'
}
leaders_series() {
  local host
  host=$(leader) && [[ -n $host ]] && series_at "$host" 7000
}
older() { [[ $1 != "$2" && $(printf '%s\n' "$1" "$2" | sort -V | head -n 1) == "$1" ]]; } # RELEASE than RELEASE
