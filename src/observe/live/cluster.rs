//! The cluster of a cycle: its objects, and its cloud where that is in scope.

use jiff::Timestamp;
use std::collections::BTreeSet;
use tokio::sync::mpsc;

use crate::collect::cloud::CloudRequest;
use crate::collect::cluster::{self, SweepRequest};
use crate::collect::sightings::Sightings;
use crate::kube_api::Connection;
use crate::observe::cloud::CloudView;
use crate::observe::cluster_watch::ClusterWatch;
use crate::resource::{Gap, Identity, Kind, ObjectDemands, Owner, Resource};

/// The cluster, as the owner of what could not be listed.
pub(super) fn owner(identity: &Identity) -> Owner {
    let cluster = &identity.cluster;
    let name = cluster.name.clone().unwrap_or_else(|| "cluster".into());
    Owner { id: format!("cluster/{}", cluster.id), name }
}

/// Collects the objects of one cluster.
pub(super) struct ClusterCollector {
    owner: Owner,
    version: Option<String>,
    /// Everything that rules judge.
    wanted: BTreeSet<(Kind, String)>,
    /// Of objects also where, and what of them.
    demands: ObjectDemands,
    secrets: bool,
    watch: bool,
}

impl ClusterCollector {
    pub(super) fn new(
        identity: &Identity,
        wanted: BTreeSet<(Kind, String)>,
        demands: ObjectDemands,
        secrets: bool,
        watch: bool,
    ) -> Self {
        let version = identity.cluster.version.clone();
        Self { owner: owner(identity), version, wanted, demands, secrets, watch }
    }

    /// Sends the cluster's objects, and what the cloud adds. Returns the means to watch it from then on.
    pub(super) async fn run(
        self,
        reach: Result<Connection, Gap>,
        cloud: Option<&CloudView>,
        found: &mpsc::Sender<Resource>,
    ) -> Option<ClusterWatch> {
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

    async fn objects(
        &self,
        reach: Result<Connection, Gap>,
        mut sightings: Option<&mut Sightings>,
        found: &mpsc::Sender<Resource>,
    ) -> Option<(kube::Client, cluster::SweepState)> {
        let request = SweepRequest {
            owner: &self.owner,
            version: self.version.as_deref(),
            demands: &self.demands,
            secrets: self.secrets,
            now: Timestamp::now(),
            watch: self.watch,
        };
        match reach {
            Ok(connection) => {
                let kept = cluster::observe(&connection.client, &request, sightings, found).await;
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
    }

    fn into_watch(self, kept: Option<(kube::Client, cluster::SweepState)>) -> Option<ClusterWatch> {
        let (client, kept) = kept?;
        let Self { owner, version, demands, secrets, .. } = self;
        Some(ClusterWatch { client, kept, owner, version, demands, secrets })
    }
}
