//! What a sweep of a cluster leaves behind: the means to watch it until the next one.

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::source::FOUND;
use crate::collect::cluster;
use crate::resource::{ObjectDemands, Owner, Resource};

/// A cluster that was swept, to be watched from then on.
pub(crate) struct Going {
    pub client: kube::Client,
    pub kept: cluster::SweepState,
    pub owner: Owner,
    pub version: Option<String>,
    pub demands: ObjectDemands,
    pub secrets: bool,
}

impl Going {
    /// Sends what may be judged otherwise now, until the handle is dropped.
    pub(crate) fn watch(self) -> (mpsc::Receiver<Resource>, AbortOnDropHandle<()>) {
        let (sender, found) = mpsc::channel(FOUND);
        let watching = tokio::spawn(async move {
            let Self { client, kept, owner, version, demands, secrets } = self;
            let request = cluster::SweepRequest {
                owner: &owner,
                version: version.as_deref(),
                demands: &demands,
                secrets,
                now: Timestamp::now(),
                watch: true,
            };
            cluster::watch(&client, &request, kept, &sender).await;
        });
        (found, AbortOnDropHandle::new(watching))
    }
}
