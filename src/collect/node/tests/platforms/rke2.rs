//! RKE2: static pods below its own folder, and a kubelet that is its child.

use super::{assert_inventory, verdicts};
use crate::collect::node::tests::{POD_MOUNTS, Planted, Tree};
use crate::evaluate::Outcome;

const KUBELET: &str = "/var/lib/rancher/rke2/data/v1.33.1-rke2r1-0a1b/bin/kubelet \
    --volume-plugin-dir=/var/lib/kubelet/volumeplugins --config-dir=/var/lib/rancher/rke2/agent/etc/kubelet.conf.d \
    --kubeconfig=/var/lib/rancher/rke2/agent/kubelet.kubeconfig";
const DEFAULTS: &str = "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d/00-rke2-defaults.conf";
const MANIFESTS: &str = "/var/lib/rancher/rke2/agent/pod-manifests";

fn worker() -> Tree {
    let tree = Tree::new();
    tree.files(&[
        "/usr/local/lib/systemd/system/rke2-agent.service",
        "/var/lib/rancher/rke2/agent/kubelet.kubeconfig",
        "/var/lib/rancher/rke2/agent/kubeproxy.kubeconfig",
        "/var/lib/rancher/rke2/agent/client-ca.crt",
        "/etc/cni/net.d/10-canal.conflist",
    ]);
    tree.process(&Planted { pid: 90, command: "/usr/local/bin/rke2 agent", ..Planted::default() });
    tree.process(&Planted { command: KUBELET, ..Planted::default() });
    tree.file(
        DEFAULTS,
        "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nstaticPodPath: /var/lib/rancher/rke2/agent/pod-manifests\n\
         authentication: {anonymous: {enabled: false}, x509: {clientCAFile: /var/lib/rancher/rke2/agent/client-ca.crt}}\n",
    );
    let kubeconfig = "/var/lib/rancher/rke2/agent/kubeproxy.kubeconfig";
    let command = format!("kube-proxy --kubeconfig={kubeconfig}");
    tree.static_pod(200, &format!("{MANIFESTS}/kube-proxy.yaml"), &command, &[(kubeconfig, kubeconfig)]);
    tree
}

const WORKER: [&str; 7] = [
    "kubelet",
    "kube-proxy",
    "kubelet-kubeconfig /var/lib/rancher/rke2/agent/kubelet.kubeconfig",
    "kubelet-config /var/lib/rancher/rke2/agent/etc/kubelet.conf.d/00-rke2-defaults.conf",
    "kubelet-client-ca /var/lib/rancher/rke2/agent/client-ca.crt",
    "proxy-kubeconfig /var/lib/rancher/rke2/agent/kubeproxy.kubeconfig",
    "cni-config /etc/cni/net.d/10-canal.conflist",
];

#[test]
fn a_worker_has_its_kubelet_s_drop_ins_and_kube_proxy_in_a_static_pod() {
    let seen = worker().observe();
    assert_inventory(&seen, &WORKER);
    assert_eq!(seen.only("kubelet").raw["config"]["authentication"]["anonymous"]["enabled"], false);
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
}

/// A hardened server, whose etcd runs as a user of its own.
fn server() -> Tree {
    let tree = worker();
    tree.files(&[
        "/etc/rancher/rke2/rke2.yaml",
        "/var/lib/rancher/rke2/server/cred/admin.kubeconfig",
        "/var/lib/rancher/rke2/server/cred/scheduler.kubeconfig",
        "/var/lib/rancher/rke2/server/cred/controller.kubeconfig",
        "/var/lib/rancher/rke2/server/tls/client-ca.crt",
        "/var/lib/rancher/rke2/server/tls/service.key",
    ]);
    let tls = "/var/lib/rancher/rke2/server/tls";
    let server = format!(
        "kube-apiserver --audit-log-maxage=30 --client-ca-file={tls}/client-ca.crt --service-account-key-file={tls}/service.key"
    );
    tree.static_pod(300, &format!("{MANIFESTS}/kube-apiserver.yaml"), &server, &[(tls, tls)]);
    for (pid, component, cred) in
        [(400, "kube-scheduler", "scheduler"), (500, "kube-controller-manager", "controller")]
    {
        let kubeconfig = format!("/var/lib/rancher/rke2/server/cred/{cred}.kubeconfig");
        tree.static_pod(
            pid,
            &format!("{MANIFESTS}/{component}.yaml"),
            &format!("{component} --kubeconfig={kubeconfig} --profiling=false"),
            &[(kubeconfig.as_str(), kubeconfig.as_str())],
        );
    }
    let db = "/var/lib/rancher/rke2/server/db/etcd";
    tree.file(
        &format!("{db}/config"),
        &format!("data-dir: {db}\nclient-transport-security: {{client-cert-auth: true}}\n"),
    );
    etcd(&tree, 52034, "");
    tree
}

