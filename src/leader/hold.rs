//! How long the Lease is held: the one place that decides whether this process leads.

use tokio::sync::watch;
use tokio::time::Instant;

/// A hold on the Lease. Asked and changed from several tasks; each brings the time, and whoever finds that it has run
/// out ends it for all.
#[derive(Debug)]
pub(super) struct Hold(watch::Sender<HoldState>);

#[derive(Debug)]
struct HoldState {
    until: Instant,
    ended: bool,
}

impl HoldState {
    /// Whether it ended just now.
    fn runs_out(&mut self, now: Instant) -> bool {
        let runs_out = !self.ended && now >= self.until;
        self.ended |= runs_out;
        runs_out
    }
}

impl Hold {
    pub(super) fn new(until: Instant) -> Self {
        Self(watch::Sender::new(HoldState { until, ended: false }))
    }

    /// Whether the Lease is certainly held.
    pub(super) fn holds(&self, now: Instant) -> bool {
        let mut holds = false;
        self.0.send_if_modified(|state| {
            let ended = state.runs_out(now);
            holds = !state.ended;
            ended
        });
        holds
    }

    /// Extends the hold; false where it was lost before.
    pub(super) fn extend(&self, now: Instant, until: Instant) -> bool {
        let mut holds = false;
        self.0.send_if_modified(|state| {
            let ended = state.runs_out(now);
            holds = !state.ended;
            if holds {
                state.until = state.until.max(until);
            }
            ended || holds
        });
        holds
    }

    /// Ends it.
    pub(super) fn end(&self) {
        self.0.send_modify(|state| state.ended = true);
    }

    /// When it runs out unless it is extended.
    pub(super) fn until(&self) -> Instant {
        self.0.borrow().until
    }

    /// Waits until it is lost.
    pub(super) async fn lost(&self) {
        let mut changes = self.0.subscribe();
        while self.holds(Instant::now()) {
            let until = changes.borrow_and_update().until;
            tokio::select! {
                _ = changes.changed() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        }
    }
}
