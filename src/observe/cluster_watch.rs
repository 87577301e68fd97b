//! What a sweep of a cluster leaves behind: the means to watch it until the next one.

use jiff::Timestamp;
use std::sync::Arc;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::IN_FLIGHT;
use crate::collect::cluster;
use crate::redact::Reveal;
use crate::resource::{ObjectDemands, Owner, Resource};

/// A cluster after a sweep, ready to be watched.
pub(crate) struct ClusterWatch {
    pub(super) client: kube::Client,
    pub(super) kept: cluster::SweepState,
    pub(super) owner: Owner,
    pub(super) version: Option<String>,
    pub(super) demands: ObjectDemands,
    pub(super) secrets: bool,
    pub(super) reveal: Arc<Reveal>,
}

impl ClusterWatch {
    /// Sends each resource whose verdicts may have changed, until the handle is dropped.
    pub(crate) fn start(self) -> (mpsc::Receiver<Resource>, AbortOnDropHandle<()>) {
        let (sender, found) = mpsc::channel(IN_FLIGHT);
        let watching = tokio::spawn(async move {
            let Self { client, kept, owner, version, demands, secrets, reveal } = self;
            let request = cluster::SweepRequest {
                owner: &owner,
                version: version.as_deref(),
                demands: &demands,
                secrets,
                reveal: &reveal,
                now: Timestamp::now(),
                watch: true,
            };
            cluster::watch(&client, &request, kept, &sender).await;
        });
        (found, AbortOnDropHandle::new(watching))
    }
}
