//! Exponential backoff between attempts.

use backon::{BackoffBuilder, ExponentialBuilder};
use std::time::Duration;

/// Waits that double with each attempt. Half of each wait is random, so that hundreds of nodes that lost the same
/// server do not return all at once.
#[derive(Debug)]
pub(super) struct Backoff {
    builder: ExponentialBuilder,
    waits: <ExponentialBuilder as BackoffBuilder>::Backoff,
}

impl Backoff {
    /// No wait exceeds `max`. Both bounds are halved, because the library's jitter adds up to the wait again.
    pub(super) fn new(init: Duration, max: Duration) -> Self {
        let builder = ExponentialBuilder::new()
            .with_min_delay(init.min(max) / 2)
            .with_max_delay(max / 2)
            .without_max_times()
            .with_jitter();
        Self { builder, waits: builder.build() }
    }

    /// The next wait.
    pub(super) fn wait(&mut self) -> Duration {
        self.waits.next().expect("attempts are unlimited")
    }

    /// Starts again with short waits, after a success.
    pub(super) fn reset(&mut self) {
        self.waits = self.builder.build();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_longest_and_begin_anew_after_a_reset() {
        let (init, max) = (Duration::from_secs(1), Duration::from_mins(1));
        let mut backoff = Backoff::new(init, max);
        let first = backoff.wait();
        assert!(init / 2 <= first && first <= init, "{first:?}");
        let waits: Vec<Duration> = (0..50).map(|_| backoff.wait()).collect();
        assert!(waits.iter().all(|wait| *wait <= max), "{waits:?}");
        assert!(waits[49] >= max / 2, "{waits:?}");
        backoff.reset();
        assert!(backoff.wait() <= init);
    }
}
