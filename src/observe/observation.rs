//! A source that is being read.

use anyhow::anyhow;
use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::cluster_watch::ClusterWatch;
use crate::collect::node::host::HostFacts;
use crate::resource::{Gap, Identity, Kind, ObjectDemands, Resource};

/// What the collectors of a source return, given that they succeed: the means to watch a cluster from then on.
pub(super) type Collected = anyhow::Result<Option<Box<ClusterWatch>>>;

/// Why whoever runs the control plane shows nothing of it, once that is known.
pub(super) type ClosedControlPlane = Arc<OnceLock<Gap>>;

/// A source that is being read.
pub(crate) struct Observation {
    pub identity: Identity,
    pub host: HostFacts,
    pub found: mpsc::Receiver<Resource>,
    /// Ends after the last resource, or when the receiver is dropped; fails if the source as such cannot be read.
    collectors: AbortOnDropHandle<Collected>,
    /// Set by [`Self::ended`], where changes can be watched from now on.
    pub watch: Option<Box<ClusterWatch>>,
    /// Why the API server's flags are out of sight; known after the last resource.
    pub closed: ClosedControlPlane,
}

impl Observation {
    /// `collectors` send to the other end of `found`.
    pub(super) fn new(
        identity: Identity,
        host: HostFacts,
        found: mpsc::Receiver<Resource>,
        collectors: tokio::task::JoinHandle<Collected>,
    ) -> Self {
        let closed = ClosedControlPlane::default();
        Self { identity, host, found, collectors: AbortOnDropHandle::new(collectors), watch: None, closed }
    }

    /// Waits for the collectors, after the last resource was taken.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        let ended = (&mut self.collectors).await;
        self.watch = ended.map_err(|error| anyhow!("a collector stopped unexpectedly: {error}"))??;
        Ok(())
    }
}

/// What rules ask for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wanted {
    /// The types of resources.
    pub kinds: BTreeSet<(Kind, String)>,
    /// Of objects of the API also where, and what of them.
    pub objects: ObjectDemands,
}
