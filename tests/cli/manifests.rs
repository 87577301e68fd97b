//! `scan --manifests`: repositories as they are, and gates that open only for what was looked at.

use serde_json::{Value, json};
use std::io::Write as _;
use std::process::Stdio;

use crate::program::{Program, Ran};

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  automountServiceAccountToken: false\n  containers:\n  - name: web\n    image: shop/web\n    securityContext: {privileged: true}\n";
const ROLE: &str = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\nrules: [{apiGroups: [\"\"], resources: [pods], verbs: [get]}]\n";

/// A folder `m` with these files, scanned with these arguments.
fn scan(files: &[(&str, &str)], arguments: &[&str]) -> Ran {
    let program = Program::new();
    for (name, text) in files {
        program.write(&format!("m/{name}"), text);
    }
    program.run(&[&["scan", "--manifests", "m"][..], arguments].concat())
}

fn report(files: &[(&str, &str)], arguments: &[&str]) -> (Value, Ran) {
    let ran = scan(files, &[&["--format", "json"][..], arguments].concat());
    let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    (report, ran)
}

fn resource<'r>(report: &'r Value, name: &str) -> &'r Value {
    let mut all = report["resources"].as_array().unwrap().iter();
    all.find(|resource| resource["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"))
}

fn outcome<'r>(report: &'r Value, name: &str, number: &str) -> &'r Value {
    &resource(report, name)["results"][format!("cis_k8s@2.0.1/{number}")]
}

