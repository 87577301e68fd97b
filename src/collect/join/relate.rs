//! `related`: what the index adds to a resource.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::roles::{BoundRole, RoleName};
use super::{Index, accounts, admission_files, aws_auth, tokens, webhooks};
use crate::resource::{Gap, Kind, Reason, Resource, SECRET_STORES, SourceExtent, Unread, minor_version};

impl Index {
    /// Adds the joins that the rules about a resource read.
    pub fn relate(&self, resource: &mut Resource) {
        if resource.is_unlisted() {
            return;
        }
        match (resource.kind, resource.sub_type.as_str()) {
            (Kind::K8sObject, "Namespace") => self.relate_namespace(resource),
            (Kind::K8sObject, "ClusterRoleBinding" | "RoleBinding") => {
                self.relate_binding(resource);
            }
            (Kind::K8sObject, "Pod") => self.relate_pod(resource),
            (Kind::K8sObject, _) if resource.pod_template.is_some() => {
                self.relate_pod(resource);
                if resource.sub_type == "DaemonSet" {
                    self.relate_proxy(resource);
                }
            }
            (Kind::K8sObject, "ServiceAccount") => {
                let count = self.pods.of_account(resource.namespace_or_default(), &resource.name);
                self.put_count(resource, "podCount", "Pod", count);
                if let Some(namespaces) = self.accounts.role_namespaces(resource) {
                    self.put_list(resource, "roleNamespaces", &["ServiceAccount"], namespaces);
                }
            }
            (Kind::K8sObject, "Secret") => self.relate_secret(resource),
            (Kind::K8sObject, "ConfigMap") => aws_auth::relate(resource),
            (Kind::K8sObject, "DaemonSet") => self.relate_proxy(resource),
            (Kind::K8sObject, "Cluster") => self.relate_cluster(resource),
            (Kind::Process, _) => {
                self.processes.relate(resource, self.extent.is_whole(Kind::Process.as_str()));
            }
            _ => {}
        }
    }

    fn relate_binding(&self, binding: &mut Resource) {
        let name = RoleName::of_binding(binding);
        let found = if self.extent.is_whole(name.kind) {
            self.roles.get(&name)
        } else {
            self.roles.assemble(&name, self.minor())
        };
        let Some(BoundRole { role, is_open }) = found else {
            let absent = || format!("find the {} {}", name.kind, name.name);
            return self.put_absent(binding, "role", name.kind, absent);
        };
        let rules = role.get("rules").and_then(Value::as_array).map_or(0, Vec::len);
        self.put(binding, "role", &[name.kind], Some(role));
        if is_open && self.gaps.get(name.kind).is_none() {
            let gap = not_in_input(&format!("find every ClusterRole that is aggregated into {}", name.name));
            binding.unread.push(gap.at(format!("$.related.role.rules[{rules}]")));
        }
    }

    fn relate_proxy(&self, set: &mut Resource) {
        self.proxy.relate(set, self.gaps.get("ConfigMap"), self.extent.is_whole("ConfigMap"));
    }

    fn minor(&self) -> Option<u32> {
        self.version.as_deref().and_then(minor_version).map(|(_, minor)| minor)
    }

