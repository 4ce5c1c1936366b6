#!/usr/bin/env bash
# Liveness: the disk takes a write. Nothing about roles or quorum: a restart would mend neither.
set -euo pipefail
exec dd if=/dev/zero of=/quorum/data/disk.check bs=4096 count=1 conv=fsync status=none
