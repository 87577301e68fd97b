//! What cannot be seen of a node's processes is never taken for absent.

use rustix::io::Errno;

use super::{HOST_MOUNTS, POD_MOUNTS, Planted, STATIC_POD, Tree, strings};
use crate::collect::node::filesystem::hostfs::refusals::Refused;
use crate::resource::Kind;
#[test]
fn out_of_sight_is_an_error_and_not_an_impostor() {
    let tree = Tree::new();
    tree.process(&Planted {
        command: "kubelet --a",
        namespace: None,
        mounts: HOST_MOUNTS,
        ..Planted::default()
    });
    let unknown =
        Planted { pid: 200, command: "etcd --a", namespace: None, mounts: "", ..Planted::default() };
    tree.process(&unknown);
    let seen = tree.observe();
    assert!(seen.only("kubelet").unread.is_empty(), "the mount table tells too");
    let unread = seen.unread("etcd");
    assert_eq!((unread[0].0, unread[0].1), ("$", "denied"));
    assert_eq!(seen.only("etcd").id, "2004200");
}

#[test]
fn what_hides_may_yet_be_a_static_pod() {
    let tree = Tree::new();
    let pod = Planted {
        pid: 200,
        command: "etcd --a",
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        ..Planted::default()
    };
    tree.process(&pod);
    tree.manifest("etcd", "etcd --a", &[]);
    let manifest = "/etc/kubernetes/manifests/etcd.yaml";
    for hidden in ["/proc/200/cgroup", manifest] {
        // By its arguments it is that of the manifest, unless this cannot be read.
        let seen = tree.observe_refusing(&[(hidden, Refused::Content, Errno::ACCESS)]);
        let unread =
            seen.only("etcd").unread.first().map(|unread| (unread.at.clone(), unread.gap.what.clone()));
        let expected = (hidden == manifest).then(|| ("$".to_owned(), format!("read {manifest}")));
        assert_eq!(unread, expected, "{hidden}");
    }
    std::fs::remove_file(tree.path(manifest)).unwrap();
    let seen = tree.observe();
    let (at, reason, what) = seen.unread("etcd")[0];
    assert_eq!((at, reason), ("$", "missing"), "nothing is hidden, and it is in no pod");
    assert!(what.starts_with("found process 200, not judged: it runs in another mount namespace"), "{what}");
    let seen = tree.observe_refusing(&[("/proc/200/cgroup", Refused::Content, Errno::ACCESS)]);
    assert_eq!(seen.unread("etcd"), [("$", "denied", "read /proc/200/cgroup")]);
}

#[test]
fn a_list_of_arguments_over_the_bound_makes_nothing_certain() {
    let tree = Tree::new();
    tree.process(&Planted {
        pid: 200,
        command: "kube-apiserver --audit-policy-file=/x",
        ..Planted::default()
    });
    let more = "--v=1\0".repeat(200_000);
    tree.file("/proc/200/cmdline", &format!("kube-apiserver\0--client-ca-file=/own/ca.pem\0{more}"));
    let seen = tree.observe();
    assert_eq!(seen.unread("kube-apiserver")[0], ("$", "too_large", "read /proc/200/cmdline"));
    // The last use of a flag counts, and that is out of sight.
    let on_node = seen.all("pki-key").into_iter().find(|resource| resource.is_unlisted()).unwrap();
    assert_eq!(on_node.unread[0].gap.what, "read /proc/200/cmdline");
}

#[test]
fn key_material_in_a_container_of_its_own_may_be_a_key() {
    let tree = Tree::new();
    let pod = Planted {
        pid: 200,
        command: "kube-apiserver --tls-private-key-file=/own/tls.pem",
        namespace: Some("mnt:[2]"),
        mounts: POD_MOUNTS,
        cgroup: STATIC_POD,
        ..Planted::default()
    };
    tree.process(&pod);
    let seen = tree.observe();
    let roles = &seen.at("kube-apiserver:/own/tls.pem").raw["roles"];
    assert_eq!(strings(roles), ["pki-cert", "pki-key", "pki-other"]);
}

