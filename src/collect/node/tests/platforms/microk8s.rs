//! microk8s: one process, a file of arguments for each component.

use super::{assert_inventory, verdicts};
use crate::collect::node::tests::{API_POD, POD_MOUNTS, Planted, Tree};
use crate::evaluate::Outcome;

const DATA: &str = "/var/snap/microk8s/8612";

fn tree(control_plane: bool) -> Tree {
    let tree = Tree::new();
    tree.link("/var/snap/microk8s/current", "8612");
    let args = |component: &str, text: &str| tree.file(&format!("{DATA}/args/{component}"), text);
    args(
        "kubelet",
        "--kubeconfig=${SNAP_DATA}/credentials/kubelet.config\n--client-ca-file=${SNAP_DATA}/certs/ca.crt\n\
         --anonymous-auth=false\n--eviction-hard=\"memory.available<100Mi,nodefs.available<1Gi\"\n",
    );
    args(
        "kube-proxy",
        "--kubeconfig=${SNAP_DATA}/credentials/proxy.config\n--healthz-bind-address=127.0.0.1\n",
    );
    args(
        "kube-apiserver",
        "--authorization-mode=RBAC,Node\n\n# Enable the aggregation layer\n--profiling=false\n\
         --etcd-servers=\"unix://${SNAP_DATA}/var/kubernetes/backend/kine.sock:12379\"\n\
         --service-account-key-file=${SNAP_DATA}/certs/serviceaccount.key\n--my-token=canary\n",
    );
    args(
        "kube-scheduler",
        "--kubeconfig=${SNAP_DATA}/credentials/scheduler.config\n--leader-elect-lease-duration=60s\n",
    );
    args("kube-controller-manager", "--kubeconfig=${SNAP_DATA}/credentials/controller.config\n");
    for name in ["kubelet", "proxy", "scheduler", "controller", "client"] {
        tree.file(&format!("{DATA}/credentials/{name}.config"), "");
    }
    for name in ["certs/ca.crt", "certs/serviceaccount.key", "args/cni-network/cni.yaml"] {
        tree.file(&format!("{DATA}/{name}"), "");
    }
    tree.file("/etc/systemd/system/snap.microk8s.daemon-kubelite.service", "");
    kubelite(&tree, &format!("--start-control-plane={control_plane}"), Some("mnt:[1]"));
    tree
}

fn kubelite(tree: &Tree, more: &str, namespace: Option<&str>) {
    let command = format!(
        "/snap/microk8s/8612/kubelite --scheduler-args-file={DATA}/args/kube-scheduler --controller-manager-args-file={DATA}/args/kube-controller-manager \
         --proxy-args-file={DATA}/args/kube-proxy --kubelet-args-file={DATA}/args/kubelet --apiserver-args-file={DATA}/args/kube-apiserver {more}"
    );
    let (mounts, cgroup) = match namespace {
        Some("mnt:[1]") => (
            crate::collect::node::tests::HOST_MOUNTS,
            "0::/system.slice/snap.microk8s.daemon-kubelite.service\n",
        ),
        _ => (POD_MOUNTS, API_POD),
    };
    tree.process(&Planted { command: &command, namespace, mounts, cgroup, ..Planted::default() });
}

/// What lies about whether or not the control plane is on.
const FILES: [&str; 14] = [
    "kubelet-kubeconfig /var/snap/microk8s/8612/credentials/kubelet.config",
    "proxy-kubeconfig /var/snap/microk8s/8612/credentials/proxy.config",
    "admin-kubeconfig /var/snap/microk8s/current/credentials/client.config",
    "kubelet-config /var/snap/microk8s/current/args/kubelet",
    "kubelet-service /etc/systemd/system/snap.microk8s.daemon-kubelite.service",
    "kubelet-client-ca /var/snap/microk8s/8612/certs/ca.crt",
    "pki-dir /var/snap/microk8s/current/certs",
    "pki-cert /var/snap/microk8s/current/certs/ca.crt",
    "cni-config /var/snap/microk8s/current/args/cni-network/cni.yaml",
    "api-server-manifest /var/snap/microk8s/current/args/kube-apiserver",
    "scheduler-manifest /var/snap/microk8s/current/args/kube-scheduler",
    "controller-manager-manifest /var/snap/microk8s/current/args/kube-controller-manager",
    "kubelet",
    "kube-proxy",
];

