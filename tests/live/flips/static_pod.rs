//! A flag the way that it gets there in earnest: through the manifest of a static pod.

use crate::bed::{Bed, env};
use crate::kept::Kept;
use crate::verdicts::{assert_flipped, mends};

/// The arguments of the schedulers that run.
fn schedulers() -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let commands =
        processes.filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok());
    commands.filter(|command| command.starts_with("kube-scheduler\0")).collect()
}

/// Waits until one scheduler runs, and its mirror pod says so, with the flag or without.
fn settled(bed: &Bed, with: bool) {
    const FLAG: &str = "--profiling=false";
    let pod = format!("kube-scheduler-{}", env("TESTBED_NODE_NAME"));
    bed.until("the kubelet to start the other scheduler", || {
        let running = schedulers();
        let runs = running.len() == 1 && running[0].contains(FLAG) == with;
        let path = "jsonpath={.spec.containers[0].command} {.status.phase}";
        let shown = bed.kubectl(&["get", "pod", &pod, "-n", "kube-system", "-o", path, "--ignore-not-found"]);
        (runs && shown.contains(FLAG) == with && shown.ends_with("Running")).then_some(())
    });
}

#[test]
fn a_flag_in_a_manifest() {
    let bed = Bed::take();
    let before = bed.verdicts(&[], &[]);
    let manifest = Kept::new("/etc/kubernetes/manifests/kube-scheduler.yaml");
    let good = manifest.text().replacen(
        "    - kube-scheduler\n",
        "    - kube-scheduler\n    - --profiling=false\n",
        1,
    );
    manifest.write(good);
    settled(&bed, true);
    let mended = bed.verdicts(&[], &[]);
    manifest.put_back();
    settled(&bed, false);
    let after = bed.verdicts(&[], &[]);

    assert_flipped(&before, &mended, &mends("kube-scheduler", &["1.4.1"]));
    assert_flipped(&before, &after, &[]);
}
