//! The authorizers of an API server, in order.

use serde_json::Value;

use super::{last, list};

/// Whether `--authorization-config` names a file; the server rejects it together with `--authorization-mode`.
pub(super) fn uses_file(root: &Value) -> bool {
    last(root, "authorization-config").is_some_and(|path| !path.is_empty())
}

/// The types in the file, or the modes of the flag, or the default, `AlwaysAllow`.
pub(super) fn of(root: &Value) -> Value {
    if uses_file(root) {
        let authorizers = root.pointer("/files/authorizationConfiguration/authorizers");
        let types = authorizers.and_then(Value::as_array).into_iter().flatten();
        return types.filter_map(|authorizer| authorizer.get("type")).cloned().collect();
    }
    let modes = list(root, "authorization-mode");
    if modes.is_empty() { Value::from(vec!["AlwaysAllow"]) } else { Value::from(modes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn file_then_flag_then_default() {
        assert_eq!(of(&json!({})), json!(["AlwaysAllow"]));
        assert_eq!(of(&json!({"args": {"authorization-mode": [""]}})), json!(["AlwaysAllow"]));
        assert_eq!(of(&json!({"args": {"authorization-mode": ["Node,RBAC"]}})), json!(["Node", "RBAC"]));
        let root = json!({
            "args": {"authorization-config": ["/x.yaml"]},
            "files": {"authorizationConfiguration": {"authorizers": [{"type": "Node"}, {"type": "Webhook"}]}},
        });
        assert_eq!(of(&root), json!(["Node", "Webhook"]));
    }
}
