//! The API server of a cycle, as it describes itself to the leader.

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::cluster::owner;
use crate::collect::cluster::{self, ApiServerView, ControlPlaneRequest};
use crate::kube_api::Connection;
use crate::resource::{Gap, Identity, Platform, Resource, minor_version};

/// Sends the API server, or the error in its place, unless the node reported one (`is_reported`); nothing where a node
/// agent judges it. Returns why its provider shows
/// nothing of it, where that is so.
pub(super) async fn observe(
    reach: Result<Connection, Gap>,
    identity: &Identity,
    is_reported: bool,
    found: &mpsc::Sender<Resource>,
) -> Option<Gap> {
    let owner = owner(identity);
    let platform = identity.cluster.platform.filter(|platform| platform.hides_control_plane());
    let version = identity.cluster.version.as_deref().and_then(minor_version);
    // As the tag of an image has it.
    let version = version.map(|(major, minor)| format!("{major}.{minor}"));
    let view = match reach {
        Ok(connection) => {
            let request = ControlPlaneRequest {
                owner: &owner,
                version: version.as_deref(),
                namespace: connection.pod_namespace.as_deref(),
                now: Timestamp::now(),
                managed: platform.is_some(),
            };
            cluster::api_server(&connection.client, &request).await
        }
        Err(gap) => ApiServerView::Seen(Box::new(cluster::unseen(&owner, gap))),
    };
    match view {
        // One error for each rule is enough.
        ApiServerView::Seen(resource)
            if is_reported && resource.unread.iter().any(|unread| unread.at == "$") => {}
        // A send fails when the receiver was dropped.
        ApiServerView::Seen(resource) => drop(found.send(*resource).await),
        ApiServerView::OfAgent => tracing::debug!("the agent on its node judges the API server"),
        ApiServerView::Closed(gap) => {
            tracing::info!(
                platform = platform.map(Platform::as_str),
                error = %gap,
                "the provider keeps the API server's flags closed: the rules about them are not applicable"
            );
            return Some(gap);
        }
    }
    None
}
