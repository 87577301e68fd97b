//! The level that an audit policy gives to the requests that matter.
//!
//! The first rule that matches a request decides its level, as in the API server.

use serde_json::{Value, json};

/// A kind of request, and the level that it needs.
struct AuditedRequest {
    id: &'static str,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    /// `metadata`: exactly that, because bodies would put secrets into the log; `any`: any level except `None`.
    class: &'static str,
    namespaced: bool,
}

const WRITES: &[&str] = &["create", "update", "patch", "delete"];

const REQUESTS: [AuditedRequest; 9] = [
    AuditedRequest {
        id: "secrets",
        group: "",
        resources: &["secrets"],
        verbs: &["get", "list", "watch", "create", "update", "patch", "delete"],
        class: "metadata",
        namespaced: true,
    },
    AuditedRequest {
        id: "configmaps",
        group: "",
        resources: &["configmaps"],
        verbs: &["get", "list", "create", "update", "patch", "delete"],
        class: "metadata",
        namespaced: true,
    },
    AuditedRequest {
        id: "tokenreviews",
        group: "authentication.k8s.io",
        resources: &["tokenreviews"],
        verbs: &["create"],
        class: "metadata",
        namespaced: false,
    },
    AuditedRequest {
        id: "pods",
        group: "",
        resources: &["pods"],
        verbs: WRITES,
        class: "any",
        namespaced: true,
    },
    AuditedRequest {
        id: "deployments",
        group: "apps",
        resources: &["deployments"],
        verbs: WRITES,
        class: "any",
        namespaced: true,
    },
    AuditedRequest {
        id: "pod-subresources",
        group: "",
        resources: &["pods/exec", "pods/portforward", "pods/proxy"],
        verbs: &["create", "get"],
        class: "any",
        namespaced: true,
    },
    AuditedRequest {
        id: "service-proxy",
        group: "",
        resources: &["services/proxy"],
        verbs: &["create", "get"],
        class: "any",
        namespaced: true,
    },
    AuditedRequest {
        id: "csr",
        group: "certificates.k8s.io",
        resources: &["certificatesigningrequests"],
        verbs: &["create"],
        class: "any",
        namespaced: false,
    },
    AuditedRequest {
        id: "serviceaccount-token",
        group: "",
        resources: &["serviceaccounts/token"],
        verbs: &["create"],
        class: "any",
        namespaced: true,
    },
];

/// A user that no policy names, in the group of all authenticated users.
const GROUPS: &[&str] = &["system:authenticated"];

/// The level of each request, one element per verb and resource. `None` without a policy.
pub(super) fn levels(root: &Value) -> Option<Value> {
    let policy = root.pointer("/files/auditPolicy")?;
    let mut out = Vec::new();
    for request in &REQUESTS {
        for resource in request.resources {
            for verb in request.verbs {
                let level = level(policy, request, resource, verb);
                out.push(json!({"id": request.id, "verb": verb, "resource": resource, "class": request.class, "level": level}));
            }
        }
    }
    Some(Value::Array(out))
}

fn level<'p>(policy: &'p Value, request: &AuditedRequest, resource: &str, verb: &str) -> &'p str {
    let rule = elements(policy, "rules").find(|rule| matches(rule, request, resource, verb));
    let Some(rule) = rule else { return "None" };
    let omitted =
        |stage: &str| texts(policy, "omitStages").chain(texts(rule, "omitStages")).any(|it| it == stage);
    if omitted("ResponseStarted") && omitted("ResponseComplete") {
        return "None";
    }
    rule.get("level").and_then(Value::as_str).unwrap_or("None")
}

fn matches(rule: &Value, request: &AuditedRequest, resource: &str, verb: &str) -> bool {
    // An empty list is the same as none.
    let admits = |key: &str, wanted: &[&str]| {
        texts(rule, key).next().is_none() || texts(rule, key).any(|text| wanted.contains(&text))
    };
    let anyone = texts(rule, "users").next().is_none();
    if !(anyone && admits("userGroups", GROUPS) && admits("verbs", &[verb])) {
        return false;
    }
    let has = |key: &str| elements(rule, key).next().is_some();
    if has("namespaces") || has("resources") {
        let namespace = if request.namespaced { "default" } else { "" };
        return admits("namespaces", &[namespace])
            && (!has("resources")
                || elements(rule, "resources").any(|selected| selects(selected, request.group, resource)));
    }
    !has("nonResourceURLs")
}

