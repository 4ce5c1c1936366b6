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

# supervise: starts again whatever ends, for ever. A pause of a second keeps a broken one from
# taking the machine.
supervise() {
    local ended name
    while :; do
        ended=
        wait -n -p ended || true
        if [[ -z $ended ]]; then
            sleep 1
            continue
        fi
        name=${program_of[$ended]:-}
        unset "program_of[$ended]"
        if [[ -n $name ]]; then
            log "$name ended, starting it again"
            sleep 1
            begin "$name"
        fi
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
