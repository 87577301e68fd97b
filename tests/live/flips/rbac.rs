//! Roles, bindings and accounts: section 5.1.

use serde_json::{Value, json};

use crate::bed::Bed;
use crate::kept::Undo;
use crate::verdicts::{assert_flipped, breaks, mends};

/// A right that its number looks for, and whether it is looked for in one namespace too.
struct Right(&'static str, &'static str, &'static str, &'static str, bool);

const RIGHTS: [Right; 9] = [
    Right("5.1.2", "", "secrets", "get", true),
    Right("5.1.3", "", "configmaps", "*", true),
    Right("5.1.4", "", "pods", "create", true),
    Right("5.1.8", "", "serviceaccounts", "impersonate", true),
    Right("5.1.9", "", "persistentvolumes", "create", false),
    Right("5.1.10", "", "nodes/proxy", "get", false),
    Right("5.1.11", "certificates.k8s.io", "certificatesigningrequests/approval", "update", false),
    Right("5.1.12", "admissionregistration.k8s.io", "mutatingwebhookconfigurations", "patch", false),
    Right("5.1.13", "", "serviceaccounts/token", "create", true),
];

/// An aggregated role.
const WHOLE: &str = "test-whole";

fn role(name: &str, namespace: Option<&str>, right: Option<&Right>) -> Value {
    let Right(_, group, resource, verb, _) = right.unwrap_or(&Right("", "", "configmaps", "get", true));
    let kind = if namespace.is_some() { "Role" } else { "ClusterRole" };
    let rules = json!([{"apiGroups": [group], "resources": [resource], "verbs": [verb]}]);
    object(kind, name, namespace, json!({"rules": rules}))
}

fn binding(name: &str, namespace: Option<&str>, role: (&str, &str), subjects: Value) -> Value {
    let kind = if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" };
    let role = json!({"apiGroup": "rbac.authorization.k8s.io", "kind": role.0, "name": role.1});
    object(kind, name, namespace, json!({"roleRef": role, "subjects": subjects}))
}

fn object(kind: &str, name: &str, namespace: Option<&str>, mut object: Value) -> Value {
    object["apiVersion"] = json!("rbac.authorization.k8s.io/v1");
    object["kind"] = json!(kind);
    object["metadata"] = json!({"name": name, "namespace": namespace});
    object
}

fn subject(kind: &str, name: &str) -> Value {
    match kind {
        "ServiceAccount" => json!([{"kind": kind, "name": name, "namespace": "demo"}]),
        _ => json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}]),
    }
}

/// For each right a role and a binding, which are harmless as long as nothing `is_wrong`.
fn objects(is_wrong: bool) -> Value {
    let jane = || subject("User", "jane");
    let mut items = Vec::new();
    for right in &RIGHTS {
        let name = format!("test-{}", right.0);
        items.push(role(&name, None, is_wrong.then_some(right)));
        items.push(binding(&name, None, ("ClusterRole", &name), jane()));
        if right.4 {
            items.push(role(&name, Some("demo"), is_wrong.then_some(right)));
            items.push(binding(&name, Some("demo"), ("Role", &name), jane()));
        }
    }
    // A role that the cluster puts together from the roles with its label.
    let label = json!({"posturebeat.test/part": "whole"});
    let mut part = role("test-part", None, is_wrong.then_some(&RIGHTS[0]));
    part["metadata"]["labels"] = label.clone();
    items.push(part);
    let selectors = json!([{"matchLabels": label}]);
    let whole = json!({"aggregationRule": {"clusterRoleSelectors": selectors}});
    items.push(object("ClusterRole", WHOLE, None, whole));
    items.push(binding(WHOLE, None, ("ClusterRole", WHOLE), jane()));
    // A binding's role cannot be changed, its subjects can.
    let admin = ("ClusterRole", "cluster-admin");
    let somebody = if is_wrong { jane() } else { json!([]) };
    items.push(binding("test-5.1.1", None, admin, somebody.clone()));
    items.push(binding("test-5.1.1", Some("demo"), admin, somebody));
    items.push(role("test", None, None));
    let account = subject("ServiceAccount", if is_wrong { "default" } else { "hardened" });
    items.push(binding("test-5.1.5", None, ("ClusterRole", "test"), account.clone()));
    items.push(binding("test-5.1.5", Some("demo"), ("ClusterRole", "test"), account));
    let group = subject("Group", if is_wrong { "system:masters" } else { "ops" });
    items.push(binding("test-5.1.7", None, ("ClusterRole", "test"), group.clone()));
    items.push(binding("test-5.1.7", Some("demo"), ("ClusterRole", "test"), group));
    json!({"apiVersion": "v1", "kind": "List", "items": items})
}

fn flips() -> Vec<String> {
    let mut flips = Vec::new();
    let kinds = |number| {
        if number == "5.1.3" { ["ClusterRole", "Role"] } else { ["ClusterRoleBinding", "RoleBinding"] }
    };
    for Right(number, .., in_namespace) in &RIGHTS {
        let [everywhere, inside] = kinds(*number);
        flips.extend(breaks(&format!("{everywhere} test-{number}"), &[number]));
        if *in_namespace {
            flips.extend(breaks(&format!("{inside} demo/test-{number}"), &[number]));
        }
    }
    flips.extend(breaks(&format!("ClusterRoleBinding {WHOLE}"), &[RIGHTS[0].0]));
    for number in ["5.1.5", "5.1.7"] {
        flips.extend(breaks(&format!("ClusterRoleBinding test-{number}"), &[number]));
        flips.extend(breaks(&format!("RoleBinding demo/test-{number}"), &[number]));
    }
    // Who has all rights has each of them.
    let bound = RIGHTS.iter().filter(|right| right.0 != "5.1.3");
    let inside = bound.clone().filter(|right| right.4);
    let numbers: Vec<&str> = bound.map(|right| right.0).chain(["5.1.1"]).collect();
    flips.extend(breaks("ClusterRoleBinding test-5.1.1", &numbers));
    let numbers: Vec<&str> = inside.map(|right| right.0).chain(["5.1.1"]).collect();
    flips.extend(breaks("RoleBinding demo/test-5.1.1", &numbers));
    flips.extend(mends("ServiceAccount bare/default", &["5.1.5"]));
    flips
}

#[test]
fn every_right_too_many() {
    let bed = Bed::take();
    let automount = |value: &str| {
        let patch = format!("{{\"automountServiceAccountToken\": {value}}}");
        bed.kubectl(&["patch", "serviceaccount", "default", "-n", "bare", "-p", &patch]);
    };
    let put_together = |is_wrong: bool| {
        bed.until("the aggregated role", || {
            let rules = bed.kubectl(&["get", "clusterrole", WHOLE, "-o", "jsonpath={.rules[*].resources}"]);
            rules.contains(if is_wrong { RIGHTS[0].2 } else { "configmaps" }).then_some(())
        });
    };
    let applied = bed.apply(&objects(false));
    put_together(false);
    let good = bed.verdicts(&[], &[]);
    applied.change(&objects(true));
    put_together(true);
    let undo = Undo(|| automount("null"));
    automount("false");
    let wrong = bed.verdicts(&[], &[]);
    applied.change(&objects(false));
    put_together(false);
    drop(undo);
    let again = bed.verdicts(&[], &[]);

    assert_flipped(&good, &wrong, &flips());
    assert_flipped(&good, &again, &[]);
}
