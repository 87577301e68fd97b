//! This node and its cluster, as they are now.

use anyhow::anyhow;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::cloud::{self, Ask, Cloud};
use super::going::Going;
use super::scope::Scope;
use super::source::{FOUND, Observation, Wanted};
use super::state::State;
use crate::collect::aws::identity::{TOKEN, issuer};
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::host::HostFacts;
use crate::collect::sightings::Sightings;
use crate::collect::{cluster, node};
use crate::config::settings::{Posture, Settings};
use crate::kube_api::{self, Connection};
use crate::resource::{
    Gap, Identity, IdentitySource, Kind, ObjectDemands, Owner, Platform, Reason, Resource, Selector,
};
use crate::rule::minor_version;

/// Begins to look at them.
pub(super) async fn observe(
    settings: &Settings,
    state: &State,
    scope: &Scope,
    wanted: Wanted,
    host: HostFacts,
) -> Observation {
    let Wanted { kinds: mut wanted, objects: demands } = wanted;
    let demands = if scope.has(Kind::K8sObject) { demands } else { ObjectDemands::new() };
    wanted.retain(|(kind, _)| scope.has(*kind));
    let posture = &settings.posture;
    let env = |name: &str| std::env::var(name).ok();
    let connection = kube_api::connect(scope.target(posture), &env).await;
    let hints = cluster::NodeHints {
        name: posture.node_name.clone().or_else(|| env("NODE_NAME")),
        hostname: Some(host.hostname.clone()),
        wanted: wanted.iter().any(|(kind, _)| kind.is_of_node()),
    };
    let identified = match &connection {
        Ok(connection) => cluster::identify(connection, &hints).await,
        Err(gap) => Err(gap.clone()),
    };
    let mut identity = match &identified {
        Ok(identified) => identified.identity.clone(),
        Err(gap) => {
            tracing::warn!(reason = gap.reason.as_str(), error = %gap, "cannot identify the cluster");
            let name = connection.as_ref().ok().and_then(|connection| connection.cluster_name.clone());
            state.last_identity().unwrap_or_else(|| unknown(&host, scope.context.as_deref(), name))
        }
    };
    if identity.node.id.is_empty() && hints.wanted {
        identity.node = known_node(&identity, state, &hints, &host);
    }
    if identified.is_ok() {
        state.remember(&identity);
    }
    let (sender, found) = mpsc::channel(FOUND);
    let reach = match (connection, &identified) {
        (Err(gap), _) => Err(gap),
        // An API that does not answer is asked once a cycle, not once for each kind.
        (Ok(_), Err(gap)) if matches!(gap.reason, Reason::Unavailable | Reason::Timeout) => Err(gap.clone()),
        (Ok(connection), _) => Ok(connection),
    };
    let cloud = if wanted.iter().any(|(kind, _)| kind.is_of_cloud()) {
        let mut facts = cloud::facts(&posture.aws, &env);
        facts.issuer = issuer(Path::new(TOKEN));
        if let Ok(identified) = &identified {
            facts.note_node(&identified.node);
        }
        if let Ok(connection) = &reach {
            facts.authorities = connection.authorities().to_vec();
        }
        let cloud = Cloud::find(&posture.aws, &facts).await;
        cloud.tell(&mut identity);
        Some(cloud)
    } else {
        if let (Ok(identified), Some(Platform::Eks)) = (&identified, identity.cluster.platform) {
            name_by_node(&mut identity, posture, &identified.node);
        }
        None
    };
    let look = Look {
        host_root: posture.host_root.clone(),
        identity: identity.clone(),
        secrets: posture.secrets,
        kubelet_url: posture.kubelet_url.clone(),
        cloud,
        wanted,
        demands,
        watch: scope.lasting && posture.watch,
    };
    let ended = tokio::spawn(collect(look, reach, sender));
    Observation { identity, host, found, ended: AbortOnDropHandle::new(ended), going: None }
}

