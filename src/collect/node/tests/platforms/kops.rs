//! kops: manifests that end in `.manifest`, etcd started by a manager of its own, a kubelet with flags.

use super::assert_inventory;
use crate::collect::node::tests::{POD_MOUNTS, Planted, STATIC_POD, Tree};

fn worker() -> Tree {
    let tree = Tree::new();
    tree.files(&[
        "/lib/systemd/system/kubelet.service",
        "/var/lib/kubelet/kubeconfig",
        "/var/lib/kube-proxy/kubeconfig",
        "/srv/kubernetes/ca.crt",
        "/etc/cni/net.d/10-aws.conflist",
    ]);
    let command = "/usr/local/bin/kubelet --anonymous-auth=false --authorization-mode=Webhook \
        --client-ca-file=/srv/kubernetes/ca.crt --kubeconfig=/var/lib/kubelet/kubeconfig \
        --pod-manifest-path=/etc/kubernetes/manifests --read-only-port=0";
    tree.process(&Planted { command, ..Planted::default() });
    let command =
        "/usr/local/bin/kube-proxy --kubeconfig=/var/lib/kube-proxy/kubeconfig --master=https://api";
    tree.static_pod(
        200,
        "/etc/kubernetes/manifests/kube-proxy.manifest",
        command,
        &[("/var/lib/kube-proxy/kubeconfig", "/var/lib/kube-proxy/kubeconfig")],
    );
    tree
}

const WORKER: [&str; 8] = [
    "kubelet",
    "kube-proxy",
    "kubelet-service /lib/systemd/system/kubelet.service",
    "kubelet-kubeconfig /var/lib/kubelet/kubeconfig",
    "proxy-kubeconfig /var/lib/kube-proxy/kubeconfig",
    "kubelet-client-ca+pki-cert /srv/kubernetes/ca.crt",
    "pki-dir /srv/kubernetes",
    "cni-config /etc/cni/net.d/10-aws.conflist",
];

#[test]
fn a_worker_has_its_kubelet_by_flags_and_nothing_of_a_control_plane() {
    let seen = worker().observe();
    assert_inventory(&seen, &WORKER);
    assert_eq!(seen.flag("kubelet", "anonymous-auth"), ["false"]);
    assert_eq!(seen.flag("kubelet", "read-only-port"), ["0"]);
    assert_eq!(seen.only("kubelet").raw.get("config"), None);
    assert!(seen.only("kubelet").unread.is_empty());
}

#[test]
fn a_control_plane_has_manifests_that_end_in_manifest() {
    let tree = worker();
    tree.files(&[
        "/srv/kubernetes/kube-apiserver/server.key",
        "/var/lib/kube-scheduler/kubeconfig",
        "/var/lib/kube-controller-manager/kubeconfig",
    ]);
    tree.file(
        "/etc/kubernetes/manifests/etcd-manager-main.manifest",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{command: [/etcd-manager, --cluster-name=etcd]}]}\n",
    );
    tree.directory("/mnt/master-vol-0abc/data/token");
    // A logger starts the component, which is then not the container's first process.
    let volumes = [("/srv/kubernetes/kube-apiserver", "/srv/kubernetes/kube-apiserver")];
    let server = "/usr/local/bin/kube-apiserver --profiling=false \
        --tls-private-key-file=/srv/kubernetes/kube-apiserver/server.key";
    tree.static_pod(
        300,
        "/etc/kubernetes/manifests/kube-apiserver.manifest",
        &format!("/go-runner --also-stdout {server}"),
        &volumes,
    );
    let in_pod = |pid: u32, command: &str, mounts: &str| {
        tree.process(&Planted {
            pid,
            command,
            mounts,
            namespace: Some("mnt:[2]"),
            cgroup: STATIC_POD,
            ..Planted::default()
        });
    };
    in_pod(301, server, POD_MOUNTS);
    for (pid, name, command) in [
        (400, "kube-scheduler", "kube-scheduler --config=/var/lib/kube-scheduler/config.yaml"),
        (
            500,
            "kube-controller-manager",
            "kube-controller-manager --kubeconfig=/var/lib/kube-controller-manager/kubeconfig",
        ),
    ] {
        let folder = format!("/var/lib/{name}");
        tree.static_pod(
            pid,
            &format!("/etc/kubernetes/manifests/{name}.manifest"),
            command,
            &[(folder.as_str(), folder.as_str())],
        );
    }
    tree.file(
        "/var/lib/kube-scheduler/config.yaml",
        "kind: KubeSchedulerConfiguration\napiVersion: kubescheduler.config.k8s.io/v1\nclientConnection: {kubeconfig: /var/lib/kube-scheduler/kubeconfig}\n",
    );
    // Its manager gives etcd everything by variables; the host's files lie below `/rootfs` for it.
    let mounts = format!("{POD_MOUNTS}305 304 254:0 / /rootfs rw - ext4 /dev/vda rw\n");
    in_pod(600, "/opt/etcd-v3.5.9-linux-amd64/etcd", &mounts);
    tree.file(
        "/proc/600/environ",
        "ETCD_DATA_DIR=/rootfs/mnt/master-vol-0abc/data/token\0ETCD_CLIENT_CERT_AUTH=true\0ETCD_NAME=a\0",
    );

    let seen = tree.observe();
    let mut wanted = WORKER.to_vec();
    wanted.extend([
        "kube-apiserver",
        "kube-scheduler",
        "kube-controller-manager",
        "etcd",
        "api-server-manifest /etc/kubernetes/manifests/kube-apiserver.manifest",
        "scheduler-manifest /etc/kubernetes/manifests/kube-scheduler.manifest",
        "controller-manager-manifest /etc/kubernetes/manifests/kube-controller-manager.manifest",
        "etcd-manifest /etc/kubernetes/manifests/etcd-manager-main.manifest",
        "etcd-data-dir /mnt/master-vol-0abc/data/token",
        "scheduler-kubeconfig /var/lib/kube-scheduler/kubeconfig",
        "controller-manager-kubeconfig /var/lib/kube-controller-manager/kubeconfig",
        "pki-dir /srv/kubernetes/kube-apiserver",
        "pki-key /srv/kubernetes/kube-apiserver/server.key",
    ]);
    assert_inventory(&seen, &wanted);
    assert_eq!(seen.flag("kube-apiserver", "profiling"), ["false"]);
    assert_eq!(
        seen.only("etcd").raw["env"],
        serde_json::json!({"ETCD_DATA_DIR": "/rootfs/mnt/master-vol-0abc/data/token", "ETCD_CLIENT_CERT_AUTH": "true"})
    );
}
