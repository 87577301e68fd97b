//! Secrets are planted wherever a cluster may hold them, and looked for wherever we write.

use serde_json::json;
use std::path::Path;

use crate::bed::{Bed, Store};

const CANARY: &str = "canary-3f9c1e";
/// What rules may compare is shown as little as the rest.
const REVEAL: [&str; 2] = ["-E", "posturebeat.collect.reveal=['env:DB_PASSWORD', 'env:URL']"];

fn holds_canary(path: &Path) -> bool {
    let bytes = std::fs::read(path).unwrap();
    let text = match path.extension().and_then(|ending| ending.to_str()) {
        Some("gz") => {
            let mut text = Vec::new();
            std::io::copy(&mut flate2::read::MultiGzDecoder::new(bytes.as_slice()), &mut text).unwrap();
            text
        }
        _ => bytes,
    };
    String::from_utf8_lossy(&text).contains(CANARY)
}

#[test]
fn no_planted_secret_is_found_anywhere() {
    let bed = Bed::take();
    let secret = |place: &str| format!("{CANARY}-{place}");
    let container = |name: &str| {
        json!({"name": name, "image": "posturebeat.test/pause:1", "imagePullPolicy": "Never",
            "env": [{"name": "DB_PASSWORD", "value": secret("env")}, {"name": "URL", "value": "x"}],
            "command": ["serve", format!("--auth-token={}", secret("flag"))],
            "args": ["--db-password", secret("word"), format!("--upstream=https://user:{}@db.example/", secret("url"))]})
    };
    let pod = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "canary", "namespace": "demo"},
        "spec": {"nodeSelector": {"nowhere": "true"}, "containers": [container("c")], "initContainers": [container("i")]}});
    // `apply` also writes the whole pod into its last-applied annotation.
    let _applied = bed.apply(&pod);
    let written = bed.kubectl(&["get", "pod", "canary", "-n", "demo", "-o", "json"]);
    assert!(written.contains("last-applied-configuration") && written.contains(&secret("env")));

    let recording = bed.path("recording.ndjson.gz");
    let recorded = bed.output(&[&["collect", "--to", recording.to_str().unwrap()], &REVEAL[..]].concat());
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    assert!(!holds_canary(&recording), "in the recording");

    for format in ["table", "json", "ndjson"] {
        let output = bed.output(&[&["scan", "--format", format, "-d", "*"], &REVEAL[..]].concat());
        assert!(output.status.success());
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("canary"), "the pod itself is in the {format}");
        assert!(!text.contains(CANARY), "in {format}");
    }

    let namespace = Bed::namespace("canary");
    let config = bed.config(
        Store::Elasticsearch,
        &namespace,
        "  period: 1h\n  collect.reveal: ['env:DB_PASSWORD', 'env:URL']\n",
    );
    let mut running = bed.start(&["run", "-d", "*", "-c", config.to_str().unwrap()]);
    let index = &format!("logs-cloud_security_posture.findings-{namespace}");
    let complete = |of: &str| {
        let log = running.log();
        log.lines().any(|line| line.contains("cycle complete") && line.contains(&format!("of=\"{of}\"")))
    };
    bed.until("a cycle of each", || (complete("node") && complete("cluster")).then_some(()));
    bed.until("its findings", || (bed.count(Store::Elasticsearch, index) > 0).then_some(()));
    running.stop();
    let documents = serde_json::to_string(&bed.documents(Store::Elasticsearch, index)).unwrap();
    assert!(documents.contains("\"canary\"") && !documents.contains(CANARY), "in Elasticsearch");
    assert!(!running.log().contains(CANARY), "in the log");
    let mut folders = vec![bed.path("data")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(!holds_canary(&path), "in path.data");
            }
        }
    }
}

#[test]
fn a_recording_of_the_node_holds_no_key_and_no_token() {
    let bed = Bed::take();
    let recording = bed.path("recording.ndjson");
    assert!(bed.output(&["collect", "--to", recording.to_str().unwrap()]).status.success());
    let text = std::fs::read_to_string(&recording).unwrap();
    assert!(text.contains("/etc/kubernetes/pki/ca.key"), "the keys' files are judged");
    for word in ["PRIVATE KEY", "BEGIN CERTIFICATE", "eyJhbGciOi"] {
        assert!(!text.contains(word), "{word}");
    }
    let key = std::fs::read_to_string("/etc/kubernetes/pki/ca.key").unwrap();
    let line = key.lines().nth(2).unwrap();
    assert!(!text.contains(line));
}
