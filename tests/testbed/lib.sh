# Shared by the test bed's scripts: sourced, never run. Names and paths first, then small functions.
# shellcheck shell=bash
# shellcheck disable=SC2034  # many of these variables are used only by the scripts that source this file

TESTBED=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/posturebeat/testbed
BIN=$CACHE/bin
STATE=$CACHE/run
LOGS=$STATE/logs
IMAGES=$CACHE/images.tar
PAUSE_IMAGE=$CACHE/pause-image
# The fixtures of the Pod Security Standards.
POD_SECURITY=$CACHE/pod-security
# Sockets live here because a socket's path may have 107 bytes at most and a home directory may be long.
RUN=/run/posturebeat-testbed

NETNS=posturebeat
NETNS_FILE=/var/run/netns/$NETNS
NODE_NAME=cp-1
NODE_IP=10.254.0.1
# The first of kubeadm's default range: the API server's own Service.
SERVICE_IP=10.96.0.1
CLUSTER_NAME=posturebeat-test

ES_HOME=$CACHE/elasticsearch
ES_URL=https://127.0.0.1:9200
ES_USER=elastic
ES_PASSWORD=posturebeat-test
OS_HOME=$CACHE/opensearch
OS_URL=http://127.0.0.1:9251
AWS_HOME=$CACHE/aws
AWS_URL=http://127.0.0.1:5000
# The stores refuse to run as root. This is the uid of nobody, which every system has. It cannot enter root's home
# directory, so it gets a mount namespace with the cache at another path.
STORE_UID=65534
STORE_CACHE=/mnt
# shellcheck disable=SC2016  # expanded by the inner shell
AS_STORE_USER=(unshare --mount -- sh -c
  'mount --bind "$1" "$2" && shift 2 && exec setpriv --reuid="$0" --regid="$0" --clear-groups -- "$@"'
  "$STORE_UID" "$CACHE" "$STORE_CACHE")

# The stores run for minutes, so optimizing their code would cost more CPU time than it saves.
QUICK_JAVA=-XX:TieredStopAtLevel=1

PARTS=(kubernetes elasticsearch opensearch aws)
DAEMON_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PATH=$PATH:/usr/sbin:/sbin
umask 022

say() { printf '%s\n' "$*"; }
warn() { printf '%s\n' "$*" >&2; }
die() {
  warn "testbed: $*"
  exit 1
}

require_root() { ((EUID == 0)) || die "${0##*/} must run as root: it creates a network namespace, mounts and cgroups"; }

# A proxy must never come between processes of one namespace, and kubeadm would write it into the manifests.
forget_proxies() { unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY; }

# Two scripts at once would undo each other's work. Daemons are started with this file descriptor closed.
lock() {
  mkdir -p "$CACHE"
  exec 9>"$CACHE/lock"
  flock --wait 300 9 || die "another test bed script still holds the lock after five minutes (lock: $CACHE/lock)"
}

chosen_parts() { # [PART...]: checks the names; none means all
  local part
  (($#)) || set -- "${PARTS[@]}"
  for part in "$@"; do
    [[ " ${PARTS[*]} " == *" $part "* ]] || die "unknown part '$part'; expected one of: ${PARTS[*]}"
    say "$part"
  done
}

have() { # COMMAND, or a path
  if [[ $1 == /* ]]; then [[ -e $1 ]]; else command -v "$1" >/dev/null; fi
}

# The version that a Go module's go.mod requires, so that no version is written down twice.
required_version() { # MODULE_DIR MODULE
  awk -v module="$2" '{ sub(/^require /, "") } $1 == module { print $2; exit }' "$TESTBED/$1/go.mod"
}

# The home directory of a Java with at least this major version.
java_home() { # MAJOR
  local home version
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* /opt/*; do
    [[ -n $home && -x $home/bin/java ]] || continue
    version=$("$home/bin/java" -version 2>&1 | sed -n 's/.* version "\([0-9]*\).*/\1/p')
    if [[ -n $version ]] && ((version >= $1)); then
      say "$home"
      return 0
    fi
  done
  return 1
}

# nsenter and not "ip netns exec": the latter mounts a new /sys, which hides the cgroups.
in_ns() { nsenter --net="$NETNS_FILE" -- "$@"; }

# --- daemons, each with NAME.pid (the PID) and NAME.started (the identity of the process with that PID) ---

# Identifies a process beyond its PID, which the kernel reuses. Fails if the process is gone or a zombie.
process_identity() { # PID
  local stat fields
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  read -ra fields <<<"${stat##*) }"
  [[ ${fields[0]} != [ZX] ]] || return 1
  say "$(</proc/sys/kernel/random/boot_id) ${fields[19]}"
}

start_daemon() { # NAME COMMAND...
  local name=$1 pid
  shift
  mkdir -p "$LOGS"
  # As under a service manager: no terminal, no working directory, and nothing of the caller's environment.
  (cd / && exec setsid nsenter --net="$NETNS_FILE" -- env -i "PATH=$DAEMON_PATH" "HOME=$HOME" LANG=C.UTF-8 "$@") \
    </dev/null >>"$LOGS/$name.log" 2>&1 9>&- &
  pid=$!
  process_identity "$pid" >"$STATE/$name.started" || die "$name exited at once (log: $LOGS/$name.log)"
  say "$pid" >"$STATE/$name.pid"
}

alive() { # NAME
  [[ -s $STATE/$1.pid && -s $STATE/$1.started ]] || return 1
  [[ $(process_identity "$(<"$STATE/$1.pid")") == "$(<"$STATE/$1.started")" ]]
}

stop_daemon() { # NAME SECONDS
  local name=$1 pid deadline=$((SECONDS + $2))
  if alive "$name"; then
    pid=$(<"$STATE/$name.pid")
    kill -TERM "$pid" 2>/dev/null || true
    while alive "$name" && ((SECONDS < deadline)); do sleep 0.1; done
    # The whole process group, because Elasticsearch's server is a child of its launcher.
    kill -KILL -- "-$pid" 2>/dev/null || true
    while alive "$name"; do sleep 0.1; done
  fi
  rm -f "$STATE/$name.pid" "$STATE/$name.started"
}

# Polls a condition. Fails early if the daemon that it depends on has died.
wait_for() { # SECONDS WHAT DAEMON COMMAND...
  local seconds=$1 what=$2 daemon=$3 deadline=$((SECONDS + $1))
  shift 3
  until "$@" >/dev/null 2>&1; do
    if ! alive "$daemon"; then
      tail -n 30 "$LOGS/$daemon.log" >&2 || true
      die "waiting for $what: $daemon is not running (log: $LOGS/$daemon.log)"
    fi
    if ((SECONDS >= deadline)); then
      tail -n 30 "$LOGS/$daemon.log" >&2 || true
      die "timed out after $seconds s waiting for $what (log: $LOGS/$daemon.log)"
    fi
    sleep 0.3
  done
}
