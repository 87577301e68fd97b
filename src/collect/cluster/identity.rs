//! Which cluster, and which of its nodes.

use serde_json::Value;

use super::connect::Connection;
use super::item::Item;
use super::list::{Pages, Problem, get};
use super::platform;
use crate::resource::{Cluster, Identity, IdentitySource, Node, Reason, Unread};

/// What is known of the node before the API is asked.
#[derive(Debug, Clone, Default)]
pub struct NodeHints {
    /// By configuration or the downward API's `NODE_NAME`.
    pub name: Option<String>,
    /// The host's own name.
    pub hostname: Option<String>,
    /// The host's machine id.
    pub machine_id: Option<String>,
    /// Whether a node is looked at, at all.
    pub wanted: bool,
}

/// What the API said of itself and of the node.
#[derive(Debug, Clone)]
pub struct Identified {
    /// Who they are.
    pub identity: Identity,
    /// The Node object; null where there is none, or none is looked at.
    pub node: Value,
}

/// Asks the API who it is and which of its nodes the host is. The UID of kube-system is in every id, so
/// without it there is no identity; a node that cannot be found leaves its part empty.
pub async fn identify(connection: &Connection, hints: &NodeHints) -> Result<Identified, Unread> {
    let client = &connection.client;
    let told = |problem: Problem, what: &str| {
        let url = &connection.url;
        Unread::new("$", problem.reason, format!("{what} at {url}: {}", problem.message))
    };
    let system = get(client, "/api/v1/namespaces/kube-system")
        .await
        .map_err(|problem| told(problem, "get the namespace kube-system"))?;
    let uid = system.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
    if uid.is_empty() {
        return Err(Unread::new("$", Reason::Malformed, "get the namespace kube-system: it has no uid"));
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

/// By name, then by the host's name, then by machine id among all nodes; null where there is none.
async fn find_node(client: &kube::Client, hints: &NodeHints) -> Value {
    for name in hints.name.iter().chain(&hints.hostname) {
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        if !plain || name.is_empty() {
            continue;
        }
        match get(client, &format!("/api/v1/nodes/{}", name.to_lowercase())).await {
            Ok(node) => return node,
            Err(problem) if Some(name) == hints.name.as_ref() => {
                tracing::warn!(node = name, %problem, "cannot get the Node that posturebeat.node_name or NODE_NAME names");
            }
            Err(problem) => tracing::debug!(node = name, %problem, "no node of this name"),
        }
    }
    let Some(machine_id) = hints.machine_id.as_deref().filter(|id| !id.is_empty()) else {
        return Value::Null;
    };
    let mut pages = Pages::new(client, "/api/v1/nodes");
    while let Ok(Some(page)) = pages.next().await {
        let nodes = page.iter().filter_map(|item| match Item::parse(item) {
            Ok(Item::Object(node)) => Some(node),
            _ => None,
        });
        let same = |node: &Value| {
            node.pointer("/status/nodeInfo/machineID").and_then(Value::as_str) == Some(machine_id)
        };
        if let Some(node) = nodes.into_iter().find(same) {
            return node;
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
