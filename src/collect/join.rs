//! Joins: what rules read of other objects, kept as small as possible.
//!
//! [`Index::note`] sees every object, [`Index::relate`] gives each resource its `related`. The same two steps serve the
//! API, a node, a snapshot and manifests, so that all give the same verdicts. Noting an object again replaces what it
//! contributed, and [`Index::forget`] removes it; both return the objects whose joins changed.

mod accounts;
mod api_servers;
mod aws_auth;
mod cluster;
mod dependent;
mod dependents;
mod gaps;
mod pods;
mod policies;
mod processes;
mod proxy;
mod roles;
mod statements;
#[cfg(test)]
mod tests;
mod tokens;
mod webhooks;

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

use crate::resource::{Gap, Kind, Reason, Resource, SECRET_STORES, Unread};

pub(super) use accounts::runs_as;
pub use dependent::Dependent;
pub use roles::RoleName;
pub use statements::ObjectKey;
pub(super) use tokens::account as token_account;

/// What objects contribute to the documents of others.
#[derive(Debug)]
pub struct Index {
    policies: policies::Policies,
    webhooks: webhooks::Webhooks,
    api_servers: api_servers::ApiServers,
    roles: roles::RoleIndex,
    accounts: accounts::Accounts,
    pods: pods::Pods,
    cluster: cluster::ClusterSummary,
    proxy: proxy::Proxy,
    processes: processes::Processes,
    gaps: gaps::Gaps,
    now: Timestamp,
}

/// Kinds that are joined with others, each with the keys of `related` that the joins are under.
type Joins = &'static [(&'static str, &'static [&'static str])];

/// The kinds that others are joined with, and which those are.
const JOINS: [(&str, Joins); 10] = [
    ("NetworkPolicy", &[("Namespace", &["networkPolicies"]), ("Cluster", &["networkPolicies"])]),
    (webhooks::VALIDATING, &[("Namespace", &["podPolicyEngines"]), ("Cluster", &["webhooks"])]),
    (webhooks::MUTATING, &[("Namespace", &["podPolicyEngines"]), ("Cluster", &["webhooks"])]),
    ("ConfigMap", &[("DaemonSet", &["kubeProxy"])]),
    ("CertificateSigningRequest", &[("Cluster", &["clientCertificates"])]),
    ("DaemonSet", &[("Cluster", &["daemonSets"])]),
    (
        "ServiceAccount",
        &[("Pod", &["serviceAccount"]), ("ServiceAccount", &["roleNamespaces"]), ("Cluster", &["roleUsers"])],
    ),
    ("ClusterRole", &[("ClusterRoleBinding", &["role"]), ("RoleBinding", &["role"])]),
    ("Role", &[("RoleBinding", &["role"])]),
    (
        "Pod",
        &[
            ("Namespace", &["podSecurityPlugin", "podSecurityDefault"]),
            ("Cluster", &["apiServers", "workloads", "roleUsers"]),
            ("ServiceAccount", &["podCount"]),
            ("Secret", &["podCount"]),
        ],
    ),
];
/// The same for the kinds of secret stores.
const STORE_JOINS: Joins = &[("Cluster", &["externalSecrets"])];

impl Index {
    /// An empty index; `now` decides what has expired.
    pub fn new(now: Timestamp) -> Self {
        Self {
            policies: policies::Policies::default(),
            webhooks: webhooks::Webhooks::default(),
            api_servers: api_servers::ApiServers::default(),
            roles: roles::RoleIndex::default(),
            accounts: accounts::Accounts::default(),
            pods: pods::Pods::default(),
            cluster: cluster::ClusterSummary::default(),
            proxy: proxy::Proxy::default(),
            processes: processes::Processes::default(),
            gaps: gaps::Gaps::default(),
            now,
        }
    }

    /// The kinds that are joined with objects of `kind`, each with the keys of `related` that the joins are under.
    pub fn joins(kind: &str) -> Joins {
        let joins = JOINS.iter().find(|(name, _)| *name == kind).map(|(_, joins)| *joins);
        joins.unwrap_or(if SECRET_STORES.iter().any(|(store, _)| *store == kind) { STORE_JOINS } else { &[] })
    }

