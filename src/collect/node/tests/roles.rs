//! Which files have a role, and which only lie where such files are.

use super::platforms::verdicts;
use super::{POD_MOUNTS, Planted, STATIC_POD, Seen, Tree};
use crate::evaluate::Outcome;

/// The paths with a role, in order.
fn paths<'a>(seen: &'a Seen, role: &str) -> Vec<&'a str> {
    let mut paths: Vec<&str> = seen.all(role).iter().map(|file| file.id.as_str()).collect();
    paths.sort_unstable();
    paths
}

#[test]
fn kube_bench_902_what_a_network_plug_in_writes_down_is_no_configuration() {
    let tree = Tree::new();
    tree.kubelet("");
    for state in [
        "/etc/cni/net.d/cni.lock",
        "/var/lib/cni/networks/shop/lock",
        "/var/lib/cni/networks/shop/10.0.0.5",
        "/var/lib/cni/networks/shop/fd00::5",
        "/var/lib/cni/networks/shop/last_reserved_ip.0",
    ] {
        tree.file(state, "");
    }
    tree.file("/etc/cni/net.d/10-shop.conflist", "{}");
    assert_eq!(paths(&tree.observe(), "cni-config"), ["/etc/cni/net.d/10-shop.conflist"]);
    // An address is a name like any other where no addresses are given away.
    tree.file("/etc/cni/net.d/10.0.0.5", "{}");
    let all = ["/etc/cni/net.d/10-shop.conflist", "/etc/cni/net.d/10.0.0.5"];
    assert_eq!(paths(&tree.observe(), "cni-config"), all);
}

#[test]
fn multus_1301_a_plug_in_s_credentials_are_found_at_any_depth_and_through_links() {
    let tree = Tree::new();
    tree.kubelet("");
    tree.file("/opt/linked/x.kubeconfig", "");
    tree.link("/etc/cni/net.d/linked.d", "/opt/linked");
    let found = [
        "/etc/cni/net.d/calico-kubeconfig",
        "/etc/cni/net.d/linked.d/x.kubeconfig",
        "/etc/cni/net.d/multus.d/multus.kubeconfig",
        "/etc/cni/net.d/whereabouts.d/a/b/whereabouts.kubeconfig",
    ];
    for path in found.iter().filter(|path| !path.contains("linked")) {
        tree.file(path, "");
    }
    tree.mode("/etc/cni/net.d/whereabouts.d/a/b/whereabouts.kubeconfig", 0o644);
    let seen = tree.observe();
    assert_eq!(paths(&seen, "cni-config"), found);
    assert_eq!(verdicts(seen.at(found[3]))["cni-config-mode"], Outcome::Failed);
}

#[test]
fn the_folder_that_any_runtime_names_is_looked_at_below_too() {
    for (config, text) in [
        (
            "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
            "version = 3\n[plugins.'io.containerd.cri.v1.runtime'.cni]\n  conf_dir = \"/opt/cni\"\n",
        ),
        (
            "/etc/containerd/conf.d/99-cni.toml",
            "version = 2\n[plugins.'io.containerd.grpc.v1.cri'.cni]\n  conf_dir = \"/opt/cni/\"\n",
        ),
        ("/usr/lib/crio/crio.conf.d/00-default.conf", "[crio.network]\nnetwork_dir = '/opt/cni'\n"),
    ] {
        let tree = Tree::new();
        tree.kubelet("");
        tree.file(config, text);
        tree.file("/opt/cni/multus.d/multus.kubeconfig", "");
        tree.mode("/opt/cni/multus.d/multus.kubeconfig", 0o644);
        let seen = tree.observe();
        assert_eq!(paths(&seen, "cni-config"), ["/opt/cni/multus.d/multus.kubeconfig"], "{config}");
        assert_eq!(verdicts(seen.only("cni-config"))["cni-config-mode"], Outcome::Failed, "{config}");
    }
}

/// A member of etcd, and folders.
fn etcd(tree: &Tree, pid: u32, command: &str, folders: &[&str]) {
    tree.process(&Planted { pid, command, ..Planted::default() });
    tree.file(&format!("/proc/{pid}/environ"), "");
    for folder in folders {
        tree.directory(folder);
    }
}

#[test]
fn rancher_29311_only_folders_that_an_etcd_uses_are_judged() {
    let tree = Tree::new();
    tree.kubelet("");
    tree.directory("/var/lib/etcd");
    assert!(tree.observe().all("etcd-data-dir").is_empty(), "left over on a worker");

    // Events in an etcd of their own.
    etcd(&tree, 200, "etcd --data-dir=/data/main", &["/data/main"]);
    etcd(&tree, 201, "etcd --data-dir=/data/events", &["/data/events"]);
    tree.mode("/data/main", 0o700);
    tree.mode("/data/events", 0o755);
    let seen = tree.observe();
    assert_eq!(paths(&seen, "etcd-data-dir"), ["/data/events", "/data/main"]);
    assert_eq!(verdicts(seen.at("/data/main"))["etcd-data-dir-mode"], Outcome::Passed);
    assert_eq!(verdicts(seen.at("/data/events"))["etcd-data-dir-mode"], Outcome::Failed);
}

