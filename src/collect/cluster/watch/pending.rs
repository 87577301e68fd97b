//! Objects that must be judged again, collected until they are read together.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::lists::WatchedLists;
use super::referrers::Referrers;
use crate::collect::cluster::kinds::ListedKind;
use crate::collect::join::{Dependent, runs_as};

const POD: &str = "Pod";
/// Objects in a page: when more single ones than pages are wanted, the whole list is read.
const PAGE: usize = 500;

/// Namespace and name.
type Name = (String, String);

/// The objects that wait.
#[derive(Debug, Default)]
pub(super) struct PendingRereads {
    /// The cluster as a whole.
    pub cluster: bool,
    all: BTreeSet<&'static str>,
    names: BTreeMap<&'static str, BTreeSet<Name>>,
    /// Accounts whose pods are meant.
    pods_of: BTreeSet<Name>,
}

/// One list to read for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reread {
    pub kind: Arc<ListedKind>,
    pub path: String,
    only: RereadScope,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum RereadScope {
    All,
    Names(BTreeSet<Name>),
    PodsOf(BTreeSet<Name>),
}

impl Reread {
    /// Whether an object of the list is one of them.
    pub(super) fn means(&self, object: &Value) -> bool {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let named = |name: &str| (text("/metadata/namespace").to_owned(), name.to_owned());
        match &self.only {
            RereadScope::All => true,
            RereadScope::Names(names) => names.contains(&named(text("/metadata/name"))),
            RereadScope::PodsOf(accounts) => {
                runs_as(object).is_some_and(|account| accounts.contains(&named(account)))
            }
        }
    }
}

impl PendingRereads {
    /// Adds objects, where their kind is judged.
    pub(super) fn add(&mut self, dependent: Dependent, referrers: &Referrers, judges: &dyn Fn(&str) -> bool) {
        match dependent {
            Dependent::Cluster => self.cluster = true,
            Dependent::All(kind) if judges(kind) => {
                self.all.insert(kind);
            }
            Dependent::Object(kind, namespace, name) if judges(kind) => self.name(kind, &namespace, &name),
            Dependent::PodsOf(namespace, account) if judges(POD) => {
                self.pods_of.insert((namespace, account));
            }
            Dependent::BindingsTo(kind, namespace, role) => {
                for (kind, namespace, name) in referrers.to(kind, &namespace, &role) {
                    if judges(kind) {
                        self.name(kind, namespace, name);
                    }
                }
            }
            Dependent::TokensOf(namespace, account) => {
                for (kind, namespace, name) in referrers.tokens(&namespace, &account) {
                    if judges(kind) {
                        self.name(kind, namespace, name);
                    }
                }
            }
            Dependent::All(_) | Dependent::Object(..) | Dependent::PodsOf(..) => {}
        }
    }

    fn name(&mut self, kind: &'static str, namespace: &str, name: &str) {
        self.names.entry(kind).or_default().insert((namespace.to_owned(), name.to_owned()));
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.names.is_empty() && self.pods_of.is_empty()
    }

    /// What to read for all of them, with few requests.
    pub(super) fn take(&mut self, lists: &WatchedLists) -> Vec<Reread> {
        let mut asks = Vec::new();
        let pages = |kind: &str| lists.count(kind) / PAGE + 1;
        let mut names = std::mem::take(&mut self.names);
        let pods_of = std::mem::take(&mut self.pods_of);
        for kind in std::mem::take(&mut self.all) {
            names.remove(kind);
            asks.extend(whole(lists, kind, &RereadScope::All));
        }
        for (kind, names) in names {
            if names.len() > pages(kind) {
                asks.extend(whole(lists, kind, &RereadScope::Names(names)));
            } else if let Some(kind) = lists.kind(kind) {
                asks.extend(names.iter().map(|(namespace, name)| Reread {
                    path: kind.one(namespace, name),
                    kind: Arc::clone(&kind),
                    only: RereadScope::All,
                }));
            }
        }
        let all_pods = asks.iter().any(|ask| ask.kind.name == POD && ask.only == RereadScope::All);
        if pods_of.len() > pages(POD) {
            asks.extend(whole(lists, POD, &RereadScope::PodsOf(pods_of)).into_iter().filter(|_| !all_pods));
        } else if let (Some(kind), false) = (lists.kind(POD), all_pods) {
            asks.extend(pods_of.iter().map(|(namespace, account)| Reread {
                path: kind.by_field(namespace, "spec.serviceAccountName", account),
                kind: Arc::clone(&kind),
                only: RereadScope::All,
            }));
        }
        asks
    }
}

/// Every list of a kind.
fn whole(lists: &WatchedLists, kind: &str, only: &RereadScope) -> Vec<Reread> {
    let Some(kind) = lists.kind(kind) else { return Vec::new() };
    kind.paths()
        .into_iter()
        .map(|path| Reread { kind: Arc::clone(&kind), path, only: only.clone() })
        .collect()
}
