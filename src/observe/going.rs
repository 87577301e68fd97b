//! What a sweep of a cluster leaves behind: the means to watch it until the next one.

use jiff::Timestamp;
use std::collections::BTreeSet;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use super::source::FOUND;
use crate::collect::cluster;
use crate::resource::{Owner, Resource};

/// A cluster that was swept, to be watched from then on.
pub(crate) struct Going {
    pub client: kube::Client,
    pub kept: cluster::Kept,
    pub owner: Owner,
    pub version: Option<String>,
    pub wanted: BTreeSet<String>,
    pub secrets: bool,
}

impl Going {
    /// Sends what may be judged otherwise now, until the handle is dropped.
    pub(crate) fn watch(self) -> (mpsc::Receiver<Resource>, AbortOnDropHandle<()>) {
        let (sender, found) = mpsc::channel(FOUND);
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
