//! An input that is only a part: what it does not hold may exist.

use super::*;
use crate::resource::SourceExtent;

/// The index of an input that is complete for these kinds only.
fn part(kinds: &[&str]) -> Index {
    let mut index = index();
    index.limit_to(SourceExtent::Kinds(kinds.iter().map(|&kind| kind.to_owned()).collect()));
    index
}

fn manifests() -> Index {
    let mut index = index();
    index.limit_to(SourceExtent::Manifests);
    index
}

fn cluster_role(name: &str, labels: Value, selector: Value, rules: Value) -> Resource {
    let mut role =
        json!({"kind": "ClusterRole", "metadata": {"name": name, "labels": labels}, "rules": rules});
    if !selector.is_null() {
        role["aggregationRule"] = json!({"clusterRoleSelectors": [selector]});
    }
    object(role)
}

fn bound(index: &Index, role: &str) -> Resource {
    related(index, binding("ClusterRoleBinding", None, ("ClusterRole", role)))
}

/// Resources that the rules of a role name, in the order of the rules.
fn resources(binding: &Resource) -> Vec<&str> {
    let rules = binding.related["role"]["rules"].as_array().unwrap();
    let resources = rules.iter().filter_map(|rule| rule["resources"].as_array()).flatten();
    resources.filter_map(Value::as_str).collect()
}

fn rule(resource: &str) -> Value {
    json!([{"apiGroups": [""], "resources": [resource], "verbs": ["get"]}])
}

#[test]
fn a_role_that_is_not_in_the_input_may_grant_anything() {
    for index in [manifests(), part(&["Pod", "Role"])] {
        let binding = bound(&index, "shop-operator");
        assert!(!binding.related.contains_key("role"));
        assert_eq!(unread_at(&binding), ["$.related.role"]);
        let gap = &binding.unread[0].gap;
        assert_eq!(gap.reason, Reason::Partial);
        assert!(gap.what.starts_with("find the ClusterRole shop-operator in the input"), "{gap}");
    }
    let whole = bound(&part(&["ClusterRole"]), "shop-operator");
    assert!(whole.unread.is_empty() && whole.related.is_empty(), "a fact where all are shown");
}

#[test]
fn a_role_of_kubernetes_need_not_be_in_the_input() {
    let binding = bound(&manifests(), "cluster-admin");
    assert_eq!(resources(&binding), ["*"]);
    assert!(binding.unread.is_empty());
    let role = ("Role", "extension-apiserver-authentication-reader");
    let reader = related(&manifests(), super::binding("RoleBinding", Some("kube-system"), role));
    assert_eq!(resources(&reader), ["configmaps"]);
    let elsewhere = related(&manifests(), super::binding("RoleBinding", Some("shop"), role));
    assert_eq!(unread_at(&elsewhere), ["$.related.role"], "Kubernetes makes it in kube-system alone");
}

#[test]
fn a_role_in_the_input_takes_the_place_of_kubernetes_own() {
    let mut index = manifests();
    index.note(&cluster_role("cluster-admin", json!({}), Value::Null, rule("pods")));
    assert_eq!(resources(&bound(&index, "cluster-admin")), ["pods"]);
}

#[test]
fn an_aggregated_role_is_put_together_and_others_may_add_to_it() {
    let mut index = manifests();
    let selector = json!({"matchLabels": {"shop/support": "yes"}});
    index.note(&cluster_role("support", json!({}), selector, json!([])));
    index.note(&cluster_role("part", json!({"shop/support": "yes"}), Value::Null, rule("secrets")));
    index.note(&cluster_role("other", json!({"shop/support": "no"}), Value::Null, rule("nodes")));
    let binding = bound(&index, "support");
    assert_eq!(resources(&binding), ["secrets"]);
    assert_eq!(unread_at(&binding), ["$.related.role.rules[1]"]);

    let edit = bound(&index, "edit");
    assert!(resources(&edit).contains(&"secrets") && resources(&edit).contains(&"pods"));
    let admin = bound(&index, "admin");
    assert!(resources(&admin).contains(&"rolebindings"), "its own part");
    assert!(resources(&admin).contains(&"pods/exec"), "and those of edit, which it takes in");
    assert!(unread_at(&admin)[0].starts_with("$.related.role.rules["));
}

