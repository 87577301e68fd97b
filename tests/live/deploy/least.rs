//! No right is there for nothing: with all of them nothing about the API is an error; without one, exactly what
//! `docs/kubernetes.md` says is.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

use crate::bed::Bed;
use crate::deploy::render::{self, NAMESPACE, Rendering, words};

/// What the rights are for, rule by rule: its first resource, where it holds, and the numbers of cis_k8s@2.0.1 that are
/// an error without it, or what the report no longer says.
const NEEDED: [(&str, &str, &[&str]); 0] = [];

#[test]
fn without_any_one_rule_something_is_an_error() {
    let bed = Bed::take();
    let rendering = render::named(render::all(&bed), "kustomize vanilla");
    let _room = bed.apply(&json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}));
    let rights = bed.apply(&list(rendering, None));
    let (kubeconfig, _) = bed.kubeconfig(NAMESPACE, "posturebeat");
    let all = errors(&bed, &kubeconfig);
    println!("ALL {all:?}");
    for (role, number) in positions(rendering) {
        rights.change(&list(rendering, Some((&role, number))));
        let rule = &role["rules"][number];
        wait_for(&bed, &role, rule, false);
        let found = errors(&bed, &kubeconfig);
        println!("{} {} {:?} {:?}", role["metadata"]["namespace"], rule["resources"], rule["verbs"], found.difference(&all).collect::<Vec<_>>());
        rights.change(&list(rendering, None));
        wait_for(&bed, &role, rule, true);
    }
    assert_eq!(NEEDED.len(), 0);
}

/// Roles, bindings and accounts; of one role without one rule.
fn list(rendering: &Rendering, without: Option<(&Value, usize)>) -> Value {
    let kinds = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];
    let items = rendering.objects.iter().filter(|object| kinds.contains(&object["kind"].as_str().unwrap()));
    let items = items.map(|object| {
        let metadata = &object["metadata"];
        let mut object = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "rules": object["rules"],
            "roleRef": object["roleRef"], "subjects": object["subjects"],
            "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]}});
        object.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        if let Some((role, number)) = without
            && role["kind"] == object["kind"]
            && role["metadata"]["name"] == metadata["name"]
            && role["metadata"]["namespace"] == metadata["namespace"]
        {
            object["rules"].as_array_mut().unwrap().remove(number);
        }
        object
    });
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "rights"}, "items": items.collect::<Vec<_>>()})
}

/// Every rule that a scan has a use for, as its role and its place there.
fn positions(rendering: &Rendering) -> Vec<(Value, usize)> {
    let roles = rendering.of_kind("Role").chain(rendering.of_kind("ClusterRole"));
    // The Lease is the elector's, and its tests'.
    let roles = roles.filter(|role| role["metadata"]["name"] != "posturebeat-leader");
    roles.flat_map(|role| (0..role["rules"].as_array().unwrap().len()).map(|number| (role.clone(), number))).collect()
}

/// The authorizer hears of a change a moment later.
fn wait_for(bed: &Bed, role: &Value, rule: &Value, granted: bool) {
    let group = rule["apiGroups"][0].as_str().unwrap();
    let (resource, subresource) = words(&rule["resources"])[0].split_once('/').unwrap_or((words(&rule["resources"])[0], ""));
    let mut attributes = json!({"verb": rule["verbs"][0], "group": group, "resource": resource, "subresource": subresource,
        "namespace": role["metadata"]["namespace"], "name": rule["resourceNames"][0]});
    attributes.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": format!("system:serviceaccount:{NAMESPACE}:posturebeat"), "resourceAttributes": attributes}});
    let path = bed.path("review.json");
    std::fs::write(&path, review.to_string()).unwrap();
    bed.until("the authorizer to hear of the change", || {
        let answer = bed.kubectl(&["create", "-f", path.to_str().unwrap(), "-o", "json"]);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        (answer["status"]["allowed"] == granted).then_some(())
    });
}

/// Numbers that are an error about something of the API, and what else of the report is missing.
fn errors(bed: &Bed, kubeconfig: &Path) -> BTreeSet<String> {
    let config = format!("posturebeat.kube_config={}", kubeconfig.display());
    let output = bed.output(&["scan", "--format", "json", "--benchmark", "cis_k8s@2.0.1", "-E", &config]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let mut found = BTreeSet::new();
    for resource in report["resources"].as_array().unwrap() {
        for (rule, outcome) in resource["results"].as_object().unwrap() {
            if outcome == "error" {
                found.insert(rule.rsplit('/').next().unwrap().to_owned());
            }
        }
    }
    println!("  cluster {} node {}", report["cluster"], report["node"]);
    found
}
