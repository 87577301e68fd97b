//! Files: modes, owners, links, bounds.

use std::os::unix::fs::MetadataExt as _;

use rustix::io::Errno;

use super::{Planted, Tree, strings};
use crate::collect::node::filesystem::hostfs::refusals::Refused;
use crate::resource::Reason;

#[test]
fn a_file_has_the_usual_keys_and_the_host_s_path() {
    let tree = Tree::new();
    tree.file("/etc/kubernetes/admin.conf", "canary");
    tree.mode("/etc/kubernetes/admin.conf", 0o640);
    let owner = std::fs::metadata(tree.path("/etc/kubernetes/admin.conf")).unwrap();
    tree.file("/etc/passwd", &format!("# users\n+nis\nadmin:x:{}:0:::\n", owner.uid()));
    let seen = tree.observe();
    let file = seen.only("admin-kubeconfig");
    assert_eq!(
        (file.id.as_str(), file.name.as_str()),
        ("/etc/kubernetes/admin.conf", "/etc/kubernetes/admin.conf")
    );
    assert_eq!((file.sub_type.as_str(), file.unread.len()), ("file", 0));
    let raw = &file.raw;
    assert_eq!(raw["path"], "/etc/kubernetes/admin.conf");
    assert_eq!(raw["name"], "admin.conf");
    assert_eq!(raw["mode"], "640");
    assert_eq!(raw["uid"], owner.uid().to_string());
    assert_eq!(raw["inode"], owner.ino().to_string());
    assert_eq!(raw["owner"], "admin");
    assert_eq!(raw["size"], 6);
    let time = raw["mtime"].as_str().unwrap();
    assert!(time.ends_with('Z') && time.len() == "2026-11-23T12:00:00.000Z".len(), "{time}");
}

#[test]
fn an_owner_without_a_name_is_empty_and_unreadable_names_are_said() {
    let tree = Tree::new();
    tree.file("/etc/kubernetes/admin.conf", "");
    tree.file("/etc/passwd", "other:x:4711:4711:::\n");
    std::fs::remove_file(tree.path("/etc/group")).unwrap();
    let seen = tree.observe();
    let file = seen.only("admin-kubeconfig");
    assert_eq!(file.raw["owner"], "");
    assert_eq!(file.raw.get("group"), None);
    assert_eq!(seen.unread("admin-kubeconfig"), [("$.group", "missing", "read /etc/group")]);
}

#[test]
fn an_image_based_system_names_its_accounts_elsewhere() {
    let tree = Tree::new();
    tree.file("/etc/kubernetes/admin.conf", "");
    let file = tree.path("/etc/kubernetes/admin.conf");
    let uid = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(file).unwrap());
    tree.file("/etc/passwd", "other:x:4711:4711:::\n");
    tree.file("/usr/share/baselayout/passwd", &format!("core:x:{uid}:{uid}:::\n"));
    assert_eq!(tree.observe().only("admin-kubeconfig").raw["owner"], "core");
}

#[test]
fn set_id_and_sticky_bits_count() {
    let tree = Tree::new();
    tree.file("/etc/kubernetes/scheduler.conf", "");
    tree.mode("/etc/kubernetes/scheduler.conf", 0o4755);
    tree.directory("/var/lib/etcd");
    tree.mode("/var/lib/etcd", 0o1700);
    tree.process(&Planted { pid: 200, command: "etcd --data-dir=/var/lib/etcd", ..Planted::default() });
    tree.file("/proc/200/environ", "");
    let seen = tree.observe();
    assert_eq!(seen.only("scheduler-kubeconfig").raw["mode"], "4755");
    let data = seen.only("etcd-data-dir");
    assert_eq!((data.raw["mode"].as_str(), data.sub_type.as_str()), (Some("1700"), "directory"));
}

#[test]
fn one_path_is_one_resource_with_all_its_roles() {
    let tree = Tree::new();
    tree.file("/etc/kubernetes/pki/ca.crt", "-----BEGIN CERTIFICATE-----\n");
    let seen = tree.observe();
    assert_eq!(
        strings(&seen.at("/etc/kubernetes/pki/ca.crt").raw["roles"]),
        ["kubelet-client-ca", "pki-cert"]
    );
}

