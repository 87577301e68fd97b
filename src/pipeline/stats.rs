//! Counters of sent, delivered, refused and retried events. They can be read at any time.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counters. `sent` = `delivered` + `refused` + those waiting, and
/// `tried` = `delivered` + `refused` + `retried` + those in flight.
#[derive(Debug, Default)]
pub struct DeliveryStats {
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
pub struct DeliveryCounts {
    /// Queued.
    pub sent: u64,
    /// Batches handed to the output.
    pub batches: u64,
    /// Events handed to the output, at each attempt.
    pub tried: u64,
    /// Stored, duplicates included.
    pub delivered: u64,
    /// Delivered events that an earlier attempt had stored.
    pub duplicates: u64,
    /// Rejected for good by the receiver.
    pub refused: u64,
    /// Events put back for another attempt.
    pub retried: u64,
    /// Not delivered at shutdown.
    pub left: u64,
}

impl DeliveryStats {
    /// The counters now.
    pub fn counts(&self) -> DeliveryCounts {
        // Ends are read before starts, so a reader never sees more ends than starts.
        let left = get(&self.left);
        let retried = get(&self.retried);
        let refused = get(&self.refused);
        let duplicates = get(&self.duplicates);
        let delivered = get(&self.delivered);
        let tried = get(&self.tried);
        let batches = get(&self.batches);
        let sent = get(&self.sent);
        DeliveryCounts { sent, batches, tried, delivered, duplicates, refused, retried, left }
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

    /// Counts every event that is neither delivered nor refused as left, and returns how many there are.
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
