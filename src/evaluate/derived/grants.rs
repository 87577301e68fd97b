//! The subjects of a binding, and what it grants them.

use serde_json::Value;

/// `User:jane`, `Group:system:masters`, `ServiceAccount:kube-system/default`.
pub(super) fn subjects(binding: &Value) -> Vec<String> {
    let text =
        |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let subjects = binding.get("subjects").and_then(Value::as_array).into_iter().flatten();
    subjects
        .map(|subject| {
            let (kind, name) = (text(subject, "kind"), text(subject, "name"));
            if kind == "ServiceAccount" {
                format!("{kind}:{}/{name}", text(subject, "namespace"))
            } else {
                format!("{kind}:{name}")
            }
        })
        .collect()
}

/// `<subject> has <role> by <binding>`, for each subject.
pub(super) fn of(binding: &Value, kind: &str) -> Vec<String> {
    let text = |pointer: &str| binding.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let namespace = match text("/metadata/namespace") {
        "" => String::new(),
        namespace => format!("{namespace}/"),
    };
    let role_kind = text("/roleRef/kind");
    // A Role is in the binding's namespace.
    let role_namespace = if role_kind == "Role" { namespace.as_str() } else { "" };
    let role = format!("{role_kind}/{role_namespace}{}", text("/roleRef/name"));
    let by = format!("{kind}/{namespace}{}", text("/metadata/name"));
    subjects(binding).into_iter().map(|subject| format!("{subject} has {role} by {by}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_grant_is_subject_role_and_binding() {
        let everywhere = json!({"metadata": {"name": "cluster-admin"}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "system:masters"}]});
        assert_eq!(
            of(&everywhere, "ClusterRoleBinding"),
            ["Group:system:masters has ClusterRole/cluster-admin by ClusterRoleBinding/cluster-admin"]
        );
        let own = json!({"metadata": {"name": "b", "namespace": "shop"}, "roleRef": {"kind": "Role", "name": "r"},
            "subjects": [{"kind": "ServiceAccount", "name": "s", "namespace": "other"}, {"kind": "User", "name": "jane"}]});
        assert_eq!(
            of(&own, "RoleBinding"),
            [
                "ServiceAccount:other/s has Role/shop/r by RoleBinding/shop/b",
                "User:jane has Role/shop/r by RoleBinding/shop/b"
            ]
        );
    }

    #[test]
    fn a_binding_of_nobody_grants_nothing() {
        let nobody = json!({"metadata": {"name": "system:node"}, "roleRef": {"kind": "ClusterRole", "name": "system:node"}});
        assert!(of(&nobody, "ClusterRoleBinding").is_empty() && subjects(&nobody).is_empty());
    }
}
