//! Service accounts: what they say of tokens and of roles at AWS, and how many pods run as them.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::resource::Resource;

/// Namespace → account → what is known. Nested, so that a look takes no text of its own.
type ByName<T> = HashMap<String, HashMap<String, T>>;

#[derive(Debug, Default)]
pub(super) struct Accounts {
    /// `automountServiceAccountToken`, where it is set.
    automount: ByName<Option<Value>>,
    pods: ByName<u64>,
    /// Role at AWS → namespaces of the accounts that ask for it.
    roles: BTreeMap<String, BTreeSet<String>>,
    /// Namespace, account, and how it comes by a role at AWS.
    role_users: BTreeSet<(String, String, &'static str)>,
}

/// Where an account names its role at AWS.
const ROLE: &str = "/metadata/annotations/eks.amazonaws.com~1role-arn";
/// For whom the token is that EKS puts into the pods of an account with a role by Pod Identity.
const POD_IDENTITY: &str = "pods.eks.amazonaws.com";

impl Accounts {
    pub fn note_account(&mut self, account: &Resource) {
        let namespace = account.namespace().unwrap_or_default().to_owned();
        let automount = account.raw.get("automountServiceAccountToken").cloned();
        if let Some(role) = role(&account.raw) {
            self.roles.entry(role.to_owned()).or_default().insert(namespace.clone());
            self.role_users.insert((namespace.clone(), account.name.clone(), "annotation"));
        }
        self.automount.entry(namespace).or_default().insert(account.name.clone(), automount);
    }

    /// Namespaces of the accounts that ask for the same role at AWS as this one; none where it asks for none.
    pub fn role_namespaces(&self, account: &Resource) -> Option<Value> {
        let namespaces = self.roles.get(role(&account.raw)?)?;
        Some(namespaces.iter().map(String::as_str).collect())
    }

    /// `{namespace, serviceAccount, by}` of each account with a role at AWS: `annotation`, or `pod-identity` where a
    /// pod shows it.
    pub fn role_users(&self) -> Vec<Value> {
        let one = |(namespace, account, by): &(String, String, &str)| json!({"namespace": namespace, "serviceAccount": account, "by": by});
        self.role_users.iter().map(one).collect()
    }

    pub fn note_pod(&mut self, pod: &Resource) {
        let Some(account) = name(&pod.raw) else { return };
        let namespace = pod.namespace().unwrap_or_default();
        if has_pod_identity(&pod.raw) {
            self.role_users.insert((namespace.to_owned(), account.to_owned(), "pod-identity"));
        }
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

/// The role at AWS that an account asks for.
fn role(account: &Value) -> Option<&str> {
    account.pointer(ROLE).and_then(Value::as_str).filter(|role| !role.is_empty())
}

fn has_pod_identity(pod: &Value) -> bool {
    let volumes = pod.pointer("/spec/volumes").and_then(Value::as_array).into_iter().flatten();
    let sources = volumes.filter_map(|volume| volume.pointer("/projected/sources")?.as_array()).flatten();
    let mut audiences = sources.filter_map(|source| source.pointer("/serviceAccountToken/audience"));
    audiences.any(|audience| audience == POD_IDENTITY)
}

/// The account a pod runs as; a mirror pod runs as none.
fn name(pod: &Value) -> Option<&str> {
    let spec = pod.get("spec")?;
    let name = |key: &str| spec.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
    name("serviceAccountName").or_else(|| name("serviceAccount"))
}
