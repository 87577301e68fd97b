//! Exceptions from the outside. Each test of a thread is one that users of other tools suffered from.

use serde_json::{Value, json};

use crate::program::{Program, Ran, root};

fn pod(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop", "labels": labels},
        "spec": {"containers": [{"name": "c", "image": "i", "securityContext": {"privileged": true}}]}})
}

/// A program beside one privileged pod, with these exceptions.
fn program(exceptions: &str) -> Program {
    let program = Program::new();
    program.write("pod.json", &pod("web", json!({"app": "web"})).to_string());
    configure(&program, exceptions);
    program
}

fn configure(program: &Program, exceptions: &str) {
    program.write("posturebeat.yml", &format!("posturebeat.exceptions:\n{exceptions}"));
}

fn scan(program: &Program, more: &[&str]) -> Ran {
    program.run(&[&["scan", "--manifests", "pod.json"], more].concat())
}

fn json_of(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err))
}

/// All of the pod's rules.
const ALL: &str = "  - {rule: 5.*, resource: {kind: Pod, namespace: shop, name: web}, reason: it is the CNI, owner: team-net, expires: 2999-12-31}\n";

#[test]
fn kube_bench_564_an_excepted_failure_is_judged_and_fails_no_run() {
    let program = program(ALL);
    let ran = scan(&program, &["--format", "json", "--fail-on", "failed"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    let report = json_of(&ran);
    let totals = &report["totals"];
    assert!(totals["failed"].as_u64().unwrap() > 2 && totals["failed"] == totals["excepted"], "{totals}");
    let web = &report["resources"][0];
    assert_eq!(web["results"]["cis_k8s@2.0.1/5.2.2"], "failed");
    let detail =
        |rule: &str| web["details"].as_array().unwrap().iter().find(|it| it["rule"] == rule).unwrap().clone();
    let granted =
        json!({"reason": "it is the CNI", "owner": "team-net", "expires": "2999-12-31T23:59:59.999Z"});
    assert_eq!(detail("cis_k8s@2.0.1/5.2.2")["exception"], granted);

    // The next one fails all the same.
    let both = json!({"apiVersion": "v1", "kind": "List", "items": [pod("web", json!({})), pod("other", json!({}))]});
    program.write("pod.json", &both.to_string());
    let ran = scan(&program, &["--format", "json", "--fail-on", "failed"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let totals = &json_of(&ran)["totals"];
    assert_eq!(totals["failed"].as_u64(), totals["excepted"].as_u64().map(|excepted| 2 * excepted));
}

#[test]
fn an_exception_changes_no_verdict_and_no_score() {
    let with = json_of(&scan(&program(ALL), &["--format", "json"]));
    let without = json_of(&scan(&program("  []\n"), &["--format", "json"]));
    assert_eq!(with["score"], without["score"]);
    assert_eq!(with["resources"][0]["results"], without["resources"][0]["results"]);
    assert_eq!(
        (&with["totals"]["failed"], &without["totals"]["excepted"]),
        (&without["totals"]["failed"], &json!(0))
    );
    for condition in ["score:99", "error"] {
        let code = |exceptions: &str| scan(&program(exceptions), &["--fail-on", condition]).code;
        assert_eq!(code(ALL), code("  []\n"), "{condition}");
    }
}

#[test]
fn the_table_shows_what_is_excepted_apart() {
    let program =
        program("  - {rule: pod-privileged, reason: it is the CNI, owner: team-net, expires: 2999-12-31}\n");
    let table = scan(&program, &[]).out;
    assert!(table.contains(" failed (1 excepted), "), "{table}");
    let (fails, excepted) = table.split_once("\nExceptions\n").unwrap_or_else(|| panic!("{table}"));
    assert!(fails.contains("5.2.6") && !fails.contains("5.2.2 "), "{table}");
    for words in ["critical 5.2.2", "Pod shop/web (failed)", "team-net until 2999-12-31: it is the CNI"] {
        assert!(excepted.contains(words), "{words}: {table}");
    }
    configure(&program, "  []\n");
    let table = scan(&program, &[]).out;
    assert!(!table.contains("xcepted"), "{table}");
}

#[test]
fn documents_keep_their_verdict_and_name_the_exception() {
    let ran = scan(&program(ALL), &["--format", "ndjson"]);
    let documents: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |verdict: &str| {
        documents.iter().filter(move |it| it["result"]["evaluation"] == verdict).collect::<Vec<_>>()
    };
    assert!(!of("failed").is_empty() && !of("passed").is_empty(), "{}", ran.out);
    for document in of("failed") {
        assert_eq!(document["posturebeat"]["exception"]["owner"], "team-net", "{document}");
        assert_eq!(document["data_stream"]["dataset"], "cloud_security_posture.findings");
    }
    assert!(of("passed").iter().all(|document| document["posturebeat"].get("exception").is_none()));
    let coverage =
        documents.iter().find(|it| it["data_stream"]["dataset"] == "posturebeat.coverage").unwrap();
    assert_eq!(coverage["posturebeat"]["coverage"]["excepted"], of("failed").len());
}

#[test]
fn trivy_6758_a_specific_resource_is_excepted_by_its_label() {
    let labelled = "  - {rule: 5.2.*, resource: {kind: Pod, labels: {app: web, app.kubernetes.io/name: web}}, reason: R, owner: O}\n";
    let program = program(labelled);
    let excepted = |labels: Value| {
        program.write("pod.json", &pod("web", labels).to_string());
        json_of(&scan(&program, &["--format", "json"]))["totals"]["excepted"].as_u64().unwrap()
    };
    assert!(excepted(json!({"app": "web", "app.kubernetes.io/name": "web"})) > 2);
    assert_eq!(excepted(json!({"app": "web", "app.kubernetes.io/name": "website"})), 0);
    assert_eq!(excepted(json!({"app": "web"})), 0);
}

#[test]
fn kube_bench_92_what_is_not_there_needs_no_exception() {
    let program = program("  - {rule: 1.1.7, reason: etcd runs elsewhere, owner: O}\n");
    let ran = scan(&program, &["--format", "json"]);
    let report = json_of(&ran);
    let rules = report["rules"].as_array().unwrap();
    let etcd = rules.iter().find(|rule| rule["number"] == "1.1.7").unwrap();
    assert_eq!((&etcd["totals"]["not_applicable"], &etcd["totals"]["failed"]), (&json!(1), &json!(0)));
    assert!(ran.err.contains("exception matched nothing"), "{}", ran.err);
}

#[test]
fn trivy_operator_2653_one_bad_exception_does_not_stop_the_rest_from_being_told() {
    let program = program(
        "  - {rule: pod-priviledged, reason: R, owner: O}\n\
         \x20 - {rule: 5.2.2, resource: {kind: pod}, reason: R, owner: O}\n\
         \x20 - {rule: 5.2.2, owner: O}\n\
         \x20 - {rule: 5.2.2, reason: R, owner: O, expires: 2026-13-01}\n\
         \x20 - {rule: 5.2.99, reason: R, owner: O, until: x}\n",
    );
    for command in [["scan", "--manifests", "pod.json"].as_slice(), &["run"]] {
        let ran = program.run(command);
        assert_eq!(ran.code, Some(1), "{}", ran.out);
        for message in [
            "posturebeat.yml:4:5: `posturebeat.exceptions.2` has no `reason`",
            "posturebeat.yml:5:49: `posturebeat.exceptions.3.expires`: expected a date such as",
            "posturebeat.yml:6:41: unknown key `posturebeat.exceptions.4.until`",
            "posturebeat.yml:2:12: `posturebeat.exceptions.0.rule`: unknown rule `pod-priviledged`; did you mean `pod-privileged`?",
            "posturebeat.yml:3:5: `posturebeat.exceptions.1`: `5.2.2` judges no `pod`; did you mean `Pod`?",
            "posturebeat.yml:6:12: `posturebeat.exceptions.4.rule`: unknown rule `5.2.99`; did you mean `5.2.9`?",
        ] {
            assert!(ran.err.contains(message), "{message}\n{}", ran.err);
        }
    }
    // Without a mistake of form, an unknown rule and an unknown benchmark are told together too.
    configure(&program, "  - {rule: 5.2.99, reason: R, owner: O}\n");
    let ran = scan(&program, &["--benchmark", "cis_k9s"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("unknown benchmark `cis_k9s`") && ran.err.contains("unknown rule `5.2.99`"),
        "{}",
        ran.err
    );
}

#[test]
fn kubescape_3771_a_file_of_exceptions_is_honoured() {
    let program = Program::new();
    program.write("pod.json", &pod("web", json!({})).to_string());
    program.write("posturebeat.yml", "posturebeat.exceptions_files: ['exceptions/*.yml']\n");
    program.write("exceptions/team.yml", &format!("exceptions:\n{ALL}"));
    let ran = scan(&program, &["--fail-on", "failed"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    std::fs::remove_file(program.path("exceptions/team.yml")).unwrap();
    let ran = scan(&program, &["--fail-on", "failed"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.last().contains("no file matches `exceptions/*.yml`"), "{}", ran.err);
}

#[test]
fn kubescape_597_the_report_lists_every_exception_and_what_became_of_it() {
    let program = program(&format!(
        "{ALL}  - {{rule: 5.2.2, resource: {{name: gone}}, reason: R, owner: O}}\n  - {{rule: 5.2.2, reason: R, owner: O, expires: 2020-01-01}}\n  - {{rule: 5.2.3, reason: R, owner: O}}\n  - {{rule: 5.2.2, cluster: prod, reason: R, owner: O}}\n"
    ));
    let ran = scan(&program, &["--format", "json"]);
    let report = json_of(&ran);
    let listed = report["exceptions"].as_array().unwrap();
    let states: Vec<&str> = listed.iter().map(|exception| exception["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["in_use", "unmatched", "expired", "not_needed", "other_cluster"]);
    assert_eq!(listed[0]["findings"], report["totals"]["excepted"]);
    assert_eq!((&listed[1]["place"], &listed[1]["rule"]), (&json!("posturebeat.yml:3:5"), &json!("5.2.2")));
}

#[test]
fn platform_3085_an_exception_that_matches_nothing_is_warned_about_every_cycle() {
    let program =
        program(&format!("{ALL}  - {{rule: 5.2.2, resource: {{name: gone}}, reason: R, owner: O}}\n"));
    let recording = root().join("examples/kubeadm-v1.37.ndjson.gz");
    let recording = recording.display();
    // Two cycles, none of which has the pods.
    let text = format!(
        "posturebeat.snapshots: ['{recording}', '{recording}']\noutput.file: {{path: out, filename: f.ndjson}}\n"
    );
    program.write("run.yml", &text);
    let ran = program.run(&["run", "-c", "posturebeat.yml", "-c", "run.yml"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for line in ["posturebeat.yml:2:5", "posturebeat.yml:3:5"] {
        let warned =
            ran.err.lines().filter(|log| log.contains("exception matched nothing") && log.contains(line));
        assert_eq!(warned.count(), 2, "{line}: {}", ran.err);
    }
    let rule = ran.err.lines().find(|log| log.contains("posturebeat.yml:3:5")).unwrap();
    assert!(rule.contains("WARN") && rule.contains("rule=5.2.2"), "{rule}");

    // One that is of use is not mentioned.
    let ran = scan(&program, &[]);
    assert!(
        !ran.err.contains("posturebeat.yml:2:5") && ran.err.contains("posturebeat.yml:3:5"),
        "{}",
        ran.err
    );
}

#[test]
fn an_expired_exception_marks_nothing_and_is_warned_about() {
    let program = program(&ALL.replace("2999-12-31", "2020-12-31"));
    let ran = scan(&program, &["--format", "json", "--fail-on", "failed"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert_eq!(json_of(&ran)["totals"]["excepted"], 0);
    let warned: Vec<&str> = ran.err.lines().filter(|line| line.contains("exception has expired")).collect();
    assert_eq!(warned.len(), 1, "{}", ran.err);
    assert!(warned[0].contains("posturebeat.yml:2:5") && warned[0].contains("5.*"), "{}", ran.err);
    assert!(!ran.err.contains("matched nothing"), "{}", ran.err);
}

#[test]
fn a_cluster_is_known_by_id_and_name() {
    let program = Program::new();
    let recording = root().join("examples/kubeadm-v1.37.ndjson.gz");
    let excepted = |cluster: &str| {
        configure(&program, &format!("  - {{rule: '5.*', cluster: {cluster}, reason: R, owner: O}}\n"));
        let ran = program.run(&["scan", "--format", "json", "--snapshot", recording.to_str().unwrap()]);
        let report = json_of(&ran);
        let id = report["cluster"]["id"].as_str().unwrap().to_owned();
        (report["totals"]["excepted"].as_u64().unwrap(), id, ran.err)
    };
    let (by_name, id, _) = excepted("posturebeat-test");
    assert!(by_name > 0);
    assert_eq!(excepted(&id).0, by_name);
    let (count, _, err) = excepted("production");
    assert!(
        count == 0 && err.contains("it names another cluster") && err.contains("cluster=\"production\""),
        "{err}"
    );
}

#[test]
fn test_config_says_whether_a_run_would_take_it() {
    let program = Program::new();
    let config = |rule: &str| {
        program.write(
            "c.yml",
            &format!("posturebeat.exceptions: [{{rule: {rule}, reason: r, owner: o}}]\noutput.console.enabled: true\n"),
        );
        program.run(&["test", "config", "-c", "c.yml"])
    };
    let good = config("pod-privileged");
    assert!(good.code == Some(0) && good.out.starts_with("Config OK\n"), "{}", good.err);
    assert!(good.out.contains("list, watch pods\n"), "{}", good.out);
    let bad = config("pod-privilegd");
    assert!(bad.code == Some(1) && bad.out.is_empty() && bad.last().contains("pod-privilegd"), "{}", bad.err);
}