#[test]
fn where_drop_ins_cannot_be_listed_there_may_be_any() {
    let tree = Tree::new();
    tree.kubelet("");
    tree.directory("/etc/kubelet.d");
    let command = "kubelet --config=/var/lib/kubelet/config.yaml --config-dir=/etc/kubelet.d";
    tree.process(&Planted { command, ..Planted::default() });
    let seen = tree.observe_refusing(&[("/etc/kubelet.d", Refused::Content, Errno::ACCESS)]);
    let [of_node, file] = seen.all("kubelet-config")[..] else { panic!("{:#?}", seen.all("kubelet-config")) };
    let (of_node, file) = if of_node.is_unlisted() { (of_node, file) } else { (file, of_node) };
    assert_eq!(file.id, "/var/lib/kubelet/config.yaml");
    assert_eq!(of_node.unread[0].gap.what, "list /etc/kubelet.d");
}

#[test]
fn a_manifest_that_cannot_be_read_may_be_any_component_s() {
    let tree = Tree::new();
    for (name, text) in [("web.yaml", "kind: Pod\n"), ("kube-scheduler.yaml", ""), ("notes.txt", "a: [")] {
        tree.file(&format!("/etc/kubernetes/manifests/{name}"), text);
    }
    let file = |name: &str| format!("/etc/kubernetes/manifests/{name}");
    let refused = |name: &str| [(file(name), Refused::Content, Errno::ACCESS)];
    let observe = |name: &str| {
        let [(path, how, errno)] = refused(name);
        tree.observe_refusing(&[(path.as_str(), how, errno)])
    };
    assert_eq!(observe("web.yaml").only("etcd-manifest").id, "node/uid-1");
    let seen = observe("kube-scheduler.yaml");
    assert!(seen.all("etcd-manifest").is_empty(), "its name tells, and what is no document starts nothing");
    assert_eq!(seen.only("scheduler-manifest").id, file("kube-scheduler.yaml"));
}

#[test]
fn where_the_kubelet_s_configuration_is_hidden_so_is_what_it_names() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /srv/manifests\n");
    let config = "/var/lib/kubelet/config.yaml";
    let seen = tree.observe_refusing(&[(config, Refused::Content, Errno::ACCESS)]);
    for role in ["etcd-manifest", "api-server-manifest", "kubelet-client-ca"] {
        assert_eq!(seen.only(role).id, "node/uid-1");
        assert_eq!(seen.unread(role), [("$", "denied", "read /var/lib/kubelet/config.yaml")], "{role}");
    }
    assert!(seen.all("kubelet-kubeconfig").is_empty(), "only a flag names that");
}

#[test]
fn an_etcd_whose_variables_are_hidden_may_have_any_file_and_authority() {
    let tree = Tree::new();
    tree.process(&Planted { pid: 200, command: "etcd --name=a", ..Planted::default() });
    tree.file("/proc/200/environ", "ETCD_CONFIG_FILE=/etcd.yaml\0");
    let seen = tree.observe_refusing(&[("/proc/200/environ", Refused::Content, Errno::ACCESS)]);
    let at: Vec<_> = seen.unread("etcd").into_iter().map(|(at, ..)| at).collect();
    assert_eq!(at, ["$.env", "$.config", "$.authorities"]);
    assert_eq!(seen.only("etcd-data-dir").id, "node/uid-1");
}

/// `hidepid=invisible`: others' processes are not denied, they are not there.
#[test]
fn a_list_of_processes_without_the_first_one_hides_others() {
    let tree = Tree::new();
    std::fs::remove_dir_all(tree.path("/proc/1")).unwrap();
    tree.process(&Planted { pid: 4711, command: "posturebeat scan", uid: 1000, ..Planted::default() });
    let seen = tree.observe();
    let what = "list /proc: it does not show process 1, so it hides others (hidepid)";
    assert_eq!(seen.unread("kubelet"), [("$", "denied", what)]);
    assert_eq!(seen.only("kube-apiserver").id, "node/uid-1");
}

#[test]
fn a_node_whose_processes_cannot_be_listed_has_an_error_for_each_component() {
    let tree = Tree::new();
    std::fs::remove_dir_all(tree.path("/proc")).unwrap();
    for plant in [None, Some("/proc")] {
        if let Some(path) = plant {
            tree.directory(path);
        }
        let seen = tree.observe();
        let of_processes = seen.resources.iter().filter(|resource| resource.kind == Kind::Process);
        assert_eq!(of_processes.count(), 6);
        assert!(seen.resources.iter().all(|resource| resource.is_unlisted() && resource.id == "node/uid-1"));
        // Nor is it known which files they name.
        assert!(seen.unread("kubelet-client-ca")[0].2.starts_with("list /proc"));
        assert!(seen.unread("kubelet")[0].2.starts_with("list /proc"));
    }
}