#[test]
fn key_material_is_told_by_name_and_content() {
    let tree = Tree::new();
    for (name, text) in [
        ("a.crt", "-----BEGIN CERTIFICATE-----\ncanary\n"),
        ("b.crt", "# comment\n-----BEGIN RSA PRIVATE KEY-----\ncanary\n"),
        (
            "both.pem",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\ncanary\n",
        ),
        ("sub/c.key", "canary"),
        ("sa.pub", "-----BEGIN PUBLIC KEY-----\ncanary\n"),
    ] {
        tree.file(&format!("/etc/kubernetes/pki/{name}"), text);
    }
    let seen = tree.observe();
    let role = |name: &str| strings(&seen.at(&format!("/etc/kubernetes/pki/{name}")).raw["roles"])[0];
    assert_eq!(role("a.crt"), "pki-cert");
    assert_eq!(role("b.crt"), "pki-key");
    assert_eq!(role("both.pem"), "pki-key");
    assert_eq!(role("sub/c.key"), "pki-key");
    assert_eq!(role("sa.pub"), "pki-other");
    assert_eq!(role("sub"), "pki-dir");
    assert_eq!(seen.all("pki-dir").len(), 2, "the directory itself, once, and the one below");
    assert!(!seen.text().contains("canary"));
}

/// Which role a file has may hang on its content.
#[test]
fn key_material_that_cannot_be_read_may_be_a_key() {
    let tree = Tree::new();
    tree.file("/etc/kubernetes/pki/a.crt", "-----BEGIN PRIVATE KEY-----\n");
    tree.file("/etc/kubernetes/pki/b.pem", &"# comment\n".repeat(110_000));
    let path = "/etc/kubernetes/pki/a.crt";
    let seen = tree.observe_refusing(&[(path, Refused::Content, Errno::ACCESS)]);
    assert_eq!(strings(&seen.at(path).raw["roles"]), ["pki-cert"]);
    assert_eq!(
        seen.unread("pki-key"),
        [
            ("$", "denied", "read /etc/kubernetes/pki/a.crt"),
            ("$", "too_large", "read /etc/kubernetes/pki/b.pem")
        ]
    );
    assert_eq!(seen.only("pki-key").id, "node/uid-1");
    // Of what cannot be looked at at all, everything is an error.
    let seen = tree.observe_refusing(&[(path, Refused::All, Errno::ACCESS)]);
    assert_eq!(strings(&seen.at(path).raw["roles"]), ["pki-cert", "pki-key"]);
}

#[test]
fn a_link_that_cannot_be_followed_may_lead_to_anything() {
    let tree = Tree::new();
    tree.file("/data/etcd-pki/ca.key", "");
    tree.link("/etc/kubernetes/pki/etcd", "/data/etcd-pki");
    tree.directory("/etc/kubernetes/pki");
    let seen = tree.observe_refusing(&[("/etc/kubernetes/pki/etcd", Refused::All, Errno::ACCESS)]);
    let on_node = seen.all("pki-key").into_iter().find(|resource| resource.is_unlisted()).unwrap();
    assert_eq!(on_node.unread[0].gap.what, "stat /etc/kubernetes/pki/etcd");
}

#[test]
fn links_end_inside_the_root() {
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(outside.path(), "kind: KubeletConfiguration\n").unwrap();
    let tree = Tree::new();
    tree.link("/etc/kubernetes/admin.conf", outside.path().to_str().unwrap());
    tree.link("/etc/kubernetes/scheduler.conf", "/../../../../../../../etc/hostname");
    tree.file("/opt/kubelet.conf", "");
    tree.mode("/opt/kubelet.conf", 0o604);
    tree.link("/etc/kubernetes/kubelet.conf", "/opt/kubelet.conf");
    let seen = tree.observe();
    assert!(seen.all("admin-kubeconfig").is_empty());
    assert!(seen.all("scheduler-kubeconfig").is_empty());
    assert_eq!(seen.only("kubelet-kubeconfig").raw["mode"], "604", "an absolute link is the host's");
    assert!(tree.host().read("/etc/kubernetes/admin.conf").is_err());
}

