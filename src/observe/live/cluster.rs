//! The cluster of a cycle: its objects, and its cloud where that is in scope.

use jiff::Timestamp;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use crate::collect::cloud::CloudRequest;
use crate::collect::cluster::{self, Connection, Request};
use crate::collect::sightings::Sightings;
use crate::observe::cloud::CloudView;
use crate::observe::cluster_watch::ClusterWatch;
use crate::resource::{Gap, Identity, Kind, Owner, Reason, Resource, Selector, Unread};

/// Collects the objects of one cluster.
pub(super) struct ClusterCollector {
    owner: Owner,
    version: Option<String>,
    /// Everything that rules judge.
    wanted: BTreeSet<(Kind, String)>,
    /// The kinds of objects among it.
    kinds: BTreeSet<String>,
    secrets: bool,
    watch: bool,
}

impl ClusterCollector {
    pub(super) fn new(
        identity: &Identity,
        wanted: BTreeSet<(Kind, String)>,
        secrets: bool,
        watch: bool,
    ) -> Self {
        let cluster = &identity.cluster;
        let name = cluster.name.clone().unwrap_or_else(|| "cluster".into());
        let owner = Owner { id: format!("cluster/{}", cluster.id), name };
        let kinds = wanted.iter().filter(|(kind, _)| *kind == Kind::K8sObject);
        let kinds = kinds.map(|(_, name)| name.clone()).collect();
        Self { owner, version: cluster.version.clone(), wanted, kinds, secrets, watch }
    }

    /// Sends the cluster's objects, and what the cloud adds. Returns the means to watch it from then on.
    pub(super) async fn run(
        self,
        reach: Result<Connection, Unread>,
        cloud: Option<&CloudView>,
        found: &mpsc::Sender<Resource>,
    ) -> Option<ClusterWatch> {
        self.unknown_kinds(found).await;
        let Some(cloud) = cloud else {
            let kept = self.objects(reach, None, found).await;
            return self.into_watch(kept);
        };
        let request = CloudRequest::new(&self.owner, &self.wanted);
        let mut sightings = Sightings::default();
        let objects = self.objects(reach, Some(&mut sightings), found);
        let (kept, ()) = tokio::join!(objects, cloud.observe_cluster(&request, found));
        cloud.observe_named(&request, &sightings, found).await;
        self.into_watch(kept)
    }

    /// Each kind that is never collected becomes a gap.
    async fn unknown_kinds(&self, found: &mpsc::Sender<Resource>) {
        for kind in self.kinds.iter().filter(|kind| !cluster::known().any(|known| known == kind.as_str())) {
            let selector = Selector::new(Kind::K8sObject, kind.as_str());
            let what = format!("list {kind}: posturebeat does not collect this kind");
            // A send fails when the receiver was dropped.
            let _ =
                found.send(Resource::unlisted(&selector, &self.owner, Gap::new(Reason::Missing, what))).await;
        }
    }

    async fn objects(
        &self,
        reach: Result<Connection, Unread>,
        mut sightings: Option<&mut Sightings>,
        found: &mpsc::Sender<Resource>,
    ) -> Option<(kube::Client, cluster::Kept)> {
        let wanted = self.kinds.iter().map(String::as_str).collect();
        let request = Request {
            owner: &self.owner,
            version: self.version.as_deref(),
            wanted: &wanted,
            secrets: self.secrets,
            now: Timestamp::now(),
            watch: self.watch,
        };
        match reach {
            Ok(connection) => {
                let kept = cluster::observe(&connection.client, &request, sightings, found).await;
                kept.map(|kept| (connection.client, kept))
            }
            Err(unread) => {
                for resource in cluster::out_of_reach(&request, unread.gap.reason, &unread.gap.what) {
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
    }

    fn into_watch(self, kept: Option<(kube::Client, cluster::Kept)>) -> Option<ClusterWatch> {
        let (client, kept) = kept?;
        let Self { owner, version, kinds, secrets, .. } = self;
        Some(ClusterWatch { client, kept, owner, version, wanted: kinds, secrets })
    }
}
