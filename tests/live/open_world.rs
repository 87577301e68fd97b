//! A control about a kind of the user's own: judged, and with the right taken away an error that names it.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

use crate::bed::Bed;

const GROUP: &str = "lab.posturebeat.dev";

/// The kind, and a foreign namesake of a built-in one.
fn definitions() -> Value {
    let definition = |kind: &str, plural: &str| {
        let schema =
            json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{GROUP}")}, "spec": {
            "group": GROUP, "scope": "Namespaced", "names": {"kind": kind, "plural": plural},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}})
    };
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "definitions"}, "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "lab"}},
        definition("Certificate", "certificates"),
        definition("NetworkPolicy", "networkpolicies"),
    ]})
}

fn objects() -> Value {
    let certificate = |name: &str, days: u64| {
        json!({"apiVersion": format!("{GROUP}/v1"), "kind": "Certificate",
            "metadata": {"name": name, "namespace": "lab", "annotations": {"note": "private-note"}},
            "spec": {"days": days, "issuer": "private-issuer"}})
    };
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "objects"}, "items": [
        certificate("short", 30), certificate("long", 900),
        {"apiVersion": format!("{GROUP}/v1"), "kind": "NetworkPolicy", "metadata": {"name": "not-ours", "namespace": "lab"}},
    ]})
}

/// An account that may list these resources of the group.
fn rights(resources: &[&str]) -> Value {
    let rule = |group: &str, resources: &[&str]| json!({"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]});
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "open-world"}, "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "open-world", "namespace": "demo"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "open-world"},
            "rules": [rule("", &["namespaces", "nodes", "configmaps"]), rule(GROUP, resources)]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "open-world"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "open-world"},
            "subjects": [{"kind": "ServiceAccount", "name": "open-world", "namespace": "demo"}]},
    ]})
}

/// A folder with one control, its cases and a benchmark.
fn rules(bed: &Bed) -> PathBuf {
    let folder = bed.path("rules");
    std::fs::create_dir_all(folder.join("benchmarks")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
    write(
        "lab-certificate-days.yml",
        &format!(
            "id: lab-certificate-days\ntitle: Certificates live for 90 days at most (spec.days)\nresource: k8s_object/Certificate.{GROUP}\nseverity: low\ncheck: {{path: $.spec.days, at_most: 90, absent: fail}}\nwhy: A key that leaks is of use for as long.\nremediation: Set spec.days to 90 or less.\n"
        ),
    );
    write(
        "lab-certificate-days.cases.yml",
        &format!(
            "fixtures:\n  a: {{type: k8s_object, raw: {{apiVersion: {GROUP}/v1, kind: Certificate, metadata: {{name: a}}, spec: {{days: 90}}}}}}\ncases:\n  - {{name: at the bound, from: a, verdict: passed}}\n  - {{name: over it, from: a, patch: {{raw: {{spec: {{days: 91}}}}}}, verdict: failed}}\n  - {{name: unset, from: a, patch: {{raw: {{spec: {{days: null}}}}}}, verdict: failed}}\n"
        ),
    );
    write(
        "benchmarks/lab.yml",
        "benchmark: lab\nversion: 1.0.0\nname: Lab\nposture_type: kspm\nkubernetes: \"1.21 -\"\nrecommendations: 1\nsections: {\"1\": Certificates}\nrules:\n  - {number: \"1.1\", control: lab-certificate-days, level: 1, assessment: automated}\n",
    );
    folder
}

struct Lab<'b> {
    bed: &'b Bed,
    settings: Vec<String>,
}