#[test]
fn linked_directories_are_walked_once_and_circles_end() {
    let tree = Tree::new();
    tree.file("/data/etcd-pki/ca.crt", "");
    tree.directory("/etc/kubernetes/pki");
    tree.link("/etc/kubernetes/pki/etcd", "/data/etcd-pki");
    tree.link("/etc/kubernetes/pki/again", "/etc/kubernetes/pki");
    let seen = tree.observe();
    assert_eq!(seen.only("pki-cert").id, "/etc/kubernetes/pki/etcd/ca.crt");
    assert!(seen.resources.iter().all(|resource| !resource.is_unlisted()));
}

#[test]
fn one_file_under_two_names_is_judged_once() {
    let tree = Tree::new();
    tree.file("/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf", "");
    tree.link("/lib", "usr/lib");
    assert_eq!(tree.observe().all("kubelet-service").len(), 1);
}

#[test]
fn a_bound_reached_is_an_error_on_the_node() {
    let tree = Tree::new();
    tree.directory(&format!("/etc/kubernetes/pki{}", "/d".repeat(20)));
    let seen = tree.observe();
    let lost = seen.resources.iter().filter(|resource| resource.is_unlisted());
    let roles: Vec<_> =
        lost.map(|resource| (resource.selectors()[0], resource.unread[0].gap.reason)).collect();
    let too_large = Reason::TooLarge;
    assert_eq!(
        roles,
        [("pki-cert", too_large), ("pki-dir", too_large), ("pki-key", too_large), ("pki-other", too_large)]
    );
    assert_eq!(seen.all("pki-dir").iter().filter(|resource| !resource.is_unlisted()).count(), 17);
}

#[test]
fn a_directory_that_cannot_be_listed_is_an_error_on_the_node() {
    let tree = Tree::new();
    tree.link("/etc/cni/net.d", "net.d");
    let seen = tree.observe();
    assert_eq!(seen.only("cni-config").id, "node/uid-1");
    assert_eq!(seen.unread("cni-config"), [("$", "malformed", "list /etc/cni/net.d")]);
}

#[test]
fn permission_refused_is_denied() {
    let tree = Tree::new();
    tree.file("/etc/cni/net.d/10-x.conflist", "");
    tree.mode("/etc/cni/net.d", 0o000);
    let seen = tree.observe();
    let unread = if rustix::process::geteuid().is_root() {
        // Nothing is refused to root.
        assert_eq!(seen.only("cni-config").id, "/etc/cni/net.d/10-x.conflist");
        None
    } else {
        Some(seen.unread("cni-config"))
    };
    if let Some(unread) = unread {
        assert_eq!(unread, [("$", "denied", "list /etc/cni/net.d")]);
    }
    tree.mode("/etc/cni/net.d", 0o700);
}

#[test]
fn a_file_that_nobody_names_and_is_not_there_is_nothing() {
    let seen = Tree::new().observe();
    assert!(seen.resources.is_empty(), "{:#?}", seen.resources);
}

#[test]
fn a_file_that_a_process_names_and_is_not_there_is_missing() {
    let tree = Tree::new();
    let command = "kubelet --kubeconfig=/opt/kubelet.conf --client-ca-file=/opt/ca.crt";
    tree.file("/opt/ca.crt", "");
    tree.file("/etc/kubernetes/pki/ca.crt", "");
    tree.process(&Planted { command, ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(seen.unread("kubelet-kubeconfig"), [("$", "missing", "stat /opt/kubelet.conf")]);
    let missing = seen.only("kubelet-kubeconfig");
    assert_eq!(missing.raw["path"], "/opt/kubelet.conf");
    assert_eq!(missing.raw["name"], "kubelet.conf");
    assert!(!missing.is_unlisted());
    assert_eq!(
        seen.only("kubelet-client-ca").id,
        "/opt/ca.crt",
        "what the kubelet reads, not what lies about"
    );
}

#[test]
fn a_root_that_is_not_there_says_what_to_look_at() {
    let error =
        crate::collect::node::filesystem::hostfs::HostRoot::open(std::path::Path::new("/nonexistent/host"))
            .unwrap_err();
    assert_eq!(error.reason, Reason::Missing);
    assert!(
        error.to_string().contains("`/nonexistent/host`") && error.to_string().contains("host_root"),
        "{error}"
    );
}
