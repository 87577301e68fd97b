//! What any process on a node can do to its agent: name itself like a component, and be many.

use super::{API_POD, HOST_MOUNTS, POD_MOUNTS, Planted, SESSION, Tree};
use crate::collect::bounds::{MAX_CANDIDATES, MAX_MANIFESTS, MAX_REASONS, MAX_WORDS};

/// An impostor of a pod and one of a user's session.
const HOLDERS: [(&str, &str); 2] = [(API_POD, POD_MOUNTS), (SESSION, HOST_MOUNTS)];

#[test]
fn however_many_impostors_there_are_the_real_component_is_judged() {
    let tree = Tree::new();
    tree.kubelet("");
    for pid in 1000..1000 + 2 * u32::try_from(MAX_CANDIDATES).unwrap() {
        let (cgroup, mounts) = HOLDERS[pid as usize % 2];
        let namespace = Some("mnt:[2]");
        tree.process(&Planted {
            pid,
            command: "kube-apiserver --a",
            uid: 1000,
            cgroup,
            mounts,
            namespace,
            ..Planted::default()
        });
    }
    tree.process(&Planted { pid: 9000, command: "kube-scheduler --profiling=false", ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(seen.only("kube-scheduler").raw["pid"], "9000");
    assert!(seen.unread("kubelet").is_empty(), "{:?}", seen.unread("kubelet"));
    assert!(seen.all("kube-apiserver").is_empty(), "what pods and users make up is no component");
}

#[test]
fn more_components_than_any_node_has_are_an_error_beside_those_that_are_judged() {
    let tree = Tree::new();
    for pid in 1000..1010 + u32::try_from(MAX_CANDIDATES).unwrap() {
        tree.process(&Planted { pid, command: "kube-proxy --v=1", ..Planted::default() });
    }
    let seen = tree.observe();
    let errors = seen.all("kube-proxy").iter().filter(|proxy| !proxy.unread.is_empty()).count();
    assert_eq!((seen.all("kube-proxy").len(), errors), (MAX_CANDIDATES + 1, 1));
}

#[test]
fn processes_that_nobody_vouches_for_are_named_up_to_a_bound() {
    let tree = Tree::new();
    for pid in 1000..1300 {
        let cgroup = "0::/system.slice/some.service\n";
        tree.process(&Planted { pid, command: "etcd --a", uid: 1000, cgroup, ..Planted::default() });
    }
    tree.process(&Planted { pid: 9000, command: "kube-scheduler", ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(seen.all("etcd").len(), MAX_REASONS);
    assert_eq!(seen.all("kube-scheduler").len(), 1, "another component is judged as before");
}

#[test]
fn an_argument_list_of_many_words_is_read_to_a_bound_and_nothing_is_certain_then() {
    let tree = Tree::new();
    let command = format!("kube-scheduler --profiling=false{}", " a".repeat(MAX_WORDS));
    tree.process(&Planted { command: &command, ..Planted::default() });
    let seen = tree.observe();
    let unread = seen.unread("kube-scheduler");
    assert_eq!((unread[0].0, unread[0].1), ("$", "too_large"));
}

#[test]
fn manifests_share_a_bound() {
    let tree = Tree::new();
    tree.kubelet("");
    let pad = "# x\n".repeat(256 * 1024 / 4 - 100);
    let pod = "kind: Pod\napiVersion: v1\nspec: {containers: [{image: registry/pause:1}]}\n";
    for number in 0..MAX_MANIFESTS / (256 * 1024) + 4 {
        tree.file(&format!("/etc/kubernetes/manifests/{number:03}.yaml"), &format!("{pod}{pad}"));
    }
    let seen = tree.observe();
    let unread = seen.unread("api-server-manifest");
    assert!(!unread.is_empty() && unread.iter().all(|(_, reason, _)| *reason == "too_large"), "{unread:?}");
    assert!(unread[0].2.contains("together"), "{unread:?}");
}