    /// API servers that may load webhooks and policies from files. `servers`: those that are seen, or why none is.
    fn put_admission_files(&self, resource: &mut Resource, servers: Result<Vec<Value>, Gap>) {
        let files = servers.map(|servers| admission_files::list(&servers, self.version.as_deref()));
        match files {
            // Manifests are for a cluster whose API server they never describe.
            Ok(files) if self.extent != SourceExtent::Manifests => {
                self.put_list(resource, "admissionFiles", &["Pod"], files);
            }
            files => self.put_read(resource, "admissionFiles", files.map(|files| Some(files.into()))),
        }
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

    /// A pod, or a workload with the template of one.
    fn relate_pod(&self, pod: &mut Resource) {
        // What an API server shows of a pod names its account, or it is a mirror pod and has none.
        let Some(account) = accounts::of_pod(pod).map(str::to_owned) else {
            return self.put(pod, "serviceAccount", &["ServiceAccount"], None);
        };
        let mounting = self.accounts.mounting(pod.namespace_or_default(), &account);
        if mounting.is_some() {
            return self.put(pod, "serviceAccount", &["ServiceAccount"], mounting);
        }
        let what = format!("find the ServiceAccount {}/{account}", pod.namespace_or_default());
        self.put_absent(pod, "serviceAccount", "ServiceAccount", || what);
    }

    fn relate_namespace(&self, resource: &mut Resource) {
        let (policies, odd) = self.policies.of(&resource.name);
        self.put_list(resource, "networkPolicies", &["NetworkPolicy"], policies);
        resource.unread.extend(odd);
        let engines = self.webhooks.engines().into_iter().map(Value::from).collect();
        self.put_list(resource, "podPolicyEngines", &webhooks::KINDS, engines);
        let view = self.api_servers.view(self.minor());
        self.put_admission_files(resource, view.as_ref().map(|view| view.list.clone()).map_err(Gap::clone));
        let (plugin, level) = match view {
            Ok(view) => (view.pod_security_plugin, view.pod_security_default),
            Err(gap) => (Err(gap.clone()), Err(gap)),
        };
        match plugin {
            // Manifests are for a cluster whose API server they never describe: its default is assumed, as it is where a
            // provider hides the API server. Elsewhere, another API server may have it off.
            Ok(None | Some("enabled"))
                if self.extent != SourceExtent::Manifests && !self.extent.is_whole("Pod") =>
            {
                self.put_absent(resource, "podSecurityPlugin", "Pod", || {
                    "find every API server's pod".to_owned()
                });
            }
            plugin => {
                self.put_read(resource, "podSecurityPlugin", plugin.map(|plugin| plugin.map(Value::from)));
            }
        }
        if level == Ok(None) && self.gaps.get("Pod").is_none() {
            let what = "read the API server's default pod security level: only seen on a control-plane node";
            resource.unread.push(Unread::new("$.related.podSecurityDefault", Reason::Missing, what));
        }
        self.put_read(resource, "podSecurityDefault", level.map(|level| level.map(Value::from)));
    }

    fn relate_secret(&self, resource: &mut Resource) {
        if let Some(account) = tokens::account(&resource.raw) {
            let count = self.pods.of_account(resource.namespace_or_default(), account);
            self.put_count(resource, "podCount", "Pod", count);
        }
        tokens::relate_bootstrap(resource, self.now);
    }

    fn relate_cluster(&self, resource: &mut Resource) {
        match self.api_servers.view(self.minor()) {
            Ok(view) => {
                self.put_admission_files(resource, Ok(view.list.clone()));
                self.put_list(resource, "apiServers", &["Pod"], view.list);
                resource.unread.extend(view.unread);
            }
            Err(gap) => {
                self.put_admission_files(resource, Err(gap.clone()));
                self.put_read(resource, "apiServers", Err(gap));
            }
        }
        self.put_list(resource, "workloads", &["Pod"], self.pods.workloads());
        self.put_list(resource, "daemonSets", &["DaemonSet"], self.cluster.daemon_sets());
        self.put_list(resource, "networkPolicies", &["NetworkPolicy"], self.policies.counts());
        let users = self.role_users();
        // One known user decides the verdict, so gaps matter only if there is none.
        let gaps: &[&str] = if users.is_empty() { &["ServiceAccount", "Pod"] } else { &[] };
        self.put_list(resource, "roleUsers", gaps, users);
        self.put_list(resource, "webhooks", &webhooks::KINDS, self.webhooks.list());
        let requests = self.cluster.client_certificates();
        self.put_list(resource, "clientCertificates", &["CertificateSigningRequest"], requests);
        let stores: Vec<Value> = self.cluster.stores().into_iter().map(Value::from).collect();
        // One known store decides the verdict, so gaps matter only if there is none.
        let kinds = SECRET_STORES.map(|(kind, _)| kind);
        let gaps: &[&str] = if stores.is_empty() { &kinds } else { &[] };
        self.put_list(resource, "externalSecrets", gaps, stores);
    }

    /// `{namespace, serviceAccount, by}` of each account with an IAM role. `by` is `annotation`, or `pod-identity` if
    /// one of its pods has a Pod Identity token.
    fn role_users(&self) -> Vec<Value> {
        let named = self.accounts.with_role().map(|(namespace, name)| (namespace, name, "annotation"));
        let shown = self.pods.with_identity().map(|(namespace, name)| (namespace, name, "pod-identity"));
        let users: BTreeSet<(&str, &str, &str)> = named.chain(shown).collect();
        let one = |(namespace, account, by): (&str, &str, &str)| json!({"namespace": namespace, "serviceAccount": account, "by": by});
        users.into_iter().map(one).collect()
    }

    /// A list of what objects of these kinds contribute. Where there may be more of them, the element after the last is
    /// unread: what is there counts, and nothing follows from what is not.
    fn put_list(&self, resource: &mut Resource, key: &str, kinds: &[&str], list: Vec<Value>) {
        let after = list.len();
        self.put(resource, key, kinds, Some(list.into()));
        if let Some(kind) = kinds.iter().find(|kind| !self.extent.is_whole(kind))
            && resource.related.contains_key(key)
        {
            let gap = not_in_input(&format!("find every {kind}"));
            resource.unread.push(gap.at(format!("$.related.{key}[{after}]")));
        }
    }

    /// How many objects of a kind there are; none are a fact only where all of them are shown.
    fn put_count(&self, resource: &mut Resource, key: &str, kind: &str, count: u32) {
        if count == 0 {
            self.put_absent_or(resource, key, kind, Some(count.into()), || format!("find every {kind}"));
        } else {
            self.put(resource, key, &[kind], Some(count.into()));
        }
    }

    /// Nothing to join: a fact where all objects of the kind are shown.
    fn put_absent(&self, resource: &mut Resource, key: &str, kind: &str, what: impl FnOnce() -> String) {
        self.put_absent_or(resource, key, kind, None, what);
    }

    fn put_absent_or(
        &self,
        resource: &mut Resource,
        key: &str,
        kind: &str,
        value: Option<Value>,
        what: impl FnOnce() -> String,
    ) {
        if self.extent.is_whole(kind) || self.gaps.get(kind).is_some() {
            self.put(resource, key, &[kind], value);
        } else {
            resource.unread.push(not_in_input(&what()).at(format!("$.related.{key}")));
        }
    }

    /// Stores a join under `key`. If one of `kinds` has a gap, the join is unread instead, because an incomplete join
    /// would look complete. `None`: there is nothing to join.
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

/// What was looked for, and may exist outside of an input that is only a part.
pub(super) fn not_in_input(attempt: &str) -> Gap {
    Gap::new(Reason::Partial, format!("{attempt} in the input, which shows only a part"))
}
