//! The rules of roles, for the bindings that refer to them.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;

use super::statements::ObjectKey;
use crate::resource::Resource;

const ROLE: &str = "Role";
const CLUSTER_ROLE: &str = "ClusterRole";

/// A role's kind, namespace (empty for cluster roles) and name.
#[derive(Debug, PartialEq, Eq, Hash, Clone)]
pub struct RoleName {
    /// `Role` or `ClusterRole`.
    pub kind: &'static str,
    /// Empty for cluster roles.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl RoleName {
    /// The role that a binding refers to.
    pub fn of_binding(binding: &Resource) -> Self {
        let text = |pointer: &str| binding.raw.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (kind, namespace) = match text("/roleRef/kind") {
            ROLE => (ROLE, binding.namespace().unwrap_or_default()),
            _ => (CLUSTER_ROLE, ""),
        };
        Self { kind, namespace: namespace.to_owned(), name: text("/roleRef/name").to_owned() }
    }

    fn of(role: &Resource) -> Self {
        let kind = if role.sub_type == ROLE { ROLE } else { CLUSTER_ROLE };
        let namespace = role.namespace().unwrap_or_default().to_owned();
        Self { kind, namespace, name: role.name.clone() }
    }
}

#[derive(Debug, Default)]
pub(super) struct RoleIndex {
    /// The rules as JSON text, because parsed they would take ten times the memory.
    by_name: HashMap<Arc<RoleName>, (ObjectKey, Box<str>)>,
    known: HashMap<ObjectKey, Arc<RoleName>>,
}

impl RoleIndex {
    /// Notes a role; returns its name if its rules changed.
    pub(super) fn note(&mut self, role: &Resource, key: ObjectKey) -> Option<RoleName> {
        // Rules that are not a list are kept: judging the binding reports them as malformed.
        let rules = role.raw.get("rules").filter(|rules| !rules.is_null());
        let rules = rules.map_or_else(|| "[]".to_owned(), Value::to_string).into_boxed_str();
        let name = Arc::new(RoleName::of(role));
        let same = self.by_name.get(&name).is_some_and(|(_, before)| *before == rules);
        self.by_name.insert(Arc::clone(&name), (key, rules));
        self.known.insert(key, Arc::clone(&name));
        (!same).then(|| RoleName::clone(&name))
    }

    /// Forgets a role; returns its name, unless a new role of that name has replaced it.
    pub(super) fn forget(&mut self, key: ObjectKey) -> Option<RoleName> {
        let name = self.known.remove(&key)?;
        if self.by_name.get(&name).is_none_or(|(of, _)| *of != key) {
            return None;
        }
        self.by_name.remove(&name);
        Some(Arc::unwrap_or_clone(name))
    }

    /// The role that a binding refers to, if it exists, and the kind of role.
    pub(super) fn of(&self, binding: &Resource) -> (Option<Value>, &'static str) {
        let name = RoleName::of_binding(binding);
        let role = self.by_name.get(&name).map(|(_, rules)| {
            let rules: Value = serde_json::from_str(rules).unwrap_or_default();
            json!({"kind": name.kind, "name": name.name, "rules": rules})
        });
        (role, name.kind)
    }
}
