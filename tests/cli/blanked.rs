//! What is blanked is unread, in every way that an object can come in; what is revealed decides and shows nowhere.

use serde_json::{Value, json};

use crate::program::{Program, Ran};

const CANARY: &str = "canary-71b2";
const REVEAL: &str =
    "posturebeat.collect.reveal=['configmap:shop/app#LEVEL', 'configmap:*/other#LEVEL', 'env:DEBUG']";

const LEVEL: &str = "id: quiet\ntitle: The application logs no details (LEVEL)\nresource: k8s_object/ConfigMap\nseverity: low\n\
check: {path: $.data.LEVEL, one_of: [info], absent: pass}\nwhy: Details are personal.\nremediation: Set it to info.\n";
const DEBUG: &str = "id: no-debug\ntitle: Containers do not debug (DEBUG)\nresource: k8s_object/Pod\nseverity: low\n\
check: {none: \"$.spec.containers[*].env[?@.name == 'DEBUG' && @.value != 'false']\"}\nwhy: Ports open.\nremediation: Remove it.\n";
const NAMES: &str = "id: has-debug\ntitle: Containers say whether they debug (DEBUG)\nresource: k8s_object/Pod\nseverity: low\n\
check: {some: \"$.spec.containers[*].env[?@.name == 'DEBUG']\"}\nwhy: Nobody would know.\nremediation: Set it.\n";
const BENCHMARK: &str = "benchmark: own\nversion: 1.0.0\nname: Own\nposture_type: kspm\nkubernetes: '1.30 -'\nrecommendations: 3\n\
sections: {'1': Own}\nrules:\n\
- {number: '1.1', control: quiet, level: 1, assessment: automated}\n\
- {number: '1.2', control: no-debug, level: 1, assessment: automated}\n\
- {number: '1.3', control: has-debug, level: 1, assessment: automated}\n";

fn program() -> Program {
    let program = Program::new();
    for (name, text) in [("quiet", LEVEL), ("no-debug", DEBUG), ("has-debug", NAMES)] {
        program.write(&format!("my/{name}.yml"), text);
    }
    program.write("my/benchmarks/own.yml", BENCHMARK);
    program
}

fn config_map(level: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "shop", "uid": "u1"},
        "data": {"LEVEL": level, "PASSWORD": "canary-71b2-password"}})
}

fn pod(debug: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "namespace": "shop", "uid": "u2"},
        "spec": {"containers": [{"name": "c", "image": "a", "env": [{"name": "DEBUG", "value": debug}]}]}})
}

fn scan(program: &Program, source: &str, more: &[&str]) -> Ran {
    let args = ["scan", source, "in.json", "--benchmark", "own", "-E", "posturebeat.rules.paths=[my]"];
    program.run(&[&args, more].concat())
}

