//! Modes and owners of the node's own files: sections 1.1 and 4.1.

use crate::bed::Bed;
use crate::kept::Kept;
use crate::verdicts::{assert_flipped, breaks, mends};

/// A path, the mode it gets, and which numbers that breaks, which it mends. Owner and group become 1, whom every
/// Debian calls daemon.
const FILES: &[(&str, u32, &[&str], &[&str])] = &[
    ("/etc/kubernetes/manifests/kube-apiserver.yaml", 0o640, &["1.1.1", "1.1.2"], &[]),
    ("/etc/kubernetes/manifests/kube-controller-manager.yaml", 0o604, &["1.1.3", "1.1.4"], &[]),
    ("/etc/kubernetes/manifests/kube-scheduler.yaml", 0o644, &["1.1.5", "1.1.6"], &[]),
    ("/etc/kubernetes/manifests/etcd.yaml", 0o620, &["1.1.7", "1.1.8"], &[]),
    ("/etc/cni/net.d/10-posturebeat.conflist", 0o600, &["1.1.10"], &["1.1.9"]),
    ("/var/lib/etcd", 0o750, &["1.1.11"], &["1.1.12"]),
    ("/etc/kubernetes/admin.conf", 0o640, &["1.1.13", "1.1.14"], &[]),
    ("/etc/kubernetes/super-admin.conf", 0o602, &["1.1.13", "1.1.14"], &[]),
    ("/etc/kubernetes/scheduler.conf", 0o644, &["1.1.15", "1.1.16"], &[]),
    ("/etc/kubernetes/controller-manager.conf", 0o660, &["1.1.17", "1.1.18"], &[]),
    // A directory's mode is nobody's matter.
    ("/etc/kubernetes/pki", 0o755, &["1.1.19"], &[]),
    ("/etc/kubernetes/pki/etcd", 0o777, &["1.1.19"], &[]),
    ("/etc/kubernetes/pki/sa.pub", 0o600, &["1.1.19"], &[]),
    ("/etc/kubernetes/pki/apiserver.crt", 0o664, &["1.1.19", "1.1.20"], &[]),
    ("/etc/kubernetes/pki/etcd/server.key", 0o640, &["1.1.19", "1.1.21"], &[]),
    ("/etc/systemd/system/kubelet.service", 0o600, &["4.1.2"], &["4.1.1"]),
    ("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf", 0o600, &["4.1.2"], &["4.1.1"]),
    (PROXY, 0o644, &["4.1.3", "4.1.4"], &[]),
    ("/etc/kubernetes/kubelet.conf", 0o640, &["4.1.5", "4.1.6"], &[]),
    ("/etc/kubernetes/pki/ca.crt", 0o666, &["1.1.19", "1.1.20", "4.1.7", "4.1.8"], &[]),
    ("/var/lib/kubelet/config.yaml", 0o600, &["4.1.10"], &["4.1.9"]),
];

/// No kube-proxy runs here, but a kubeconfig that nobody reads still holds a credential.
const PROXY: &str = "/etc/kubernetes/proxy.conf";

#[test]
fn every_mode_and_owner() {
    let bed = Bed::take();
    let proxy = Kept::new(PROXY);
    proxy.write("kind: Config\n");
    proxy.set_mode(0o600);
    // The machine has no account etcd, so another one stands for it.
    let scan =
        || bed.verdicts(&["-E", "posturebeat.rules.params.etcd-data-dir-owner.owner=daemon:daemon"], &[]);

    let before = scan();
    let mut expected = Vec::new();
    let kept: Vec<Kept> = FILES
        .iter()
        .map(|(path, mode, broken, mended)| {
            expected.extend([breaks(path, broken), mends(path, mended)].concat());
            let file = Kept::new(*path);
            file.set_owner(1, 1);
            file.set_mode(*mode);
            file
        })
        .collect();
    let broken = scan();
    drop(kept);
    let after = scan();

    assert_flipped(&before, &broken, &expected);
    assert_flipped(&before, &after, &[]);
}
