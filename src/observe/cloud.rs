//! The cloud of a cycle: which of its clusters this one is, and what it reports about the cluster.

use anyhow::anyhow;
use serde_json::Value;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use super::IN_FLIGHT;
use super::clouds;
use super::observation::{CollectionEnd, Observation};
use crate::collect::cloud::{CloudDiscovery, CloudProvider, CloudRequest, CloudSession, ClusterFacts};
use crate::collect::node::host::HostFacts;
use crate::collect::sightings::Sightings;
use crate::config::settings::{Aws, Settings};
use crate::resource::{CLOUD, Gap, Identity, IdentitySource, Kind, Owner, Platform, Resource};

/// The cloud as a cycle sees it: a session, or why there is none.
pub(crate) struct CloudView {
    session: Result<Box<dyn CloudSession>, Gap>,
    /// The cluster's name at the cloud, where it is configured.
    configured: Option<String>,
}

impl CloudView {
    /// Finds the cluster in its cloud, with the facts that `learn` adds to those of configuration and pod.
    pub(crate) async fn find(
        provider: Result<Box<dyn CloudProvider>, Gap>,
        learn: impl FnOnce(&mut ClusterFacts),
    ) -> Self {
        let provider = match provider {
            Ok(provider) => provider,
            Err(gap) => return Self { session: Err(warned(gap)), configured: None },
        };
        let mut facts = provider.configured();
        let configured = facts.cluster.clone().filter(|name| !name.is_empty());
        facts.note_token();
        learn(&mut facts);
        Self { session: provider.discover(&facts).await.map_err(warned), configured }
    }

    /// Adds what is known now to the cluster's identity. The name at the cloud is better than a kubeconfig's; one that
    /// is configured stays while the cloud does not answer.
    pub(crate) fn identify(&self, identity: &mut Identity) {
        let discovery = self.session.as_ref().ok().map(|session| session.discovery());
        let found = discovery.and_then(|discovery| discovery.cluster.as_ref().ok());
        if let Some(name) = found.map(|cluster| &cluster.name).or(self.configured.as_ref()) {
            identity.cluster.name = Some(name.clone());
        }
        if let Some(discovery) = discovery {
            identity.cluster.cloud = Some(discovery.cloud.clone());
        }
    }

    /// Sends the managed cluster to `found`, or what stands for it.
    pub(crate) async fn observe_cluster(&self, request: &CloudRequest, found: &mpsc::Sender<Resource>) {
        match &self.session {
            Err(gap) => out_of_reach(request, |_| true, gap, found).await,
            Ok(session) => match &session.discovery().cluster {
                Err(gap) => out_of_reach(request, |kind| kind == Kind::Caas, gap, found).await,
                Ok(cluster) => session.observe_cluster(cluster, request, found).await,
            },
        }
    }

    /// Sends what the cluster's objects name to `found`: load balancers and image repositories.
    pub(crate) async fn observe_named(
        &self,
        request: &CloudRequest,
        sightings: &Sightings,
        found: &mpsc::Sender<Resource>,
    ) {
        // Without a session, `observe_cluster` has sent what stands for everything.
        if let Ok(session) = &self.session {
            session.observe_named(request, sightings, found).await;
        }
    }
}

fn warned(gap: Gap) -> Gap {
    tracing::warn!(reason = gap.reason.as_str(), error = gap.what, "cannot look the cluster up in its cloud");
    gap
}

/// Sends a gap for everything wanted of these kinds.
async fn out_of_reach(
    request: &CloudRequest,
    kinds: impl Fn(Kind) -> bool,
    gap: &Gap,
    found: &mpsc::Sender<Resource>,
) {
    for selector in request.wanted.iter().filter(|selector| kinds(selector.kind)) {
        // Fails when the receiver was dropped: the cycle is over.
        if found.send(Resource::unlisted(selector, &request.owner, gap.clone())).await.is_err() {
            return;
        }
    }
}

/// The name at its cloud of a cluster on this platform, by configuration or a Node's labels, without a call.
pub(crate) fn name_by_node(aws: &Aws, platform: Platform, node: &Value) -> Option<String> {
    let provider = clouds::configured(aws, &|_| None).ok().filter(|cloud| cloud.platform() == platform)?;
    let mut facts = provider.configured();
    facts.note_node(node);
    provider.cluster_name(&facts)
}

/// Begins to observe a managed cluster from outside: what its cloud reports, without the Kubernetes API.
pub(crate) async fn outside(
    settings: &Settings,
    mut wanted: BTreeSet<(Kind, String)>,
    host: HostFacts,
) -> anyhow::Result<Observation> {
    let env = |name: &str| std::env::var(name).ok();
    let provider = clouds::configured(&settings.posture.aws, &env).map_err(|gap| anyhow!(gap.what))?;
    let session = provider.discover(&provider.configured()).await.map_err(|gap| anyhow!(gap.what))?;
    let CloudDiscovery { cluster, .. } = session.discovery();
    let cluster = cluster.clone().map_err(|gap| anyhow!(gap.what))?;
    let mut identity = Identity::default();
    identity.cluster.id = cluster.id;
    identity.cluster.source = IdentitySource::Cloud;
    identity.cluster.platform = Some(provider.platform());
    let cloud = CloudView { session: Ok(session), configured: None };
    cloud.identify(&mut identity);
    wanted.retain(|(kind, _)| *kind == Kind::Caas);
    let owner = Owner { id: format!("cluster/{}", identity.cluster.id), name: cluster.name };
    let request = CloudRequest::new(&owner, &wanted);
    let (sender, found) = mpsc::channel(IN_FLIGHT);
    let ended = tokio::spawn(async move {
        cloud.observe_cluster(&request, &sender).await;
        Ok(CollectionEnd::default())
    });
    Ok(Observation::new(identity, host, found, ended))
}

/// Every sub type that clouds can be asked for.
pub(crate) fn everything() -> impl Iterator<Item = (Kind, String)> {
    CLOUD.iter().flat_map(|(kind, names)| names.iter().map(|name| (*kind, (*name).to_owned())))
}
