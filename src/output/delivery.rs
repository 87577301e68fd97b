//! How an output takes batches: what the pipeline must know of it.

use std::time::Duration;

/// How an output takes batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delivery {
    /// The most events in one batch.
    pub batch_events: usize,
    /// Roughly the first wait before another attempt.
    pub backoff_init: Duration,
    /// The longest wait.
    pub backoff_max: Duration,
    /// Whether a delivered event survives a crash of the receiver.
    pub durable: bool,
    /// Whether several workers may deliver at the same time. If not, events must arrive one batch after another.
    pub concurrent: bool,
    /// Whether a batch that is too large may arrive in two halves. If not, its events are refused.
    pub splits_batches: bool,
}

impl Default for Delivery {
    /// For a local receiver without such settings.
    fn default() -> Self {
        Self {
            batch_events: 2048,
            backoff_init: Duration::from_secs(1),
            backoff_max: Duration::from_mins(1),
            durable: false,
            concurrent: false,
            splits_batches: true,
        }
    }
}

/// `batches of 2048 events; durable: yes; concurrent: no; splits batches: yes`.
impl std::fmt::Display for Delivery {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let word = |yes| if yes { "yes" } else { "no" };
        write!(
            f,
            "batches of {} events; durable: {}; concurrent: {}; splits batches: {}",
            self.batch_events,
            word(self.durable),
            word(self.concurrent),
            word(self.splits_batches),
        )
    }
}
