#!/usr/bin/env bash
# The members' state, as Patroni tells it: role, state, timeline and lag of each.
set -euo pipefail
exec patronictl --config-file /run/quorum/patroni list
