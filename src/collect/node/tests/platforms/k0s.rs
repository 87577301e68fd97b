//! k0s: every component is a child of one process, with an account of its own.

use super::verdicts;
use crate::collect::node::tests::{Planted, SESSION, Tree};
use crate::evaluate::Outcome;

const CONTROLLER: &str = "0::/system.slice/k0scontroller.service\n";
const WORKER: &str = "0::/system.slice/k0sworker.service\n";

fn controller() -> Tree {
    let tree = Tree::new();
    tree.file(
        "/etc/passwd",
        "root:x:0:0:::\nkube-apiserver:x:990:990:::\nkube-scheduler:x:991:991:::\netcd:x:992:992:::\n",
    );
    tree.file(
        "/etc/systemd/system/k0scontroller.service",
        "[Service]\nDelegate=yes\nKillMode=process\nExecStart=/usr/local/bin/k0s controller --config=/etc/k0s/k0s.yaml\n",
    );
    let command = "/usr/local/bin/k0s controller --config=/etc/k0s/k0s.yaml";
    tree.process(&Planted { pid: 90, command, cgroup: CONTROLLER, ..Planted::default() });
    tree.directory("/var/lib/k0s/etcd");
    tree
}

fn child(tree: &Tree, pid: u32, command: &str, uid: u32) {
    tree.process(&Planted { pid, command, uid, cgroup: CONTROLLER, parent: 90, ..Planted::default() });
}

#[test]
fn a_controller_s_children_are_judged_as_their_accounts() {
    let tree = controller();
    child(&tree, 200, "/var/lib/k0s/bin/kube-apiserver --profiling=false", 990);
    child(&tree, 201, "/var/lib/k0s/bin/kube-controller-manager --profiling=false", 990);
    child(&tree, 202, "/var/lib/k0s/bin/kube-scheduler --profiling=true", 991);
    child(&tree, 203, "/var/lib/k0s/bin/etcd --data-dir=/var/lib/k0s/etcd --auto-tls=true", 992);
    tree.file("/proc/203/environ", "");
    let check = |tree: &Tree| {
        let seen = tree.observe();
        assert_eq!(verdicts(seen.only("kube-apiserver"))["api-server-profiling"], Outcome::Passed);
        assert_eq!(
            verdicts(seen.only("kube-controller-manager"))["controller-manager-profiling"],
            Outcome::Passed
        );
        assert_eq!(verdicts(seen.only("kube-scheduler"))["scheduler-profiling"], Outcome::Failed);
        assert_eq!(verdicts(seen.only("etcd"))["etcd-no-auto-tls"], Outcome::Failed);
        assert_eq!(seen.only("etcd-data-dir").id, "/var/lib/k0s/etcd");
    };
    check(&tree);
    // Without systemd, its parent vouches; after its parent has ended, its unit.
    std::fs::remove_file(tree.path("/etc/systemd/system/k0scontroller.service")).unwrap();
    check(&tree);
}

#[test]
fn a_worker_s_kubelet_has_a_name_that_k0s_gives_it() {
    let tree = Tree::new();
    let command = "/usr/local/bin/k0s worker --token-file=/etc/k0s/token";
    tree.process(&Planted { pid: 90, command, cgroup: WORKER, ..Planted::default() });
    tree.kubelet("authentication: {anonymous: {enabled: false}}\n");
    let command = "/var/lib/k0s/bin/kubelet --config=/var/lib/kubelet/config.yaml --hostname-override=n1";
    tree.process(&Planted { command, cgroup: WORKER, parent: 90, ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(seen.only("kubelet").raw["supervisor"], "k0s");
    let judged = verdicts(seen.only("kubelet"));
    assert_eq!(judged["kubelet-hostname-override"], Outcome::NotApplicable);
    assert_eq!(judged["kubelet-anonymous-auth"], Outcome::Passed);
    // Who starts it otherwise gives it a name of their own.
    tree.process(&Planted { command, ..Planted::default() });
    assert_eq!(verdicts(tree.observe().only("kubelet"))["kubelet-hostname-override"], Outcome::Failed);
}

#[test]
fn only_a_k0s_that_root_started_on_the_host_vouches() {
    for parent in [
        Planted { pid: 90, command: "k0s controller", uid: 1000, cgroup: "0::/\n", ..Planted::default() },
        Planted { pid: 90, command: "k0s controller", cgroup: SESSION, ..Planted::default() },
        Planted { pid: 90, command: "k0s controller", namespace: Some("mnt:[2]"), ..Planted::default() },
        Planted { pid: 90, command: "k0s kubectl", cgroup: "0::/\n", ..Planted::default() },
    ] {
        let tree = controller();
        tree.process(&parent);
        let command = "kube-apiserver --profiling=false";
        tree.process(&Planted {
            pid: 200,
            command,
            uid: 990,
            cgroup: "0::/\n",
            parent: 90,
            ..Planted::default()
        });
        let judged = verdicts(tree.observe().only("kube-apiserver"));
        assert_eq!(judged["api-server-profiling"], Outcome::Error, "{}", parent.command);
    }
    // A user of that account, outside of k0s.
    let tree = controller();
    tree.process(&Planted {
        pid: 200,
        command: "kube-apiserver",
        uid: 990,
        cgroup: SESSION,
        ..Planted::default()
    });
    assert!(tree.observe().all("kube-apiserver").is_empty());
}
