//! Bad input, each with a message that says what and where, and exit code 1.

use serde_json::{Value, json};

use crate::program::Program;

#[test]
fn a_typo_in_the_configuration() {
    let program = Program::new();
    program.write("posturebeat.yml", "posturebeat:\n  perod: 4h\n");
    let ran = program.run(&["run"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.last().contains("posturebeat.yml:2:3") && ran.last().contains("posturebeat.period"),
        "{}",
        ran.err
    );
}

#[test]
fn a_missing_authority_file() {
    let program = Program::new();
    let text = "output.elasticsearch:\n  hosts: [https://localhost:1]\n  ssl.certificate_authorities: [/no/such/ca.pem]\n";
    program.write("posturebeat.yml", text);
    let ran = program.run(&["run"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.last().contains("/no/such/ca.pem") && ran.last().contains("certificate_authorities"),
        "{}",
        ran.err
    );
}

#[test]
fn no_output_to_run_with() {
    let program = Program::new();
    let ran = program.run(&["run"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.last().starts_with("Exiting: no output is configured"), "{}", ran.err);
    let ran = program.run(&["test", "config"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "a run would refuse it");
    assert!(ran.last().starts_with("Exiting: no output is configured"), "{}", ran.err);
    assert!(ran.last().ends_with("-c names none, and there is no posturebeat.yml here"), "{}", ran.err);
    program.write("posturebeat.yml", "");
    let ran = program.run(&["test", "config"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(!ran.last().contains("-c names none"), "{}", ran.err);
    // What was recorded is judged without one.
    program.write("posturebeat.yml", "posturebeat.snapshots: [a.ndjson]\n");
    assert_eq!(program.run(&["test", "config"]).code, Some(0));
}

#[test]
fn a_pattern_is_no_file_name() {
    let program = Program::new();
    for (key, text) in [("path", "/var/log/shop-%{+yyyy}"), ("filename", "%{[agent.name]}.ndjson")] {
        program.write(
            "posturebeat.yml",
            &format!("output.file.path: out\noutput.file.{key}: \"{text}\"\n")
                .replace("output.file.path: out\noutput.file.path", "output.file.path"),
        );
        let ran = program.run(&["test", "config"]);
        assert_eq!(ran.code, Some(1), "{}", ran.out);
        assert!(
            ran.last().contains(&format!("`output.file.{key}`: `%{{…}}` is not supported")),
            "{}",
            ran.err
        );
        assert!(ran.last().contains("posturebeat.yml:"), "{}", ran.err);
    }
}

#[test]
fn unknown_names_list_the_known_ones() {
    let program = Program::new();
    let ran = program.run(&["scan", "--benchmark", "cis_k9s"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.last().contains("unknown benchmark `cis_k9s`") && ran.last().contains("cis_k8s@2.0.1"),
        "{}",
        ran.err
    );
    let ran = program.run(&["rules", "show", "nonsense"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.last().contains("kubelet-anonymous-auth"), "{}", ran.err);
    let ran = program.run(&["scan", "--nonsense"]);
    assert_eq!(ran.code, Some(1), "usage errors are errors like any other");
}

/// Elsewhere a name that nobody knows judged nothing, and the gate stood open.
#[test]
fn kubescape_3551_a_typo_in_what_is_to_be_judged_opens_no_gate() {
    let program = Program::new();
    program.write("pod.json", &pod("web", "x").to_string());
    for (option, value) in [
        ("--benchmark", "cis_k8s@2.0.2"),
        ("-E", "posturebeat.benchmarks=[cis_k9s]"),
        ("-E", "posturebeat.rules.params.pod-privilegd.x=1"),
        ("-E", "posturebeat.rules.params.pod-token-automount.exempt_namespace=[shop]"),
    ] {
        let ran = program.run(&["scan", "--manifests", "pod.json", "--fail-on", "failed", option, value]);
        assert_eq!(ran.code, Some(1), "{value}: {}", ran.err);
        assert!(ran.last().contains("unknown"), "{value}: {}", ran.err);
    }
}

#[test]
fn kubescape_1743_one_object_has_one_verdict_however_it_comes_in() {
    let program = Program::new();
    let mut pod = pod("web", "x");
    pod["metadata"]["uid"] = "uid-1".into();
    program.write("pod.json", &pod.to_string());
    let line = json!({"type": "k8s_object", "sub_type": "Pod", "id": "uid-1", "name": "web", "raw": pod});
    program.write("recorded.ndjson", &format!("{line}\n"));
    let results = |input: [&str; 2]| {
        let ran = program.run(&["scan", input[0], input[1], "--format", "json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        let found = report["resources"].as_array().unwrap().iter().find(|it| it["name"] == "web").cloned();
        found.unwrap()["results"].clone()
    };
    let from_manifest = results(["--manifests", "pod.json"]);
    assert_eq!(from_manifest["cis_k8s@2.0.1/5.2.2"], "failed");
    assert_eq!(from_manifest, results(["--snapshot", "recorded.ndjson"]));
}

#[test]
fn a_truncated_snapshot() {
    let program = Program::new();
    let line =
        json!({"type": "k8s_object", "sub_type": "Pod", "id": "u", "name": "n", "raw": {"kind": "Pod"}})
            .to_string();
    program.write("s.ndjson", &format!("{line}\n{}", &line[..40]));
    let ran = program.run(&["scan", "--snapshot", "s.ndjson"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.last().contains("s.ndjson:2:") && ran.last().contains("middle of a line"), "{}", ran.err);
    assert!(!ran.out.contains("passed"), "nothing is reported of half a recording: {}", ran.out);
}

#[test]
fn a_scan_that_sees_nothing_fails() {
    let program = Program::new();
    let root = program.path("empty");
    std::fs::create_dir(&root).unwrap();
    let ran = program.run(&["scan", "-E", &format!("posturebeat.host_root={}", root.display())]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.last().contains("nothing could be read"), "{}", ran.err);
    assert!(ran.out.contains("Errors (not judged)") && ran.out.contains("no_credentials"), "{}", ran.out);
}

fn pod(name: &str, annotation: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "annotations": {"note": annotation}},
        "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": true}}]}})
}

#[test]
fn manifests_are_judged_and_fail_on_trips() {
    let program = Program::new();
    program.write("pod.json", &pod("web", "x").to_string());
    let ran = program.run(&["scan", "--manifests", "pod.json", "--format", "json", "--fail-on", "failed"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["resources"][0]["results"]["cis_k8s@2.0.1/5.2.2"], "failed");
    assert_eq!(report["resources"][0]["name"], "web");
    let exit = |on: &str| program.run(&["scan", "--manifests", "pod.json", "--fail-on", on]).code;
    assert_eq!(exit("error"), Some(2), "nobody knows whether its account mounts a token");
    assert_eq!(exit("score:1"), Some(2), "what could not be judged may be bad");
    let mut quiet = pod("web", "x");
    quiet["spec"]["automountServiceAccountToken"] = false.into();
    program.write("pod.json", &quiet.to_string());
    assert_eq!(exit("error"), Some(0));
    assert_eq!(exit("score:1"), Some(0));
    assert_eq!(exit("score:99"), Some(2));
}

#[test]
fn roles_and_bindings_of_wrong_types_never_pass() {
    let program = Program::new();
    let api = "rbac.authorization.k8s.io/v1";
    let role = |name: &str, rules: Value| json!({"apiVersion": api, "kind": "ClusterRole", "metadata": {"name": name}, "rules": rules});
    let binding = |name: &str, role: &str, subjects: Value| {
        json!({"apiVersion": api, "kind": "ClusterRoleBinding", "metadata": {"name": name},
            "roleRef": {"kind": "ClusterRole", "name": role}, "subjects": subjects})
    };
    let jane = json!([{"kind": "User", "name": "jane"}]);
    let reads = json!([{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]);
    let objects = [
        role("text", json!("all")),
        role("text-within", json!([{"apiGroups": "*", "resources": "*", "verbs": "*"}])),
        role("good", reads),
        binding("of-text", "text", jane.clone()),
        binding("of-text-within", "text-within", jane.clone()),
        binding("of-good", "good", jane),
        binding("to-text", "good", json!("jane")),
    ];
    program.write("all.json", &json!({"apiVersion": "v1", "kind": "List", "items": objects}).to_string());
    let ran = program.run(&["scan", "--manifests", "all.json", "--format", "json"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    let outcome = |name: &str, number: &str| {
        let found = report["resources"].as_array().unwrap().iter().find(|it| it["name"] == name).unwrap();
        found["results"][format!("cis_k8s@2.0.1/{number}")].clone()
    };
    for (name, number) in [
        ("text", "5.1.3"),
        ("text-within", "5.1.3"),
        ("of-text", "5.1.2"),
        ("of-text-within", "5.1.2"),
        ("to-text", "5.1.2"),
    ] {
        assert_eq!(outcome(name, number), "error", "{name}");
    }
    assert_eq!(outcome("good", "5.1.3"), "passed");
    assert_eq!(outcome("of-good", "5.1.2"), "failed");
}

#[test]
fn a_gate_that_judged_nothing_does_not_open() {
    let program = Program::new();
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}});
    program.write("deploy/web.json", &service.to_string());
    let ran = program.run(&["scan", "--manifests", "deploy", "--fail-on", "failed"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.last().contains("nothing was judged: no rule applies to Service"), "{}", ran.err);
    program.write("deploy/below/pod.json", &pod("web", "x").to_string());
    let ran = program.run(&["scan", "--manifests", "deploy", "--fail-on", "failed"]);
    assert_eq!(ran.code, Some(2), "folders are descended into: {}", ran.err);
}

#[test]
fn a_report_file_is_not_lost_to_a_scan_that_fails() {
    let program = Program::new();
    program.write("report.json", "the old one");
    program.write("bad.ndjson", "{");
    let ran = program.run(&["scan", "--snapshot", "bad.ndjson", "--output", "report.json"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(std::fs::read_to_string(program.path("report.json")).unwrap(), "the old one");
}

#[test]
fn a_dash_is_standard_output_and_no_file() {
    let program = Program::new();
    program.write("pod.json", &pod("web", "x").to_string());
    let ran = program.run(&["scan", "--manifests", "pod.json", "--format", "json", "--output", "-"]);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    assert_eq!(report["resources"][0]["name"], "web");
    let ran = program.run(&["collect", "--to", "-"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.last().contains("cannot write a snapshot to stdout"), "{}", ran.err);
    assert!(!program.path("-").exists() && !program.path("-.partial").exists());
}

#[test]
fn a_configuration_is_one_document() {
    let program = Program::new();
    program.write("posturebeat.yml", "output.console.enabled: true\n---\noutput.console.enabled: true\n");
    let ran = program.run(&["test", "config"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.last().contains("expected one YAML document, found several"), "{}", ran.err);
}

#[test]
fn one_json_object_is_not_written_for_several_sources() {
    let program = Program::new();
    let two = ["scan", "--snapshot", "a.ndjson", "b.ndjson", "--format"];
    let ran = program.run(&[&two[..], &["json"]].concat());
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.last().ends_with(
            "--format json writes one object: scan one snapshot at a time, or use --format ndjson"
        ),
        "{}",
        ran.err
    );
    let ran = program.run(&[&two[..], &["yaml"]].concat());
    assert!(ran.last().contains("'yaml'") && ran.last().contains("table, json, ndjson"), "{}", ran.err);
}

#[test]
fn a_two_megabyte_annotation_is_cut_and_the_verdict_stays() {
    let program = Program::new();
    program.write("pod.json", &pod("big", &"x".repeat(2_000_000)).to_string());
    let ran = program.run(&["scan", "--manifests", "pod.json", "--format", "ndjson"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for line in ran.out.lines() {
        assert!(line.len() < 80_000, "{} bytes", line.len());
        let document: Value = serde_json::from_str(line).unwrap();
        let is_account = document["data_stream"]["dataset"] == "posturebeat.coverage";
        assert!(is_account || document["posturebeat"]["truncated"] == true, "{line}");
    }
    assert!(ran.out.contains("\"evaluation\":\"failed\""));
}

#[test]
fn an_alias_bomb_among_manifests() {
    let program = Program::new();
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{items}]\n"));
    }
    program.write("bomb.yaml", &text);
    let ran = program.run(&["scan", "--manifests", "bomb.yaml"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.last().contains("bomb.yaml:"), "{}", ran.err);
}

#[test]
fn names_cannot_command_a_terminal() {
    let program = Program::new();
    program.write("pod.json", &pod("a\u{1b}]0;evil\u{7}b\u{202e}c", "x").to_string());
    let ran = program.run(&["scan", "--manifests", "pod.json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'), "{:?}", ran.out);
    assert!(ran.out.contains("a\\u{1b}]0;evil\\u{7}b\\u{202e}c"), "{}", ran.out);
}

#[test]
fn a_link_out_of_the_host_root_leads_nowhere() {
    let program = Program::new();
    program.write("outside/secret.yaml", "kind: Secret\n");
    program.write("host/proc/1/comm", "init\n");
    program.write("host/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
    program.write("host/etc/group", "root:x:0:\n");
    std::fs::create_dir_all(program.path("host/etc/kubernetes/manifests")).unwrap();
    let link = program.path("host/etc/kubernetes/manifests/kube-apiserver.yaml");
    std::os::unix::fs::symlink(program.path("outside/secret.yaml"), link).unwrap();
    let root = format!("posturebeat.host_root={}", program.path("host").display());
    let ran = program.run(&["scan", "--format", "json", "-E", &root]);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    for resource in report["resources"].as_array().unwrap() {
        let outcome = &resource["results"]["cis_k8s@2.0.1/1.1.1"];
        assert!(outcome.is_null() || outcome == "error", "it was followed: {resource:#}");
    }
    assert!(!ran.out.contains("outside/secret"), "{}", ran.out);
}
