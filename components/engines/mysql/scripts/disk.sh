# The member's disk: is there room to write, and binary logs that stay within a share of it. Sourced after sql.sh by what
# asks the server.
# shellcheck shell=bash disable=SC2154 # record_* variables come from record.sh

readonly DISK=${QUORUM_DISK:-/var/lib/mysql}
# Percent of the disk that binary logs may take. InnoDB has no bound for them by size; those of an hour can fill a disk.
readonly LOG_SHARE=20
# Percent of the disk below which logs go that a member which is away still needs: it is copied anew when it is back.
readonly LEAST_FREE=10
# Seconds between two looks.
readonly LOOK_INTERVAL=10

# Free and total bytes.
space() { df --block-size=1 --output=avail,size "$DISK" | tail -n 1; }

# What binary logs are cut into, since whole files only can be removed: a hundredth, from 16 to 256 MiB. By the disk as it
# is and not as it was asked for: a disk that grows restarts nobody.
binlog_bytes() {
  local _ size
  read -r _ size < <(space) || size=0
  size=$((size / 100 >> 20))
  ((size > 16)) || size=16
  ((size < 256)) || size=256
  echo "$((size << 20))"
}

# A fiftieth, at least 16 MiB (a tablespace grows by 4 MiB, a transaction's log can be larger), at most 1 GiB.
least_room() { # SIZE
  local room=$(($1 / 50))
  ((room > 16 << 20)) || room=$((16 << 20))
  ((room < 1 << 30)) || room=$((1 << 30))
  echo "$room"
}

# FACTOR: a disk that was full has room again only when there is more than at the bound.
disk_has_room() { # [FACTOR]
  local free size
  read -r free size < <(space) || return
  ((free >= $(least_room "$size") * ${1:-1}))
}

# For the agents: keeps $disk_full, and the record's list of members whose disk is full, which can lead nothing.
disk_full='' next_look=0
look_at_disk() {
  local full
  ((SECONDS >= next_look)) || return 0
  next_look=$((SECONDS + LOOK_INTERVAL))
  if disk_has_room ${disk_full:+2}; then disk_full=''; else disk_full=1; fi
  bound_binary_logs
  full=$(annotation full)
  if [[ -n $disk_full ]] && ! list_has "$full" "$QUORUM_MEMBER"; then
    log "the disk of $QUORUM_MEMBER is full: $(df --human-readable --output=avail,size "$DISK" | tail -n 1) free"
    record_read && record_write "full=$(list_add "$(annotation full)" "$QUORUM_MEMBER")"
  elif [[ -z $disk_full ]] && list_has "$full" "$QUORUM_MEMBER"; then
    log "the disk of $QUORUM_MEMBER has room again"
    record_read && record_write "full=$(list_drop "$(annotation full)" "$QUORUM_MEMBER")"
  fi
}

# Removes the oldest binary logs while all of them take more than their share, each only when every member of the record
# has applied what came before the next one. (With little room left, members that do not answer are not waited for.)
bound_binary_logs() {
  local free size logs total names before
  read -r free size < <(space) || return
  while true; do
    logs=$(sql_local 2>/dev/null <<<'SHOW BINARY LOGS') || return
    total=$(cut -f 2 <<<"$logs" | paste -s -d + -) || return
    ((total)) || return
    ((total * 100 > size * LOG_SHARE)) || return 0
    mapfile -t names < <(cut -f 1 <<<"$logs")
    if ((${#names[@]} < 2)); then
      sql_local <<<'FLUSH BINARY LOGS'
      return
    fi
    before=$(sql_local 2>/dev/null <<<"SHOW BINLOG EVENTS IN '${names[1]}' LIMIT 2") || return
    before=$(sed -n 's/.*\tPrevious_gtids\t[0-9]*\t[0-9]*\t//; T; s/\\n//g; p' <<<"$before")
    [[ -n $before ]] && applied_everywhere "$before" "$((free * 100 < size * LEAST_FREE))" || return 0
    log "binary logs take more than $LOG_SHARE % of the disk: ${names[0]} is removed"
    sql_local <<<"PURGE BINARY LOGS TO '${names[1]}'" || return
  done
}

applied_everywhere() { # TRANSACTIONS EVEN-WITHOUT-AN-ANSWER (1)
  local member answer
  for member in ${record_members//,/ }; do
    if answer=$(sql_at "$(address_of "$member")" 2>/dev/null <<<"SELECT GTID_SUBSET('$1', @@global.gtid_executed)"); then
      [[ $answer == 1 ]] || return
    else
      (($2)) || return
    fi
  done
}
