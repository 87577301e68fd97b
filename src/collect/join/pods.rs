//! Pods: their number in each namespace, and their service accounts. There are many pods, so little is kept of each.

use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::accounts::{has_pod_identity, of_pod};
use super::statements::ObjectKey;
use crate::resource::{Resource, at};

/// The annotation of mirror pods. Only kubelets may create pods with it.
const MIRROR: &str = "kubernetes.io/config.mirror";

#[derive(Debug, Default)]
pub(super) struct Pods {
    known: HashMap<ObjectKey, PodFacts>,
    namespaces: BTreeMap<String, NamespacePods>,
}

/// What is kept of one pod.
#[derive(Debug, Clone)]
struct PodFacts {
    runs_as: Arc<RunsAs>,
    mirror: bool,
    identity: bool,
}

/// Namespace and account, shared by all pods that run as it. The account is empty for a pod without one.
#[derive(Debug)]
struct RunsAs {
    namespace: String,
    account: String,
}

#[derive(Debug, Default)]
struct NamespacePods {
    /// How many pods it has, mirror pods excluded.
    workloads: u32,
    accounts: HashMap<String, AccountPods>,
}

#[derive(Debug)]
struct AccountPods {
    runs_as: Arc<RunsAs>,
    pods: u32,
    /// How many of them have a Pod Identity token.
    identity: u32,
}

/// What joins depend on: whether a namespace has workloads, and one of its accounts has pods and Pod Identity tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct AccountView {
    workloads: bool,
    account: bool,
    identity: bool,
}

/// What changed when a pod was noted or forgotten.
#[derive(Debug, Default)]
pub(super) struct PodChanges {
    /// Whether facts about the cluster changed.
    pub cluster: bool,
    /// Namespace and name of the accounts that got their first pod or lost their last one.
    pub accounts: Vec<(String, String)>,
}

impl Pods {
    pub(super) fn note(&mut self, pod: &Resource, key: ObjectKey) -> PodChanges {
        let namespace = pod.namespace_or_default();
        let account = of_pod(pod).unwrap_or_default();
        let template = pod.pod_template.as_ref().map(|path| path.of(&pod.raw).unwrap_or(&Value::Null));
        let mirror = at(&pod.raw, "/metadata/annotations").is_some_and(|all| all.get(MIRROR).is_some());
        let identity = has_pod_identity(template.unwrap_or(&pod.raw));
        if let Some(known) = self.known.get(&key) {
            let RunsAs { namespace: was_in, account: ran_as } = &*known.runs_as;
            if (was_in.as_str(), ran_as.as_str(), known.mirror, known.identity)
                == (namespace, account, mirror, identity)
            {
                return PodChanges::default();
            }
        }
        let mut changed = self.forget(key);
        let fact = PodFacts { runs_as: self.named(namespace, account), mirror, identity };
        self.count(&fact, 1, &mut changed);
        self.known.insert(key, fact);
        changed
    }

    pub(super) fn forget(&mut self, key: ObjectKey) -> PodChanges {
        let mut changed = PodChanges::default();
        if let Some(fact) = self.known.remove(&key) {
            self.count(&fact, -1, &mut changed);
        }
        changed
    }

    /// The shared name. Allocates only if it is new.
    fn named(&self, namespace: &str, account: &str) -> Arc<RunsAs> {
        let known = self.namespaces.get(namespace).and_then(|it| it.accounts.get(account));
        known.map_or_else(
            || Arc::new(RunsAs { namespace: namespace.to_owned(), account: account.to_owned() }),
            |known| Arc::clone(&known.runs_as),
        )
    }

    fn count(&mut self, fact: &PodFacts, by: i32, changed: &mut PodChanges) {
        let RunsAs { namespace, account } = &*fact.runs_as;
        let before = self.view(namespace, account);
        if !self.namespaces.contains_key(namespace) {
            self.namespaces.insert(namespace.clone(), NamespacePods::default());
        }
        let Some(of_namespace) = self.namespaces.get_mut(namespace) else { return };
        if !of_namespace.accounts.contains_key(account) {
            let new = AccountPods { runs_as: Arc::clone(&fact.runs_as), pods: 0, identity: 0 };
            of_namespace.accounts.insert(account.clone(), new);
        }
        let Some(of_account) = of_namespace.accounts.get_mut(account) else { return };
        let add = |count: &mut u32, counts: bool| {
            *count = if counts { count.saturating_add_signed(by) } else { *count };
        };
        add(&mut of_account.pods, true);
        add(&mut of_account.identity, fact.identity && !account.is_empty());
        add(&mut of_namespace.workloads, !fact.mirror);
        // Remove empty entries, so that churn does not grow the maps.
        if of_account.pods == 0 {
            of_namespace.accounts.remove(account);
        }
        if of_namespace.accounts.is_empty() {
            self.namespaces.remove(namespace);
        }
        let now = self.view(namespace, account);
        changed.cluster |= (now.workloads, now.identity) != (before.workloads, before.identity);
        if now.account != before.account && !account.is_empty() {
            changed.accounts.push((namespace.clone(), account.clone()));
        }
    }

    fn view(&self, namespace: &str, account: &str) -> AccountView {
        let Some(of_namespace) = self.namespaces.get(namespace) else { return AccountView::default() };
        let of_account = of_namespace.accounts.get(account);
        AccountView {
            workloads: of_namespace.workloads > 0,
            account: of_account.is_some(),
            identity: of_account.is_some_and(|account| account.identity > 0),
        }
    }

    /// How many pods run as an account.
    pub(super) fn of_account(&self, namespace: &str, account: &str) -> u32 {
        let of_namespace = self.namespaces.get(namespace);
        of_namespace.and_then(|it| it.accounts.get(account)).map_or(0, |account| account.pods)
    }

    /// Namespace and name of the accounts whose pods have a Pod Identity token.
    pub(super) fn with_identity(&self) -> impl Iterator<Item = (&str, &str)> {
        self.namespaces.iter().flat_map(|(namespace, of_namespace)| {
            let shown = of_namespace.accounts.iter().filter(|(_, account)| account.identity > 0);
            shown.map(move |(account, _)| (namespace.as_str(), account.as_str()))
        })
    }

    /// `{namespace, pods}` of each namespace that has pods, mirror pods excluded.
    pub(super) fn workloads(&self) -> Vec<Value> {
        let used = self.namespaces.iter().filter(|(_, namespace)| namespace.workloads > 0);
        used.map(|(name, namespace)| json!({"namespace": name, "pods": namespace.workloads})).collect()
    }
}
