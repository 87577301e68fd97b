# The part "kubernetes": a kubeadm control-plane node in the test bed's namespace. Sourced after lib.sh.
# shellcheck shell=bash

KUBECONFIG_FILE=$STATE/kubeconfig
MADE=$STATE/kubernetes.made
SYSCTLS=$STATE/kubernetes.sysctls
CONTAINERD_SOCKET=$RUN/containerd.sock

# `up` refuses to start if these exist: they would belong to the machine's own Kubernetes.
EXCLUSIVE=(/etc/kubernetes /var/lib/kubelet /var/lib/etcd /etc/cni/net.d)
# Created by kubeadm, the kubelet, containerd and the manifests' host paths. Removed only if they were absent before.
IN_PASSING=("$RUN" /run/containerd /var/lib/cni /var/log/pods /var/log/containers /usr/libexec/kubernetes /etc/ca-certificates
  /usr/share/ca-certificates /usr/local/share/ca-certificates)
UNIT_FILES="kubelet.service /etc/systemd/system/kubelet.service
10-kubeadm.conf /etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
# The kubelet sets these for the whole machine.
KUBELET_SYSCTLS=(vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys
  kernel/keys/root_maxbytes)

bed_kubectl() { in_ns "$BIN/kubectl" --kubeconfig "$KUBECONFIG_FILE" --request-timeout 5s "$@"; }
bed_kubeadm() { in_ns "$BIN/kubeadm" "$@" --config "$STATE/kubeadm.yaml"; }
bed_ctr() { ctr --address "$CONTAINERD_SOCKET" --namespace k8s.io "$@"; }

# --- changes to the machine itself ---

made_by_us() { [[ -e $MADE ]] && grep --quiet --line-regexp --fixed-strings -- "$1" "$MADE"; }

