//! How long to wait before the next try.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;
use tokio::time::Instant;

/// Before the second try.
const FIRST: Duration = Duration::from_millis(500);
/// The longest wait.
const LONGEST: Duration = Duration::from_mins(1);
/// The most that a server may ask us to wait.
const MAX_ASKED: Duration = Duration::from_mins(5);
/// An API server that has just started refuses what it will allow in a moment: it has not read the rights yet.
const FIRST_REFUSED: Duration = Duration::from_secs(1);
/// The longest wait after a refusal.
const REFUSED: Duration = Duration::from_mins(5);
/// After so long without a loss, losses count from zero.
const WELL: Duration = Duration::from_mins(10);

/// The delays of one stream.
#[derive(Debug, Default)]
pub(super) struct RetryDelay {
    failures: u32,
    refusals: u32,
    losses: u32,
    last_loss: Option<Instant>,
}

impl RetryDelay {
    /// The stream works again.
    pub(super) fn relieve(&mut self) {
        self.failures = 0;
        self.refusals = 0;
    }

    /// Failures in a row.
    pub(super) fn failures(&self) -> u32 {
        self.failures
    }

    /// Refusals in a row.
    pub(super) fn refusals(&self) -> u32 {
        self.refusals
    }

    /// After a failure: twice as long each time, and as long as the server asks.
    pub(super) fn after_failure(&mut self, asked: Option<Duration>) -> Duration {
        let wait = doubled(self.failures);
        self.failures = self.failures.saturating_add(1);
        // Every client was asked to wait the same time.
        let asked = asked.unwrap_or_default().min(MAX_ASKED);
        spread(wait).max(asked + spread(FIRST))
    }

    /// After a loss, which takes a new list: that costs more than a try, so repeated losses wait longer.
    pub(super) fn after_loss(&mut self) -> Duration {
        let now = Instant::now();
        if self.last_loss.is_none_or(|last| now.duration_since(last) > WELL) {
            self.losses = 0;
        }
        self.last_loss = Some(now);
        let wait = doubled(self.losses);
        self.losses = self.losses.saturating_add(1);
        spread(wait)
    }

    /// After a stream that the server closed in good time.
    pub(super) fn after_close() -> Duration {
        spread(FIRST)
    }

    /// After a refusal: twice as long each time, up to minutes.
    pub(super) fn after_refusal(&mut self) -> Duration {
        let wait = FIRST_REFUSED.saturating_mul(2_u32.saturating_pow(self.refusals)).min(REFUSED);
        self.refusals = self.refusals.saturating_add(1);
        spread(wait)
    }
}

fn doubled(times: u32) -> Duration {
    FIRST.saturating_mul(2_u32.saturating_pow(times)).min(LONGEST)
}

/// Between this long and half of it more: not all at once.
pub(super) fn spread(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 512;
    wait + wait.mul_f64(random as f64 / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_waits_longer_and_as_long_as_was_asked() {
        let mut delay = RetryDelay::default();
        let waits: Vec<Duration> = (0..12).map(|_| delay.after_failure(None)).collect();
        assert!(waits[0] < Duration::from_secs(1) && waits[11] >= LONGEST, "{waits:?}");
        assert!(waits[11] <= LONGEST * 3 / 2);
        delay.relieve();
        assert!(delay.after_failure(None) < Duration::from_secs(1));
        let asked = Duration::from_secs(30);
        assert!(delay.after_failure(Some(asked)) >= asked);
        assert!(delay.after_failure(Some(Duration::MAX)) <= MAX_ASKED * 3 / 2, "nobody waits for ever");
    }
}
