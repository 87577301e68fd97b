//! Network policies, by namespace.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

use super::statements::ObjectKey;
use crate::resource::{Reason, Resource, Unread};

const KIND: &str = "NetworkPolicy";

/// Name and key of a policy → whether its `spec` is well-formed.
type OfNamespace = BTreeMap<(String, ObjectKey), bool>;

#[derive(Debug, Default)]
pub(super) struct Policies {
    namespaces: BTreeMap<String, OfNamespace>,
    /// Namespace and name of each policy.
    known: HashMap<ObjectKey, (String, String)>,
}

impl Policies {
    /// Notes a policy; returns its namespace if the namespace's policies changed.
    pub(super) fn note(&mut self, policy: &Resource, key: ObjectKey) -> Option<String> {
        let namespace = policy.namespace_or_default().to_owned();
        // An API server rejects any other `spec`, but a manifest may have one.
        let understood = policy.raw.get("spec").is_none_or(|spec| spec.is_object() || spec.is_null());
        let of_namespace = self.namespaces.entry(namespace.clone()).or_default();
        if of_namespace.insert((policy.name.clone(), key), understood) == Some(understood) {
            return None;
        }
        self.known.insert(key, (namespace.clone(), policy.name.clone()));
        Some(namespace)
    }

    /// Forgets a policy; returns its namespace.
    pub(super) fn forget(&mut self, key: ObjectKey) -> Option<String> {
        let (namespace, name) = self.known.remove(&key)?;
        let of_namespace = self.namespaces.get_mut(&namespace)?;
        of_namespace.remove(&(name, key));
        if of_namespace.is_empty() {
            self.namespaces.remove(&namespace);
        }
        Some(namespace)
    }

    /// `{kind, name}` of each policy of a namespace, and a gap for each that is malformed.
    pub(super) fn of(&self, namespace: &str) -> (Vec<Value>, Vec<Unread>) {
        let policies = || self.namespaces.get(namespace).into_iter().flatten();
        let list = policies().map(|((name, _), _)| json!({"kind": KIND, "name": name})).collect();
        let odd = policies().enumerate().filter(|(_, (_, understood))| !**understood);
        let odd = odd.map(|(position, ((name, _), _))| {
            let what = format!("understand the NetworkPolicy \"{name}\": expected an object as `spec`");
            Unread::new(format!("$.related.networkPolicies[{position}]"), Reason::Malformed, what)
        });
        (list, odd.collect())
    }

    /// `{namespace, policies}` of each namespace with policies: how many are well-formed.
    pub(super) fn counts(&self) -> Vec<Value> {
        let counts = self.namespaces.iter().map(|(namespace, policies)| {
            let understood = policies.values().filter(|understood| **understood).count();
            json!({"namespace": namespace, "policies": understood})
        });
        counts.collect()
    }
}