/// The name at EKS without a call to AWS, so that findings about nodes have the one that the cluster's have.
fn name_by_node(identity: &mut Identity, posture: &Posture, node: &Value) {
    let mut facts = cloud::facts(&posture.aws, &|_| None);
    facts.note_node(node);
    if let Some(name) = facts.cluster_name() {
        identity.cluster.name = Some(name);
    }
}

/// A node that the API does not show: as it was the last time, else by the machine's id. Its id is hashed into
/// every file's and process's, so it must not change because one request failed.
fn known_node(
    identity: &Identity,
    state: &State,
    hints: &cluster::NodeHints,
    host: &HostFacts,
) -> crate::resource::Node {
    let last = state.last_identity().filter(|last| last.cluster.id == identity.cluster.id);
    let last = last.map(|last| last.node).filter(|node| !node.id.is_empty());
    let node = last.unwrap_or_else(|| crate::resource::Node {
        id: host.machine_id.clone(),
        name: hints.name.clone().unwrap_or_else(|| host.hostname.clone()),
        kubelet_version: None,
    });
    tracing::warn!(
        node = node.name,
        "the API shows no Node for this host; set posturebeat.node_name, or NODE_NAME"
    );
    node
}

/// What a cycle looks at.
struct Look {
    host_root: PathBuf,
    identity: Identity,
    /// Whether Secrets may be listed.
    secrets: bool,
    /// Where the kubelet may be asked.
    kubelet_url: Option<String>,
    /// The cloud, where it is asked.
    cloud: Option<Cloud>,
    wanted: BTreeSet<(Kind, String)>,
    demands: ObjectDemands,
    /// Whether the cluster is to be watched afterwards.
    watch: bool,
}

/// Node and cluster side by side.
async fn collect(
    look: Look,
    reach: Result<Connection, Gap>,
    found: mpsc::Sender<Resource>,
) -> anyhow::Result<Option<Box<Going>>> {
    let Look { host_root, identity, secrets, kubelet_url, cloud, wanted, demands, watch } = look;
    let cluster_name = identity.cluster.name.clone().unwrap_or_else(|| "cluster".into());
    let cluster_owner = Owner { id: format!("cluster/{}", identity.cluster.id), name: cluster_name };
    let node_owner = Owner { id: format!("node/{}", identity.node.id), name: identity.node.name.clone() };
    let to_node = found.clone();
    let of_node: Vec<Selector> = wanted
        .iter()
        .filter(|(kind, _)| kind.is_of_node())
        .map(|(kind, name)| Selector::new(*kind, name.as_str()))
        .collect();
    let told = Told {
        version: identity.node.kubelet_version.clone(),
        configz: match (&reach, &kubelet_url) {
            (Ok(connection), Some(url)) => configz(connection, url).await,
            _ => None,
        },
    };
    let node = tokio::task::spawn_blocking(move || {
        observe_node(&host_root, &node_owner, &of_node, told, &to_node);
    });
    let request = cluster::SweepRequest {
        owner: &cluster_owner,
        version: identity.cluster.version.as_deref(),
        demands: &demands,
        secrets,
        now: Timestamp::now(),
        watch,
    };
    let ask = Ask::new(&cluster_owner, &wanted);
    let mut sightings = cloud.as_ref().map(|_| Sightings::default());
    let of_cluster = async {
        match reach {
            Ok(connection) => {
                let kept = cluster::observe(&connection.client, &request, sightings.as_mut(), &found).await;
                kept.map(|kept| (connection.client, kept))
            }
            Err(gap) => {
                for resource in cluster::out_of_reach(&request, &gap) {
                    if let Some(sightings) = &mut sightings {
                        sightings.note(&resource);
                    }
                    if found.send(resource).await.is_err() {
                        break;
                    }
                }
                None
            }
        }
    };
    let kept = match &cloud {
        None => of_cluster.await,
        Some(cloud) => {
            let (kept, ()) = tokio::join!(of_cluster, cloud.observe_cluster(&ask, &found));
            cloud.observe_used(&ask, &sightings.unwrap_or_default(), &found).await;
            kept
        }
    };
    node.await.map_err(|error| anyhow!("the node's collector broke off: {error}"))?;
    let Some((client, kept)) = kept else { return Ok(None) };
    let version = identity.cluster.version;
    Ok(Some(Box::new(Going { client, kept, owner: cluster_owner, version, demands, secrets })))
}

