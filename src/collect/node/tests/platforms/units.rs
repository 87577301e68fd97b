//! Components that a unit of the distribution starts: packaged etcd, hardened units, strict snaps.

use super::verdicts;
use crate::collect::node::tests::{Planted, SESSION, Tree};
use crate::evaluate::Outcome;

const ETCD: &str = "0::/system.slice/etcd.service\n";

fn with_unit(text: &str) -> Tree {
    let tree = Tree::new();
    tree.file("/etc/passwd", "root:x:0:0:::\netcd:x:998:998:::\napp:x:1000:1000:::\n");
    tree.kubelet("");
    tree.file(
        "/usr/lib/systemd/system/etcd.service",
        &format!("[Unit]\nDescription=etcd\n[Service]\n{text}\n"),
    );
    tree.directory("/var/lib/etcd");
    tree
}

/// etcd by variables.
fn etcd(tree: &Tree, uid: u32, cgroup: &str) {
    tree.process(&Planted { pid: 200, command: "/usr/bin/etcd", uid, cgroup, ..Planted::default() });
    tree.file("/proc/200/environ", "ETCD_AUTO_TLS=true\0ETCD_DATA_DIR=/var/lib/etcd\0");
}

#[test]
fn kube_bench_828_a_packaged_etcd_is_judged_as_its_own_user() {
    let tree = with_unit("User=etcd\nEnvironmentFile=-/etc/etcd/etcd.conf\nExecStart=/usr/bin/etcd");
    etcd(&tree, 998, ETCD);
    let seen = tree.observe();
    assert_eq!(verdicts(seen.only("etcd"))["etcd-no-auto-tls"], Outcome::Failed);
    assert_eq!(seen.only("etcd-data-dir").id, "/var/lib/etcd");
    // A drop-in gives it another user.
    tree.file("/etc/systemd/system/etcd.service.d/user.conf", "[Service]\nUser=app\n");
    assert_eq!(verdicts(tree.observe().only("etcd"))["etcd-no-auto-tls"], Outcome::Error);
    etcd(&tree, 1000, ETCD);
    assert_eq!(verdicts(tree.observe().only("etcd"))["etcd-no-auto-tls"], Outcome::Failed);
}

#[test]
fn a_group_s_path_alone_vouches_for_nothing() {
    // The unit of an application runs a program that is called etcd.
    let tree = with_unit("User=etcd\nExecStart=/usr/bin/etcd");
    tree.file("/etc/systemd/system/app.service", "[Service]\nUser=app\nExecStart=/opt/app/run\n");
    let error = |cgroup: &str, uid: u32| {
        etcd(&tree, uid, cgroup);
        let seen = tree.observe();
        assert_eq!(verdicts(seen.only("etcd"))["etcd-no-auto-tls"], Outcome::Error, "{cgroup}");
        assert!(seen.all("etcd-data-dir").iter().any(|resource| resource.is_unlisted()));
    };
    error("0::/system.slice/app.service\n", 1000);
    error("0::/system.slice/etcd.service\n", 1000);
    error("0::/system.slice/none.service\n", 998);
    error("0::/system.slice/app.service/system.slice/etcd.service\n", 998);
    error("0::/lxc.payload.a/system.slice/etcd.service\n", 998);
    // What a user holds stays out, whatever it is called.
    for cgroup in [SESSION, "0::/user.slice/user-1000.slice/user@1000.service/app.slice/etcd.service\n"] {
        etcd(&tree, 998, cgroup);
        assert!(tree.observe().all("etcd").is_empty(), "{cgroup}");
    }
}

#[test]
fn a_unit_with_mounts_of_its_own_is_judged_by_what_it_sees() {
    let tree = with_unit("PrivateTmp=true\nExecStart=/usr/bin/etcd --config-file=/etc/etcd.yaml");
    tree.file("/srv/etcd.yaml", "client-transport-security: {auto-tls: true}\n");
    tree.file("/etc/etcd.yaml", "client-transport-security: {auto-tls: false}\n");
    let plant = |mounts: &str| {
        let command = "/usr/bin/etcd --config-file=/etc/etcd.yaml";
        let namespace = Some("mnt:[2]");
        tree.process(&Planted { pid: 200, command, mounts, namespace, cgroup: ETCD, ..Planted::default() });
        verdicts(tree.observe().only("etcd"))["etcd-no-auto-tls"]
    };
    let own = "500 1 254:0 / / rw - ext4 /dev/vda rw\n501 500 254:0 /tmp/systemd-private-1/tmp /tmp rw - ext4 /dev/vda rw\n";
    assert_eq!(plant(own), Outcome::Passed);
    let bound = format!("{own}502 500 254:0 /srv/etcd.yaml /etc/etcd.yaml rw - ext4 /dev/vda rw\n");
    assert_eq!(plant(&bound), Outcome::Failed, "as the unit sees it, not as the host does");
}

#[test]
fn a_unit_in_any_slice_counts_and_one_that_cannot_be_read_may_vouch() {
    let tree = with_unit("User=etcd\nExecStart=/usr/bin/etcd");
    etcd(&tree, 998, "0::/runtime.slice/etcd.service\n");
    assert_eq!(verdicts(tree.observe().only("etcd"))["etcd-no-auto-tls"], Outcome::Failed);
    let refused = crate::collect::node::filesystem::hostfs::refusals::Refused::Content;
    let path = "/usr/lib/systemd/system/etcd.service";
    let seen = tree.observe_refusing(&[(path, refused, rustix::io::Errno::ACCESS)]);
    assert_eq!(seen.unread("etcd"), [("$", "denied", "read /usr/lib/systemd/system/etcd.service")]);
}

#[test]
fn a_strict_snap_is_judged_in_its_own_mounts() {
    let tree = Tree::new();
    let unit = "snap.microk8s.daemon-kubelite.service";
    tree.file(
        &format!("/etc/systemd/system/{unit}"),
        "[Service]\nEnvironmentFile=-/etc/environment\nExecStart=/usr/bin/snap run microk8s.daemon-kubelite\n",
    );
    tree.file("/var/snap/microk8s/current/args/kubelet", "--anonymous-auth=false\n");
    let command = "/snap/microk8s/7000/kubelite --kubelet-args-file=/var/snap/microk8s/current/args/kubelet";
    let cgroup = format!("0::/system.slice/{unit}\n");
    let mounts = "600 1 7:1 / / ro - squashfs /dev/loop1 ro\n601 600 254:0 /var/snap /var/snap rw - ext4 /dev/vda rw\n";
    let namespace = Some("mnt:[4]");
    tree.process(&Planted { command, cgroup: &cgroup, mounts, namespace, ..Planted::default() });
    let seen = tree.observe();
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-anonymous-auth"], Outcome::Passed);
    // A container that any unit may run.
    tree.process(&Planted {
        command,
        cgroup: "0::/system.slice/app.service\n",
        mounts,
        namespace,
        ..Planted::default()
    });
    assert_eq!(verdicts(tree.observe().only("kubelet"))["kubelet-anonymous-auth"], Outcome::Error);
}
