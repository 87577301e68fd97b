//! What a sweep of a cluster leaves behind: the means to watch it until the next one.

use jiff::Timestamp;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::IN_FLIGHT;
use crate::collect::cluster;
use crate::resource::{Owner, Resource};

/// A cluster after a sweep, ready to be watched.
pub(crate) struct ClusterWatch {
    pub(super) client: kube::Client,
    pub(super) kept: cluster::Kept,
    pub(super) owner: Owner,
    pub(super) version: Option<String>,
    pub(super) wanted: BTreeSet<String>,
    pub(super) secrets: bool,
}

impl ClusterWatch {
    /// Sends each resource whose verdicts may have changed, until the handle is dropped.
    pub(crate) fn start(self) -> (mpsc::Receiver<Resource>, AbortOnDropHandle<()>) {
        let (sender, found) = mpsc::channel(IN_FLIGHT);
        let watching = tokio::spawn(async move {
            let Self { client, kept, owner, version, wanted, secrets } = self;
            let wanted = wanted.iter().map(String::as_str).collect();
            let request = cluster::Request {
                owner: &owner,
                version: version.as_deref(),
                wanted: &wanted,
                secrets,
                now: Timestamp::now(),
                watch: true,
            };
            cluster::watch(&client, &request, kept, &sender).await;
        });
        (found, AbortOnDropHandle::new(watching))
    }
}
