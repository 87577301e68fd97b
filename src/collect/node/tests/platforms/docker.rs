//! RKE1, Typhoon and kubespray with Docker: components in containers that share the host's network.

use super::verdicts;
use crate::collect::node::tests::{POD_MOUNTS, Planted, Tree};
use crate::evaluate::Outcome;

fn id(pid: u32) -> String {
    format!("{pid:064x}")
}

/// A component in a container, and Docker's record of it.
fn container(tree: &Tree, pid: u32, command: &str, uid: u32, record: Option<(&str, &str)>) {
    let cgroup = format!("0::/system.slice/docker-{}.scope\n", id(pid));
    let mounts = format!("{POD_MOUNTS}305 304 254:0 /etc/kubernetes /etc/kubernetes rw - ext4 /dev/vda rw\n");
    let namespace = Some("mnt:[2]");
    tree.process(&Planted {
        pid,
        command,
        uid,
        cgroup: &cgroup,
        mounts: &mounts,
        namespace,
        ..Planted::default()
    });
    let Some((user, host)) = record else { return };
    let words: Vec<&str> = command.split(' ').collect();
    let config = serde_json::json!({"Path": "/opt/rke-tools/entrypoint.sh", "Args": words,
        "Config": {"User": user, "Image": "rancher/hyperkube:v1.20.15-rancher1", "Env": ["TOKEN=canary"]}});
    let folder = format!("/var/lib/docker/containers/{}", id(pid));
    tree.file(&format!("{folder}/config.v2.json"), &config.to_string());
    tree.file(&format!("{folder}/hostconfig.json"), host);
}

const SHARED: &str = r#"{"NetworkMode": "host", "PidMode": "host", "Privileged": true}"#;
const KUBELET: &str =
    "kubelet --anonymous-auth=false --authorization-mode=AlwaysAllow --read-only-port=10255";

#[test]
fn kube_bench_636_a_kubelet_in_a_container_is_judged_by_docker_s_record() {
    let tree = Tree::new();
    container(&tree, 100, KUBELET, 0, Some(("", SHARED)));
    container(
        &tree,
        200,
        "kube-apiserver --client-ca-file=/etc/kubernetes/ssl/ca.pem",
        0,
        Some(("", SHARED)),
    );
    container(
        &tree,
        300,
        "etcd --auto-tls=true --data-dir=/var/lib/rancher/etcd/",
        52034,
        Some(("52034:52034", SHARED)),
    );
    tree.file("/proc/300/environ", "");
    tree.file("/etc/kubernetes/ssl/ca.pem", "-----BEGIN CERTIFICATE-----\n");
    let seen = tree.observe();
    let kubelet = verdicts(seen.only("kubelet"));
    assert_eq!(kubelet["kubelet-anonymous-auth"], Outcome::Passed);
    assert_eq!(kubelet["kubelet-authorization-mode"], Outcome::Failed);
    assert_eq!(seen.only("kube-apiserver").raw["version"], "1.20");
    assert_eq!(seen.at("/etc/kubernetes/ssl/ca.pem").raw["roles"][0], "pki-cert");
    assert_eq!(verdicts(seen.only("etcd"))["etcd-no-auto-tls"], Outcome::Failed);
    assert!(!seen.text().contains("canary"));
}

#[test]
fn kube_bench_420_a_container_without_a_record_is_an_error_for_each_of_its_rules() {
    for record in [None, Some(("", "{}")), Some(("1000", SHARED))] {
        let tree = Tree::new();
        container(&tree, 100, KUBELET, 0, record);
        let seen = tree.observe();
        let judged = verdicts(seen.only("kubelet"));
        assert!(judged.len() > 10 && judged.values().all(|outcome| *outcome == Outcome::Error), "{record:?}");
        let (at, reason, what) = seen.unread("kubelet")[0];
        assert_eq!((at, reason), ("$", "missing"));
        assert!(what.starts_with("found process 100, not judged: "), "{what}");
        // What only it would name is unknown too.
        for role in ["kubelet-config", "kubelet-kubeconfig", "kubelet-client-ca", "api-server-manifest"] {
            assert_eq!(seen.unread(role)[0].2, what, "{role}");
        }
    }
}

#[test]
fn a_container_that_nobody_vouches_for_does_not_blur_the_real_one() {
    let tree = Tree::new();
    tree.kubelet("authentication: {anonymous: {enabled: false}}\n");
    container(&tree, 200, "kubelet --anonymous-auth=true", 0, None);
    let seen = tree.observe();
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
    assert_eq!(seen.only("kubelet-config").id, "/var/lib/kubelet/config.yaml");
    assert!(seen.resources.iter().all(|resource| !resource.is_unlisted()));
}

#[test]
fn many_that_nobody_vouches_for_are_named_up_to_a_bound() {
    let tree = Tree::new();
    for pid in 100..150 {
        container(&tree, pid, "etcd --a", 0, None);
    }
    assert_eq!(tree.observe().all("etcd").len(), crate::collect::bounds::MAX_REASONS);
}
