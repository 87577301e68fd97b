//! Policies, and which of their rules let something go unrecorded or record secrets.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{depends_on_version, records};

fn of(policy: Value) -> Vec<Value> {
    let root = json!({"version": "1.37", "files": {"auditPolicy": policy}});
    records(&root).unwrap().unwrap().as_array().unwrap().clone()
}

fn of_rules(rules: Value) -> Vec<Value> {
    of(json!({"rules": rules}))
}

/// `rule id` of every element that is not recorded.
fn unrecorded(rules: Value) -> Vec<String> {
    faults(&of_rules(rules), |it| it["recorded"] == false)
}

/// The same of those that record secrets.
fn secrets(rules: Value) -> Vec<String> {
    faults(&of_rules(rules), |it| it["secretText"] == true)
}

fn faults(elements: &[Value], is_fault: fn(&Value) -> bool) -> Vec<String> {
    let text =
        |it: &Value| format!("{} {}", it["rule"].as_str().unwrap_or("none"), it["id"].as_str().unwrap());
    let found: BTreeSet<String> = elements.iter().filter(|it| is_fault(it)).map(text).collect();
    found.into_iter().collect()
}

#[test]
fn one_rule_for_everything_records_everything() {
    assert_eq!(unrecorded(json!([{"level": "Metadata"}])), [""; 0]);
    assert_eq!(secrets(json!([{"level": "Metadata"}])), [""; 0]);
    assert_eq!(
        secrets(json!([{"level": "Request"}])),
        ["rules[0] configmaps", "rules[0] secrets", "rules[0] tokenreviews"]
    );
    assert_eq!(
        secrets(json!([{"level": "RequestResponse"}])),
        ["rules[0] configmaps", "rules[0] secrets", "rules[0] serviceaccount-token", "rules[0] tokenreviews"]
    );
    assert_eq!(unrecorded(json!([])).len(), 10);
}

#[test]
fn the_first_rule_that_fits_decides() {
    let rules = json!([
        {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "configmaps"]}]},
        {"level": "None", "verbs": ["get", "list", "watch"]},
        {"level": "Request"},
    ]);
    assert_eq!(
        unrecorded(rules.clone()),
        ["rules[1] node-proxy", "rules[1] pod-subresources", "rules[1] service-proxy"]
    );
    assert_eq!(secrets(rules), ["rules[2] tokenreviews"]);
}

#[test]
fn every_limit_of_a_rule_is_seen_through() {
    let all = json!({"level": "Metadata"});
    let pods = json!([{"group": "", "resources": ["pods"]}]);
    for limit in [
        json!({"namespaces": ["kube-system"]}),
        json!({"namespaces": ["shop"]}),
        json!({"userGroups": ["system:serviceaccounts"]}),
        json!({"userGroups": ["system:serviceaccounts:shop"]}),
        json!({"userGroups": ["system:masters"]}),
        json!({"userGroups": ["kubeadm:cluster-admins"]}),
        json!({"userGroups": ["system:unauthenticated"]}),
        json!({"userGroups": ["system:nodes"]}),
        json!({"userGroups": ["shop:operators"]}),
        json!({"users": ["jane"]}),
        json!({"users": ["system:anonymous"]}),
        json!({"users": ["system:serviceaccount:shop:web"]}),
        json!({"users": ["jane"], "userGroups": ["shop:operators"]}),
        json!({"users": ["jane"], "namespaces": ["shop"], "verbs": ["delete"]}),
        json!({"verbs": ["deletecollection"]}),
        json!({"resources": [{"group": "", "resources": ["pods"], "resourceNames": ["web"]}]}),
    ] {
        let mut rule = json!({"level": "None", "resources": pods});
        rule.as_object_mut().unwrap().extend(limit.as_object().unwrap().clone());
        assert_eq!(unrecorded(json!([rule, all])), ["rules[0] pods"], "{limit}");
    }
}

#[test]
fn an_example_shows_the_request() {
    let rules = json!([
        {"level": "None", "users": ["system:serviceaccount:shop:web"], "namespaces": ["shop"], "verbs": ["get"],
         "resources": [{"group": "", "resources": ["secrets"], "resourceNames": ["key"]}]},
        {"level": "Metadata"},
    ]);
    let elements = of_rules(rules);
    assert_eq!(
        elements[0],
        json!({
            "rule": "rules[0]", "level": "None", "id": "secrets", "recorded": false, "stages": [],
            "secretText": false,
            "verbs": ["get"], "resources": ["secrets"], "askers": ["ServiceAccount:shop/web"],
            "example": {
                "verb": "get", "resource": "secrets", "namespace": "shop", "name": "key",
                "user": "system:serviceaccount:shop:web",
                "groups": ["system:serviceaccounts", "system:serviceaccounts:shop", "system:authenticated"],
            },
        })
    );
}

