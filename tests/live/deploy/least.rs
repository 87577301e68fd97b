//! No right is there for nothing: with all of them nothing about the API is an error; without one, exactly what
//! `docs/kubernetes.md` says is.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

use crate::bed::Bed;
use crate::deploy::render::{self, NAMESPACE, Rendering, words};
use crate::plane::Plane;

/// What a right is for: its namespace, first resource and first verb; the numbers of cis_k8s@2.0.1 that are an error without
/// the rule.
type Right = (&'static str, &'static str, &'static str, &'static [&'static str]);

const NEEDED: [Right; 11] = [
    ("default", "configmaps", "list", &["5.6.4"]),
    ("default", "deployments", "list", &["5.6.4"]),
    ("default", "cronjobs", "list", &["5.6.4"]),
    ("default", "ingresses", "list", &["5.6.4"]),
    ("kube-system", "configmaps", "list", &["5.6.4"]),
    ("", "namespaces", "list", PODS_AND_MORE),
    ("", "daemonsets", "list", &["4.3.1", "5.3.1", "5.6.4"]),
    ("", "clusterrolebindings", "list", RBAC),
    ("", "networkpolicies", "list", &["5.3.2", "5.6.4"]),
    ("", "mutatingwebhookconfigurations", "list", &["5.2.1", "5.4.2", "5.5.1"]),
    ("", "secretproviderclasses", "list", &["5.4.2"]),
];

const PODS_AND_MORE: &[&str] = &[
    "3.1.1", "3.1.3", "5.1.5", "5.1.6", "5.2.1", "5.2.10", "5.2.11", "5.2.12", "5.2.2", "5.2.3", "5.2.4",
    "5.2.5", "5.2.6", "5.2.7", "5.2.8", "5.2.9", "5.3.2", "5.4.1", "5.5.1", "5.6.1", "5.6.2", "5.6.3",
    "5.6.4",
];
const RBAC: &[&str] = &[
    "5.1.1", "5.1.10", "5.1.11", "5.1.12", "5.1.13", "5.1.2", "5.1.3", "5.1.4", "5.1.5", "5.1.7", "5.1.8",
    "5.1.9", "5.6.4",
];

/// Rights whose lack no outcome here shows, and what does.
const ELSEWHERE: [(&str, &str, &str); 6] = [
    // The node here shows its API server, and so does its pod; `flagz` of these tests.
    ("", "/flagz", "get"),
    // Below: on a kubeadm node flags alone decide 3.1.1.
    ("", "certificatesigningrequests", "list"),
    // A kubeconfig has a name for the cluster; a pod asks for it.
    ("kube-system", "configmaps", "get"),
    // `configz` of these tests: an error where flags and files do not tell.
    ("", "nodes/configz", "get"),
    // Below.
    ("", "namespaces", "get"),
    ("", "nodes", "get"),
];

#[test]
fn kubescape_3002_without_any_one_rule_what_is_said_of_it_is_an_error() {
    let bed = Bed::take();
    let rendering = render::named(render::all(&bed), "kustomize vanilla");
    let _room = bed.apply(&room());
    let _rights = bed.apply(&list(rendering));
    let url = Bed::url();
    let (kubeconfig, _) = bed.kubeconfig(NAMESPACE, "posturebeat");
    let (all, ..) = scan(&bed, &kubeconfig);
    assert!(all.is_empty(), "all rights are not enough: {all:?}");
    let (foretold, text) = foretold(&bed, &kubeconfig);
    assert!(foretold.is_empty() && !text.contains("DENIED"), "{text}");
    let rules = positions(rendering);
    assert_eq!(rules.len(), NEEDED.len() + ELSEWHERE.len(), "a right is listed that nobody has");
    for (role, number) in rules {
        let (namespace, resource, verb) = key(&role, number);
        if ELSEWHERE.contains(&(namespace, resource, verb)) {
            set(&bed, &url, &role, number, false);
            assert_foretold(&bed, &kubeconfig, resource);
            set(&bed, &url, &role, number, true);
            continue;
        }
        let needed =
            NEEDED.iter().find(|(place, what, how, _)| (*place, *what, *how) == (namespace, resource, verb));
        let (.., numbers) =
            needed.unwrap_or_else(|| panic!("nobody says what {verb} {resource} in `{namespace}` is for"));
        set(&bed, &url, &role, number, false);
        let (errors, ..) = scan(&bed, &kubeconfig);
        let expected: BTreeSet<String> = numbers.iter().map(|number| (*number).to_owned()).collect();
        assert_eq!(errors, expected, "without {verb} {resource} in `{namespace}`");
        assert_foretold(&bed, &kubeconfig, resource);
        set(&bed, &url, &role, number, true);
    }
}

#[test]
fn the_probe_knows_its_cluster_and_its_node_by_two_rights() {
    let bed = Bed::take();
    let rendering = render::named(render::all(&bed), "kustomize split");
    let _room = bed.apply(&room());
    let _rights = bed.apply(&list(rendering));
    let url = Bed::url();
    let (kubeconfig, _) = bed.kubeconfig(NAMESPACE, "posturebeat");
    let uid = bed.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    let node = bed.kubectl(&["get", "nodes", "-o", "jsonpath={.items[0].metadata.uid}"]);
    let (_, cluster, found) = scan(&bed, &kubeconfig);
    assert_eq!((cluster, found), (json!(uid), json!(node)));
    for (role, number) in
        positions(rendering).into_iter().filter(|(role, _)| role["metadata"]["name"] == "posturebeat-node")
    {
        let (_, resource, _) = key(&role, number);
        if !["namespaces", "nodes"].contains(&resource) {
            continue;
        }
        set(&bed, &url, &role, number, false);
        let (_, cluster, found) = scan(&bed, &kubeconfig);
        assert_eq!(cluster == json!(uid), resource != "namespaces", "without {resource}: {cluster}");
        assert_ne!(found, json!(node), "without {resource}");
        set(&bed, &url, &role, number, true);
    }
}

#[test]
fn certificates_that_cannot_be_listed_are_an_error_where_no_flag_decides() {
    let bed = Bed::take();
    let rendering = render::named(render::all(&bed), "kustomize vanilla");
    // Its API server is no pod, so nobody sees its flags.
    let plane = Plane::start(&bed, "unseen", 1);
    let url = plane.url(0);
    for objects in [room(), list(rendering)] {
        let path = bed.path("objects.json");
        std::fs::write(&path, objects.to_string()).unwrap();
        bed.kubectl(&["--server", &url, "apply", "-f", path.to_str().unwrap()]);
    }
    let (kubeconfig, _) = bed.kubeconfig_at(&url, NAMESPACE, "posturebeat");
    let errors = || scan(&bed, &kubeconfig).0.into_iter().collect::<Vec<_>>();
    // Which level namespaces without a label have is such a flag too, and no right shows it.
    assert_eq!(errors(), ["5.2.1"]);
    let listed = ("", "certificatesigningrequests", "list");
    let mut rules = positions(rendering).into_iter();
    let (role, number) = rules.find(|(role, number)| key(role, *number) == listed).unwrap();
    set(&bed, &url, &role, number, false);
    assert_eq!(errors(), ["3.1.1", "5.2.1"]);
    // 5.2.1 is an error for another reason than a right.
    assert_eq!(foretold(&bed, &kubeconfig).0.into_iter().collect::<Vec<_>>(), ["3.1.1"]);
}

/// What `test kubernetes` says: the recommendations that will be errors, and all of its text.
fn foretold(bed: &Bed, kubeconfig: &Path) -> (BTreeSet<String>, String) {
    let config = format!("posturebeat.kube_config={}", kubeconfig.display());
    let kubelet = "posturebeat.collect.kubelet_url=https://127.0.0.1:10250";
    let benchmark = "posturebeat.benchmarks.0=cis_k8s@2.0.1";
    let output = bed.output(&["test", "kubernetes", "-E", benchmark, "-E", &config, "-E", kubelet]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("user... OK system:serviceaccount:"),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(output.status.success(), !text.contains("DENIED"), "{text}");
    let line = text.lines().find_map(|line| line.strip_prefix("Recommendations that will be errors: "));
    let numbers = line.filter(|numbers| *numbers != "none").map(|numbers| numbers.split(", "));
    (numbers.into_iter().flatten().map(str::to_owned).collect(), text)
}

/// It foretells exactly the errors of the next scan, and names the right that is missing.
fn assert_foretold(bed: &Bed, kubeconfig: &Path, resource: &str) {
    let (foretold, text) = foretold(bed, kubeconfig);
    let (errors, ..) = scan(bed, kubeconfig);
    assert_eq!(foretold, errors, "without {resource}: {text}");
    let rules = text.split("RBAC rules to add").nth(1).unwrap_or_default();
    let named = if resource.starts_with('/') { "nonResourceURLs" } else { "resources" };
    assert!(rules.contains(&format!("{named}: [{resource}]")), "without {resource}: {text}");
}

/// Namespace, first resource or path, and first verb of a rule.
fn key(role: &Value, number: usize) -> (&str, &str, &str) {
    let rule = &role["rules"][number];
    let namespace = role["metadata"]["namespace"].as_str().unwrap_or_default();
    let about = if rule["resources"].is_null() { &rule["nonResourceURLs"] } else { &rule["resources"] };
    (namespace, words(about)[0], words(&rule["verbs"])[0])
}

/// The namespace, and an operator that keeps secrets elsewhere.
fn room() -> Value {
    let group = "secrets-store.csi.x-k8s.io";
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "room"}, "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("secretproviderclasses.{group}")}, "spec": {
            "group": group, "scope": "Namespaced", "names": {"kind": "SecretProviderClass", "plural": "secretproviderclasses"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}},
    ]})
}