# Records a path before it is created, or the topmost of its parents that is missing.
claim() { # PATH...
  local path
  for path in "$@"; do
    [[ ! -e $path ]] || continue
    while [[ ! -e ${path%/*} && -n ${path%/*} ]]; do path=${path%/*}; done
    made_by_us "$path" || say "$path" >>"$MADE"
  done
}

refuse_foreign_node() {
  local path
  for path in "${EXCLUSIVE[@]}"; do
    # An empty directory is not a node; it is created again as ours.
    [[ ! -d $path ]] || rmdir --ignore-fail-on-non-empty "$path"
    [[ ! -e $path ]] || die "$path exists, but this test bed did not create it. If this machine is a Kubernetes node," \
      "use another one; if the path is left over from a test bed whose cache is gone, remove it by hand"
  done
}

fill_in() { # TEMPLATE OUT
  sed -e "s|@NODE_IP@|$NODE_IP|g" -e "s|@NODE_NAME@|$NODE_NAME|g" -e "s|@CLUSTER_NAME@|$CLUSTER_NAME|g" \
    -e "s|@RUN@|$RUN|g" -e "s|@STATE@|$STATE|g" -e "s|@PAUSE_IMAGE@|$(<"$PAUSE_IMAGE")|g" \
    -e "s|@VERSION@|$(required_version kubernetes k8s.io/kubernetes)|g" "$TESTBED/node/$1" >"$2"
}

install_unit_files() {
  local source target
  while read -r source target; do
    [[ ! -e $target ]] || continue
    claim "$target"
    install -D -m 0644 "$TESTBED/node/$source" "$target"
  done <<<"$UNIT_FILES"
}

remember_sysctls() {
  local name
  for name in "${KUBELET_SYSCTLS[@]}"; do say "$name $(<"/proc/sys/$name")"; done >"$SYSCTLS"
}

restore_sysctls() {
  local name value
  [[ -e $SYSCTLS ]] || return 0
  while read -r name value; do say "$value" >"/proc/sys/$name" || true; done <"$SYSCTLS"
}

# --- starting ---

start_containerd() {
  fill_in containerd.toml "$STATE/containerd.toml"
  mkdir -p "$RUN" /etc/cni/net.d
  fill_in cni.conflist /etc/cni/net.d/10-posturebeat.conflist
  start_daemon containerd containerd --config "$STATE/containerd.toml"
  wait_for 30 "containerd's socket" containerd bed_ctr version
  bed_ctr images import "$IMAGES" >>"$LOGS/containerd.log" 2>&1 || die "cannot import the images (log: $LOGS/containerd.log)"
}

# With the arguments that the service's drop-in passes.
start_kubelet() {
  local KUBELET_KUBEADM_ARGS='' arguments=()
  # shellcheck source=/dev/null
  source /var/lib/kubelet/kubeadm-flags.env
  read -ra arguments <<<"$KUBELET_KUBEADM_ARGS"
  start_daemon kubelet "$BIN/kubelet" --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf \
    --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml "${arguments[@]}"
}

node_ready() {
  [[ $(bed_kubectl get node "$NODE_NAME" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}') == True ]]
}

# Any answer of the kubelet's API will do, because tests change who may read it.
kubelet_ready() {
  [[ $(in_ns curl --silent --max-time 2 http://127.0.0.1:10248/healthz) == ok ]] &&
    in_ns curl --silent --insecure --max-time 2 --output /dev/null "https://$NODE_IP:10250/healthz" && node_ready
}

pods_ready() {
  [[ $(bed_kubectl get pods --namespace demo -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}') == "True True" ]]
}

configz_answers() { bed_kubectl get --raw "/api/v1/nodes/$NODE_NAME/proxy/configz"; }

kubernetes_up() {
  if kubernetes_healthy; then return 0; fi
  kubernetes_down
  refuse_foreign_node
  claim "${EXCLUSIVE[@]}" "${IN_PASSING[@]}"
  remember_sysctls
  fill_in kubeadm.yaml "$STATE/kubeadm.yaml"
  start_containerd

  # "kubeadm init" in two halves, because the kubelet must be started between them and there may be no systemd.
  local phase log=$LOGS/kubeadm.log
  for phase in "certs all" "kubeconfig all" "etcd local" "control-plane all" kubelet-start; do
    # shellcheck disable=SC2086  # a phase of two words
    bed_kubeadm init phase $phase >>"$log" 2>&1 || { tail -n 20 "$log" >&2; die "kubeadm init phase $phase failed (log: $log)"; }
  done
  start_kubelet
  install -m 0600 /etc/kubernetes/super-admin.conf "$KUBECONFIG_FILE"
  wait_for 120 "the API server" kubelet bed_kubectl get --raw /readyz
  # No add-ons: their images cannot be built here.
  bed_kubeadm init --skip-phases=preflight,certs,kubeconfig,etcd,control-plane,kubelet-start,addon >>"$log" 2>&1 ||
    { tail -n 20 "$log" >&2; die "the second half of kubeadm init failed (log: $log)"; }
  # Not earlier: with systemd, kubeadm would start the service.
  install_unit_files

  service_address_up
  wait_for 60 "the node to be ready" kubelet node_ready
  wait_for 30 "the default service account of the namespace demo" kubelet apply_workloads
  wait_for 60 "the pods of the namespace demo" kubelet pods_ready
  # The kubelet caches a denial for half a minute.
  wait_for 45 "the kubelet's /configz" kubelet configz_answers
}

# Stands in for kube-proxy: pods reach the API server at its Service's address.
service_address_up() {
  local rule=(PREROUTING --table nat --protocol tcp --destination "$SERVICE_IP" --dport 443
    --jump DNAT --to-destination "$NODE_IP:6443")
  in_ns iptables --check "${rule[@]}" 2>/dev/null || in_ns iptables --append "${rule[@]}"
}

# The default service account is created shortly after its namespace; until then the pod "ordinary" is rejected.
apply_workloads() { bed_kubectl apply --filename "$TESTBED/workloads.yaml"; }

kubernetes_healthy() {
  alive containerd && alive kubelet && bed_kubectl get --raw /readyz >/dev/null 2>&1 && kubelet_ready 2>/dev/null
}

# --- stopping ---

# The shims soon detach from containerd, so they are found by the socket in their command line.
our_shims() { pgrep --full -- "^[^ ]*containerd-shim-runc-v2 .*-address $CONTAINERD_SOCKET( |\$)" || true; }

kill_containers() {
  local shim deadline=$((SECONDS + 10))
  for shim in $(our_shims); do
    pkill -KILL --parent "$shim" || true
    kill -KILL "$shim" 2>/dev/null || true
  done
  while [[ -n $(our_shims) ]] && ((SECONDS < deadline)); do sleep 0.1; done
}

unmount_all() { # DIR...: these and what is below them
  local dir target
  for dir in "$@"; do
    # Newest first. The kernel writes blanks in paths as \040, which printf decodes.
    while read -r target; do umount --lazy "$target" || true; done < <(
      while read -r _ _ _ _ target _; do
        target=$(printf '%b' "$target")
        if [[ $target == "$dir" || $target == "$dir"/* ]]; then say "$target"; fi
      done </proc/self/mountinfo | tac
    )
  done
}

remove_pod_cgroups() {
  local path
  for path in /sys/fs/cgroup/kubepods /sys/fs/cgroup/*/kubepods; do
    [[ ! -d $path ]] || find "$path" -depth -type d -exec rmdir {} + 2>/dev/null || true
  done
}

kubernetes_down() {
  stop_daemon kubelet 10
  # Before its containers, so that it does not see them end.
  stop_daemon containerd 10
  [[ -e $MADE ]] || return 0
  kill_containers
  # The kubelet mounts its directory onto itself.
  unmount_all "$RUN" "$STATE/containerd" /var/lib/kubelet
  remove_pod_cgroups
  restore_sysctls
  local path
  while read -r path; do rm -rf --one-file-system -- "$path"; done < <(tac "$MADE")
  rm -rf --one-file-system "$STATE/containerd"
  rm -f "$STATE/containerd.toml" "$STATE/kubeadm.yaml" "$KUBECONFIG_FILE" "$SYSCTLS" "$MADE"
}

kubernetes_env() {
  cat <<END
export TESTBED_KUBECONFIG=$(printf %q "$KUBECONFIG_FILE")
export TESTBED_CLUSTER_NAME=$CLUSTER_NAME
export TESTBED_NODE_NAME=$NODE_NAME
export TESTBED_NODE_IP=$NODE_IP
export TESTBED_KUBELET_PID_FILE=$(printf %q "$STATE/kubelet.pid")
export TESTBED_CONTAINERD_SOCKET=$CONTAINERD_SOCKET
END
}

kubernetes_describe() { say "https://$NODE_IP:6443 (containerd $(<"$STATE/containerd.pid"), kubelet $(<"$STATE/kubelet.pid"))"; }