#[test]
fn a_rule_that_an_earlier_one_hides_does_nothing() {
    let hidden = json!([
        {"level": "Metadata", "userGroups": ["system:authenticated", "system:unauthenticated"]},
        {"level": "None", "users": ["jane"]},
        {"level": "RequestResponse"},
    ]);
    assert_eq!(unrecorded(hidden.clone()), [""; 0]);
    assert_eq!(secrets(hidden), [""; 0]);
    // Nobody is signed in here.
    let open = json!([{"level": "Metadata", "userGroups": ["system:authenticated"]}]);
    let elements = of_rules(open);
    let open = elements.iter().find(|it| it["recorded"] == false).unwrap();
    assert_eq!((&open["rule"], &open["askers"]), (&Value::Null, &json!(["Group:system:unauthenticated"])));
}

#[test]
fn a_list_of_all_namespaces_is_in_none_of_them() {
    let everywhere = json!([{"level": "None", "namespaces": [""], "verbs": ["list"]}, {"level": "Metadata"}]);
    assert_eq!(unrecorded(everywhere), ["rules[0] configmaps", "rules[0] secrets"]);
    let inside = json!([{"level": "Metadata", "namespaces": ["kube-system", "some"]}, {"level": "None", "verbs": ["get"]}, {"level": "Metadata"}]);
    let elements = of_rules(inside);
    let found = elements.iter().find(|it| it["recorded"] == false).unwrap();
    assert_eq!(found["example"]["namespace"], "some-2", "a namespace that no rule mentions");
}

#[test]
fn who_creates_an_object_does_not_name_it() {
    let named = |verb: &str, resource: &str| {
        let selected = json!([{"group": "", "resources": [resource], "resourceNames": ["one"]}]);
        unrecorded(json!([{"level": "None", "verbs": [verb], "resources": selected}, {"level": "Metadata"}]))
    };
    assert_eq!(named("create", "secrets"), [""; 0]);
    assert_eq!(named("deletecollection", "secrets"), [""; 0]);
    assert_eq!(named("create", "pods/exec"), ["rules[0] pod-subresources"]);
    assert_eq!(named("list", "secrets"), ["rules[0] secrets"], "by a field selector");
}

