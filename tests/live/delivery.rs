//! Findings arrive whole, whatever the store does meanwhile.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use crate::bed::{Bed, Store, env};

/// A recording of many pods, so that a cycle takes a while.
fn pods(bed: &Bed, count: usize) -> PathBuf {
    let path = bed.path("pods.ndjson");
    let mut file = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    writeln!(file, "{}", json!({"snapshot": {"version": 1, "cluster": {"id": "generated"}}})).unwrap();
    for index in 0..count {
        let uid = format!("uid-{index}");
        let raw = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": format!("p-{index}"), "namespace": "n", "uid": uid},
            "spec": {"containers": [{"name": "c", "image": "i"}]}});
        let line = json!({"type": "k8s_object", "sub_type": "Pod", "id": uid, "name": format!("p-{index}"), "raw": raw});
        writeln!(file, "{line}").unwrap();
    }
    path
}

fn findings(namespace: &str) -> String {
    format!("logs-cloud_security_posture.findings-{namespace}")
}

/// How many findings a recording makes, by the same rules and without a store.
fn expected(bed: &Bed, recording: &str) -> u64 {
    let output = bed.output(&["scan", "--format", "json", "--snapshot", recording]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["totals"]["passed"].as_u64().unwrap() + report["totals"]["failed"].as_u64().unwrap()
}

#[test]
fn elasticsearch_is_down_for_20_seconds_in_mid_cycle() {
    let bed = Bed::take();
    let namespace = Bed::namespace("down");
    let recording = pods(&bed, 2_000);
    let recording = recording.to_str().unwrap();
    let wanted = expected(&bed, recording);
    let more = format!("  snapshots: ['{recording}']\n");
    let config = bed.config(Store::Elasticsearch, &namespace, &more);
    let mut running =
        bed.start(&["run", "-c", config.to_str().unwrap(), "-E", "output.elasticsearch.bulk_max_size=100"]);
    bed.until("the first findings", || {
        (bed.count(Store::Elasticsearch, &findings(&namespace)) > 0).then_some(())
    });
    bed.script("es", "stop");
    assert!(running.child.try_wait().unwrap().is_none(), "the cycle was over before the store went away");
    std::thread::sleep(Duration::from_secs(20));
    bed.script("es", "start");
    let status = bed.until("the run to end", || running.child.try_wait().unwrap());
    assert!(status.success(), "{}", running.log());
    assert_eq!(
        bed.count(Store::Elasticsearch, &findings(&namespace)),
        wanted,
        "every finding once: {}",
        running.log()
    );
    assert!(running.log().contains("127.0.0.1:9200"), "the log names the host: {}", running.log());
}

#[test]
fn a_wrong_password_ends_the_start() {
    let bed = Bed::take();
    let config = bed.config(Store::Elasticsearch, "wrong", "");
    let wrong = "not-the-password-51c7";
    let output = bed.output(&[
        "run",
        "-c",
        config.to_str().unwrap(),
        "-E",
        &format!("output.elasticsearch.password={wrong}"),
    ]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    let last = told.lines().last().unwrap_or_default();
    assert!(
        last.starts_with("Exiting: ") && last.contains("401") && last.contains("127.0.0.1:9200"),
        "{told}"
    );
    assert!(!told.contains(wrong), "the password stays out of it: {told}");
}

#[test]
fn what_the_mapping_refuses_is_said_and_the_rest_arrives() {
    let bed = Bed::take();
    let namespace = Bed::namespace("refused");
    let index = findings(&namespace);
    // Whole numbers only where we send names: every Kubernetes object's finding is refused.
    let template = json!({"index_patterns": [index], "priority": 900, "data_stream": {}, "template": {"mappings": {
        "dynamic": false, "properties": {"@timestamp": {"type": "date"}, "orchestrator": {"properties": {"resource":
        {"properties": {"name": {"type": "integer"}}}}}}}}});
    let (status, answer) =
        bed.request(Store::Elasticsearch, "PUT", &format!("/_index_template/{index}"), Some(&template));
    assert_eq!(status, 200, "{answer}");
    let recording = bed.path("all.ndjson");
    let recorded = bed.output(&["collect", "--to", recording.to_str().unwrap()]);
    assert!(recorded.status.success(), "{}", String::from_utf8_lossy(&recorded.stderr));
    let more = format!("  snapshots: ['{}']\n", recording.display());
    let config = bed.config(Store::Elasticsearch, &namespace, &more);
    let mut running = bed.start(&["run", "-c", config.to_str().unwrap()]);
    let status = bed.until("the run to end", || running.child.try_wait().unwrap());
    assert!(status.success(), "{}", running.log());
    let stored = bed.documents(Store::Elasticsearch, &index);
    let kinds: BTreeSet<&str> =
        stored.iter().map(|hit| hit["_source"]["resource"]["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, BTreeSet::from(["file", "process"]));
    let log = running.log();
    assert!(
        log.contains("refused") && log.contains("document_parsing_exception")
            || log.contains("mapper_parsing"),
        "{log}"
    );
    assert!(log.contains(&index), "{log}");
}

#[test]
fn sigterm_in_mid_cycle_delivers_what_was_judged() {
    let bed = Bed::take();
    let namespace = Bed::namespace("term");
    let recording = pods(&bed, 3_000);
    let wanted = expected(&bed, recording.to_str().unwrap());
    let more = format!("  snapshots: ['{}']\n", recording.display());
    let config = bed.config(Store::Elasticsearch, &namespace, &more);
    let mut running =
        bed.start(&["run", "-c", config.to_str().unwrap(), "-E", "output.elasticsearch.bulk_max_size=50"]);
    bed.until("the first findings", || {
        (bed.count(Store::Elasticsearch, &findings(&namespace)) > 0).then_some(())
    });
    let (code, took) = running.stop();
    assert_eq!(code, Some(0), "{}", running.log());
    assert!(took < Duration::from_secs(20), "it took {took:?}");
    let arrived = bed.count(Store::Elasticsearch, &findings(&namespace));
    assert!(arrived > 0 && arrived < wanted, "{arrived} of {wanted}: it was in mid-cycle");
    let log = running.log();
    assert!(
        log.contains("cycle interrupted") || log.contains("stopping: delivering the findings in the queue"),
        "{log}"
    );
    assert!(!log.contains("were left"), "nothing that was judged is lost: {log}");
}

#[test]
fn an_api_key_lets_us_in() {
    let bed = Bed::take();
    let namespace = Bed::namespace("key");
    let body = json!({"name": "posturebeat-test", "role_descriptors": {"writer": {"cluster": ["monitor"],
        "indices": [{"names": ["logs-cloud_security_posture.findings-*"], "privileges": ["auto_configure", "create_doc"]}]}}});
    let (status, key) = bed.request(Store::Elasticsearch, "POST", "/_security/api_key", Some(&body));
    assert_eq!(status, 200, "{key}");
    // The templates are the administrator's to install; Fleet's key may not.
    let admin = bed.config(Store::Elasticsearch, &namespace, "");
    assert!(bed.output(&["setup", "--index-management", "-c", admin.to_str().unwrap()]).status.success());
    let recording = pods(&bed, 20);
    let config = bed.path("key.yml");
    let text = format!(
        "posturebeat:\n  namespace: {namespace}\n  snapshots: ['{}']\noutput.elasticsearch:\n  hosts: ['{}']\n  api_key: '{}:{}'\n  ssl.certificate_authorities: ['{}']\n",
        recording.display(),
        env("TESTBED_ES_URL"),
        key["id"].as_str().unwrap(),
        key["api_key"].as_str().unwrap(),
        env("TESTBED_ES_CA")
    );
    std::fs::write(&config, text).unwrap();
    let output = bed.output(&["run", "-c", config.to_str().unwrap()]);
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{log}");
    assert_eq!(
        bed.count(Store::Elasticsearch, &findings(&namespace)),
        expected(&bed, recording.to_str().unwrap())
    );
    assert!(!log.contains(key["api_key"].as_str().unwrap()), "the key stays out of the log");
    // The key may not write the other streams: said, and no finding is lost for it.
    assert!(log.contains(&format!("logs-posturebeat.coverage-{namespace}")), "{log}");
}
