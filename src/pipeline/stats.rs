//! What became of the events: counters that anybody may read while they move.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters. `sent` = `delivered` + `refused` + what is still waiting, and
/// `tried` = `delivered` + `refused` + `retried` + what is on its way.
#[derive(Debug, Default)]
pub struct Stats {
    sent: AtomicU64,
    batches: AtomicU64,
    tried: AtomicU64,
    delivered: AtomicU64,
    duplicates: AtomicU64,
    refused: AtomicU64,
    retried: AtomicU64,
    left: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Taken into the queue.
    pub sent: u64,
    /// How often the output was given a batch.
    pub batches: u64,
    /// How often the output was given an event.
    pub tried: u64,
    /// Stored, duplicates included.
    pub delivered: u64,
    /// Those of the delivered that an earlier try had stored.
    pub duplicates: u64,
    /// Given up, because the other side will never store them.
    pub refused: u64,
    /// How often an event was put back for another try.
    pub retried: u64,
    /// Not delivered when the pipeline ended.
    pub left: u64,
}

impl Stats {
    /// The counters now.
    pub fn counts(&self) -> Counts {
        // What ends is read before what begins, so a reader never sees more ends than beginnings.
        let left = get(&self.left);
        let retried = get(&self.retried);
        let refused = get(&self.refused);
        let duplicates = get(&self.duplicates);
        let delivered = get(&self.delivered);
        let tried = get(&self.tried);
        let batches = get(&self.batches);
        let sent = get(&self.sent);
        Counts { sent, batches, tried, delivered, duplicates, refused, retried, left }
    }

    pub(super) fn add_sent(&self, events: usize) {
        add(&self.sent, events as u64);
    }

    pub(super) fn add_batch(&self, events: usize) {
        add(&self.batches, 1);
        add(&self.tried, events as u64);
    }

    pub(super) fn add_delivered(&self) {
        add(&self.delivered, 1);
    }

    pub(super) fn add_duplicate(&self) {
        add(&self.delivered, 1);
        add(&self.duplicates, 1);
    }

    pub(super) fn add_refused(&self) {
        add(&self.refused, 1);
    }

    pub(super) fn add_retried(&self, events: usize) {
        add(&self.retried, events as u64);
    }

    /// Closes the books: whatever has no end yet is left.
    pub(super) fn leave(&self) -> u64 {
        let counts = self.counts();
        let left = counts.sent - counts.delivered - counts.refused;
        self.left.store(left, Ordering::SeqCst);
        left
    }
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::SeqCst)
}

fn add(counter: &AtomicU64, events: u64) {
    counter.fetch_add(events, Ordering::SeqCst);
}
