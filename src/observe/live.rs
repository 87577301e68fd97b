//! Live observation: this node and its cluster, as they are now.

mod api_server;
mod cluster;
mod identity;
mod node;

use anyhow::anyhow;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::mpsc;

use super::IN_FLIGHT;
use super::cloud::{CloudView, name_by_node};
use super::clouds;
use super::data_dir::DataDir;
use super::node_sight::{NodeSight, SeenOnNode};
use super::observation::{Collected, Observation, Wanted};
use super::scope::Scope;
use crate::collect::cluster::{API_SERVER, Identified, NodeHints, identify};
use crate::collect::node::host::HostFacts;
use crate::config::settings::{Posture, Settings};
use crate::kube_api::{self, Connection};
use crate::redact::Reveal;
use crate::resource::{Gap, Identity, Kind, ObjectDemands, Owner, Reason, Resource, Selector};
use cluster::ClusterCollector;
use node::KubeletFacts;

/// The API server, or why it cannot be used.
type Reach = Result<Connection, Gap>;

/// Starts to observe what is in `scope`.
pub(super) async fn observe(
    settings: &Settings,
    data: &DataDir,
    scope: &Scope,
    wanted: Wanted,
    host: HostFacts,
) -> Observation {
    let Wanted { kinds: mut wanted, objects: demands } = wanted;
    let demands = if scope.has(Kind::K8sObject) { demands } else { ObjectDemands::new() };
    wanted.retain(|(kind, name)| scope.covers(*kind, name));
    let posture = &settings.posture;
    let env = |name: &str| std::env::var(name).ok();
    let connection = kube_api::connect(scope.target(posture), &env).await;
    let hints = NodeHints {
        name: posture.node_name.clone().or_else(|| env("NODE_NAME")),
        hostname: Some(host.hostname.clone()),
        wanted: scope.node && wanted.iter().any(|(kind, _)| kind.is_of_node()),
    };
    let identified = match &connection {
        Ok(connection) => identify(connection, &hints).await,
        Err(gap) => Err(gap.clone()),
    };
    let mut identity = match &identified {
        Ok(identified) => identified.identity.clone(),
        Err(gap) => {
            tracing::warn!(reason = gap.reason.as_str(), error = %gap, "cannot identify the cluster");
            let name = connection.as_ref().ok().and_then(|connection| connection.cluster_name.clone());
            data.last_identity().unwrap_or_else(|| identity::unknown(&host, scope.context.as_deref(), name))
        }
    };
    if identity.node.id.is_empty() && hints.wanted {
        identity.node = identity::known_node(&identity, data, &hints, &host);
    }
    if identified.is_ok() {
        data.remember(&identity);
    }
    let reach = match (connection, &identified) {
        (Err(gap), _) => Err(gap),
        // An API that does not answer is tried once a cycle, not once for each kind.
        (Ok(_), Err(gap)) if matches!(gap.reason, Reason::Unavailable | Reason::Timeout) => Err(gap.clone()),
        (Ok(connection), _) => Ok(connection),
    };
    let cloud = cloud_of(posture, &wanted, &reach, identified.as_ref().ok(), &mut identity).await;
    let api_server = (Kind::Process, API_SERVER.to_owned());
    let collectors = Collectors {
        node: scope.node,
        sight: scope.sight.clone(),
        api_server: scope.asks_api_server() && wanted.contains(&api_server),
        host_root: posture.host_root.clone(),
        identity: identity.clone(),
        secrets: posture.secrets,
        reveal: Arc::clone(&posture.reveal),
        kubelet_url: posture.kubelet_url.clone(),
        cloud,
        wanted,
        demands,
        watch: scope.lasting && posture.watch,
    };
    let (sender, found) = mpsc::channel(IN_FLIGHT);
    Observation::new(identity, host, found, tokio::spawn(collectors.run(reach, sender)))
}