    /// The kinds that are joined with objects of `kind`.
    pub fn needed_by(kind: &str) -> impl Iterator<Item = &'static str> {
        Self::joins(kind).iter().map(|(about, _)| *about)
    }

    /// Whether objects of `kind` must be noted, given the kinds that are judged.
    pub fn wants(kind: &str, is_judged: impl Fn(&str) -> bool) -> bool {
        Self::needed_by(kind).any(is_judged)
    }

    /// Notes what an object contributes, in place of what it contributed before. Returns the objects whose joins changed;
    /// a count changes where it becomes zero or is no longer zero: no rule reads more of it.
    pub fn note(&mut self, resource: &Resource) -> Vec<Dependent> {
        match resource.kind {
            Kind::Process => self.processes.note(resource),
            Kind::File | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => {}
            Kind::K8sObject => return self.note_object(resource),
        }
        Vec::new()
    }

    fn note_object(&mut self, resource: &Resource) -> Vec<Dependent> {
        let (kind, key) = (resource.sub_type.as_str(), ObjectKey::of(resource));
        // A gap of a list, or of one object in it: the unread part of one may be what decides.
        let unread = resource.unread.iter().find(|unread| unread.at == "$");
        let gap = self.gaps.get(kind).is_some();
        let mut told = match unread {
            Some(unread) if resource.is_unlisted() => {
                self.gaps.unlisted(kind, &unread.gap);
                Vec::new()
            }
            Some(_) => self.unsay(kind, key),
            None => self.say(resource, key),
        };
        if !resource.is_unlisted() {
            self.gaps.put(kind, key, unread.map(|unread| &unread.gap));
        }
        self.tell_gap(kind, gap, &mut told);
        told
    }

    /// Removes what an object contributed. Returns the objects whose joins changed.
    pub fn forget(&mut self, kind: &str, key: ObjectKey) -> Vec<Dependent> {
        let gap = self.gaps.get(kind).is_some();
        self.gaps.put(kind, key, None);
        let mut told = self.unsay(kind, key);
        self.tell_gap(kind, gap, &mut told);
        told
    }

    /// A kind that could not be listed before is now noted as a whole.
    pub fn heal(&mut self, kind: &str) -> Vec<Dependent> {
        let gap = self.gaps.get(kind).is_some();
        self.gaps.listed(kind);
        let mut told = Vec::new();
        self.tell_gap(kind, gap, &mut told);
        told
    }

    fn tell_gap(&self, kind: &str, before: bool, told: &mut Vec<Dependent>) {
        if self.gaps.get(kind).is_some() != before {
            told.extend(Self::needed_by(kind).map(Dependent::every));
        }
    }

    fn say(&mut self, resource: &Resource, key: ObjectKey) -> Vec<Dependent> {
        match resource.sub_type.as_str() {
            "NetworkPolicy" => dependents::policies(self.policies.note(resource, key)),
            webhooks::VALIDATING | webhooks::MUTATING => {
                dependents::webhooks(&self.webhooks.note(resource, key))
            }
            "ClusterRole" | "Role" => dependents::role(self.roles.note(resource, key)),
            "ServiceAccount" => dependents::accounts(self.accounts.note(resource, key)),
            "ConfigMap" => dependents::proxy(self.proxy.note(resource, key)),
            "Pod" => {
                let servers = self.api_servers.note(&resource.raw, key);
                dependents::pods(self.pods.note(resource, key), servers)
            }
            "Node" => dependents::servers(self.api_servers.note_node(&resource.name, key)),
            _ => dependents::cluster(self.cluster.note(resource, key)),
        }
    }

    fn unsay(&mut self, kind: &str, key: ObjectKey) -> Vec<Dependent> {
        match kind {
            "NetworkPolicy" => dependents::policies(self.policies.forget(key)),
            webhooks::VALIDATING | webhooks::MUTATING => dependents::webhooks(&self.webhooks.forget(key)),
            "ClusterRole" | "Role" => dependents::role(self.roles.forget(key)),
            "ServiceAccount" => dependents::accounts(self.accounts.forget(key)),
            "ConfigMap" => dependents::proxy(self.proxy.forget(key)),
            "Pod" => {
                let servers = self.api_servers.forget(key);
                dependents::pods(self.pods.forget(key), servers)
            }
            "Node" => dependents::servers(self.api_servers.forget_node(key)),
            _ => dependents::cluster(self.cluster.forget(key)),
        }
    }

    /// Gives a resource the joins that rules about it read.
    pub fn relate(&self, resource: &mut Resource) {
        if resource.is_unlisted() {
            return;
        }
        match (resource.kind, resource.sub_type.as_str()) {
            (Kind::K8sObject, "Namespace") => self.relate_namespace(resource),
            (Kind::K8sObject, "ClusterRoleBinding" | "RoleBinding") => {
                let (role, kind) = self.roles.of(resource);
                self.put(resource, "role", &[kind], role);
            }
            (Kind::K8sObject, "Pod") => {
                let account = self.accounts.of_pod(resource);
                self.put(resource, "serviceAccount", &["ServiceAccount"], account);
            }
            (Kind::K8sObject, "ServiceAccount") => {
                let count = self.pods.of_account(resource.namespace().unwrap_or_default(), &resource.name);
                self.put(resource, "podCount", &["Pod"], Some(count.into()));
                if let Some(namespaces) = self.accounts.role_namespaces(resource) {
                    self.put(resource, "roleNamespaces", &["ServiceAccount"], Some(namespaces));
                }
            }
            (Kind::K8sObject, "Secret") => self.relate_secret(resource),
            (Kind::K8sObject, "ConfigMap") => aws_auth::relate(resource),
            (Kind::K8sObject, "DaemonSet") => self.proxy.relate(resource, self.gaps.get("ConfigMap")),
            (Kind::K8sObject, "Cluster") => self.relate_cluster(resource),
            (Kind::Process, _) => self.processes.relate(resource),
            _ => {}
        }
    }

    fn relate_namespace(&self, resource: &mut Resource) {
        let (policies, odd) = self.policies.of(&resource.name);
        self.put(resource, "networkPolicies", &["NetworkPolicy"], Some(policies));
        resource.unread.extend(odd);
        self.put(resource, "podPolicyEngines", &webhooks::KINDS, Some(self.webhooks.engines().into()));
        let view = self.api_servers.view();
        let (plugin, level) = match view {
            Ok(view) => (view.pod_security_plugin, view.pod_security_default),
            Err(gap) => (Err(gap.clone()), Err(gap)),
        };
        self.put_read(resource, "podSecurityPlugin", plugin.map(|plugin| plugin.map(Value::from)));
        if level == Ok(None) && self.gaps.get("Pod").is_none() {
            let what = "read the API server's default pod security level: only seen on a control-plane node";
            resource.unread.push(Unread::new("$.related.podSecurityDefault", Reason::Missing, what));
        }
        self.put_read(resource, "podSecurityDefault", level.map(|level| level.map(Value::from)));
    }

    fn relate_secret(&self, resource: &mut Resource) {
        if let Some(account) = tokens::account(&resource.raw) {
            let count = self.pods.of_account(resource.namespace().unwrap_or_default(), account);
            self.put(resource, "podCount", &["Pod"], Some(count.into()));
        }
        tokens::relate_bootstrap(resource, self.now);
    }

    fn relate_cluster(&self, resource: &mut Resource) {
        let servers = self.api_servers.view().map(|view| {
            resource.unread.extend(view.unread);
            Some(view.list.into())
        });
        self.put_read(resource, "apiServers", servers);
        self.put(resource, "workloads", &["Pod"], Some(self.pods.workloads().into()));
        self.put(resource, "daemonSets", &["DaemonSet"], Some(self.cluster.daemon_sets().into()));
        self.put(resource, "networkPolicies", &["NetworkPolicy"], Some(self.policies.counts()));
        let users = self.role_users();
        // One that exists decides, whatever could not be listed.
        let gaps: &[&str] = if users.is_empty() { &["ServiceAccount", "Pod"] } else { &[] };
        self.put(resource, "roleUsers", gaps, Some(users.into()));
        self.put(resource, "webhooks", &webhooks::KINDS, Some(self.webhooks.list().into()));
        let requests = self.cluster.client_certificates();
        self.put(resource, "clientCertificates", &["CertificateSigningRequest"], Some(requests.into()));
        let stores = self.cluster.stores();
        // One that exists decides, whatever could not be listed.
        let kinds = SECRET_STORES.map(|(kind, _)| kind);
        let gaps: &[&str] = if stores.is_empty() { &kinds } else { &[] };
        self.put(resource, "externalSecrets", gaps, Some(stores.into()));
    }

    /// `{namespace, serviceAccount, by}` of each account with a role at AWS: `annotation`, or `pod-identity` where a
    /// pod shows it.
    fn role_users(&self) -> Vec<Value> {
        let named = self.accounts.with_role().map(|(namespace, name)| (namespace, name, "annotation"));
        let shown = self.pods.with_identity().map(|(namespace, name)| (namespace, name, "pod-identity"));
        let users: BTreeSet<(&str, &str, &str)> = named.chain(shown).collect();
        let one = |(namespace, account, by): (&str, &str, &str)| json!({"namespace": namespace, "serviceAccount": account, "by": by});
        users.into_iter().map(one).collect()
    }

    /// A join over Pods, which may be unread for a reason of its own.
    fn put_read(&self, resource: &mut Resource, key: &str, read: Result<Option<Value>, Gap>) {
        match read {
            Err(gap) if self.gaps.get("Pod").is_none() => {
                resource.unread.push(gap.at(format!("$.related.{key}")));
            }
            read => self.put(resource, key, &["Pod"], read.unwrap_or_default()),
        }
    }

    /// A join over a kind with a gap is unread: a part of it would look like the whole. `None`: nothing to join.
    fn put(&self, resource: &mut Resource, key: &str, kinds: &[&str], value: Option<Value>) {
        match (kinds.iter().find_map(|kind| self.gaps.get(kind)), value) {
            (Some(gap), _) => {
                resource.unread.push(gap.clone().at(format!("$.related.{key}")));
            }
            (None, Some(value)) => {
                resource.related.insert(key.to_owned(), value);
            }
            (None, None) => {}
        }
    }
}
