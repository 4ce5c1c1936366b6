# What Patroni's members say of the cluster. Sourced after patroni.sh.
# From the script: MEMBERS (comma separated), those who are asked.
# shellcheck shell=bash

ask() { rest GET "$(address_of "$1")" "$2"; }
answers() { ask "$1" liveness >/dev/null 2>&1; }
identity_of() { ask "$1" patroni 2>/dev/null | json 'it.get("database_system_identifier")'; }

# MEMBER ROLE STATE LAG of each member, as the first one that answers sees it.
members_now() {
  local member view
  for member in $(words "$MEMBERS"); do
    view=$(ask "$member" cluster 2>/dev/null) || continue
    json '[" ".join([m["name"].rpartition("-")[0], m["role"], m["state"].replace(" ", "-") or "-", str(m.get("lag", 0))]) for m in it["members"]]' <<<"$view"
    return
  done
  return 1
}
leader() { members_now | awk '$2 == "leader" && $3 == "running" { print $1 }'; }
has_leader() { [[ -n $(leader) ]]; }
leads() { [[ $(leader) == "$1" ]]; }

# MEMBER LAG of each one that leads, or follows the leader.
taking_part() { members_now | awk '$2 == "leader" && $3 == "running" || $3 == "streaming" { print $1, $4 }'; }
streams() { [[ -n $(taking_part | awk -v name="$1" '$1 == name { print "yes" }') ]]; }