#[test]
fn roles_that_take_in_each_other_come_to_an_end() {
    let mut index = manifests();
    let selects = |label: &str| json!({"matchLabels": {label: "true"}});
    index.note(&cluster_role("a", json!({"of-b": "true"}), selects("of-a"), rule("pods")));
    index.note(&cluster_role("b", json!({"of-a": "true"}), selects("of-b"), rule("nodes")));
    let mut both = resources(&bound(&index, "a")).into_iter().map(str::to_owned).collect::<Vec<_>>();
    both.sort();
    assert_eq!(both, ["nodes", "pods"]);
}

#[test]
fn an_aggregated_role_that_was_read_from_an_api_server_is_filled_in() {
    let mut index = part(&[]);
    let mut role =
        cluster_role("support", json!({}), json!({"matchLabels": {"shop/support": "yes"}}), rule("pods"));
    role.raw["metadata"]["uid"] = "u".into();
    index.note(&role);
    assert!(!bound(&index, "support").unread.is_empty(), "anyone can write an id");
    role.raw["metadata"]["creationTimestamp"] = "2026-11-30T00:00:00Z".into();
    index.note(&role);
    assert!(bound(&index, "support").unread.is_empty());
}

#[test]
fn the_version_of_the_cluster_decides_what_a_role_of_kubernetes_grants() {
    let tokens = |minor| {
        let index = part(&[]).of_version(minor);
        resources(&bound(&index, "edit")).contains(&"serviceaccounts/token")
    };
    assert!(!tokens(Some("v1.23.17")) && tokens(Some("v1.24.0")) && tokens(None));
}

#[test]
fn a_service_account_that_is_not_in_the_input_is_unread_for_its_pods() {
    let pod =
        |spec: Value| json!({"kind": "Pod", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec});
    let named = related(&manifests(), pod(json!({"serviceAccountName": "web"})));
    assert_eq!(unread_at(&named), ["$.related.serviceAccount"]);
    assert!(named.unread[0].gap.what.contains("ServiceAccount shop/web"), "{}", named.unread[0].gap);
    let unnamed = related(&manifests(), pod(json!({})));
    assert!(unnamed.unread[0].gap.what.contains("ServiceAccount shop/default"), "{}", unnamed.unread[0].gap);

    let mut index = manifests();
    index.note(&object(json!({"kind": "ServiceAccount", "metadata": {"name": "default"},
        "automountServiceAccountToken": false})));
    let mut pod = pod(json!({}));
    pod["metadata"] = json!({"name": "web"});
    let pod = related(&index, pod);
    assert_eq!(pod.related["serviceAccount"], json!({"automountServiceAccountToken": false}));
    assert!(pod.unread.is_empty(), "both are in the namespace that manifests without one go to");
}

#[test]
fn what_is_there_counts_and_what_is_not_is_unread() {
    let policy = json!({"kind": "NetworkPolicy", "metadata": {"name": "deny", "namespace": "shop"}});
    let mut index = manifests();
    assert!(unread_at(&namespace(&index)).contains(&"$.related.networkPolicies[0]"));
    index.note(&object(policy));
    let namespace = namespace(&index);
    assert_eq!(namespace.related["networkPolicies"].as_array().map(Vec::len), Some(1));
    assert!(unread_at(&namespace).contains(&"$.related.networkPolicies[1]"));
    assert!(unread_at(&namespace).contains(&"$.related.podPolicyEngines[0]"));
}

#[test]
fn nobody_runs_as_an_account_is_a_fact_only_where_all_pods_are_shown() {
    let account = || json!({"kind": "ServiceAccount", "metadata": {"name": "web", "namespace": "shop"}});
    assert_eq!(unread_at(&related(&manifests(), account())), ["$.related.podCount"]);
    let mut index = manifests();
    index.note(&object(json!({"kind": "Pod", "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"serviceAccountName": "web"}})));
    assert_eq!(related(&index, account()).related["podCount"], json!(1));
    assert_eq!(related(&part(&["Pod"]), account()).related["podCount"], json!(0));
}

#[test]
fn another_api_server_may_have_the_pod_security_plugin_off() {
    let server = super::admission::api_server(
        json!(["kube-apiserver"]),
        json!({"kubernetes.io/config.mirror": "hash"}),
    );
    let seen = |mut index: Index| {
        index.note(&server);
        namespace(&index).related.get("podSecurityPlugin").cloned()
    };
    assert_eq!(seen(part(&["Pod"])), Some("enabled".into()));
    assert_eq!(seen(part(&[])), None);
    assert_eq!(seen(manifests()), Some("enabled".into()));
    let none = namespace(&manifests());
    assert!(!unread_at(&none).contains(&"$.related.podSecurityPlugin"), "the default is assumed");
}
