//! What `diff` shows of two scans when the real thing was broken between them, and when it was mended.

use serde_json::json;
use std::os::unix::fs::PermissionsExt;

use crate::bed::Bed;

/// The changed lines of a diff, without resources that only one of the two scans saw.
fn changed(diff: &str) -> Vec<&str> {
    diff.lines()
        .map(str::trim)
        .filter(|line| *line != "No changes" && !line.starts_with("- →") && !line.contains("→ -"))
        .collect()
}

#[test]
fn a_manifest_that_others_may_read_is_found() {
    let bed = Bed::take();
    let path = "/etc/kubernetes/manifests/kube-scheduler.yaml";
    let before = bed.report("before.json");
    let mode = |mode| std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    let broken = bed.report("broken.json");
    mode(0o600);
    let mended = bed.report("mended.json");

    let diff = bed.diff(&before, &broken);
    let lines = changed(&diff);
    assert_eq!(lines.len(), 1, "{diff}");
    assert!(
        lines[0].starts_with("passed → failed") && lines[0].contains("1.1.5 ") && lines[0].contains(path),
        "{diff}"
    );
    let diff = bed.diff(&before, &mended);
    assert!(changed(&diff).is_empty(), "{diff}");
}

#[test]
fn a_pod_made_privileged_is_found() {
    let bed = Bed::take();
    let pod = |privileged: bool| {
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "breakable", "namespace": "demo"}, "spec": {
            "nodeSelector": {"nowhere": "true"},
            "containers": [{"name": "c", "image": "posturebeat.test/pause:1", "imagePullPolicy": "Never",
                "securityContext": {"privileged": privileged}}]}})
    };
    let good = bed.apply(&pod(false));
    let before = bed.report("before.json");
    drop(good);
    let bad = bed.apply(&pod(true));
    let broken = bed.report("broken.json");
    drop(bad);
    let _good = bed.apply(&pod(false));
    let mended = bed.report("mended.json");

    let diff = bed.diff(&before, &broken);
    let lines = changed(&diff);
    assert_eq!(lines.len(), 1, "the other pod rules fail an ordinary pod already: {diff}");
    assert!(lines[0].starts_with("passed → failed") && lines[0].contains("5.2.2 "), "{diff}");
    assert!(lines[0].contains("Pod demo/breakable"), "{diff}");
    let diff = bed.diff(&before, &mended);
    assert!(changed(&diff).is_empty(), "{diff}");
}