#[test]
fn resources_match_as_in_the_api_server() {
    let recorded = |group: &str, resources: Value| {
        let elements =
            of_rules(json!([{"level": "Metadata", "resources": [{"group": group, "resources": resources}]}]));
        let ids = elements
            .iter()
            .filter(|it| it["recorded"] == true)
            .map(|it| it["id"].as_str().unwrap().to_owned());
        ids.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(recorded("", json!(["pods"])), "pods");
    assert_eq!(recorded("", json!(["pods/*"])), "pod-subresources pods");
    assert_eq!(recorded("", json!(["*/token"])), "serviceaccount-token");
    let core = "configmaps node-proxy pod-subresources pods secrets service-proxy serviceaccount-token";
    assert_eq!(recorded("", json!(["*"])), core);
    assert_eq!(recorded("", json!([])), core);
    assert_eq!(recorded("apps", json!(["*"])), "deployments");
    assert_eq!(recorded("*", json!(["secrets", "deployments"])), "deployments secrets");
}

#[test]
fn every_group_is_known_since_1_36() {
    let policy = json!({"rules": [{"level": "Metadata", "resources": [{"group": "*"}]}]});
    let root = |version: Value| json!({"version": version, "files": {"auditPolicy": policy}});
    for version in [json!("1.36"), json!("1.40"), Value::Null] {
        let all = records(&root(version)).unwrap().unwrap();
        assert_eq!(faults(all.as_array().unwrap(), |it| it["recorded"] == false), [""; 0]);
    }
    let refused = records(&root(json!("1.35"))).unwrap_err();
    assert!(refused.contains("rules[0]: no API group `*`"), "{refused}");
    assert!(depends_on_version(&root(json!("1.35"))));
    assert!(!depends_on_version(&json!({"files": {"auditPolicy": {"rules": [{"level": "None"}]}}})));
}

#[test]
fn stages_are_those_of_the_kind_of_request() {
    let left = |of_policy: Value, of_rule: Value| {
        let policy =
            json!({"omitStages": of_policy, "rules": [{"level": "RequestResponse", "omitStages": of_rule}]});
        let elements = of(policy);
        (
            faults(&elements, |it| it["recorded"] == true).len(),
            faults(&elements, |it| it["secretText"] == true).len(),
        )
    };
    assert_eq!(left(json!(["RequestReceived"]), Value::Null), (10, 4));
    assert_eq!(
        left(json!(["ResponseStarted", "ResponseComplete"]), Value::Null),
        (10, 0),
        "no bodies at the start"
    );
    assert_eq!(left(json!(["RequestReceived", "ResponseStarted"]), Value::Null), (10, 4));
    assert_eq!(
        left(json!(["RequestReceived", "ResponseComplete"]), Value::Null).0,
        5,
        "watches, commands and proxies"
    );
    assert_eq!(left(json!(["RequestReceived"]), json!(["ResponseComplete"])).0, 5);
    let elements =
        of(json!({"omitStages": ["RequestReceived", "ResponseComplete"], "rules": [{"level": "Metadata"}]}));
    let watch = elements.iter().find(|it| it["id"] == "secrets" && it["recorded"] == true).unwrap();
    assert_eq!((&watch["verbs"], &watch["stages"]), (&json!(["watch"]), &json!(["ResponseStarted"])));
    assert_eq!(left(json!(["RequestReceived", "ResponseComplete"]), json!(["ResponseStarted"])).0, 0);
}

#[test]
fn bodies_are_secret_where_the_secret_is() {
    let of = |level: &str, verb: &str, group: &str, resource: &str| {
        let selected = json!([{"group": group, "resources": [resource]}]);
        !secrets(json!([{"level": level, "verbs": [verb], "resources": selected}, {"level": "Metadata"}]))
            .is_empty()
    };
    assert!(of("Request", "create", "", "secrets") && of("Request", "patch", "", "configmaps"));
    assert!(!of("Request", "get", "", "secrets") && of("RequestResponse", "get", "", "secrets"));
    assert!(
        !of("Request", "deletecollection", "", "secrets")
            && of("RequestResponse", "deletecollection", "", "secrets")
    );
    assert!(!of("RequestResponse", "watch", "", "secrets"), "what a watch answers is not recorded");
    assert!(of("Request", "create", "authentication.k8s.io", "tokenreviews"));
    assert!(!of("Request", "create", "", "serviceaccounts/token"));
    assert!(of("RequestResponse", "create", "", "serviceaccounts/token"));
}

#[test]
fn paths_count_where_a_rule_names_them() {
    let paths =
        |urls: Value| unrecorded(json!([{"level": "None", "nonResourceURLs": urls}, {"level": "Metadata"}]));
    assert_eq!(paths(json!(["/healthz*", "/version", "/api*", "/openapi/*", "/metrics"])), [""; 0]);
    for urls in [json!(["*"]), json!(["/logs/*"]), json!(["/debug*"])] {
        assert_eq!(paths(urls.clone()), ["rules[0] paths"], "{urls}");
    }
    assert_eq!(unrecorded(json!([{"level": "Metadata", "resources": [{"group": "*"}]}])), [""; 0]);
}

#[test]
fn anything_that_is_recorded_is_found() {
    let recorded = |rules: Value| of_rules(rules).iter().any(|it| it["recorded"] == true);
    let of = |resources: Value| json!({"level": "Metadata", "resources": resources});
    assert!(recorded(json!([of(json!([{"group": "", "resources": ["events"]}]))])));
    assert!(recorded(json!([of(json!([{"group": "batch"}]))])));
    assert!(recorded(
        json!([{"level": "Metadata", "users": ["jane"], "namespaces": ["shop"], "verbs": ["get"]}])
    ));
    assert!(recorded(json!([{"level": "Metadata", "nonResourceURLs": ["/healthz*"]}])));
    assert!(!recorded(json!([{"level": "None"}, of(json!([{"group": "batch"}]))])));
    assert!(!recorded(
        json!([{"level": "Metadata", "omitStages": ["RequestReceived", "ResponseComplete"], "verbs": ["get"],
        "resources": [{"group": "batch"}]}])
    ));
}

#[test]
fn what_the_api_server_refuses_is_an_error() {
    let refused = |rule: Value| {
        records(&json!({"files": {"auditPolicy": {"rules": [{"level": "Metadata"}, rule]}}})).unwrap_err()
    };
    for (rule, names) in [
        (json!({}), "level"),
        (json!({"level": "metadata"}), "metadata"),
        (json!({"level": "None", "users": "jane"}), "rules[1]"),
        (json!({"level": "None", "users": [7]}), "rules[1]"),
        (json!({"level": "None", "omitStages": ["Start"]}), "Start"),
        (json!({"level": "None", "namespaces": ["a"], "nonResourceURLs": ["/a"]}), "nonResourceURLs"),
        (json!({"level": "None", "resources": [{"group": "apps/v1"}]}), "apps/v1"),
        (json!({"level": "None", "resources": [{"resourceNames": ["a"]}]}), "resourceNames"),
        (json!("None"), "rules[1]"),
    ] {
        let error = refused(rule.clone());
        assert!(error.contains(names) && error.contains("rules[1]"), "{rule}: {error}");
    }
    assert!(records(&json!({"files": {"auditPolicy": {"rules": "all"}}})).is_err());
    assert!(records(&json!({"files": {"auditPolicy": {"omitStages": ["Start"]}}})).is_err());
}

#[test]
fn null_is_nothing() {
    let rules =
        json!([{"level": "Metadata", "users": null, "resources": null, "omitStages": null, "verbs": null}]);
    assert_eq!(unrecorded(rules), [""; 0]);
    assert_eq!(records(&json!({"files": {}})).unwrap(), None);
    assert_eq!(unrecorded(Value::Null).len(), 10);
}

#[test]
fn a_policy_of_any_size_ends() {
    let many = |what: &str| (0..21_000).map(|number| format!("{what}{number}")).collect::<Vec<_>>();
    let rule = json!({"level": "None", "users": many("u"), "namespaces": many("n")});
    let error = records(&json!({"files": {"auditPolicy": {"rules": [rule]}}})).unwrap_err();
    assert!(error.contains("at most"), "{error}");
    let places = json!({"level": "None", "resources": [{"resources": ["pods"], "resourceNames": many("p")}], "namespaces": many("n")});
    assert!(records(&json!({"files": {"auditPolicy": {"rules": [places]}}})).is_err());
}

/// Decides one request in the plainest way.
fn decides(rule: &Value, user: &str, groups: &[&str], verb: &str, namespace: &str, name: &str) -> bool {
    let has = |key: &str, wanted: &[&str]| {
        let list = rule[key].as_array().unwrap();
        list.is_empty() || list.iter().any(|it| wanted.contains(&it.as_str().unwrap()))
    };
    let selected = &rule["resources"][0]["resourceNames"].as_array().unwrap();
    has("users", &[user])
        && has("userGroups", groups)
        && has("verbs", &[verb])
        && has("namespaces", &[namespace])
        && (selected.is_empty() || selected.iter().any(|it| it == name))
}

proptest! {
    /// Whatever a made-up request for a Secret meets is among the elements.
    #[test]
    fn no_request_is_overlooked(
        rules in prop::collection::vec((
            prop::sample::select(vec!["None", "Metadata", "RequestResponse"]),
            prop::collection::vec(prop::sample::select(vec!["jane", "john"]), 0..2),
            prop::collection::vec(prop::sample::select(vec!["system:authenticated", "shop", "system:masters"]), 0..2),
            prop::collection::vec(prop::sample::select(vec!["get", "delete"]), 0..2),
            prop::collection::vec(prop::sample::select(vec!["kube-system", "shop"]), 0..2),
            prop::collection::vec(prop::sample::select(vec!["key", "cert"]), 0..2),
        ), 0..4),
        user in prop::sample::select(vec!["jane", "john", "ann"]),
        group in prop::sample::select(vec!["shop", "system:masters", "other"]),
        verb in prop::sample::select(vec!["get", "delete"]),
        namespace in prop::sample::select(vec!["kube-system", "shop", "default"]),
        name in prop::sample::select(vec!["key", "cert", "other"]),
    ) {
        let rules: Vec<Value> = rules.into_iter().map(|(level, users, groups, verbs, namespaces, names)| json!({
            "level": level, "users": users, "userGroups": groups, "verbs": verbs, "namespaces": namespaces,
            "resources": [{"group": "", "resources": ["secrets"], "resourceNames": names}],
        })).collect();
        let groups = [group, "system:authenticated"];
        let index = rules.iter().position(|rule| decides(rule, user, &groups, verb, namespace, name));
        let wanted = index.map_or(Value::Null, |index| format!("rules[{index}]").into());
        let elements = of_rules(rules.into());
        prop_assert!(elements.iter().any(|it| {
            it["id"] == "secrets" && it["rule"] == wanted && it["verbs"].as_array().unwrap().contains(&json!(verb))
        }), "{index:?}: {elements:?}");
    }
}
