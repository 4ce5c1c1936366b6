#!/usr/bin/env bash
# Before SIGTERM, which drains the node: what the engine wants of a node that comes back with another image.
set -euo pipefail
source "${BASH_SOURCE%/*}/record.sh"
source "${BASH_SOURCE%/*}/family.sh"
before_stop
