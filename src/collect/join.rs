//! Joins: the parts of other objects that rules read, kept as small as possible.
//!
//! [`Index::note`] records every object, then [`Index::relate`] fills in the `related` of each resource. The API, a
//! node, a snapshot and manifests all go through these two steps, so all give the same verdicts. Noting an object again
//! replaces its contribution, and [`Index::forget`] removes it; both return the objects whose joins changed.

mod accounts;
mod admission_files;
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

use crate::resource::{Kind, Resource, SECRET_STORES, SourceExtent};

pub(super) use accounts::runs_as;
pub use dependent::Dependent;
pub use roles::RoleName;
pub use statements::ObjectKey;
pub(super) use tokens::account as token_account;

/// What each object contributes to the joins of other objects.
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
    extent: SourceExtent,
    now: Timestamp,
    /// Of Kubernetes, where it is known: `v1.37.2`.
    version: Option<String>,
}

/// The kinds whose joins read one kind of object, each with the keys of `related` that hold those joins.
type Joins = &'static [(&'static str, &'static [&'static str])];

/// Kind of object → the joins that read it.
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
            ("Namespace", &["podSecurityPlugin", "podSecurityDefault", "admissionFiles"]),
            ("Cluster", &["apiServers", "admissionFiles", "workloads", "roleUsers"]),
            ("ServiceAccount", &["podCount"]),
            ("Secret", &["podCount"]),
        ],
    ),
];
/// The joins that read each kind of [`SECRET_STORES`].
const STORE_JOINS: Joins = &[("Cluster", &["externalSecrets"])];

/// Whether an object was read from an API server, which has filled in what was left out. Nobody writes both by hand.
fn is_stored(object: &serde_json::Value) -> bool {
    let has = |key: &str| crate::resource::at(object, key).is_some_and(|value| !value.is_null());
    has("/metadata/uid") && has("/metadata/creationTimestamp")
}

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
            extent: SourceExtent::Everything,
            now,
            version: None,
        }
    }

    /// How much the source shows. Absence is a fact only for a kind that it shows as a whole; of any other kind there may be
    /// more objects. Until that is known, it is limited to nothing before the first object is noted.
    pub fn limit_to(&mut self, extent: SourceExtent) {
        self.extent = extent;
    }

    /// For a cluster of this version, such as `v1.37.2`. Without one, for the newest; of the roles that Kubernetes creates by
    /// itself, what they grant in any version.
    #[must_use]
    pub fn of_version(self, version: Option<&str>) -> Self {
        Self { version: version.map(str::to_owned), ..self }
    }

    /// The kinds whose joins read objects of `kind`, each with the keys of `related` that hold those joins.
    pub fn joins(kind: &str) -> Joins {
        let joins = JOINS.iter().find(|(name, _)| *name == kind).map(|(_, joins)| *joins);
        joins.unwrap_or(if SECRET_STORES.iter().any(|(store, _)| *store == kind) { STORE_JOINS } else { &[] })
    }

    /// The kinds whose joins read objects of `kind`.
    pub fn needed_by(kind: &str) -> impl Iterator<Item = &'static str> {
        Self::joins(kind).iter().map(|(about, _)| *about)
    }

    /// Whether objects of `kind` must be noted, given the kinds that are judged.
    pub fn wants(kind: &str, is_judged: impl Fn(&str) -> bool) -> bool {
        Self::needed_by(kind).any(is_judged)
    }

    /// Records what an object contributes, replacing its earlier contribution. Returns the objects whose joins changed.
    /// A count has changed only if it became zero or was zero, because rules read no more of it.
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
        // Nothing could be read of the kind or of this object. Both are gaps of the kind: what is unread may decide.
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

    /// Clears the gap of a kind that could not be listed before and is now complete. Returns the objects whose joins
    /// changed.
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
        if resource.pod_template.is_some() && self.extent == SourceExtent::Manifests {
            self.pods.note(resource, key);
        }
        match resource.sub_type.as_str() {
            "NetworkPolicy" => dependents::policies(self.policies.note(resource, key)),
            webhooks::VALIDATING | webhooks::MUTATING => {
                dependents::webhooks(&self.webhooks.note(resource, key))
            }
            "ClusterRole" | "Role" => {
                let assembles = self.extent != SourceExtent::Everything;
                dependents::role(self.roles.note(resource, key, assembles))
            }
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
}
