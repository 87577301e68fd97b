//! Joins: what a rule must know of other objects, kept as small as it can be.
//!
//! [`Index::note`] sees every object once, [`Index::relate`] gives each resource its `related`. The same
//! two steps serve the API, a node, a snapshot and manifests, so that all give the same verdicts.

mod accounts;
mod api_servers;
mod aws_auth;
mod cluster;
mod processes;
mod proxy;
mod roles;
#[cfg(test)]
mod tests;
mod tokens;
mod webhooks;

use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Kind, Reason, Resource, Unread};

/// What objects say about others.
#[derive(Debug)]
pub struct Index {
    /// Namespace → its network policies as `{kind, name}`, and whether each can be understood.
    network_policies: BTreeMap<String, Vec<(Value, bool)>>,
    webhooks: webhooks::Webhooks,
    api_servers: api_servers::ApiServers,
    roles: roles::Roles,
    accounts: accounts::Accounts,
    cluster: cluster::Facts,
    proxy: proxy::Proxy,
    processes: processes::Processes,
    /// Kinds that could not be listed, or of which an object could not be read.
    gaps: BTreeMap<String, Unread>,
    now: Timestamp,
}

/// The kinds whose objects say something about others, and about which.
const NEEDED: [(&str, &[&str]); 10] = [
    ("NetworkPolicy", &["Namespace", "Cluster"]),
    (webhooks::VALIDATING, &["Namespace", "Cluster"]),
    (webhooks::MUTATING, &["Namespace", "Cluster"]),
    ("ConfigMap", &["DaemonSet"]),
    ("CertificateSigningRequest", &["Cluster"]),
    ("DaemonSet", &["Cluster"]),
    ("ServiceAccount", &["Pod", "ServiceAccount", "Cluster"]),
    ("ClusterRole", &["ClusterRoleBinding", "RoleBinding"]),
    ("Role", &["RoleBinding"]),
    ("Pod", &["Namespace", "Cluster", "ServiceAccount", "Secret"]),
];

impl Index {
    /// An index of nothing yet; `now` decides what has expired.
    pub fn new(now: Timestamp) -> Self {
        Self {
            network_policies: BTreeMap::new(),
            webhooks: webhooks::Webhooks::default(),
            api_servers: api_servers::ApiServers::default(),
            roles: roles::Roles::default(),
            accounts: accounts::Accounts::default(),
            cluster: cluster::Facts::default(),
            proxy: proxy::Proxy::default(),
            processes: processes::Processes::default(),
            gaps: BTreeMap::new(),
            now,
        }
    }

