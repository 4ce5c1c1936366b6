#!/bin/sh
# Starts one part of the sandbox: joins the sandbox's control group, writes down who it is, and only
# then becomes the part. So there is no moment at which a part runs that no record names.
# Usage: launch.sh RECORD GROUP-FOLDERS(colon-separated) PROGRAM [ARGUMENT...]
set -eu

record=$1
groups=$2
shift 2

IFS=:
for group in $groups; do
    echo $$ >"$group/cgroup.procs"
done
unset IFS

# Boot, then pid and start time (fields 1 and 22): together they name this process for ever.
{
    cat /proc/sys/kernel/random/boot_id
    cat "/proc/$$/stat"
} >"$record.new"
mv "$record.new" "$record"

exec "$@"
