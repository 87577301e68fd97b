//! Facts about the cluster as a whole.

use serde_json::{Value, json};
use std::collections::BTreeSet;

use super::statements::{ObjectKey, Statements};
use crate::resource::{Resource, SECRET_STORES};

/// The flag that turns the network policy agent of the AWS VPC CNI on or off.
const POLICY_SWITCH: &str = "--enable-network-policy";

/// The signer of API server client certificates, except those of kubelets.
const CLIENT_SIGNER: &str = "kubernetes.io/kube-apiserver-client";

#[derive(Debug, Default)]
pub(super) struct ClusterSummary {
    daemon_sets: Statements<Value>,
    client_certificates: Statements<Value>,
    stores: BTreeSet<&'static str>,
}

impl ClusterSummary {
    /// Notes an object; returns whether a fact changed.
    pub(super) fn note(&mut self, resource: &Resource, key: ObjectKey) -> bool {
        match resource.sub_type.as_str() {
            "DaemonSet" => {
                let template = resource.raw.pointer("/spec/template/spec/containers");
                let containers = || template.and_then(Value::as_array).into_iter().flatten();
                let images: Vec<&Value> =
                    containers().filter_map(|container| container.get("image")).collect();
                let switches: Vec<&str> = containers().flat_map(policy_switches).collect();
                let namespace = resource.namespace_or_default();
                let set = json!({
                    "namespace": namespace,
                    "name": resource.name,
                    "images": images,
                    "policySwitches": switches,
                });
                self.daemon_sets.put(key, Some(set))
            }
            "CertificateSigningRequest" => self.client_certificates.put(key, client_certificate(resource)),
            kind => SECRET_STORES
                .iter()
                .find(|(store, _)| *store == kind)
                .is_some_and(|(store, _)| self.stores.insert(store)),
        }
    }

    /// Forgets an object; returns whether a fact changed. Secret stores stay: only a sweep sees that none is left.
    pub(super) fn forget(&mut self, key: ObjectKey) -> bool {
        let set = self.daemon_sets.put(key, None);
        self.client_certificates.put(key, None) || set
    }

    /// `{namespace, name, images, policySwitches}` of each DaemonSet.
    pub(super) fn daemon_sets(&self) -> Vec<Value> {
        let name = |set: &Value| ["namespace", "name"].map(|key| set[key].as_str().map(str::to_owned));
        self.daemon_sets.sorted(name).into_iter().cloned().collect()
    }

    /// `{name, username, groups}` of each approved request for a client certificate.
    pub(super) fn client_certificates(&self) -> Vec<Value> {
        let name = |request: &Value| request["name"].as_str().map(str::to_owned);
        self.client_certificates.sorted(name).into_iter().cloned().collect()
    }

    /// The kinds of [`SECRET_STORES`] that have an object.
    pub(super) fn stores(&self) -> Vec<&'static str> {
        self.stores.iter().copied().collect()
    }
}

/// Every [`POLICY_SWITCH`] in a container's command and arguments.
fn policy_switches(container: &Value) -> impl Iterator<Item = &str> {
    let words = |key: &str| container.get(key).and_then(Value::as_array).into_iter().flatten();
    let words = words("command").chain(words("args")).filter_map(Value::as_str);
    words.filter(|word| {
        word.strip_prefix(POLICY_SWITCH).is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    })
}

fn client_certificate(request: &Resource) -> Option<Value> {
    let field = |pointer: &str| request.raw.pointer(pointer);
    if field("/spec/signerName").and_then(Value::as_str) != Some(CLIENT_SIGNER) {
        return None;
    }
    let conditions = field("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let approved = conditions.into_iter().any(|condition| condition.get("type") == Some(&json!("Approved")));
    approved.then(|| {
        json!({"name": request.name, "username": field("/spec/username"), "groups": field("/spec/groups")})
    })
}
