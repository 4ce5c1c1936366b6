# shellcheck shell=bash
# Sourced by hub.sh and node.sh, which are the first processes of their namespaces: keeps a few
# programs running, as systemd would, and reaps what their children leave behind.
# Wants RUN_DIRECTORY, with the folders log and pids in it.

declare -A program_of

log() {
    printf '%s %s\n' "$(date -u +%H:%M:%S)" "$*"
}

# begin NAME: starts the function run_NAME, which must `exec` its program.
begin() {
    "run_$1" >>"$RUN_DIRECTORY/log/$1.log" 2>&1 </dev/null &
    program_of[$!]=$1
    echo $! >"$RUN_DIRECTORY/pids/$1"
}

# supervise: starts again whatever ended, for ever. It looks once a second, which also keeps a broken program from
# taking the machine. (`wait -n` forgets all but one of those that end at the same time.)
supervise() {
    local pid name
    while :; do
        for pid in "${!program_of[@]}"; do
            if ! kill -0 "$pid" 2>/dev/null; then
                name=${program_of[$pid]}
                unset "program_of[$pid]"
                log "$name ended, starting it again"
                begin "$name"
            fi
        done
        sleep 1
    done
}

# wait_until SECONDS COMMAND...: bounded; a failure ends the script, and with it the part.
wait_until() {
    local seconds=$1 end
    shift
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= end)); then
            log "waited $seconds s in vain for: $*"
            return 1
        fi
        sleep 0.2
    done
}
