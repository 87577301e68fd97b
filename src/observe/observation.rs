//! A source that is being read.

use anyhow::anyhow;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::cluster_watch::ClusterWatch;
use crate::collect::node::host::HostFacts;
use crate::resource::{Gap, Identity, Kind, ObjectDemands, Resource, SkippedInput};

/// What the collectors of a source return.
pub(super) type Collected = anyhow::Result<CollectionEnd>;

/// What the collectors of a source know at their end.
#[derive(Default)]
pub(super) struct CollectionEnd {
    /// Kinds of objects that rules ask for and that the API server does not have.
    pub absent_kinds: BTreeSet<String>,
    /// Why the provider of the control plane shows nothing of the API server.
    pub closed: Option<Gap>,
    /// The means to watch the cluster from then on, where it can be watched.
    pub watch: Option<Box<ClusterWatch>>,
}

/// A source that is being read.
pub(crate) struct Observation {
    pub identity: Identity,
    pub host: HostFacts,
    pub found: mpsc::Receiver<Resource>,
    /// Ends after the last resource, or when the receiver is dropped; fails if the source as such cannot be read.
    collectors: AbortOnDropHandle<Collected>,
    /// Set by [`Self::ended`]: kinds of objects that rules ask for and that the API server does not have.
    pub absent_kinds: BTreeSet<String>,
    /// Set by [`Self::ended`], where changes can be watched from now on.
    pub watch: Option<Box<ClusterWatch>>,
    /// Set by [`Self::ended`]: why the provider of the control plane shows nothing of the API server.
    pub closed: Option<Gap>,
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
        Self {
            identity,
            host,
            found,
            collectors,
            absent_kinds: BTreeSet::new(),
            closed: None,
            watch: None,
            input: InputRemarks::default(),
        }
    }

    /// Waits for the collectors, after the last resource was taken.
    pub(crate) async fn ended(&mut self) -> anyhow::Result<()> {
        let ended = (&mut self.collectors).await;
        let end = ended.map_err(|error| anyhow!("a collector stopped unexpectedly: {error}"))??;
        (self.absent_kinds, self.closed, self.watch) = (end.absent_kinds, end.closed, end.watch);
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