/// The cloud, if a rule is about it; it adds to the cluster's identity.
async fn cloud_of(
    posture: &Posture,
    wanted: &BTreeSet<(Kind, String)>,
    reach: &Reach,
    identified: Option<&Identified>,
    identity: &mut Identity,
) -> Option<CloudView> {
    if !wanted.iter().any(|(kind, _)| kind.is_of_cloud()) {
        // So that findings about nodes name the cluster as its own findings do.
        if let (Some(identified), Some(platform)) = (identified, identity.cluster.platform)
            && let Some(name) = name_by_node(&posture.aws, platform, &identified.node)
        {
            identity.cluster.name = Some(name);
        }
        return None;
    }
    let env = |name: &str| std::env::var(name).ok();
    let cloud = CloudView::find(clouds::configured(&posture.aws, &env), |facts| {
        if let Some(identified) = identified {
            facts.note_node(&identified.node);
        }
        if let Ok(connection) = reach {
            facts.authorities = connection.authorities().to_vec();
        }
    });
    let cloud = cloud.await;
    cloud.identify(identity);
    Some(cloud)
}

/// The collectors of one cycle.
struct Collectors {
    /// Whether this node is in scope.
    node: bool,
    /// What this node's track tells the cluster's.
    sight: Option<NodeSight>,
    /// Whether the API server's flags are in scope.
    api_server: bool,
    host_root: PathBuf,
    identity: Identity,
    /// Whether Secrets may be listed.
    secrets: bool,
    /// Which blanked values rules may compare.
    reveal: Arc<Reveal>,
    /// The address of the kubelet, if its configuration may be read there.
    kubelet_url: Option<String>,
    cloud: Option<CloudView>,
    wanted: BTreeSet<(Kind, String)>,
    demands: ObjectDemands,
    /// Whether the cluster is to be watched afterwards.
    watch: bool,
}

impl Collectors {
    /// Runs node and cluster side by side.
    async fn run(self, reach: Reach, found: mpsc::Sender<Resource>) -> Collected {
        let Self {
            node,
            sight,
            api_server,
            host_root,
            identity,
            secrets,
            reveal,
            kubelet_url,
            cloud,
            wanted,
            demands,
            watch,
        } = self;
        let of_node: Vec<Selector> = wanted
            .iter()
            .filter(|(kind, _)| node && kind.is_of_node())
            .map(|(kind, name)| Selector::new(*kind, name.as_str()))
            .collect();
        let facts = KubeletFacts {
            version: identity.node.kubelet_version.clone(),
            configz: match (&reach, &kubelet_url) {
                (Ok(connection), Some(url)) => node::configz(connection, url).await,
                _ => None,
            },
        };
        let to_node = found.clone();
        let owner = Owner { id: format!("node/{}", identity.node.id), name: identity.node.name.clone() };
        let in_scope = node;
        let node = tokio::task::spawn_blocking(move || {
            node::observe(&host_root, &owner, &of_node, &facts, &to_node)
        });
        let cluster = ClusterCollector::new(&identity, wanted, demands, secrets, reveal, watch);
        let mut end = cluster.run(reach.clone(), cloud.as_ref(), &found).await;
        let seen = node.await;
        if let Some(sight) = sight.as_ref().filter(|_| in_scope) {
            sight.publish(*seen.as_ref().unwrap_or(&SeenOnNode::default()));
        }
        let mut seen = seen.map_err(|error| anyhow!("the node collector stopped unexpectedly: {error}"))?;
        if api_server {
            // In a pod it is known which agents observe which nodes, and this node is one of them.
            let in_pod = reach.as_ref().is_ok_and(|connection| connection.pod_namespace.is_some());
            if let Some(sight) = sight.filter(|_| !in_scope && !in_pod) {
                seen = sight.latest().await;
            }
            if !seen.api_server {
                end.closed = api_server::observe(reach, &identity, seen.api_server_unlisted, &found).await;
            }
        }
        Ok(end)
    }
}
