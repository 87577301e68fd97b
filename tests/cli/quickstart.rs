//! The README's first command, on a machine with nothing.

use crate::program::{Program, Ran, root};

#[test]
fn recorded_input_shows_a_posture() {
    let program = Program::new();
    let mut command = program.command(&["run", "-c", "examples/quickstart.yml"]);
    command.current_dir(root()).args(["--path.data", program.path("data").to_str().unwrap()]);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for words in ["Score ", "posturebeat-test", "1.1 Control plane files", "4.2 Kubelet", "Failures"] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
}

#[test]
fn what_was_recorded_holds_no_secret() {
    let file = std::fs::read(root().join("examples/kubeadm-v1.37.ndjson.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file.as_slice()), &mut text)
        .unwrap();
    assert!(text.lines().count() > 100);
    for word in ["PRIVATE KEY", "BEGIN CERTIFICATE", "eyJhbGciOi", "client-key-data\":\"L"] {
        assert!(!text.contains(word), "{word}");
    }
}

/// A configuration that judges the example and has the given output.
fn config(program: &Program, output: &str) -> std::path::PathBuf {
    let recording = root().join("examples/kubeadm-v1.37.ndjson.gz");
    program.write("run.yml", &format!("posturebeat.snapshots: ['{}']\n{output}", recording.display()))
}

/// What the report of the same input counts: findings, and outcomes that are neither passed nor failed.
fn counted(program: &Program) -> (u64, u64) {
    let recording = root().join("examples/kubeadm-v1.37.ndjson.gz");
    let ran = program.run(&["scan", "--format", "json", "--snapshot", recording.to_str().unwrap()]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let count = |outcome: &str| report["totals"][outcome].as_u64().unwrap();
    (count("passed") + count("failed"), count("needs_review") + count("error"))
}

#[test]
fn the_file_output_holds_every_document_once() {
    let program = Program::new();
    let config = config(&program, "output.file: {path: out, filename: findings.ndjson}\n");
    let ran = program.run(&["run", "-c", config.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let text = std::fs::read_to_string(program.path("out/findings.ndjson")).unwrap();
    let documents: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |dataset: &str| {
        documents.iter().filter(|document| document["data_stream"]["dataset"] == dataset).count() as u64
    };
    let (findings, outcomes) = counted(&program);
    assert_eq!((of("cloud_security_posture.findings"), of("posturebeat.outcomes")), (findings, outcomes));
    assert_eq!(of("posturebeat.coverage"), 1);
    let ids: std::collections::HashSet<&str> =
        documents.iter().map(|document| document["event"]["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), documents.len(), "each has an id of its own");
}

#[test]
fn the_console_output_prints_the_same_lines() {
    let program = Program::new();
    let config = config(&program, "output.console: {pretty: false}\n");
    let ran = program.run(&["run", "-c", config.to_str().unwrap()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let documents = ran.out.lines().count() as u64;
    assert!(ran.out.lines().all(|line| line.starts_with('{')), "documents and nothing else: {}", ran.out);
    assert!(ran.err.contains("Score "), "the report is for people: {}", ran.err);
    let (findings, outcomes) = counted(&program);
    assert_eq!(documents, findings + outcomes + 1);
}

#[test]
fn several_benchmarks_are_judged_in_one_cycle() {
    let program = Program::new();
    let recording = root().join("examples/kubeadm-v1.37.ndjson.gz");
    let ran = program.run(&[
        "scan",
        "--format",
        "json",
        "--snapshot",
        recording.to_str().unwrap(),
        "--benchmark",
        "cis_k8s@1.0.1",
        "--benchmark",
        "cis_k8s@2.0.1",
    ]);
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let manifest = report["resources"]
        .as_array()
        .unwrap()
        .iter()
        .find(|resource| resource["name"] == "/etc/kubernetes/manifests/kube-apiserver.yaml")
        .unwrap();
    assert_eq!(manifest["results"]["cis_k8s@1.0.1/1.1.1"], "passed");
    assert_eq!(manifest["results"]["cis_k8s@2.0.1/1.1.1"], "passed");
}