#[test]
fn a_repository_is_judged_as_it_lies_there() {
    let files = [
        ("web.yaml", POD),
        ("kustomization.yaml", "resources: [web.yaml]\n"),
        ("app/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n"),
        ("app/values.yaml", "replicas: 2\n"),
        ("config.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: front, namespace: shop}\n"),
    ];
    let (report, ran) = report(&files, &["--fail-on", "error"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(outcome(&report, "web", "5.2.2"), "failed");
    let skipped = &report["skipped"];
    assert_eq!(skipped["kinds"], json!(["Service"]));
    assert_eq!(
        skipped["without_objects"],
        json!(["m/app/Chart.yaml", "m/app/values.yaml", "m/kustomization.yaml"])
    );
    let render = [
        "helm template m/app | posturebeat scan --manifests -",
        "kustomize build m | posturebeat scan --manifests -",
    ];
    assert_eq!(skipped["render"], json!(render));
    for line in [
        "Skipped: no rule applies to Service",
        "Skipped: 3 files or documents are no Kubernetes objects: m/app/Chart.yaml, ",
        "Skipped: to judge what it renders: kustomize build m | ",
    ] {
        assert!(ran.err.contains(line), "{line} in {}", ran.err);
    }
    let table = scan(&files, &[]);
    assert!(table.out.contains("\nSkipped\n no rule applies to Service\n 3 files"), "{}", table.out);
    assert!(!table.err.contains("Skipped"), "once is enough: {}", table.err);
    let lines = scan(&files, &["--format", "ndjson"]);
    assert!(lines.err.contains("Skipped: no rule applies to Service"), "{}", lines.err);
}

#[test]
fn a_broken_file_is_an_error_with_its_place_in_every_format() {
    let files = [("web.yaml", POD), ("broken.yaml", "kind: Pod\nmetadata: {name: [}\n")];
    let (report, ran) = report(&files, &[]);
    assert!(ran.err.contains("Not read: m/broken.yaml:2:"), "{}", ran.err);
    assert_eq!(outcome(&report, "web", "5.2.2"), "failed", "the rest is judged");
    let broken = resource(&report, "m/broken.yaml");
    assert_eq!((&broken["type"], &broken["sub_type"]), (&json!("file"), &json!("manifest")));
    assert_eq!((&broken["origin"]["file"], &broken["origin"]["line"]), (&json!("m/broken.yaml"), &json!(2)));
    let rules = report["rules"].as_array().unwrap().iter();
    let of_objects = rules.filter(|rule| {
        rule["judges"].as_array().unwrap().iter().any(|judged| {
            judged
                .as_str()
                .is_some_and(|judged| judged.starts_with("k8s_object/") && judged != "k8s_object/Cluster")
        })
    });
    for rule in of_objects {
        assert!(rule["totals"]["error"].as_u64() > Some(0), "any object may be in it: {}", rule["number"]);
    }
    let table = scan(&files, &[]);
    assert!(table.out.contains("Errors (not judged)\n m/broken.yaml:2:"), "{}", table.out);
    let lines = scan(&files, &["--format", "ndjson"]).out;
    let error = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let is_meant = |document: &Value| {
        document["result"]["evaluation"] == "error" && document["resource"]["name"] == "m/broken.yaml"
    };
    let error = error.into_iter().find(is_meant).unwrap();
    assert_eq!(error["posturebeat"]["origin"]["file"], "m/broken.yaml");
    for (condition, code) in [("error", 2), ("score:1", 2), ("failed", 2)] {
        assert_eq!(scan(&files, &["--fail-on", condition]).code, Some(code), "{condition}");
    }
    let files = [("role.yaml", ROLE), ("broken.yaml", "kind: Pod\nmetadata: {name: [}\n")];
    assert_eq!(scan(&files, &["--fail-on", "failed"]).code, Some(0), "nothing failed");
    assert_eq!(scan(&files, &["--fail-on", "score:1"]).code, Some(2));
}

#[test]
fn only_a_file_that_was_named_ends_the_scan() {
    let program = Program::new();
    program.write("web.yaml", POD);
    program.write("broken.yaml", "kind: Pod\nmetadata: {name: [}\n");
    let ran = program.run(&["scan", "--manifests", "web.yaml", "broken.yaml"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.last().starts_with("Exiting: broken.yaml:2:"), "{}", ran.err);
    let ran = program.run(&["scan", "--manifests", "gone.yaml"]);
    assert!(ran.code == Some(1) && ran.last().contains("gone.yaml"), "{}", ran.err);
}

#[test]
fn standard_input_is_a_file() {
    let program = Program::new();
    let run = |text: &str| {
        let mut command = program.command(&["scan", "--manifests", "-", "--format", "json"]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        Ran::of(child.wait_with_output().unwrap())
    };
    let ran = run(&format!("{ROLE}---\n{POD}"));
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
    assert_eq!(outcome(&report, "web", "5.2.2"), "failed");
    assert_eq!(
        resource(&report, "web")["origin"],
        json!({"file": "<stdin>", "document": 2, "line": 6, "column": 1})
    );
    let ran = run("kind: [");
    assert!(ran.code == Some(1) && ran.last().contains("<stdin>:1:"), "{}", ran.err);
}

#[test]
fn a_finding_says_where_what_decided_is_written() {
    let files = [("all.yaml", &*format!("{ROLE}---\n# the shop\n{POD}"))];
    let (report, _) = report(&files, &[]);
    let details = resource(&report, "web")["details"].as_array().unwrap();
    let of = |number: &str| {
        details.iter().find(|detail| detail["rule"] == format!("cis_k8s@2.0.1/{number}")).unwrap()
    };
    let at =
        |line: u64, column: u64| json!({"file": "m/all.yaml", "document": 2, "line": line, "column": column});
    assert_eq!(of("5.2.2")["origin"], at(15, 23), "{details:#?}");
    assert!(resource(&report, "reader")["details"].is_null());
    let table = scan(&files, &[]).out;
    assert!(table.contains("Pod shop/web  m/all.yaml:15:23\n"), "{table}");
    let lines = scan(&files, &["--format", "ndjson"]).out;
    let findings: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let finding = |name: &str, outcome: &str| {
        let is_meant = |it: &&Value| it["resource"]["name"] == name && it["result"]["evaluation"] == outcome;
        findings.iter().find(is_meant).unwrap()["posturebeat"]["origin"].clone()
    };
    assert_eq!(finding("web", "failed")["file"], "m/all.yaml");
    assert!(finding("reader", "passed").is_null(), "nothing to look for");
}

/// A gate that opens for containers that nobody looked at is the worst of gates.
#[test]
fn containers_where_no_rule_looks_are_errors_of_the_rules_about_pods() {
    let rollout = "apiVersion: example.com/v1\nkind: Fleet\nmetadata: {name: web, namespace: shop}\nspec: {ships: [{template: {spec: {containers: [{name: a, image: a}]}}}]}\n";
    let files = [("web.yaml", rollout), ("role.yaml", ROLE)];
    let (report, ran) = report(&files, &["--fail-on", "score:100"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert_eq!(outcome(&report, "web", "5.2.2"), "error");
    assert_eq!(outcome(&report, "reader", "5.1.3"), "passed");
    assert_eq!(resource(&report, "web")["sub_type"], "Fleet.example.com");
    for condition in ["error", "score:1"] {
        assert_eq!(scan(&files, &["--fail-on", condition]).code, Some(2), "{condition}");
    }
    let definition = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec: {versions: [{schema: {properties: {containers: {items: {properties: {image: {}}}}}}}]}\n";
    let files = [("crd.yaml", definition), ("role.yaml", ROLE)];
    assert_eq!(scan(&files, &["--fail-on", "error"]).code, Some(0), "a schema holds no containers");
}

#[test]
fn templates_that_nobody_rendered_keep_the_gate_shut() {
    let files = [
        ("role.yaml", ROLE),
        ("app/Chart.yaml", "apiVersion: v2\nname: shop\n"),
        ("app/templates/web.yaml", "kind: Pod\nmetadata:\n  {{- include \"x\" . | nindent 2 }}\n"),
    ];
    for condition in ["error", "score:1"] {
        let ran = scan(&files, &["--fail-on", condition]);
        assert_eq!(ran.code, Some(2), "{condition}: {}", ran.err);
        assert!(
            ran.out.contains("1 template of a chart is not rendered: m/app/templates/web.yaml"),
            "{}",
            ran.out
        );
        assert!(ran.out.contains("helm template m/app | posturebeat scan --manifests -"), "{}", ran.out);
    }
    assert_eq!(scan(&files, &["--fail-on", "failed"]).code, Some(0));
}

#[test]
fn a_folder_without_objects_is_no_success() {
    let ran = scan(&[("values.yaml", "replicas: 2\n")], &[]);
    assert_eq!(ran.code, Some(1));
    let expected = "nothing was judged: 1 file or document is no Kubernetes object: m/values.yaml";
    assert!(ran.last().contains(expected), "{}", ran.err);
}

#[test]
fn the_report_does_not_list_what_manifests_never_have() {
    let out = scan(&[("web.yaml", POD)], &[]).out;
    let after =
        out.split("Not applicable (reasons: --format json): ").nth(1).unwrap_or_else(|| panic!("{out}"));
    assert!(
        after.lines().next().unwrap().ends_with(" recommendations") && after.lines().count() == 1,
        "{after}"
    );
    assert!(!out.contains("API Server"), "sections without a verdict are left out: {out}");
}

#[test]
fn comments_may_be_long() {
    let text = POD.replace("spec:\n", &format!("spec:\n{}", "  # who keeps it\n".repeat(400)));
    let (report, _) = report(&[("web.yaml", &text)], &[]);
    assert_eq!(outcome(&report, "web", "5.2.2"), "failed");
}

/// `head` has seen enough, and that is no error to report.
#[test]
fn a_reader_that_goes_away_is_no_error() {
    let program = Program::new();
    let pods: Vec<String> =
        (0..300).map(|number| POD.replace("name: web,", &format!("name: web-{number},"))).collect();
    program.write("web.yaml", &pods.join("---\n"));
    for arguments in [
        &["scan", "--manifests", "web.yaml", "--format", "ndjson"][..],
        &["scan", "--manifests", "web.yaml", "--format", "json"],
        &["rules", "list"],
        &["rules", "coverage"],
    ] {
        let mut command = program.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = Ran::of(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""), "{arguments:?}");
    }
}