/// Roles, bindings and accounts.
fn list(rendering: &Rendering) -> Value {
    let kinds = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];
    let items = rendering.objects.iter().filter(|object| kinds.contains(&object["kind"].as_str().unwrap()));
    let items: Vec<Value> = items.map(plain).collect();
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "rights"}, "items": items})
}

/// Without what the API server put into it.
fn plain(object: &Value) -> Value {
    let metadata = &object["metadata"];
    let mut plain = json!({"apiVersion": object["apiVersion"], "kind": object["kind"], "rules": object["rules"],
        "roleRef": object["roleRef"], "subjects": object["subjects"],
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"]}});
    plain.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    plain
}

/// Every rule that a scan has a use for, as its role and its place there.
fn positions(rendering: &Rendering) -> Vec<(Value, usize)> {
    let roles = rendering.of_kind("Role").chain(rendering.of_kind("ClusterRole"));
    // The Lease is the elector's, and its tests'.
    let roles = roles.filter(|role| role["metadata"]["name"] != "posturebeat-leader");
    roles
        .flat_map(|role| (0..role["rules"].as_array().unwrap().len()).map(|number| (role.clone(), number)))
        .collect()
}

/// Takes one rule out of a role, or puts it back, and waits until the authorizer of the API server has heard of it.
fn set(bed: &Bed, url: &str, role: &Value, number: usize, granted: bool) {
    let mut changed = plain(role);
    if !granted {
        changed["rules"].as_array_mut().unwrap().remove(number);
    }
    let path = bed.path("role.json");
    std::fs::write(&path, changed.to_string()).unwrap();
    bed.kubectl(&["--server", url, "apply", "-f", path.to_str().unwrap()]);
    let (namespace, resource, verb) = key(role, number);
    let mut spec = json!({"user": format!("system:serviceaccount:{NAMESPACE}:posturebeat")});
    if resource.starts_with('/') {
        spec["nonResourceAttributes"] = json!({"verb": verb, "path": resource});
    } else {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let rule = &role["rules"][number];
        spec["resourceAttributes"] = json!({"verb": verb, "group": rule["apiGroups"][0], "resource": resource,
            "subresource": subresource, "namespace": namespace,
            "name": rule["resourceNames"][0].as_str().unwrap_or_default()});
    }
    let review =
        json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec});
    let path = bed.path("review.json");
    std::fs::write(&path, review.to_string()).unwrap();
    bed.until("the authorizer to hear of the change", || {
        let answer = bed.kubectl(&["--server", url, "create", "-f", path.to_str().unwrap(), "-o", "json"]);
        let answer: Value = serde_json::from_str(&answer).unwrap();
        (answer["status"]["allowed"] == granted).then_some(())
    });
}

/// The numbers that are an error, and who cluster and node are.
fn scan(bed: &Bed, kubeconfig: &Path) -> (BTreeSet<String>, Value, Value) {
    let config = format!("posturebeat.kube_config={}", kubeconfig.display());
    let output = bed.output(&["scan", "--format", "json", "--benchmark", "cis_k8s@2.0.1", "-E", &config]);
    let told = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{told}"));
    let results =
        report["resources"].as_array().unwrap().iter().flat_map(|it| it["results"].as_object().unwrap());
    let errors = results.filter(|(_, outcome)| *outcome == "error");
    let numbers = errors.map(|(rule, _)| rule.rsplit('/').next().unwrap().to_owned()).collect();
    (numbers, report["cluster"]["id"].clone(), report["node"]["id"].clone())
}