fn etcd(tree: &Tree, uid: u32, more: &str) {
    let db = "/var/lib/rancher/rke2/server/db/etcd";
    let command = format!("etcd --config-file={db}/config{more}");
    tree.static_pod(600, &format!("{MANIFESTS}/etcd.yaml"), &command, &[(db, db)]);
    let manifest = std::fs::read_to_string(tree.path(&format!("{MANIFESTS}/etcd.yaml"))).unwrap();
    let manifest = manifest.replace("spec:\n", "spec:\n  securityContext: {runAsUser: 52034}\n");
    tree.file(&format!("{MANIFESTS}/etcd.yaml"), &manifest);
    // systemd's driver of control groups.
    let cgroup = "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podf8a8d3b24ce0d2945cf528b1e30c375c.slice/cri-containerd-1.scope\n";
    tree.process(&Planted {
        pid: 600,
        command: &command,
        uid,
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        cgroup,
        ..Planted::default()
    });
}

#[test]
fn kube_bench_1843_a_hardened_server_is_found_whole_and_its_etcd_as_a_user_of_its_own() {
    let seen = server().observe();
    let mut wanted = WORKER.to_vec();
    wanted.extend([
        "kube-apiserver",
        "kube-scheduler",
        "kube-controller-manager",
        "etcd",
        "api-server-manifest /var/lib/rancher/rke2/agent/pod-manifests/kube-apiserver.yaml",
        "scheduler-manifest /var/lib/rancher/rke2/agent/pod-manifests/kube-scheduler.yaml",
        "controller-manager-manifest /var/lib/rancher/rke2/agent/pod-manifests/kube-controller-manager.yaml",
        "etcd-manifest /var/lib/rancher/rke2/agent/pod-manifests/etcd.yaml",
        "etcd-manifest /var/lib/rancher/rke2/server/db/etcd/config",
        "etcd-data-dir /var/lib/rancher/rke2/server/db/etcd",
        "admin-kubeconfig /etc/rancher/rke2/rke2.yaml",
        "admin-kubeconfig /var/lib/rancher/rke2/server/cred/admin.kubeconfig",
        "scheduler-kubeconfig /var/lib/rancher/rke2/server/cred/scheduler.kubeconfig",
        "controller-manager-kubeconfig /var/lib/rancher/rke2/server/cred/controller.kubeconfig",
        "pki-dir /var/lib/rancher/rke2/server/tls",
        "pki-cert /var/lib/rancher/rke2/server/tls/client-ca.crt",
        "pki-key /var/lib/rancher/rke2/server/tls/service.key",
    ]);
    assert_inventory(&seen, &wanted);
    assert_eq!(seen.flag("kube-apiserver", "audit-log-maxage"), ["30"]);
    assert_eq!(seen.only("etcd").raw["config"]["client-transport-security"]["client-cert-auth"], true);
    assert_eq!(verdicts(seen.only("kube-apiserver"))["api-server-service-account-key-file"], Outcome::Passed);
}

#[test]
fn another_user_with_etcd_s_name_is_not_vouched_for() {
    let tree = server();
    let reads_nothing = |tree: &Tree| {
        let seen = tree.observe();
        assert_eq!(seen.unread("etcd")[0].0, "$");
        assert!(
            seen.unread("etcd")[0].2.starts_with("found process 600, not judged: "),
            "{:?}",
            seen.unread("etcd")
        );
        assert_eq!(seen.only("etcd").raw.get("config"), None);
    };
    etcd(&tree, 1000, "");
    reads_nothing(&tree);
    // The manifest's user, with arguments of its own choice.
    tree.process(&Planted {
        pid: 600,
        command: "etcd --config-file=/etc/secret.yaml",
        uid: 52034,
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        ..Planted::default()
    });
    reads_nothing(&tree);
}

#[test]
fn an_older_kubelet_names_its_manifests_by_a_flag() {
    let tree = server();
    std::fs::remove_file(tree.path(DEFAULTS)).unwrap();
    let command = format!(
        "{} --pod-manifest-path={MANIFESTS}",
        KUBELET.replace("--config-dir=/var/lib/rancher/rke2/agent/etc/kubelet.conf.d ", "")
    );
    tree.process(&Planted { command: &command, ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(seen.only("etcd-data-dir").id, "/var/lib/rancher/rke2/server/db/etcd");
    assert_eq!(seen.flag("kube-scheduler", "profiling"), ["false"]);
}