/// What others say of the node's kubelet.
struct Told {
    /// Its Node object shows its version; its arguments do not.
    version: Option<String>,
    /// What it answered itself.
    configz: Option<Value>,
}

/// The kubelet's own word on its configuration, or a line that says why flags and files must do.
async fn configz(connection: &Connection, url: &str) -> Option<Value> {
    match cluster::configz(connection, url).await {
        Ok(configuration) => Some(configuration),
        Err(gap) => {
            let reason = gap.reason.as_str();
            tracing::warn!(reason, error = %gap, "cannot get /configz; judging the kubelet by its flags and files");
            None
        }
    }
}

/// What runs on the node and which files it has; a root that cannot be opened hides all of it.
fn observe_node(root: &Path, owner: &Owner, wanted: &[Selector], told: Told, found: &mpsc::Sender<Resource>) {
    if wanted.is_empty() {
        return;
    }
    // A send fails when nobody wants more.
    match HostRoot::open(root) {
        Ok(host) => {
            let mut kubelets = Vec::new();
            node::observe(&host, owner, &mut |mut resource| {
                if resource.kind == Kind::Process && resource.selectors() == ["kubelet"] {
                    kubelets.push(resource);
                } else {
                    add_version(&mut resource, told.version.as_deref());
                    let _ = found.blocking_send(resource);
                }
            });
            for kubelet in with_word(kubelets, &told) {
                let _ = found.blocking_send(kubelet);
            }
        }
        Err(gap) => {
            for selector in wanted {
                let _ = found.blocking_send(Resource::unlisted(selector, owner, gap.clone()));
            }
        }
    }
}

/// Adds what others say of the kubelet. Of two, nobody knows which answered.
fn with_word(mut kubelets: Vec<Resource>, told: &Told) -> Vec<Resource> {
    let only = kubelets.len() == 1;
    for kubelet in &mut kubelets {
        add_version(kubelet, told.version.as_deref());
        if let (true, Some(configz), Some(raw)) = (only, &told.configz, kubelet.raw.as_object_mut()) {
            raw.insert("configz".into(), configz.clone());
        }
    }
    kubelets
}

/// A kubelet does not say its version in its arguments; its Node object does. What else is in one program with
/// it has that version too, but for etcd.
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
        // As the tag of an image says it.
        _ => match minor_version(version) {
            Some((major, minor)) => format!("{major}.{minor}"),
            None => return,
        },
    };
    raw.entry("version").or_insert_with(|| version.into());
}

/// The API was never in reach: the machine's id stands for the cluster's, and where a context is named, one made of
/// both. Two clusters that were never in reach are still two.
fn unknown(host: &HostFacts, context: Option<&str>, name: Option<String>) -> Identity {
    let mut identity = Identity::default();
    identity.cluster.id = match context {
        None => host.machine_id.clone(),
        Some(context) => {
            let both = format!("{}/{context}", host.machine_id);
            Uuid::new_v5(&Uuid::NAMESPACE_OID, both.as_bytes()).to_string()
        }
    };
    identity.cluster.name = name.or_else(|| context.map(str::to_owned));
    identity.cluster.source = IdentitySource::MachineId;
    identity
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

    #[test]
    fn clusters_that_were_never_in_reach_are_told_apart() {
        let host = HostFacts { machine_id: "m".into(), ..HostFacts::default() };
        let id = |context: Option<&str>| unknown(&host, context, None).cluster.id;
        assert_eq!(id(None), "m");
        let ids = [id(None), id(Some("eu")), id(Some("us"))];
        assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
        assert_eq!(id(Some("eu")), ids[1], "from cycle to cycle the same");
        let name = |name: Option<&str>| unknown(&host, Some("eu"), name.map(str::to_owned)).cluster.name;
        assert_eq!((name(None).unwrap(), name(Some("prod-eu")).unwrap()), ("eu".into(), "prod-eu".into()));
    }
}