/// `pods` excludes its subresources, `pods/*` includes them, `*` is everything in the group. Rules for named objects
/// never match, because the requests here are for other objects.
fn selects(selected: &Value, group: &str, resource: &str) -> bool {
    if selected.get("group").and_then(Value::as_str).unwrap_or_default() != group {
        return false;
    }
    if texts(selected, "resources").next().is_none() {
        return true;
    }
    let (owner, sub) = resource.split_once('/').map_or((resource, None), |(owner, sub)| (owner, Some(sub)));
    let names = texts(selected, "resourceNames").next().is_none();
    names
        && texts(selected, "resources").any(|pattern| {
            pattern == resource
                || pattern == "*"
                || (sub.is_some() && pattern.strip_prefix("*/") == sub)
                || pattern.strip_suffix("/*") == Some(owner)
        })
}

fn elements<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn texts<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v str> {
    elements(value, key).filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level_of(rules: Value, id: &str, verb: &str) -> String {
        let root = json!({"files": {"auditPolicy": {"rules": rules}}});
        let levels = levels(&root).unwrap();
        let found =
            levels.as_array().unwrap().iter().find(|it| it["id"] == id && it["verb"] == verb).unwrap();
        found["level"].as_str().unwrap().to_owned()
    }

    #[test]
    fn the_first_matching_rule_decides() {
        let rules = json!([
            {"level": "None", "users": ["system:kube-proxy"]},
            {"level": "None", "userGroups": ["system:nodes"]},
            {"level": "Metadata", "resources": [{"group": "", "resources": ["secrets", "configmaps"]}]},
            {"level": "None", "verbs": ["get", "list", "watch"]},
            {"level": "Request"},
        ]);
        assert_eq!(level_of(rules.clone(), "secrets", "get"), "Metadata");
        assert_eq!(level_of(rules.clone(), "pods", "create"), "Request");
        assert_eq!(level_of(rules, "pod-subresources", "get"), "None");
        assert_eq!(level_of(json!([]), "pods", "create"), "None");
    }

    #[test]
    fn resources_match_as_in_the_api_server() {
        let one = |resources: Value| json!([{"level": "Metadata", "resources": [{"group": "", "resources": resources}]}]);
        assert_eq!(level_of(one(json!(["pods"])), "pod-subresources", "get"), "None");
        assert_eq!(level_of(one(json!(["pods/*"])), "pod-subresources", "get"), "Metadata");
        assert_eq!(level_of(one(json!(["pods/*"])), "pods", "create"), "Metadata");
        assert_eq!(level_of(one(json!(["*/token"])), "serviceaccount-token", "create"), "Metadata");
        assert_eq!(level_of(one(json!(["*"])), "service-proxy", "get"), "Metadata");
        assert_eq!(level_of(one(json!([])), "service-proxy", "get"), "Metadata");
        assert_eq!(level_of(one(json!(["*"])), "deployments", "create"), "None", "another group");
        let named = json!([{"level": "Metadata", "resources": [{"group": "", "resources": ["secrets"], "resourceNames": ["one"]}]}]);
        assert_eq!(level_of(named, "secrets", "get"), "None");
    }

    #[test]
    fn namespaces_and_addresses_narrow_a_rule() {
        let in_namespace = |name: &str| json!([{"level": "Metadata", "namespaces": [name]}]);
        assert_eq!(level_of(in_namespace("default"), "pods", "create"), "Metadata");
        assert_eq!(level_of(in_namespace("kube-system"), "pods", "create"), "None");
        assert_eq!(level_of(in_namespace("default"), "csr", "create"), "None");
        assert_eq!(level_of(in_namespace(""), "csr", "create"), "Metadata");
        assert_eq!(
            level_of(json!([{"level": "Metadata", "nonResourceURLs": ["*"]}]), "pods", "create"),
            "None"
        );
    }

    #[test]
    fn omitted_stages_record_nothing() {
        let rules = json!([{"level": "Metadata", "omitStages": ["ResponseComplete"]}]);
        assert_eq!(level_of(rules.clone(), "pods", "create"), "Metadata");
        let root = json!({"files": {"auditPolicy": {"rules": rules, "omitStages": ["ResponseStarted"]}}});
        assert_eq!(levels(&root).unwrap()[0]["level"], "None");
    }

    #[test]
    fn without_a_policy_nothing_is_said() {
        assert_eq!(levels(&json!({"files": {}})), None);
    }
}
