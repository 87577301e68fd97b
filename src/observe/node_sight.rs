//! What the node's track of a run tells the track of its cluster: which of the two judges the API server.

use std::sync::Arc;
use tokio::sync::watch;

/// What was seen on the node that others need to know.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct SeenOnNode {
    /// An API server runs here.
    pub api_server: bool,
    /// Whether one runs here could not be read, and is an error already.
    pub api_server_unlisted: bool,
}

/// What the last cycle of the node's track saw.
#[derive(Debug, Clone, Default)]
pub struct NodeSight(Arc<watch::Sender<Option<SeenOnNode>>>);

impl NodeSight {
    /// To be called once a cycle, also where it failed: the other track waits for the first.
    pub(super) fn publish(&self, seen: SeenOnNode) {
        self.0.send_replace(Some(seen));
    }

    /// What the last cycle saw, as soon as there is one.
    pub(super) async fn latest(&self) -> SeenOnNode {
        let mut changes = self.0.subscribe();
        // It ends with an error only if the sender is gone, and `self` has it.
        let seen = changes.wait_for(Option::is_some).await;
        seen.map(|seen| seen.unwrap_or_default()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test(start_paused = true)]
    async fn the_cluster_waits_for_the_first_look_at_the_node_and_takes_the_last() {
        let sight = NodeSight::default();
        let of_cluster = sight.clone();
        let unknown = timeout(Duration::from_hours(1), of_cluster.latest()).await;
        assert!(unknown.is_err(), "nothing is known yet");
        let waiting = tokio::spawn(async move { of_cluster.latest().await.api_server });
        sight.publish(SeenOnNode { api_server: true, ..SeenOnNode::default() });
        assert!(waiting.await.unwrap());
        sight.publish(SeenOnNode::default());
        assert!(!sight.latest().await.api_server, "the server has moved away");
    }
}
