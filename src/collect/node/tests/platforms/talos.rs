//! Talos: its machined runs kubelet and etcd in containers, and serves the control plane's pods by URL.

use super::verdicts;
use crate::collect::node::tests::{POD_MOUNTS, Planted, STATIC_POD, Tree};
use crate::evaluate::Outcome;

const KUBELET: &str = "/usr/local/bin/kubelet --config=/etc/kubernetes/kubelet.yaml \
    --kubeconfig=/etc/kubernetes/kubeconfig-kubelet --hostname-override=talos-1";

fn mounts(paths: &[&str]) -> String {
    let bind =
        |(at, path): (usize, &&str)| format!("{} 304 254:0 {path} {path} rw - ext4 /dev/vda rw\n", 305 + at);
    POD_MOUNTS.to_owned() + &paths.iter().enumerate().map(bind).collect::<String>()
}

/// A control plane node, with this kubelet configuration.
fn node(config: &str) -> Tree {
    let tree = Tree::new();
    tree.file("/etc/os-release", "NAME=\"Talos\"\nID=talos\nVERSION_ID=v1.11.0\n");
    tree.file(
        "/etc/kubernetes/kubelet.yaml",
        &format!("kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n{config}"),
    );
    tree.file("/etc/kubernetes/kubeconfig-kubelet", "");
    tree.directory("/var/lib/etcd");
    let in_container = |pid: u32, command: &str, uid: u32, cgroup: &str, mounts: &str| {
        tree.process(&Planted {
            pid,
            command,
            uid,
            cgroup,
            mounts,
            namespace: Some("mnt:[2]"),
            ..Planted::default()
        });
    };
    let of_kubelet = mounts(&["/etc/kubernetes", "/var/lib/kubelet"]);
    in_container(100, KUBELET, 0, "0::/podruntime/kubelet\n", &of_kubelet);
    let etcd = "/usr/local/bin/etcd --data-dir=/var/lib/etcd --auto-tls=false --client-cert-auth=true";
    in_container(200, etcd, 60, "0::/podruntime/etcd\n", &mounts(&["/var/lib/etcd"]));
    tree.file("/proc/200/environ", "");
    for (pid, component, uid) in [
        (300, "kube-apiserver", 65_534),
        (400, "kube-controller-manager", 65_535),
        (500, "kube-scheduler", 65_536),
    ] {
        let command = format!("/usr/local/bin/{component} --profiling=false");
        in_container(pid, &command, uid, STATIC_POD, POD_MOUNTS);
    }
    tree
}

const SAFE: &str = "authentication: {anonymous: {enabled: false}}\nauthorization: {mode: Webhook}\n";

#[test]
fn talos_4990_every_component_is_judged() {
    let seen = node(SAFE).observe();
    let kubelet = seen.only("kubelet");
    assert_eq!(kubelet.raw["supervisor"], "machined");
    let judged = verdicts(kubelet);
    assert_eq!(judged["kubelet-authorization-mode"], Outcome::Passed);
    assert_eq!(judged["kubelet-hostname-override"], Outcome::NotApplicable, "Talos sets it");
    assert_eq!(verdicts(seen.only("etcd"))["etcd-no-auto-tls"], Outcome::Passed);
    assert_eq!(seen.only("etcd-data-dir").id, "/var/lib/etcd");
    assert_eq!(seen.only("kubelet-config").id, "/etc/kubernetes/kubelet.yaml");
    for (component, control) in [
        ("kube-apiserver", "api-server-profiling"),
        ("kube-controller-manager", "controller-manager-profiling"),
        ("kube-scheduler", "scheduler-profiling"),
    ] {
        assert_eq!(verdicts(seen.only(component))[control], Outcome::Passed, "{component}");
    }
    let open = node("authorization: {mode: AlwaysAllow}\n").observe();
    assert_eq!(verdicts(open.only("kubelet"))["kubelet-authorization-mode"], Outcome::Failed);
}

#[test]
fn a_group_of_that_name_on_another_host_is_no_word_of_talos() {
    let tree = node(SAFE);
    tree.file("/etc/os-release", "ID=debian\n");
    let seen = tree.observe();
    for component in ["kubelet", "etcd", "kube-apiserver"] {
        let unread = seen.unread(component);
        assert!(unread[0].0 == "$" && unread[0].2.starts_with("found process "), "{unread:?}");
        assert!(
            verdicts(seen.only(component)).values().all(|outcome| *outcome == Outcome::Error),
            "{component}"
        );
    }
    // The first process may say it too.
    tree.file("/proc/1/cmdline", "/usr/bin/machined\0");
    assert_eq!(verdicts(tree.observe().only("kubelet"))["kubelet-authorization-mode"], Outcome::Passed);
}

#[test]
fn a_container_of_talos_as_another_user_is_not_judged() {
    let tree = node(SAFE);
    let command = "/usr/local/bin/etcd --auto-tls=false";
    tree.process(&Planted {
        pid: 200,
        command,
        uid: 1000,
        cgroup: "0::/podruntime/etcd\n",
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        ..Planted::default()
    });
    let seen = tree.observe();
    assert!(seen.unread("etcd")[0].2.ends_with("Talos runs etcd in /podruntime/etcd as user 60"));
    let of_node = seen.all("etcd-data-dir").into_iter().find(|resource| resource.is_unlisted()).unwrap();
    assert!(
        of_node.unread[0].gap.what.starts_with("found process 200, not judged: "),
        "which files it names"
    );
}
