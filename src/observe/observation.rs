//! A source that is being read.

use anyhow::anyhow;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::cluster_watch::ClusterWatch;
use crate::collect::node::host::HostFacts;
use crate::resource::{Gap, Identity, Kind, ObjectDemands, Resource, SkippedInput};

/// What the collectors of a source return, given that they succeed: the means to watch a cluster from then on.
pub(super) type Collected = anyhow::Result<Option<Box<ClusterWatch>>>;

/// A source that is being read.
pub(crate) struct Observation {
    pub identity: Identity,
    pub host: HostFacts,
    pub found: mpsc::Receiver<Resource>,
    /// Ends after the last resource, or when the receiver is dropped; fails if the source as such cannot be read.
    collectors: AbortOnDropHandle<Collected>,
    /// Set by [`Self::ended`], where changes can be watched from now on.
    pub watch: Option<Box<ClusterWatch>>,
    /// What is to be said about the input beside its resources.
    pub input: InputRemarks,
}

/// What is to be said about files that somebody wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct InputRemarks {
    /// What could not be read; each is an outcome of every rule that may be about it.
    pub unread: Vec<Gap>,
    /// What is no object, or none yet.
    pub skipped: SkippedInput,
}

impl Observation {
    /// `collectors` send to the other end of `found`.
    pub(super) fn new(
        identity: Identity,
        host: HostFacts,
        found: mpsc::Receiver<Resource>,
        collectors: tokio::task::JoinHandle<Collected>,
    ) -> Self {
        let collectors = AbortOnDropHandle::new(collectors);
        Self { identity, host, found, collectors, watch: None, input: InputRemarks::default() }
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
