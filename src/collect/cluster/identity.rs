//! Which cluster this is, and which of its nodes the host is.

mod platform;

use serde_json::Value;

use super::pages::get;
use crate::kube_api::{Connection, RequestError};
use crate::resource::{Cluster, Gap, Identity, IdentitySource, Node, Reason};

/// What is known of the node before the API is asked.
#[derive(Debug, Clone, Default)]
pub struct NodeHints {
    /// By configuration or the downward API's `NODE_NAME`.
    pub name: Option<String>,
    /// The host's own name.
    pub hostname: Option<String>,
    /// Whether a node is looked at, at all.
    pub wanted: bool,
}

/// The identity of the cluster and the node, as the API has it.
#[derive(Debug, Clone)]
pub struct Identified {
    /// Who they are.
    pub identity: Identity,
    /// The Node object; null where there is none, or none is looked at.
    pub node: Value,
}

/// Asks the API which cluster it is and which of its nodes the host is. The UID of kube-system is in every id, so
/// without it there is no identity; a node that cannot be found leaves its part empty.
pub async fn identify(connection: &Connection, hints: &NodeHints) -> Result<Identified, Gap> {
    let client = &connection.client;
    let failed = |error: RequestError| {
        Gap::from(error).during(format_args!("get the namespace kube-system at {}", connection.url))
    };
    let system = get(client, "/api/v1/namespaces/kube-system").await.map_err(failed)?;
    let uid = system.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    if uid.is_empty() {
        return Err(Gap::new(Reason::Malformed, "get the namespace kube-system: it has no uid"));
    }
    let version = get(client, "/version").await.ok();
    let version = version.as_ref().and_then(|version| version.get("gitVersion")).and_then(Value::as_str);
    let name = match &connection.cluster_name {
        Some(name) => Some(name.clone()),
        None => kubeadm_name(client).await,
    };
    let node = if hints.wanted { find_node(client, hints).await } else { Value::Null };
    let identity = Identity {
        cluster: Cluster {
            id: uid.to_owned(),
            name,
            version: version.map(str::to_owned),
            platform: platform::of(&node, version),
            source: IdentitySource::Api,
            cloud: None,
        },
        node: node_of(&node),
    };
    Ok(Identified { identity, node })
}

/// The name that kubeadm wrote down; other clusters have none.
async fn kubeadm_name(client: &kube::Client) -> Option<String> {
    let map = get(client, "/api/v1/namespaces/kube-system/configmaps/kubeadm-config").await.ok()?;
    let text = map.pointer("/data/ClusterConfiguration")?.as_str()?;
    let configuration: Value = crate::yaml::from_str(text).ok()?;
    configuration.get("clusterName")?.as_str().map(str::to_owned)
}

/// By name, then by the host's name; null where there is none. No node may list all others to find itself.
async fn find_node(client: &kube::Client, hints: &NodeHints) -> Value {
    for name in hints.name.iter().chain(&hints.hostname) {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        if !plain || name.is_empty() {
            continue;
        }
        match get(client, &format!("/api/v1/nodes/{}", name.to_lowercase())).await {
            Ok(node) => return node,
            Err(error) if Some(name) == hints.name.as_ref() => {
                tracing::warn!(node = name, %error, "cannot get the Node that posturebeat.node_name or NODE_NAME names");
            }
            Err(error) => tracing::debug!(node = name, %error, "no node of this name"),
        }
    }
    Value::Null
}

fn node_of(node: &Value) -> Node {
    let text = |key: &str| node.pointer(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = text("/status/nodeInfo/kubeletVersion");
    Node {
        id: text("/metadata/uid"),
        name: text("/metadata/name"),
        kubelet_version: (!version.is_empty()).then_some(version),
    }
}