    /// The kinds about which objects of `kind` say something.
    pub fn needed_by(kind: &str) -> &'static [&'static str] {
        let about = NEEDED.iter().find(|(name, _)| *name == kind).map(|(_, about)| *about);
        about.unwrap_or(if cluster::STORES.contains(&kind) { &["Cluster"] } else { &[] })
    }

    /// Whether objects of `kind` must be noted where objects of the `wanted` kinds are judged.
    pub fn wants(kind: &str, wanted: &BTreeSet<&str>) -> bool {
        Self::needed_by(kind).iter().any(|about| wanted.contains(about))
    }

    /// Learns what an object says about others.
    pub fn note(&mut self, resource: &Resource) {
        match resource.kind {
            Kind::Process => return self.processes.note(resource),
            Kind::File | Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => return,
            Kind::K8sObject => {}
        }
        // Of a list, or of one object in it: what is not known of one may be what decides.
        if let Some(unread) = resource.unread.iter().find(|unread| unread.at == "$") {
            self.gaps.entry(resource.sub_type.clone()).or_insert_with(|| unread.clone());
            return;
        }
        match resource.sub_type.as_str() {
            "NetworkPolicy" => {
                let namespace = resource.namespace().unwrap_or_default().to_owned();
                let policy = json!({"kind": resource.sub_type, "name": resource.name});
                // An API server stores no other; a manifest may hold one.
                let understood =
                    resource.raw.get("spec").is_none_or(|spec| spec.is_object() || spec.is_null());
                self.network_policies.entry(namespace).or_default().push((policy, understood));
            }
            webhooks::VALIDATING | webhooks::MUTATING => self.webhooks.note(resource),
            "ClusterRole" | "Role" => self.roles.note(resource),
            "ServiceAccount" => self.accounts.note_account(resource),
            "ConfigMap" => self.proxy.note(resource),
            "Pod" => {
                self.api_servers.note(&resource.raw);
                self.accounts.note_pod(resource);
                self.cluster.note_pod(resource);
            }
            _ => self.cluster.note(resource),
        }
    }

    /// Gives a resource what rules about it need of others.
    pub fn relate(&self, resource: &mut Resource) {
        if resource.is_unlisted() {
            return;
        }
        match (resource.kind, resource.sub_type.as_str()) {
            (Kind::K8sObject, "Namespace") => self.relate_namespace(resource),
            (Kind::K8sObject, "ClusterRoleBinding" | "RoleBinding") => {
                let (role, kinds) = self.roles.of(resource);
                self.put(resource, "role", kinds, role);
            }
            (Kind::K8sObject, "Pod") => {
                let account = self.accounts.of_pod(resource);
                self.put(resource, "serviceAccount", &["ServiceAccount"], account);
            }
            (Kind::K8sObject, "ServiceAccount") => {
                let count = self.accounts.pods(resource.namespace().unwrap_or_default(), &resource.name);
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
        let policies = self.network_policies.get(&resource.name).map(Vec::as_slice).unwrap_or_default();
        let list: Vec<&Value> = policies.iter().map(|(policy, _)| policy).collect();
        self.put(resource, "networkPolicies", &["NetworkPolicy"], Some(json!(list)));
        for (position, (policy, _)) in policies.iter().enumerate().filter(|(_, (_, understood))| !understood)
        {
            let what =
                format!("understand the NetworkPolicy {}: expected an object as `spec`", policy["name"]);
            let at = format!("$.related.networkPolicies[{position}]");
            resource.unread.push(Unread::new(at, Reason::Malformed, what));
        }
        self.put(resource, "podPolicyEngines", &webhooks::KINDS, Some(self.webhooks.engines().into()));
        let plugin = self.api_servers.pod_security_plugin().map(Value::from);
        self.put(resource, "podSecurityPlugin", &["Pod"], plugin);
        let level = self.api_servers.pod_security_default().map(Value::from);
        if level.is_none() && !self.gaps.contains_key("Pod") {
            let what = "read the API server's default pod security level: only seen on a control-plane node";
            resource.unread.push(Unread::new("$.related.podSecurityDefault", Reason::Missing, what));
        }
        self.put(resource, "podSecurityDefault", &["Pod"], level);
    }

    fn relate_secret(&self, resource: &mut Resource) {
        if let Some(account) = tokens::account(&resource.raw) {
            let count = self.accounts.pods(resource.namespace().unwrap_or_default(), account);
            self.put(resource, "podCount", &["Pod"], Some(count.into()));
        }
        tokens::relate_bootstrap(resource, self.now);
    }

    fn relate_cluster(&self, resource: &mut Resource) {
        self.put(resource, "apiServers", &["Pod"], Some(self.api_servers.list().into()));
        self.put(resource, "workloads", &["Pod"], Some(self.cluster.workloads().into()));
        self.put(resource, "daemonSets", &["DaemonSet"], Some(self.cluster.daemon_sets().into()));
        let policies = self.network_policies.iter().map(|(namespace, policies)| {
            let understood = policies.iter().filter(|(_, understood)| *understood).count();
            json!({"namespace": namespace, "policies": understood})
        });
        self.put(resource, "networkPolicies", &["NetworkPolicy"], Some(policies.collect()));
        let users = self.accounts.role_users();
        // One that is there decides, whatever others could not be looked for.
        let gaps: &[&str] = if users.is_empty() { &["ServiceAccount", "Pod"] } else { &[] };
        self.put(resource, "roleUsers", gaps, Some(users.into()));
        self.put(resource, "webhooks", &webhooks::KINDS, Some(self.webhooks.list().into()));
        let requests = self.cluster.client_certificates();
        self.put(resource, "clientCertificates", &["CertificateSigningRequest"], Some(requests.into()));
        let stores = self.cluster.stores();
        // One that is there decides, whatever others could not be looked for.
        let gaps: &[&str] = if stores.is_empty() { &cluster::STORES } else { &[] };
        self.put(resource, "externalSecrets", gaps, Some(stores.into()));
    }

    /// A join that rests on kinds of which one is not known as a whole is unread: a part of it would look like
    /// the whole. `None`: there is nothing to join.
    fn put(&self, resource: &mut Resource, key: &str, kinds: &[&str], value: Option<Value>) {
        match (kinds.iter().find_map(|kind| self.gaps.get(*kind)), value) {
            (Some(gap), _) => {
                resource.unread.push(Unread { at: format!("$.related.{key}"), ..gap.clone() });
            }
            (None, Some(value)) => {
                resource.related.insert(key.to_owned(), value);
            }
            (None, None) => {}
        }
    }
}
