#!/usr/bin/env bash
# The members' state, as the masters' leader sees it, and how far data has moved off members that leave.
set -euo pipefail
source "${BASH_SOURCE%/*}/yugabyte.sh"
admin list_all_masters
admin list_all_tablet_servers
admin get_load_move_completion
