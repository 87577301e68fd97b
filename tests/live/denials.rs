//! What may not be read is said, and nothing that depends on it passes.

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::bed::{Bed, env};

/// Outcomes of one rule over all resources.
fn outcomes(report: &Value, number: &str) -> Vec<String> {
    report["resources"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|resource| resource["results"].as_object().unwrap())
        .filter(|(rule, _)| rule.rsplit('/').next() == Some(number))
        .map(|(_, outcome)| outcome.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn cloudbeat_426_and_471_a_right_that_is_missing_is_said_by_its_name() {
    let bed = Bed::take();
    let rule = |groups: Value, resources: Value| json!({"apiGroups": groups, "resources": resources, "verbs": ["get", "list"]});
    let objects = json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "narrow"}, "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "narrow", "namespace": "demo"}},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "narrow"}, "rules": [
            rule(json!([""]), json!(["namespaces", "nodes", "serviceaccounts"])),
            rule(json!(["admissionregistration.k8s.io"]), json!(["*"])),
        ]},
        {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "narrow"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "narrow"},
            "subjects": [{"kind": "ServiceAccount", "name": "narrow", "namespace": "demo"}]},
    ]});
    let _applied = bed.apply(&objects);
    let (kubeconfig, token) = bed.kubeconfig("demo", "narrow");

    let config = format!("posturebeat.kube_config={}", kubeconfig.display());
    let output = bed.output(&["scan", "--format", "json", "-E", &config]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "errors alone are no failure: {told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    for number in ["5.2.2", "5.2.7", "5.2.9"] {
        assert_eq!(outcomes(&report, number), ["error"], "{number}: one error on the cluster");
    }
    let policies = outcomes(&report, "5.3.2");
    assert!(
        policies.contains(&"error".to_owned()) && !policies.contains(&"passed".to_owned()),
        "{policies:?}"
    );
    let details: Vec<&Value> = report["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|resource| resource["details"].as_array())
        .flatten()
        .filter(|detail| detail["error"]["code"] == "denied")
        .collect();
    let said = |words: &str| {
        details.iter().any(|detail| detail["error"]["message"].as_str().unwrap().contains(words))
    };
    assert!(said("list pods") && said("list networkpolicies"), "{details:#?}");
    let strict = bed.output(&["scan", "--fail-on", "error", "-E", &config]);
    assert_eq!(strict.status.code(), Some(2));
    assert!(
        !format!("{told}{}", String::from_utf8_lossy(&output.stdout)).contains(&token),
        "the token stays out"
    );
}

#[test]
fn cloudbeat_3100_and_helm_charts_384_who_may_read_nothing_goes_on_and_names_each_place() {
    let bed = Bed::take();
    let program = bed.path("posturebeat");
    std::fs::copy(env!("CARGO_BIN_EXE_posturebeat"), &program).unwrap();
    for path in [bed.folder.path(), program.as_path()] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&program)
        .args(["scan", "--format", "json", "--path.data", "/nonexistent"])
        .env("KUBECONFIG", env("TESTBED_KUBECONFIG"))
        .current_dir("/")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    // /etc/kubernetes/manifests and /var/lib/etcd are closed to everyone but root.
    for number in ["1.1.1", "1.1.5", "1.1.7"] {
        let outcomes = outcomes(&report, number);
        assert!(
            !outcomes.is_empty() && outcomes.iter().all(|outcome| outcome == "error"),
            "{number}: {outcomes:?}"
        );
    }
    // What was denied is said where, by an outcome and not by a log full of "permission denied".
    let details = report["resources"].as_array().unwrap().iter().flat_map(|resource| {
        resource["details"].as_array().into_iter().flatten().map(|detail| &detail["error"])
    });
    let denied: Vec<&str> = details
        .filter(|error| error["code"] == "denied")
        .map(|error| error["message"].as_str().unwrap())
        .collect();
    assert!(denied.len() > 20, "{denied:#?}");
    assert!(denied.iter().all(|message| message.contains('/')), "{denied:#?}");
    let noise = told.lines().filter(|line| {
        let line = line.to_lowercase();
        ["permission denied", "not permitted"].iter().any(|words| line.contains(words)) && !line.contains('/')
    });
    assert_eq!(noise.count(), 0, "{told}");
    assert!(told.lines().count() < 10, "{told}");
    // No API either: the kubeconfig is root's own.
    let pods = outcomes(&report, "5.2.2");
    assert_eq!(pods, ["error"], "{told}");
}
