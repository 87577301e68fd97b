//! `scan`, `collect` and `diff` on the real node.

use serde_json::Value;

use crate::bed::Bed;

#[test]
fn a_recording_gives_the_verdicts_of_the_live_scan() {
    let bed = Bed::take();
    let live = bed.report("live.json");
    let recording = bed.path("recording.ndjson.zst");
    let output = bed.output(&["collect", "--to", recording.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(bed.diff(&live, &recording), "No changes\n");
}

#[test]
fn a_fresh_kubeadm_node_is_seen_whole() {
    let bed = Bed::take();
    let report = bed.scan();
    let totals = &report["totals"];
    assert_eq!(totals["error"], 0, "{:#}", report["resources"]);
    assert!(totals["passed"].as_u64().unwrap() > 60 && totals["failed"].as_u64().unwrap() > 10, "{totals}");
    assert_eq!(report["node"]["name"], "cp-1");
    assert_eq!(report["cluster"]["version"], "v1.37.2");
    let outcome = |number: &str, name: &str| {
        let rule = format!("cis_k8s@2.0.1/{number}");
        report["resources"]
            .as_array()
            .unwrap()
            .iter()
            .find(|resource| resource["name"] == name && resource["results"].get(&rule).is_some())
            .map(|resource| resource["results"][&rule].as_str().unwrap().to_owned())
    };
    // What kubeadm 1.37.2 makes, read off the node by hand.
    for (number, name, verdict) in [
        ("1.1.1", "/etc/kubernetes/manifests/kube-apiserver.yaml", "passed"),
        ("1.1.11", "/var/lib/etcd", "passed"),
        ("1.1.12", "/var/lib/etcd", "failed"),
        ("1.1.13", "/etc/kubernetes/super-admin.conf", "passed"),
        ("1.1.20", "/etc/kubernetes/pki/ca.crt", "passed"),
        ("1.1.21", "/etc/kubernetes/pki/etcd/ca.key", "passed"),
        ("1.2.1", "kube-apiserver", "failed"),
        ("1.2.5", "kube-apiserver", "failed"),
        ("1.2.6", "kube-apiserver", "passed"),
        ("1.2.7", "kube-apiserver", "passed"),
        ("4.2.1", "kubelet", "passed"),
        ("4.2.4", "kubelet", "passed"),
        ("4.2.9", "kubelet", "failed"),
        ("4.2.10", "kubelet", "passed"),
        ("5.2.2", "hardened", "passed"),
        ("5.2.9", "hardened", "passed"),
        ("5.2.9", "ordinary", "failed"),
        ("5.3.2", "demo", "passed"),
        ("5.3.2", "bare", "failed"),
        ("5.3.2", "kube-system", "not_applicable"),
    ] {
        assert_eq!(outcome(number, name).as_deref(), Some(verdict), "{number} {name}");
    }
}

#[test]
fn the_lines_of_a_scan_are_the_documents_of_a_run() {
    let bed = Bed::take();
    let output = bed.output(&["scan", "--format", "ndjson"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for line in text.lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        assert!(document["event"]["id"].is_string() && document["data_stream"]["dataset"].is_string());
    }
    assert!(text.lines().count() > 100);
}

#[test]
fn the_table_is_for_people() {
    let bed = Bed::take();
    let output = bed.output(&["scan"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for words in ["Score ", "Cluster ", "Node    cp-1", "5.2 Pod security", "Failures", "Namespace bare"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    assert!(!text.contains('\u{1b}'), "no colours where nobody sees them");
}
