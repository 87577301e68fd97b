//! Nodes as they come: what is found on each, and what the benchmark says of it.

use rustix::io::Errno;
use rustix::process::{getegid, geteuid};
use serde_json::json;

use super::{AL2023_DROP_INS, Image, NEW, OLD, Seen, al2, al2023, bottlerocket, outcomes, shortfalls};
use crate::collect::node::filesystem::hostfs::refusals::Refused;
use crate::collect::node::tests::platforms::assert_inventory;
use crate::evaluate::Outcome;

/// Files of the trees belong to whoever runs the tests.
fn owned() -> Outcome {
    if geteuid().is_root() && getegid().is_root() { Outcome::Passed } else { Outcome::Failed }
}

/// A stock node falls short of one thing on every image: 1.0.1 wants no limit on events, and there is one by default.
#[track_caller]
fn assert_stock(seen: &Seen, kubeconfigs: usize, configs: usize) {
    let mut old = shortfalls(OLD, seen);
    let mut new = shortfalls(NEW, seen);
    for shortfalls in [&mut old, &mut new] {
        shortfalls.retain(|(control, _)| !control.ends_with("-owner"));
    }
    assert_eq!(old, [("kubelet-event-rate", vec![Outcome::Failed])]);
    assert_eq!(new, []);
    for version in [OLD, NEW] {
        let outcomes = outcomes(version, seen);
        assert_eq!(outcomes["kubelet-kubeconfig-mode"].len(), kubeconfigs);
        assert_eq!(outcomes["kubelet-config-mode"].len(), configs);
        assert_eq!(outcomes["kubelet-kubeconfig-owner"], vec![owned(); kubeconfigs]);
        assert_eq!(outcomes["kubelet-config-owner"], vec![owned(); configs]);
    }
}

#[test]
fn amazon_linux_2_has_one_file_and_arguments_in_drop_ins_of_its_unit() {
    let seen = al2("").observe();
    assert_inventory(
        &seen,
        &[
            "kubelet",
            "kubelet-config /etc/kubernetes/kubelet/kubelet-config.json",
            "kubelet-kubeconfig /var/lib/kubelet/kubeconfig",
            "kubelet-client-ca+pki-cert /etc/kubernetes/pki/ca.crt",
            "pki-dir /etc/kubernetes/pki",
            "kubelet-service /etc/systemd/system/kubelet.service",
            "kubelet-service /etc/systemd/system/kubelet.service.d/10-kubelet-args.conf",
            "kubelet-service /etc/systemd/system/kubelet.service.d/30-kubelet-extra-args.conf",
            "cni-config /etc/cni/net.d/10-aws.conflist",
        ],
    );
    assert_stock(&seen, 1, 1);
}

const AL2023: [&str; 8] = [
    "kubelet",
    "kubelet-config /etc/kubernetes/kubelet/config.json",
    "kubelet-config /etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf",
    "kubelet-kubeconfig /var/lib/kubelet/kubeconfig",
    "kubelet-client-ca+pki-cert /etc/kubernetes/pki/ca.crt",
    "pki-dir /etc/kubernetes/pki",
    "kubelet-service /etc/systemd/system/kubelet.service",
    "cni-config /etc/cni/net.d/10-aws.conflist",
];

#[test]
fn amazon_linux_2023_has_drop_ins() {
    let seen = al2023("").observe();
    assert_inventory(&seen, &AL2023);
    assert_stock(&seen, 1, 2);
    let config = &seen.only("kubelet").raw["config"];
    assert_eq!(
        (&config["maxPods"], &config["readOnlyPort"]),
        (&json!(29), &json!(0)),
        "file and drop-in merged"
    );
}

#[test]
fn the_last_drop_in_by_name_counts_and_each_is_judged_as_a_file() {
    let tree = al2023("");
    // Written first, read last.
    tree.drop_in_of_eks("90-late.conf", &json!({"readOnlyPort": 0, "eventRecordQPS": 0}));
    tree.drop_in_of_eks(
        "50-early.conf",
        &json!({"readOnlyPort": 10255, "authentication": {"anonymous": {"enabled": true}}}),
    );
    tree.drop_in_of_eks("99-not.json", &json!({"readOnlyPort": 10255}));
    tree.mode(&format!("{AL2023_DROP_INS}/50-early.conf"), 0o666);
    let seen = tree.observe();
    let outcomes = outcomes(OLD, &seen);
    assert_eq!(outcomes["kubelet-read-only-port"], [Outcome::Passed]);
    assert_eq!(outcomes["kubelet-event-rate"], [Outcome::Passed]);
    assert_eq!(outcomes["kubelet-anonymous-auth"], [Outcome::Failed], "what no later one takes back holds");
    assert_eq!(
        outcomes["kubelet-client-ca-file"],
        [Outcome::Passed],
        "a part of a map leaves the rest of it alone"
    );
    let modes = &outcomes["kubelet-config-mode"];
    assert_eq!(modes.iter().filter(|outcome| **outcome == Outcome::Failed).count(), 1, "{modes:?}");
    assert_eq!(modes.len(), 4);
}

