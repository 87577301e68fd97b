//! The rules of roles, for the bindings that refer to them.

mod built_in;
mod labels;

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
            ROLE => (ROLE, binding.namespace_or_default()),
            _ => (CLUSTER_ROLE, ""),
        };
        Self { kind, namespace: namespace.to_owned(), name: text("/roleRef/name").to_owned() }
    }

    fn of(role: &Resource) -> Self {
        let (kind, namespace) =
            if role.sub_type == ROLE { (ROLE, role.namespace_or_default()) } else { (CLUSTER_ROLE, "") };
        Self { kind, namespace: namespace.to_owned(), name: role.name.clone() }
    }
}

#[derive(Debug, Default)]
pub(super) struct RoleIndex {
    /// The rules as JSON text, because parsed they would take ten times the memory.
    by_name: HashMap<Arc<RoleName>, (ObjectKey, Box<str>)>,
    known: HashMap<ObjectKey, Arc<RoleName>>,
    /// Of cluster roles, what aggregation needs, where the index puts aggregated roles together itself.
    aggregation: BTreeMap<ObjectKey, Aggregation>,
}

/// What aggregation needs of a cluster role.
#[derive(Debug, PartialEq)]
struct Aggregation {
    labels: Value,
    /// Selectors of the roles whose rules it takes in; none: it is no aggregated role.
    selectors: Vec<Value>,
    /// Whether it was read from an API server, whose controller has filled in its rules.
    is_filled_in: bool,
}

/// The role that a binding names.
#[derive(Debug, PartialEq)]
pub(super) struct BoundRole {
    /// `{kind, name, rules}`.
    pub role: Value,
    /// Whether roles that are not in the input may add to its rules.
    pub is_open: bool,
}

impl RoleIndex {
    /// Notes a role; returns its name if its rules changed. `assembles`: aggregated roles are put together here.
    pub(super) fn note(&mut self, role: &Resource, key: ObjectKey, assembles: bool) -> Option<RoleName> {
        // Rules that are not a list are kept: judging the binding reports them as malformed.
        let rules = role.raw.get("rules").filter(|rules| !rules.is_null());
        let rules = rules.map_or_else(|| "[]".to_owned(), Value::to_string).into_boxed_str();
        let name = Arc::new(RoleName::of(role));
        if assembles && name.kind == CLUSTER_ROLE {
            self.aggregation.insert(key, Aggregation::of(role));
        }
        let same = self.by_name.get(&name).is_some_and(|(_, before)| *before == rules);
        self.by_name.insert(Arc::clone(&name), (key, rules));
        self.known.insert(key, Arc::clone(&name));
        (!same).then(|| RoleName::clone(&name))
    }

    /// Forgets a role; returns its name, unless a new role of that name has replaced it.
    pub(super) fn forget(&mut self, key: ObjectKey) -> Option<RoleName> {
        let name = self.known.remove(&key)?;
        self.aggregation.remove(&key);
        if self.by_name.get(&name).is_none_or(|(of, _)| *of != key) {
            return None;
        }
        self.by_name.remove(&name);
        Some(Arc::unwrap_or_clone(name))
    }

    /// A role as it was read; what an API server shows of an aggregated role is complete.
    pub(super) fn get(&self, name: &RoleName) -> Option<BoundRole> {
        let (_, rules) = self.by_name.get(name)?;
        let rules: Value = serde_json::from_str(rules).unwrap_or_default();
        Some(BoundRole::new(name, rules, false))
    }

    /// A role of an input that is only a part: one that Kubernetes creates by itself need not be there, and an aggregated
    /// role is put together from the roles at hand. `minor`: the version of Kubernetes, 1.`minor`.
    pub(super) fn assemble(&self, name: &RoleName, minor: Option<u32>) -> Option<BoundRole> {
        let mut parts =
            Parts { index: self, minor, taken: BTreeSet::new(), rules: Vec::new(), is_open: false };
        if let Some((key, text)) = self.by_name.get(name) {
            let rules: Value = serde_json::from_str(text).unwrap_or_default();
            let Value::Array(own) = rules else { return Some(BoundRole::new(name, rules, false)) };
            parts.taken.insert(name.name.clone());
            parts.add(own, self.aggregation.get(key).map(Aggregation::open_selectors).unwrap_or_default());
        } else {
            let built_in = built_in::get(name, minor)?;
            parts.taken.insert(name.name.clone());
            parts.add(built_in.rules, labels::selectors(&built_in.aggregates));
        }
        Some(BoundRole::new(name, parts.rules.into(), parts.is_open))
    }
}

impl BoundRole {
    fn new(name: &RoleName, rules: Value, is_open: bool) -> Self {
        Self { role: json!({"kind": name.kind, "name": name.name, "rules": rules}), is_open }
    }
}

impl Aggregation {
    fn of(role: &Resource) -> Self {
        let field = |pointer: &str| role.raw.pointer(pointer);
        let selectors = field("/aggregationRule/clusterRoleSelectors").and_then(Value::as_array);
        Self {
            labels: field("/metadata/labels").cloned().unwrap_or_default(),
            selectors: selectors.cloned().unwrap_or_default(),
            is_filled_in: super::is_stored(&role.raw),
        }
    }

    fn open_selectors(&self) -> Vec<Value> {
        if self.is_filled_in { Vec::new() } else { self.selectors.clone() }
    }
}

/// An aggregated role while it is put together.
struct Parts<'a> {
    index: &'a RoleIndex,
    minor: Option<u32>,
    /// Roles whose rules are in already.
    taken: BTreeSet<String>,
    rules: Vec<Value>,
    is_open: bool,
}

impl Parts<'_> {
    /// Adds a role's own rules, and those of the roles that its selectors pick.
    fn add(&mut self, own: Vec<Value>, selectors: Vec<Value>) {
        self.rules.extend(own);
        // Selected roles select others in turn, so the ones to look at are a list, not a recursion.
        let mut waiting = selectors;
        while let Some(selector) = waiting.pop() {
            self.is_open = true;
            for (key, aggregation) in &self.index.aggregation {
                let Some(name) = self.index.known.get(key) else { continue };
                if !labels::select(&selector, &aggregation.labels) || !self.taken.insert(name.name.clone()) {
                    continue;
                }
                if let Some((_, text)) = self.index.by_name.get(name)
                    && let Ok(Value::Array(rules)) = serde_json::from_str(text)
                {
                    self.rules.extend(rules);
                }
                waiting.extend(aggregation.open_selectors());
            }
            for (name, role) in built_in::parts(self.minor) {
                let is_replaced = || {
                    let name =
                        RoleName { kind: CLUSTER_ROLE, namespace: String::new(), name: name.to_owned() };
                    self.index.by_name.contains_key(&name)
                };
                if !labels::select(&selector, &labels::as_object(&role.part_of))
                    || is_replaced()
                    || !self.taken.insert(name.to_owned())
                {
                    continue;
                }
                self.rules.extend(role.rules);
                waiting.extend(labels::selectors(&role.aggregates));
            }
        }
    }
}
