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
mod relate;
mod roles;
mod statements;
#[cfg(test)]
mod tests;
mod tokens;
mod webhooks;

use jiff::Timestamp;

use crate::resource::{Extent, Kind, Resource, SECRET_STORES};

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
    extent: Extent,
    /// The version of Kubernetes, 1.`minor`, where it is known.
    minor: Option<u32>,
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
    /// An empty index of everything there is; `now` decides what has expired.
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
            extent: Extent::Everything,
            minor: None,
            now,
        }
    }

    /// How much the source shows. Absence is a fact only for a kind that it shows as a whole; of any other kind there may be
    /// more objects. Until that is known, it is limited to nothing before the first object is noted.
    pub fn limit_to(&mut self, extent: Extent) {
        self.extent = extent;
    }

    /// The version of Kubernetes, 1.`minor`: which roles it creates by itself.
    pub fn set_version(&mut self, minor: Option<u32>) {
        self.minor = minor;
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
        // Where pods are shown, they tell.
        if resource.pod_template.is_some() && self.extent == Extent::Manifests {
            self.pods.note(resource, key);
        }
        match resource.sub_type.as_str() {
            "NetworkPolicy" => dependents::policies(self.policies.note(resource, key)),
            webhooks::VALIDATING | webhooks::MUTATING => {
                dependents::webhooks(&self.webhooks.note(resource, key))
            }
            "ClusterRole" | "Role" => {
                let assembles = self.extent != Extent::Everything;
                dependents::role(self.roles.note(resource, key, assembles))
            }
            "ServiceAccount" => dependents::accounts(self.accounts.note(resource, key)),
            "ConfigMap" => dependents::proxy(self.proxy.note(resource, key)),
            "Pod" => {
                let servers = self.api_servers.note(&resource.raw, key);
                dependents::pods(self.pods.note(resource, key), servers)
            }
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
            _ => dependents::cluster(self.cluster.forget(key)),
        }
    }
}