#[test]
fn nodeadm_of_a_kubelet_without_drop_ins_writes_one_file() {
    let tree = al2023("");
    std::fs::remove_dir_all(tree.path(AL2023_DROP_INS)).unwrap();
    let command = "/usr/bin/kubelet --kubeconfig=/var/lib/kubelet/kubeconfig --config=/etc/kubernetes/kubelet/config.json \
        --hostname-override=ip-10-0-1-5.eu-central-1.compute.internal --container-runtime=remote";
    tree.kubelet_of_eks(command, "0::/runtime.slice/kubelet.service\n");
    let seen = tree.observe();
    assert_inventory(&seen, &[&AL2023[..2], &AL2023[3..]].concat());
    assert_stock(&seen, 1, 1);
}

const BOTTLEROCKET: [&str; 10] = [
    "kubelet",
    "kubelet-config /etc/kubernetes/kubelet/config",
    "kubelet-kubeconfig /etc/kubernetes/kubelet/kubeconfig",
    "kubelet-client-ca+pki-cert /etc/kubernetes/pki/ca.crt",
    "pki-dir /etc/kubernetes/pki",
    "pki-dir /etc/kubernetes/pki/private",
    "kubelet-service /etc/systemd/system/kubelet.service.d/exec-start.conf",
    "kubelet-service /usr/lib/systemd/system/kubelet.service",
    "kubelet-service /usr/lib/systemd/system/kubelet.service.d/make-kubelet-dirs.conf",
    "cni-config /etc/cni/net.d/10-aws.conflist",
];

#[test]
fn bottlerocket_has_files_without_extension_and_owners_without_names() {
    let seen = bottlerocket().observe();
    // `/lib` may be what the unit's file is called.
    let found = seen.inventory().iter().map(|line| line.replace(" /lib/", " /usr/lib/")).collect::<Vec<_>>();
    let mut wanted = BOTTLEROCKET.to_vec();
    wanted.sort_unstable();
    let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
    found.sort_unstable();
    assert_eq!(found, wanted);
    assert_stock(&seen, 1, 1);
    let missing = |at, file| (at, "missing", file);
    let nameless = [missing("$.owner", "read /etc/passwd"), missing("$.group", "read /etc/group")];
    assert_eq!(seen.unread("kubelet-config"), nameless, "that names are not known is said all the same");
}

#[test]
fn a_drop_in_of_bottlerocket_counts() {
    let tree = bottlerocket();
    let text = "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nreadOnlyPort: 10255\n";
    tree.file("/etc/kubernetes/kubelet/config.d/10-own.conf", text);
    let outcome = |seen: &Seen| outcomes(NEW, seen)["kubelet-read-only-port"].clone();
    assert_eq!(outcome(&tree.observe()), [Outcome::Failed]);
    // Without a kubelet to ask, drop-ins are looked for where images have them.
    std::fs::remove_dir_all(tree.path("/proc/100")).unwrap();
    assert_eq!(tree.observe().all("kubelet-config").len(), 2);
}

/// Its policy lets a plain container see and read what the system runs and what `/etc` says, but neither what belongs
/// to container runtimes nor secrets.
#[test]
fn what_bottlerocket_s_policy_hides_is_an_error_and_takes_no_verdict_about_the_kubelet() {
    let tree = bottlerocket();
    let refused = [
        ("/proc/200/cmdline", Refused::Content, Errno::ACCESS),
        ("/etc/kubernetes/pki/private", Refused::Content, Errno::ACCESS),
    ];
    let seen = tree.observe_refusing(&refused);
    assert_stock(&seen, 1, 1);
    assert_eq!(seen.unread("kube-scheduler"), [("$", "denied", "read /proc/200/cmdline")]);
    // An API server that may run unseen may name keys, too.
    let hidden = ["read /proc/200/cmdline", "list /etc/kubernetes/pki/private"];
    assert_eq!(seen.unread("pki-key"), hidden.map(|what| ("$", "denied", what)));
}

#[test]
fn a_node_that_has_lost_its_kubelet_still_has_its_files() {
    let images: [(Image, &str, &str); 3] = [
        (|| al2(""), "/etc/kubernetes/kubelet/kubelet-config.json", "/var/lib/kubelet/kubeconfig"),
        (|| al2023(""), "/etc/kubernetes/kubelet/config.json", "/var/lib/kubelet/kubeconfig"),
        (bottlerocket, "/etc/kubernetes/kubelet/config", "/etc/kubernetes/kubelet/kubeconfig"),
    ];
    for (image, config, kubeconfig) in images {
        let tree = image();
        std::fs::remove_dir_all(tree.path("/proc/100")).unwrap();
        let seen = tree.observe();
        assert!(seen.all("kubelet-config").iter().any(|file| file.id == config), "{config}");
        assert_eq!(seen.only("kubelet-kubeconfig").id, kubeconfig);
    }
}
