//! Containers that neither Docker's records nor the kubelet vouch for, and pods in every form of control group.

use super::verdicts;
use crate::collect::node::tests::{POD_MOUNTS, Planted, Tree};
use crate::evaluate::Outcome;

const HASH: &str = "f8a8d3b24ce0d2945cf528b1e30c375c";
const UUID: &str = "6be53e68-0d64-4010-a6db-79d67ae4390b";

/// A process with mounts of its own.
fn contained(tree: &Tree, pid: u32, command: &str, cgroup: &str) {
    let namespace = Some("mnt:[2]");
    tree.process(&Planted { pid, command, cgroup, namespace, mounts: POD_MOUNTS, ..Planted::default() });
}

#[test]
fn a_component_in_a_container_of_any_kind_is_never_taken_for_absent() {
    let id = "a".repeat(64);
    for (command, control, cgroup) in [
        (
            "kubelet --read-only-port=10255",
            "kubelet-read-only-port",
            format!("0::/machine.slice/libpod-{id}.scope/container\n"),
        ),
        (
            "kube-scheduler --profiling=true",
            "scheduler-profiling",
            "0::/machine.slice/systemd-nspawn@cp.service/payload/kube-scheduler.service\n".into(),
        ),
        (
            "kube-controller-manager --profiling=true",
            "controller-manager-profiling",
            format!("11:memory:/docker/{id}\n4:cpu,cpuacct:/docker/{id}\n1:name=systemd:/docker/{id}\n"),
        ),
        (
            "kube-apiserver --profiling=true",
            "api-server-profiling",
            "0::/lxc.payload.cp/system.slice/kube-apiserver.service\n".into(),
        ),
        ("etcd --auto-tls=true", "etcd-no-auto-tls", format!("0::/default/{id}\n")),
        (
            "kube-proxy --metrics-bind-address=0.0.0.0",
            "kube-proxy-metrics-address",
            "0::/lxc/worker\n".into(),
        ),
    ] {
        let tree = Tree::new();
        contained(&tree, 200, command, &cgroup);
        let seen = tree.observe();
        let component = command.split(' ').next().unwrap();
        assert_eq!(verdicts(seen.only(component))[control], Outcome::Error, "{cgroup}");
        let (at, _, what) = seen.unread(component)[0];
        assert!(at == "$" && what.starts_with("found process 200, not judged: "), "{what}");
    }
}

#[test]
fn what_a_pod_calls_itself_decides_nothing_in_any_form_of_control_group() {
    let scores = UUID.replace('-', "_");
    for cgroup in [
        format!(
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{scores}.slice/cri-containerd-85c6.scope\n"
        ),
        format!("0::/kubepods.slice/kubepods-pod{scores}.slice/crio-85c6.scope/container\n"),
        format!(
            "11:memory:/kubepods/burstable/pod{UUID}/85c6\n1:name=systemd:/kubepods/burstable/pod{UUID}/85c6\n"
        ),
    ] {
        let tree = Tree::new();
        tree.kubelet("authorization: {mode: Webhook}\n");
        tree.directory("/var/lib/etcd");
        contained(&tree, 200, "kube-apiserver --profiling=true", &cgroup);
        contained(&tree, 201, "etcd --auto-tls=true --data-dir=/var/lib/etcd", &cgroup);
        contained(&tree, 202, "kubelet --authorization-mode=AlwaysAllow", &cgroup);
        let seen = tree.observe();
        for name in ["kube-apiserver", "etcd", "etcd-data-dir"] {
            assert!(seen.all(name).is_empty(), "{name} {cgroup}");
        }
        let kubelet = seen.only("kubelet");
        assert_eq!(kubelet.raw["pid"], "100");
        assert_eq!(verdicts(kubelet)["kubelet-authorization-mode"], Outcome::Passed, "{cgroup}");
    }
}

#[test]
fn a_static_pod_is_known_by_its_hash_in_any_form_of_control_group() {
    for cgroup in [
        format!(
            "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{HASH}.slice/crio-85c6.scope\n"
        ),
        format!(
            "9:pids:/kubepods/burstable/pod{HASH}/85c6\n1:name=systemd:/kubepods/burstable/pod{HASH}/85c6\n"
        ),
    ] {
        let tree = Tree::new();
        tree.kubelet("");
        contained(&tree, 200, "kube-scheduler --profiling=true", &cgroup);
        let judged = verdicts(tree.observe().only("kube-scheduler"));
        assert_eq!(judged["scheduler-profiling"], Outcome::Failed, "{cgroup}");
    }
}