impl Lab<'_> {
    fn run(&self, args: &[&str]) -> (bool, String, String) {
        let settings = self.settings.iter().flat_map(|setting| ["-E", setting.as_str()]);
        let args: Vec<&str> = args.iter().copied().chain(settings).collect();
        let output = self.bed.output(&args);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout), text(&output.stderr))
    }

    /// Name and outcome of each object, sorted; and the whole report.
    fn scan(&self) -> (Vec<String>, String) {
        let (_, out, log) = self.run(&["scan", "--format", "ndjson"]);
        let documents = out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let mut all: Vec<String> = documents
            .filter(|document| document["resource"]["type"] == "k8s_object")
            .map(|document| {
                let text =
                    |at: &str| document.pointer(at).and_then(Value::as_str).unwrap_or_default().to_owned();
                format!(
                    "{} {} {}",
                    text("/resource/sub_type"),
                    text("/resource/name"),
                    text("/result/evaluation")
                )
            })
            .collect();
        all.sort();
        (all, format!("{out}{log}"))
    }
}

fn lab<'b>(bed: &'b Bed, rules: &Path, kubeconfig: &Path) -> Lab<'b> {
    let settings = vec![
        format!("posturebeat.kube_config={}", kubeconfig.display()),
        format!("posturebeat.rules.paths.0={}", rules.display()),
        "posturebeat.benchmarks.0=lab".to_owned(),
        "posturebeat.collect.node=false".to_owned(),
    ];
    Lab { bed, settings }
}

#[test]
fn a_control_about_a_kind_of_ones_own_is_judged_and_without_the_right_names_it() {
    let bed = Bed::take();
    let _definitions = bed.apply(&definitions());
    for plural in ["certificates", "networkpolicies"] {
        bed.kubectl(&[
            "wait",
            "--for=condition=Established",
            &format!("crd/{plural}.{GROUP}"),
            "--timeout=60s",
        ]);
    }
    let _objects = bed.apply(&objects());
    let rights_of = bed.apply(&rights(&["certificates"]));
    let (kubeconfig, _) = bed.kubeconfig("demo", "open-world");
    let rules = rules(&bed);
    let lab = lab(&bed, &rules, &kubeconfig);

    let checked = bed.output(&["rules", "check", rules.to_str().unwrap()]);
    let out = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && out.contains(&format!("list, watch certificates.{GROUP}")), "{out}");

    let kind = format!("Certificate.{GROUP}");
    let judged = [format!("{kind} long failed"), format!("{kind} short passed")];
    bed.until("the kind to be discovered", || {
        let (all, text) = lab.scan();
        assert!(!text.contains("private-"), "only what the rule reads is collected: {text}");
        (all == judged).then_some(())
    });
    let (good, out, log) = lab.run(&["test", "kubernetes"]);
    assert!(good && out.contains(&format!("list certificates.{GROUP}... OK")), "{out}{log}");

    let recording = bed.path("recording.ndjson");
    let (good, _, log) = lab.run(&["collect", "--to", recording.to_str().unwrap()]);
    assert!(good, "{log}");
    let recorded = std::fs::read_to_string(&recording).unwrap();
    assert!(recorded.contains(&kind) && !recorded.contains("private-"), "{kind}");

    rights_of.change(&rights(&["networkpolicies"]));
    let denied = bed.until("the right to be gone", || {
        let (all, text) = lab.scan();
        (all != judged).then_some((all, text))
    });
    assert!(denied.0.len() == 1 && denied.0[0].ends_with(" error"), "{:?}", denied.0);
    assert!(denied.1.contains(&format!("list certificates.{GROUP}: HTTP 403")), "{}", denied.1);
    let (good, out, _) = lab.run(&["test", "kubernetes"]);
    assert!(!good && out.contains("Recommendations that will be errors: 1.1"), "{out}");
    assert!(
        out.contains(&format!("apiGroups: [\"{GROUP}\"], resources: [certificates], verbs: [list, watch]")),
        "{out}"
    );

    bed.kubectl(&["delete", "crd", &format!("certificates.{GROUP}")]);
    bed.until("the kind to be gone", || lab.scan().0.is_empty().then_some(()));
    let (_, out, _) = lab.run(&["test", "kubernetes"]);
    assert!(out.contains(&format!("{kind}... not on this server")), "{out}");
    let (_, out, log) = lab.run(&["scan", "--format", "json"]);
    let reason = format!("\"not_applicable_because\":\"the API server does not have {kind}\"");
    assert!(out.replace("\": \"", "\":\"").contains(&reason), "{out}{log}");
}
