//! When a cycle stops early: at shutdown, or when leadership is lost.

use tokio_util::sync::CancellationToken;

use super::leadership::ClusterTerm;

/// Stops a cycle early.
pub(super) struct Stop<'a> {
    cancel: &'a CancellationToken,
    term: Option<&'a ClusterTerm>,
}

impl<'a> Stop<'a> {
    /// At shutdown.
    pub(super) fn on(cancel: &'a CancellationToken) -> Self {
        Self { cancel, term: None }
    }

    /// At shutdown, or when leadership is lost.
    pub(super) fn within(term: &'a ClusterTerm, cancel: &'a CancellationToken) -> Self {
        Self { cancel, term: Some(term) }
    }

    /// Whether to stop now. Right even after the machine slept, before any timer has fired.
    pub(super) fn is_reached(&self) -> bool {
        self.cancel.is_cancelled() || self.term.is_some_and(|term| !term.holds())
    }

    /// Waits until it is time to stop.
    pub(super) async fn reached(&self) {
        let lost = async {
            match self.term {
                Some(term) => term.lost().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.cancel.cancelled() => {}
            () = lost => {}
        }
    }
}
