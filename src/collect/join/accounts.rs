//! Service accounts: token automounting and IAM roles.

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::statements::ObjectKey;
use crate::resource::{Resource, at};

/// Namespace → account → its key and, if set, its `automountServiceAccountToken`. Nested, so that a lookup allocates
/// no string.
type ByName = HashMap<String, HashMap<String, (ObjectKey, Option<Value>)>>;

#[derive(Debug, Default)]
pub(super) struct Accounts {
    automount: ByName,
    /// IAM role → namespace, name and key of the accounts that are annotated with it.
    roles: BTreeMap<String, BTreeSet<(String, String, ObjectKey)>>,
    known: HashMap<ObjectKey, KnownAccount>,
}

#[derive(Debug, PartialEq)]
struct KnownAccount {
    namespace: String,
    name: String,
    /// The IAM role in its annotation.
    role: Option<String>,
}

/// What changed when an account was noted or forgotten.
#[derive(Debug, Default)]
pub(super) struct AccountChanges {
    /// Namespace and name of the account, if the joins of its pods changed.
    pub pods_of: Option<(String, String)>,
    /// Whether the set of accounts with an IAM role changed.
    pub users: bool,
    /// Namespace and name of the accounts whose `roleNamespaces` changed.
    pub sharing: BTreeSet<(String, String)>,
}

/// The annotation with an account's IAM role.
const ROLE: &str = "/metadata/annotations/eks.amazonaws.com~1role-arn";
/// The audience of the token that EKS Pod Identity adds to the pods of an account with an IAM role.
const POD_IDENTITY: &str = "pods.eks.amazonaws.com";

impl Accounts {
    pub(super) fn note(&mut self, account: &Resource, key: ObjectKey) -> AccountChanges {
        let automount = account.raw.get("automountServiceAccountToken").cloned();
        let now = KnownAccount {
            namespace: account.namespace_or_default().to_owned(),
            name: account.name.clone(),
            role: role(&account.raw).map(str::to_owned),
        };
        let mut changed = AccountChanges::default();
        let before = self.automount(&now.namespace, &now.name);
        if before != Some(&(key, automount.clone())) {
            // A recreated account with the same setting changes nothing for its pods.
            let news = before.map(|(_, automount)| automount) != Some(&automount);
            changed.pods_of = news.then(|| (now.namespace.clone(), now.name.clone()));
            let of_namespace = self.automount.entry(now.namespace.clone()).or_default();
            of_namespace.insert(now.name.clone(), (key, automount));
        }
        if self.known.get(&key) != Some(&now) {
            self.unrole(key, &mut changed);
            if let Some(role) = &now.role {
                let before = self.namespaces(role);
                let who = (now.namespace.clone(), now.name.clone(), key);
                changed.users |= self.roles.entry(role.clone()).or_default().insert(who);
                self.shared(role, &before, &mut changed);
            }
            self.known.insert(key, now);
        }
        changed
    }

    pub(super) fn forget(&mut self, key: ObjectKey) -> AccountChanges {
        let mut changed = AccountChanges::default();
        self.unrole(key, &mut changed);
        let Some(KnownAccount { namespace, name, .. }) = self.known.remove(&key) else { return changed };
        // Keep the entry if a new account of the same name has replaced this one.
        if self.automount(&namespace, &name).is_some_and(|(of, _)| *of == key)
            && let Some(of_namespace) = self.automount.get_mut(&namespace)
        {
            of_namespace.remove(&name);
            if of_namespace.is_empty() {
                self.automount.remove(&namespace);
            }
            changed.pods_of = Some((namespace, name));
        }
        changed
    }

    /// Removes an account from the users of its IAM role.
    fn unrole(&mut self, key: ObjectKey, changed: &mut AccountChanges) {
        let Some(KnownAccount { namespace, name, role: Some(role) }) = self.known.get(&key) else { return };
        let (role, who) = (role.clone(), (namespace.clone(), name.clone(), key));
        let before = self.namespaces(&role);
        if let Some(users) = self.roles.get_mut(&role) {
            changed.users |= users.remove(&who);
            if users.is_empty() {
                self.roles.remove(&role);
            }
        }
        self.shared(&role, &before, changed);
    }

    fn shared(&self, role: &str, before: &BTreeSet<String>, changed: &mut AccountChanges) {
        if self.namespaces(role) != *before {
            let users = self.roles.get(role).into_iter().flatten();
            changed.sharing.extend(users.map(|(namespace, name, _)| (namespace.clone(), name.clone())));
        }
    }

    fn namespaces(&self, role: &str) -> BTreeSet<String> {
        self.roles.get(role).into_iter().flatten().map(|(namespace, ..)| namespace.clone()).collect()
    }

    fn automount(&self, namespace: &str, name: &str) -> Option<&(ObjectKey, Option<Value>)> {
        self.automount.get(namespace)?.get(name)
    }

    /// Namespaces of the accounts with the same IAM role as this one. `None`: it has no role.
    pub(super) fn role_namespaces(&self, account: &Resource) -> Option<Vec<Value>> {
        let namespaces = self.roles.get(role(&account.raw)?)?;
        let namespaces: BTreeSet<&str> =
            namespaces.iter().map(|(namespace, ..)| namespace.as_str()).collect();
        Some(namespaces.into_iter().map(Value::from).collect())
    }

    /// Namespace and name of each account that is annotated with an IAM role.
    pub(super) fn with_role(&self) -> impl Iterator<Item = (&str, &str)> {
        self.roles.values().flatten().map(|(namespace, name, _)| (namespace.as_str(), name.as_str()))
    }

    /// `{automountServiceAccountToken?}` of an account, if it exists.
    pub(super) fn mounting(&self, namespace: &str, account: &str) -> Option<Value> {
        let (_, automount) = self.automount(namespace, account)?;
        let mut out = Map::new();
        out.extend(automount.clone().map(|value| ("automountServiceAccountToken".to_owned(), value)));
        Some(Value::Object(out))
    }
}

/// The IAM role in an account's annotation.
fn role(account: &Value) -> Option<&str> {
    account.pointer(ROLE).and_then(Value::as_str).filter(|role| !role.is_empty())
}

pub(super) fn has_pod_identity(pod: &Value) -> bool {
    let volumes = at(pod, "/spec/volumes").and_then(Value::as_array).into_iter().flatten();
    let sources = volumes.filter_map(|volume| at(volume, "/projected/sources")?.as_array()).flatten();
    let mut audiences = sources.filter_map(|source| at(source, "/serviceAccountToken/audience"));
    audiences.any(|audience| audience == POD_IDENTITY)
}

/// The account that a pod runs as, or the pods of a workload's template. One that is not created yet and names none
/// will run as `default`.
pub(super) fn of_pod(pod: &Resource) -> Option<&str> {
    let (pod, is_stored) = match &pod.pod_template {
        Some(path) => (path.of(&pod.raw).unwrap_or(&Value::Null), false),
        None => (&pod.raw, super::is_stored(&pod.raw)),
    };
    runs_as(pod).or((!is_stored).then_some("default"))
}

/// The service account that a pod runs as. `None`: a mirror pod.
pub(in crate::collect) fn runs_as(pod: &Value) -> Option<&str> {
    let spec = pod.get("spec")?;
    let name = |key: &str| spec.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
    name("serviceAccountName").or_else(|| name("serviceAccount"))
}
