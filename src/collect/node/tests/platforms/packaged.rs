//! Components that come with a distribution: units with a user, with mounts of their own, in another slice, in a snap.

use super::verdicts;
use crate::collect::node::tests::{HOST_MOUNTS, Planted, Tree};
use crate::evaluate::Outcome;

/// The user that packages give the control plane.
const KUBE: u32 = 997;

/// A host with that user, and units of these texts.
fn host(units: &[(&str, &str)]) -> Tree {
    let tree = Tree::new();
    tree.file("/etc/passwd", &format!("root:x:0:0:::\nkube:x:{KUBE}:{KUBE}:::\n"));
    for (name, text) in units {
        tree.file(&format!("/usr/lib/systemd/system/{name}.service"), &format!("[Service]\n{text}\n"));
    }
    tree
}

#[test]
fn a_packaged_control_plane_is_judged_as_the_user_of_its_units() {
    let units = [
        (
            "kube-apiserver",
            "User=kube\nEnvironmentFile=-/etc/kubernetes/apiserver\nExecStart=/usr/bin/kube-apiserver $KUBE_API_ARGS",
        ),
        ("kube-controller-manager", "User=kube\nExecStart=/usr/bin/kube-controller-manager $ARGS"),
        ("kube-scheduler", "User=kube\nExecStart=/usr/local/bin/hyperkube kube-scheduler $ARGS"),
    ];
    let processes = [
        (200, "/usr/bin/kube-apiserver --profiling=true", "kube-apiserver", "api-server-profiling"),
        (
            201,
            "/usr/bin/kube-controller-manager --profiling=true",
            "kube-controller-manager",
            "controller-manager-profiling",
        ),
        (
            202,
            "/usr/local/bin/hyperkube kube-scheduler --profiling=true",
            "kube-scheduler",
            "scheduler-profiling",
        ),
    ];
    // Without their units, nobody says that this user may start them.
    for (there, outcome) in [(&units[..], Outcome::Failed), (&[], Outcome::Error)] {
        let tree = host(there);
        for (pid, command, component, _) in processes {
            let cgroup = format!("0::/system.slice/{component}.service\n");
            tree.process(&Planted { pid, command, uid: KUBE, cgroup: &cgroup, ..Planted::default() });
        }
        let seen = tree.observe();
        for (_, _, component, control) in processes {
            assert_eq!(verdicts(seen.only(component))[control], outcome, "{component}");
        }
    }
}

#[test]
fn a_unit_with_a_user_and_mounts_of_its_own_is_judged() {
    let unit =
        ("kube-apiserver", "User=kube\nProtectHome=true\nExecStart=/usr/bin/kube-apiserver --profiling=true");
    let mounts = format!("{HOST_MOUNTS}401 27 0:30 / /home ro - tmpfs tmpfs ro\n");
    for (units, outcome) in [(&[unit][..], Outcome::Failed), (&[], Outcome::Error)] {
        let tree = host(units);
        tree.process(&Planted {
            pid: 200,
            command: "/usr/bin/kube-apiserver --profiling=true",
            uid: KUBE,
            namespace: Some("mnt:[7]"),
            mounts: &mounts,
            cgroup: "0::/system.slice/kube-apiserver.service\n",
            ..Planted::default()
        });
        let judged = verdicts(tree.observe().only("kube-apiserver"));
        assert_eq!(judged["api-server-profiling"], outcome, "{units:?}");
    }
}

#[test]
fn a_kubelet_with_private_mounts_in_another_slice_is_judged() {
    let config = "/etc/kubernetes/kubelet/config";
    let command = "/usr/bin/kubelet --config /etc/kubernetes/kubelet/config";
    let unit = format!("MountFlags=slave\nPrivateMounts=yes\nExecStart={command}");
    let tree = host(&[("kubelet", unit.as_str())]);
    tree.file(
        config,
        "kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nauthorization: {mode: AlwaysAllow}\n",
    );
    let mounts = format!("{HOST_MOUNTS}401 27 254:0 /etc/kubernetes /etc/kubernetes rw - ext4 /dev/vda rw\n");
    tree.process(&Planted {
        command,
        namespace: Some("mnt:[7]"),
        mounts: &mounts,
        cgroup: "0::/runtime.slice/kubelet.service\n",
        ..Planted::default()
    });
    let seen = tree.observe();
    assert_eq!(verdicts(seen.only("kubelet"))["kubelet-authorization-mode"], Outcome::Failed);
    assert_eq!(seen.only("kubelet-config").id, config);
}

#[test]
fn a_kubelet_that_is_a_snap_of_its_own_is_judged() {
    let unit = "snap.kubelet.daemon";
    let command = "/snap/kubelet/1/kubelet --authorization-mode=AlwaysAllow";
    let cgroup = format!("0::/system.slice/{unit}.service\n");
    for (units, outcome) in [
        (&[(unit, "ExecStart=/usr/bin/snap run kubelet.daemon")][..], Outcome::Failed),
        (&[(unit, "ExecStart=/usr/bin/snap run other.daemon")], Outcome::Error),
        (&[], Outcome::Error),
    ] {
        let tree = host(units);
        let mounts = "600 1 7:1 / / ro - squashfs /dev/loop1 ro\n";
        let namespace = Some("mnt:[4]");
        tree.process(&Planted { command, cgroup: &cgroup, mounts, namespace, ..Planted::default() });
        let judged = verdicts(tree.observe().only("kubelet"));
        assert_eq!(judged["kubelet-authorization-mode"], outcome, "{units:?}");
    }
}