#[test]
fn the_usual_folder_is_judged_while_an_etcd_runs_that_nobody_vouches_for() {
    let tree = Tree::new();
    tree.kubelet("");
    tree.directory("/var/lib/etcd");
    tree.mode("/var/lib/etcd", 0o700);
    for (pid, cgroup) in [(200, "0::/system.slice/etcd.service\n"), (201, "0::/\n")] {
        tree.process(&Planted { pid, command: "/usr/bin/etcd", uid: 998, cgroup, ..Planted::default() });
        let seen = tree.observe();
        assert_eq!(verdicts(seen.at("/var/lib/etcd"))["etcd-data-dir-mode"], Outcome::Passed);
        // It may use another.
        assert!(seen.all("etcd-data-dir").iter().any(|resource| resource.is_unlisted()));
        std::fs::remove_dir_all(tree.path(&format!("/proc/{pid}"))).unwrap();
    }
    assert!(tree.observe().all("etcd-data-dir").is_empty(), "none runs");
}

#[test]
fn an_etcd_with_a_configuration_file_uses_the_folder_that_it_names() {
    let tree = Tree::new();
    tree.file("/etc/etcd.yml", "data-dir: /data/file\n");
    let command = "etcd --config-file=/etc/etcd.yml --data-dir=/data/flag";
    etcd(&tree, 200, command, &["/data/file", "/data/flag", "/var/lib/etcd"]);
    tree.file("/proc/200/environ", "ETCD_DATA_DIR=/var/lib/etcd\0");
    assert_eq!(paths(&tree.observe(), "etcd-data-dir"), ["/data/file"]);
}

#[test]
fn data_below_a_volume_are_judged_and_not_the_volume() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /etc/kubernetes/manifests\n");
    let command = "etcd --data-dir=/data/member-1";
    tree.manifest("etcd", command, &[("/data", "/mnt/disk")]);
    for folder in ["/mnt/disk/member-1", "/data/member-1", "/var/lib/etcd"] {
        tree.directory(folder);
    }
    let mounts = format!("{POD_MOUNTS}305 304 254:0 /mnt/disk /data rw - ext4 /dev/vda rw\n");
    tree.process(&Planted {
        pid: 200,
        command,
        namespace: Some("mnt:[2]"),
        mounts: &mounts,
        cgroup: STATIC_POD,
        ..Planted::default()
    });
    tree.file("/proc/200/environ", "");
    assert_eq!(paths(&tree.observe(), "etcd-data-dir"), ["/mnt/disk/member-1"]);
}

#[test]
fn kube_bench_276_manifests_know_every_name_that_processes_are_known_by() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /opt/m\n");
    for (name, command) in [
        ("a.yaml", "[/hyperkube, apiserver, --v=2]"),
        ("b.yaml", "[/bin/sh, -c, 'exec /hyperkube controller-manager --v=2 1>>/var/log/b.log 2>&1']"),
        ("c.yaml", "[/usr/bin/scheduler, --kubeconfig=/etc/scheduler.conf]"),
        ("d.yaml", "[nice, /usr/local/bin/etcd, --name=a]"),
        ("e.yaml", "[/hyperkube, kubectl]"),
        ("f.yaml", "[/usr/bin/scheduler, --spool=/var/spool]"),
    ] {
        let path = format!("/opt/m/{name}");
        tree.file(
            &path,
            &format!("kind: Pod\napiVersion: v1\nspec: {{containers: [{{name: a, image: a, command: {command}}}]}}\n"),
        );
        tree.mode(&path, 0o644);
    }
    let seen = tree.observe();
    for (role, path, control) in [
        ("api-server-manifest", "/opt/m/a.yaml", "api-server-manifest-mode"),
        ("controller-manager-manifest", "/opt/m/b.yaml", "controller-manager-manifest-mode"),
        ("scheduler-manifest", "/opt/m/c.yaml", "scheduler-manifest-mode"),
        ("etcd-manifest", "/opt/m/d.yaml", "etcd-manifest-mode"),
    ] {
        assert_eq!(paths(&seen, role), [path]);
        assert_eq!(verdicts(seen.only(role))[control], Outcome::Failed, "{role}");
    }
}

#[test]
fn manifests_that_the_kubelet_does_not_read_start_nothing() {
    let tree = Tree::new();
    tree.kubelet("staticPodPath: /etc/kubernetes/manifests\n");
    let manifest =
        |name: &str| format!("kind: Pod\napiVersion: v1\nspec: {{containers: [{{command: [{name}]}}]}}\n");
    tree.file("/etc/kubernetes/manifests/old/kube-apiserver.yaml", &manifest("kube-apiserver"));
    tree.file("/etc/kubernetes/manifests/.kube-scheduler.yaml.swp", &manifest("kube-scheduler"));
    let seen = tree.observe();
    assert!(seen.all("api-server-manifest").is_empty() && seen.all("scheduler-manifest").is_empty());
    // It reads everything else, whatever its ending.
    tree.file("/etc/kubernetes/manifests/kube-apiserver.yaml.bak", &manifest("kube-apiserver"));
    let wanted = "/etc/kubernetes/manifests/kube-apiserver.yaml.bak";
    assert_eq!(paths(&tree.observe(), "api-server-manifest"), [wanted]);
}