/// `number outcome` of each result.
fn outcomes(program: &Program, source: &str, more: &[&str]) -> Vec<String> {
    let ran = scan(program, source, &[&["--format", "json"], more].concat());
    assert!(!format!("{}{}", ran.out, ran.err).contains(CANARY), "{}{}", ran.out, ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    let mut told = Vec::new();
    for resource in report["resources"].as_array().unwrap() {
        for (rule, result) in resource["results"].as_object().unwrap() {
            told.push(format!(
                "{} {}",
                rule.rsplit('/').next().unwrap(),
                result.as_str().unwrap_or_default()
            ));
        }
    }
    told.sort();
    told
}

fn write_input(program: &Program, source: &str, objects: &[Value]) {
    let text = match source {
        "--manifests" => json!({"kind": "List", "items": objects}).to_string(),
        _ => objects.iter().map(recorded).collect(),
    };
    program.write("in.json", &text);
}

/// A line that somebody wrote by hand: nothing is blanked in it.
fn recorded(object: &Value) -> String {
    let line = json!({"type": "k8s_object", "sub_type": object["kind"], "id": object["metadata"]["uid"],
        "name": object["metadata"]["name"], "raw": object});
    format!("{line}\n")
}

#[test]
fn a_blanked_value_is_an_error_that_says_how_to_allow_it() {
    let program = program();
    for source in ["--manifests", "--snapshot"] {
        write_input(&program, source, &[config_map(CANARY), pod(CANARY)]);
        assert_eq!(outcomes(&program, source, &[]), ["1.1 error", "1.2 error", "1.3 passed"], "{source}");
        let ran = scan(&program, source, &["--format", "ndjson"]);
        assert!(
            ran.out.contains("`configmap:shop/app#LEVEL`") && ran.out.contains("`env:DEBUG`"),
            "{}",
            ran.out
        );
        assert!(ran.out.contains("\"code\":\"redacted\""), "{}", ran.out);
        let ran = scan(&program, source, &["--fail-on", "error"]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
    }
}

#[test]
fn a_revealed_value_decides_and_is_shown_nowhere() {
    let program = program();
    for source in ["--manifests", "--snapshot"] {
        write_input(&program, source, &[config_map(CANARY), pod(CANARY)]);
        assert_eq!(outcomes(&program, source, &["-E", REVEAL]), ["1.1 failed", "1.2 failed", "1.3 passed"]);
        for format in ["table", "json", "ndjson"] {
            let ran = scan(&program, source, &["-E", REVEAL, "--format", format, "-d", "*"]);
            assert!(!format!("{}{}", ran.out, ran.err).contains(CANARY), "{format}: {}{}", ran.out, ran.err);
        }
        let ran = scan(&program, source, &["-E", REVEAL, "--format", "ndjson"]);
        assert!(ran.out.contains("<revealed: does not match>"), "{}", ran.out);
        write_input(&program, source, &[config_map("info"), pod("false")]);
        assert_eq!(outcomes(&program, source, &["-E", REVEAL]), ["1.1 passed", "1.2 passed", "1.3 passed"]);
    }
}

#[test]
fn a_recording_of_what_was_blanked_cannot_be_revealed() {
    let program = program();
    write_input(&program, "--snapshot", &[config_map("<redacted>"), pod("<redacted>")]);
    assert_eq!(outcomes(&program, "--snapshot", &["-E", REVEAL]), ["1.1 error", "1.2 error", "1.3 passed"]);
}

#[test]
fn a_gap_that_a_recording_names_is_read_back() {
    let program = program();
    let mut object = config_map("x");
    object["data"] = json!({});
    let mut line: Value = serde_json::from_str(&recorded(&object)).unwrap();
    line["unread"] = json!([{"at": "$.data.LEVEL", "reason": "redacted", "what": "read it"}]);
    program.write("in.json", &format!("{line}\n"));
    assert_eq!(outcomes(&program, "--snapshot", &[]), ["1.1 error"]);
}

#[test]
fn cases_are_judged_as_a_cluster_would_be() {
    let program = program();
    let case = |name: &str, level: &str, more: &str, verdict: &str| {
        format!(
            "- {{name: {name}, resource: {{type: k8s_object, sub_type: ConfigMap, raw: {{metadata: {{namespace: shop, name: app}}, \
            data: {{LEVEL: {level}}}}}}}, {more}verdict: {verdict}}}\n"
        )
    };
    let check = |cases: &str| {
        program.write("my/quiet.cases.yml", &format!("cases:\n{cases}"));
        program.run(&["rules", "check", "my/quiet.yml"])
    };
    let ran = check(&(case("quiet", "info", "", "passed") + &case("loud", "debug", "", "failed")));
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        ran.out.contains("expected failed, got error") && ran.out.contains("collect.reveal"),
        "{}",
        ran.out
    );
    let reveal = "reveal: ['configmap:shop/app#LEVEL'], ";
    let cases = case("quiet", "info", reveal, "passed")
        + &case("loud", "debug", reveal, "failed")
        + &case("blanked", "debug", "", "error");
    let ran = check(&cases);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let ran = check(&case("quiet", "info", "reveal: ['secret:shop/app#LEVEL'], ", "passed"));
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(
        format!("{}{}", ran.out, ran.err).contains("never see the values of Secrets"),
        "{}{}",
        ran.out,
        ran.err
    );
}

#[test]
fn a_consent_that_means_nothing_ends_the_start() {
    let program = program();
    program.write(
        "posturebeat.yml",
        "posturebeat:\n  collect:\n    reveal:\n      - env:DEBUG\n      - secret:shop/db#password\n",
    );
    let ran = program.run(&["scan", "-c", "posturebeat.yml", "--manifests", "my"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.last().contains("posturebeat.yml:5:9") && ran.last().contains("never see the values of Secrets"),
        "{}",
        ran.err
    );
}