#[test]
fn every_component_has_the_arguments_of_its_file() {
    let seen = tree(true).observe();
    let mut wanted = FILES.to_vec();
    wanted.extend([
        "kube-apiserver",
        "kube-scheduler",
        "kube-controller-manager",
        "scheduler-kubeconfig /var/snap/microk8s/8612/credentials/scheduler.config",
        "controller-manager-kubeconfig /var/snap/microk8s/8612/credentials/controller.config",
        "pki-key /var/snap/microk8s/8612/certs/serviceaccount.key",
    ]);
    assert_inventory(&seen, &wanted);
    assert_eq!(seen.flag("kube-apiserver", "authorization-mode"), ["RBAC,Node"]);
    assert_eq!(
        seen.flag("kube-apiserver", "etcd-servers"),
        ["unix:///var/snap/microk8s/8612/var/kubernetes/backend/kine.sock:12379"]
    );
    assert_eq!(seen.flag("kubelet", "eviction-hard"), ["memory.available<100Mi,nodefs.available<1Gi"]);
    for component in ["kubelet", "kube-proxy", "kube-apiserver", "kube-scheduler", "kube-controller-manager"]
    {
        let resource = seen.only(component);
        assert_eq!(resource.raw["program"], "kubelite");
        assert_eq!(resource.name, format!("{component} (kubelite)"));
        assert_eq!(resource.id, format!("1004200/{component}"), "five resources have five ids");
        assert!(resource.unread.is_empty(), "the files hold everything: {:?}", resource.unread);
    }
    assert!(!seen.text().contains("canary"));
    // What no file says has its default.
    assert_eq!(verdicts(seen.only("kube-scheduler"))["scheduler-profiling"], Outcome::Failed);
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
}

#[test]
fn a_worker_s_kubelite_holds_no_control_plane() {
    let seen = tree(false).observe();
    let mut wanted = FILES.to_vec();
    wanted.extend([
        // Credentials and keys that lie about are judged all the same.
        "scheduler-kubeconfig /var/snap/microk8s/current/credentials/scheduler.config",
        "controller-manager-kubeconfig /var/snap/microk8s/current/credentials/controller.config",
        "pki-key /var/snap/microk8s/current/certs/serviceaccount.key",
    ]);
    assert_inventory(&seen, &wanted);
}

#[test]
fn a_file_of_arguments_that_cannot_be_read_is_said() {
    let tree = tree(true);
    std::fs::remove_file(tree.path(&format!("{DATA}/args/kube-scheduler"))).unwrap();
    tree.file(&format!("{DATA}/args/kube-proxy"), "--hostname-override=$HOSTNAME\n");
    let seen = tree.observe();
    assert_eq!(
        seen.unread("kube-scheduler"),
        [("$.args", "missing", "read /var/snap/microk8s/8612/args/kube-scheduler")]
    );
    assert_eq!(verdicts(seen.only("kube-scheduler"))["scheduler-profiling"], Outcome::Error);
    assert_eq!(
        seen.unread("kube-proxy"),
        [(
            "$.args",
            "missing",
            "read /var/snap/microk8s/8612/args/kube-proxy: `--hostname-override` uses an unknown variable of kubelite"
        )]
    );
}

#[test]
fn a_file_under_two_names_goes_by_the_one_that_the_process_uses() {
    let tree = tree(true);
    // The revision of a snap that was installed by hand stands behind `current`.
    std::fs::rename(tree.path(DATA), tree.path("/var/snap/microk8s/x1")).unwrap();
    tree.link("/var/snap/microk8s/current", "x1");
    let command = "/snap/microk8s/x1/kubelite --kubelet-args-file=/var/snap/microk8s/x1/args/kubelet --start-control-plane=false";
    tree.process(&Planted { command, ..Planted::default() });
    assert_eq!(
        tree.observe().only("kubelet-kubeconfig").id,
        "/var/snap/microk8s/x1/credentials/kubelet.config"
    );
}

#[test]
fn a_pod_s_kubelite_is_not_believed() {
    let tree = tree(true);
    kubelite(&tree, "", Some("mnt:[2]"));
    let seen = tree.observe();
    assert!(seen.resources.iter().all(|resource| resource.kind != crate::resource::Kind::Process));
}
