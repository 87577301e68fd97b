//! The node of a cycle: its processes and files, and what the API and the kubelet add to them.

use serde_json::Value;
use std::path::Path;
use tokio::sync::mpsc;

use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::{cluster, node};
use crate::kube_api::Connection;
use crate::observe::node_sight::SeenOnNode;
use crate::resource::{Kind, Owner, Resource, Selector, minor_version};

/// Facts about the node's kubelet that its process does not show.
pub(super) struct KubeletFacts {
    /// Its version, from the Node object.
    pub version: Option<String>,
    /// Its effective configuration, from its own endpoint `/configz`.
    pub configz: Option<Value>,
}

/// The kubelet's effective configuration; if it cannot be read, flags and files are judged.
pub(super) async fn configz(connection: &Connection, url: &str) -> Option<Value> {
    match cluster::configz(connection, url).await {
        Ok(configuration) => Some(configuration),
        Err(gap) => {
            tracing::warn!(
                reason = gap.reason.as_str(),
                error = %gap,
                "cannot read the kubelet's configz; judging its flags and files instead"
            );
            None
        }
    }
}

/// Notes the API server, or that it is unknown whether one runs here.
fn note(seen: &mut SeenOnNode, resource: &Resource) {
    if resource.kind == Kind::Process && resource.selectors() == [cluster::API_SERVER] {
        seen.api_server |= !resource.is_unlisted();
        seen.api_server_unlisted |= resource.is_unlisted();
    }
}

/// Sends the node's processes and files. A host root that cannot be opened hides all of them.
pub(super) fn observe(
    root: &Path,
    owner: &Owner,
    wanted: &[Selector],
    kubelet_facts: &KubeletFacts,
    found: &mpsc::Sender<Resource>,
) -> SeenOnNode {
    let mut seen = SeenOnNode::default();
    if wanted.is_empty() {
        return seen;
    }
    // A send fails when the receiver was dropped.
    match HostRoot::open(root) {
        Ok(host) => {
            let mut kubelets = Vec::new();
            node::observe(&host, owner, &mut |mut resource| {
                note(&mut seen, &resource);
                if resource.kind == Kind::Process && resource.selectors() == ["kubelet"] {
                    kubelets.push(resource);
                } else {
                    add_version(&mut resource, kubelet_facts.version.as_deref());
                    let _ = found.blocking_send(resource);
                }
            });
            for kubelet in with_facts(kubelets, kubelet_facts) {
                let _ = found.blocking_send(kubelet);
            }
        }
        Err(gap) => {
            for selector in wanted {
                let unlisted = Resource::unlisted(selector, owner, gap.clone());
                note(&mut seen, &unlisted);
                let _ = found.blocking_send(unlisted);
            }
        }
    }
    seen
}

/// Adds the facts to the kubelet. Of two kubelets it is unknown which one answered.
fn with_facts(mut kubelets: Vec<Resource>, facts: &KubeletFacts) -> Vec<Resource> {
    let only = kubelets.len() == 1;
    for kubelet in &mut kubelets {
        add_version(kubelet, facts.version.as_deref());
        if let (true, Some(configz), Some(raw)) = (only, &facts.configz, kubelet.raw.as_object_mut()) {
            raw.insert("configz".into(), configz.clone());
        }
    }
    kubelets
}

/// Adds the kubelet's version, which its arguments do not show. Components in one program with it have that version
/// too, except etcd.
fn add_version(resource: &mut Resource, kubelet_version: Option<&str>) {
    let (Some(version), Kind::Process, Some(raw)) =
        (kubelet_version, resource.kind, resource.raw.as_object_mut())
    else {
        return;
    };
    let component = raw.get("component").and_then(Value::as_str).unwrap_or_default();
    let version = match component {
        "kubelet" => version.to_owned(),
        "etcd" => return,
        _ if !raw.contains_key("program") => return,
        // As an image's tag has it.
        _ => match minor_version(version) {
            Some((major, minor)) => format!("{major}.{minor}"),
            None => return,
        },
    };
    raw.entry("version").or_insert_with(|| version.into());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn components_of_one_program_have_its_version() {
        let version = |raw: Value| {
            let mut resource =
                Resource::observed(Kind::Process, "process".into(), "1".into(), "k3s".into(), raw);
            add_version(&mut resource, Some("v1.33.1+k3s1"));
            resource.raw.get("version").and_then(Value::as_str).map(str::to_owned)
        };
        let is = |raw: Value, wanted: Option<&str>| assert_eq!(version(raw).as_deref(), wanted);
        is(json!({"component": "kubelet"}), Some("v1.33.1+k3s1"));
        is(json!({"component": "kube-apiserver", "program": "k3s"}), Some("1.33"));
        is(json!({"component": "kube-apiserver", "version": "1.30"}), Some("1.30"));
        is(json!({"component": "kube-apiserver"}), None);
        is(json!({"component": "etcd", "program": "k3s"}), None);
    }
}
