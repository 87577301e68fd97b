//! Service accounts: what they say of tokens, and how many pods run as them.

use serde_json::{Map, Value};
use std::collections::HashMap;

use crate::resource::Resource;

/// Namespace → account → what is known. Nested, so that a look takes no text of its own.
type ByName<T> = HashMap<String, HashMap<String, T>>;

#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// `automountServiceAccountToken`, where it is set.
    automount: ByName<Option<Value>>,
    pods: ByName<u64>,
}

impl Accounts {
    pub fn note_account(&mut self, account: &Resource) {
        let namespace = account.namespace().unwrap_or_default().to_owned();
        let automount = account.raw.get("automountServiceAccountToken").cloned();
        self.automount.entry(namespace).or_default().insert(account.name.clone(), automount);
    }

    pub fn note_pod(&mut self, pod: &Resource) {
        let Some(account) = name(&pod.raw) else { return };
        let namespace = pod.namespace().unwrap_or_default();
        // Two looks where the names are new, none with a text of its own where they are not.
        if !self.pods.contains_key(namespace) {
            self.pods.insert(namespace.to_owned(), HashMap::new());
        }
        let Some(accounts) = self.pods.get_mut(namespace) else { return };
        match accounts.get_mut(account) {
            Some(count) => *count += 1,
            None => {
                accounts.insert(account.to_owned(), 1);
            }
        }
    }

    /// How many pods run as an account.
    pub fn pods(&self, namespace: &str, account: &str) -> u64 {
        self.pods.get(namespace).and_then(|accounts| accounts.get(account)).copied().unwrap_or_default()
    }

    /// `{automountServiceAccountToken?}` of a pod's account, where there is such an account.
    pub fn of_pod(&self, pod: &Resource) -> Option<Value> {
        let automount = self.automount.get(pod.namespace().unwrap_or_default())?.get(name(&pod.raw)?)?;
        let mut out = Map::new();
        out.extend(automount.clone().map(|value| ("automountServiceAccountToken".to_owned(), value)));
        Some(Value::Object(out))
    }
}

/// The account a pod runs as; a mirror pod runs as none.
fn name(pod: &Value) -> Option<&str> {
    let spec = pod.get("spec")?;
    let name = |key: &str| spec.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
    name("serviceAccountName").or_else(|| name("serviceAccount"))
}
