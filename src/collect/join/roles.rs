//! The rules of roles, for the bindings that name them.

use serde_json::{Value, json};
use std::collections::HashMap;

use crate::resource::Resource;

/// Kind, namespace (empty for cluster roles) and name → `{kind, name, rules}`.
#[derive(Debug, Default)]
pub(super) struct Roles {
    by_name: HashMap<(String, String, String), Value>,
}

impl Roles {
    pub fn note(&mut self, resource: &Resource) {
        let namespace = resource.namespace().unwrap_or_default().to_owned();
        // Of another type they stay as they are: that it cannot be understood is said where it is judged.
        let rules = resource.raw.get("rules").filter(|rules| !rules.is_null()).cloned();
        let role = json!({
            "kind": resource.sub_type,
            "name": resource.name,
            "rules": rules.unwrap_or_else(|| Value::Array(Vec::new())),
        });
        self.by_name.insert((resource.sub_type.clone(), namespace, resource.name.clone()), role);
    }

    /// The role that a binding names, if there is one, and the kind that it would be of.
    pub fn of(&self, binding: &Resource) -> (Option<Value>, &'static [&'static str]) {
        let text = |pointer: &str| binding.raw.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (kind, kinds, namespace): (_, &[&str], _) = match text("/roleRef/kind") {
            "Role" => ("Role", &["Role"], binding.namespace().unwrap_or_default()),
            _ => ("ClusterRole", &["ClusterRole"], ""),
        };
        let name = (kind.to_owned(), namespace.to_owned(), text("/roleRef/name").to_owned());
        (self.by_name.get(&name).cloned(), kinds)
    }
}
