//! What components read somewhere else than kubeadm puts it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use super::{Planted, Tree};

#[test]
fn an_etcd_that_is_told_no_directory_uses_one_with_its_name_where_it_was_started() {
    let tree = Tree::new();
    tree.process(&Planted { pid: 200, command: "/usr/local/bin/etcd --name=a", ..Planted::default() });
    tree.file("/proc/200/environ", "");
    tree.directory("/a.etcd");
    tree.mode("/a.etcd", 0o777);
    tree.directory("/var/lib/etcd");
    let seen = tree.observe();
    assert_eq!(seen.only("etcd-data-dir").id, "/a.etcd", "nobody uses the other");
    assert_eq!(seen.only("etcd-data-dir").raw["mode"], "777");
}

#[test]
fn a_drop_in_whose_name_is_no_text_may_set_anything() {
    let tree = Tree::new();
    tree.kubelet("readOnlyPort: 0\n");
    let command = "kubelet --config=/var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d";
    tree.process(&Planted { command, ..Planted::default() });
    tree.directory("/etc/kubelet.d");
    let write = |name: &[u8]| {
        let text =
            "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nreadOnlyPort: 10255\n";
        std::fs::write(tree.path("/etc/kubelet.d").join(OsStr::from_bytes(name)), text).unwrap();
    };
    write(b"\xff.txt");
    assert!(tree.observe().unread("kubelet").is_empty(), "the kubelet does not read it");
    write(b"\xff.conf");
    let seen = tree.observe();
    let unread = seen.unread("kubelet");
    assert_eq!((unread[0].0, unread[0].1), ("$.config", "malformed"));
    assert!(unread[0].2.ends_with("its name is not UTF-8"), "{unread:?}");
}

#[test]
fn a_path_in_a_drop_in_is_relative_to_where_the_kubelet_was_started() {
    let ca = "authentication: {x509: {clientCAFile: pki/ca.crt}}\n";
    let tree = Tree::new();
    for path in ["/var/lib/kubelet/pki/ca.crt", "/pki/ca.crt"] {
        tree.file(path, "x");
    }
    tree.kubelet(ca);
    assert_eq!(
        tree.observe().only("kubelet-client-ca").id,
        "/var/lib/kubelet/pki/ca.crt",
        "in the main file"
    );
    tree.kubelet("");
    let head = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n";
    tree.file("/etc/kubelet.d/ca.conf", &format!("{head}{ca}"));
    let command = "kubelet --config=/var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d";
    tree.process(&Planted { command, ..Planted::default() });
    assert_eq!(tree.observe().only("kubelet-client-ca").id, "/pki/ca.crt");
}

/// An API server that its image starts.
const POD: &str = "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - image: registry/kube-apiserver:v1.37.2@sha256:ab\n    args: [--profiling=false]\n";

#[test]
fn a_manifest_without_a_command_is_the_image_s_component_s() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /opt/m\n");
    tree.file("/opt/m/api.yaml", POD);
    assert_eq!(tree.observe().only("api-server-manifest").id, "/opt/m/api.yaml");
    tree.file("/opt/m/old.yaml", &POD.replace("kube-apiserver", "kube-scheduler-amd64"));
    let hyperkube = POD.replace("kube-apiserver", "hyperkube").replace("[-", "[controller-manager, -");
    tree.file("/opt/m/hyperkube.yaml", &hyperkube);
    let seen = tree.observe();
    assert_eq!(seen.only("scheduler-manifest").id, "/opt/m/old.yaml");
    assert_eq!(seen.only("controller-manager-manifest").id, "/opt/m/hyperkube.yaml");
}

#[test]
fn the_directory_of_manifests_may_be_a_single_file() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /opt/server.pod\n");
    tree.file("/opt/server.pod", POD);
    assert_eq!(tree.observe().only("api-server-manifest").id, "/opt/server.pod");
}

#[test]
fn a_manifest_whose_name_is_no_text_may_be_any_component_s() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /opt/m\n");
    tree.directory("/opt/m");
    std::fs::write(tree.path("/opt/m").join(OsStr::from_bytes(b"\xff.yaml")), POD).unwrap();
    let seen = tree.observe();
    for role in ["api-server-manifest", "etcd-manifest"] {
        assert!(seen.unread(role)[0].2.ends_with("its name is not UTF-8"), "{role}");
    }
}

#[test]
fn keys_that_only_one_component_names_are_seen_wherever_they_are() {
    for (command, names) in [
        (
            "kube-apiserver --proxy-client-key-file=/opt/a.key --tls-sni-cert-key=/opt/s.crt,/opt/s.key:a.example,b.example",
            &["/opt/a.key", "/opt/s.key"][..],
        ),
        (
            "kube-controller-manager --cluster-signing-key-file=/opt/ca.key --service-account-private-key-file=/opt/sa.key \
                --cluster-signing-kubelet-client-key-file=/opt/k.key --tls-private-key-file=/opt/c.key",
            &["/opt/ca.key", "/opt/sa.key", "/opt/k.key", "/opt/c.key"],
        ),
        (
            "etcd --data-dir=/d --key-file=/opt/e.key --peer-key-file=/opt/p.key",
            &["/opt/e.key", "/opt/p.key"],
        ),
    ] {
        let tree = Tree::new();
        for name in ["a", "s", "ca", "sa", "k", "c", "e", "p"] {
            tree.file(&format!("/opt/{name}.key"), "x");
            tree.file(&format!("/opt/{name}.crt"), "-----BEGIN CERTIFICATE-----\n");
        }
        tree.process(&Planted {
            command: &command.split_whitespace().collect::<Vec<_>>().join(" "),
            ..Planted::default()
        });
        tree.file("/proc/100/environ", "");
        let seen = tree.observe();
        let mut keys: Vec<&str> = seen.all("pki-key").iter().map(|key| key.id.as_str()).collect();
        let mut names = names.to_vec();
        keys.sort_unstable();
        names.sort_unstable();
        assert_eq!(keys, names, "{command}");
    }
}
