//! Until when a cycle goes on.

use tokio_util::sync::CancellationToken;

use super::leadership::Term;

/// Ends a cycle before its time: we are told to stop, or another process leads.
pub(super) struct Stop<'a> {
    cancel: &'a CancellationToken,
    term: Option<&'a Term>,
}

impl<'a> Stop<'a> {
    /// When we are told to.
    pub fn told(cancel: &'a CancellationToken) -> Self {
        Self { cancel, term: None }
    }

    /// When we are told to, or lead no more.
    pub fn within(term: &'a Term, cancel: &'a CancellationToken) -> Self {
        Self { cancel, term: Some(term) }
    }

    /// Whether it is time. What was asleep for long knows it at once, before any timer says so.
    pub fn is_reached(&self) -> bool {
        self.cancel.is_cancelled() || self.term.is_some_and(|term| !term.holds())
    }

    /// Waits for it.
    pub async fn reached(&self) {
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
