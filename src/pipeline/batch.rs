//! Events that wait for delivery, in order, and how they are cut into batches.
//!
//! In: new events, and events to retry. Out: batches. Retried events go to the front, in their old order. A batch that
//! was too large goes out in halves.

use super::queue::{QueueSlot, Queued};
use crate::event::Event;
use std::collections::VecDeque;

/// The most bytes of a batch, before compression: far below what stores accept (100 MiB), but large enough that the
/// round trip hardly matters.
pub(super) const BATCH_BYTES: usize = 5 * 1024 * 1024;

/// Events in flight.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    pub(super) slots: Vec<QueueSlot>,
    /// Whether this is part of a batch that was too large. Its retried events are sent alone again.
    is_part: bool,
}

/// Events that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: VecDeque<Queued>,
    bytes: usize,
    /// The sizes of the parts at the front that must be sent alone, the next one last.
    parts: Vec<usize>,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether the next batch is full.
    pub(super) fn is_full(&self, batch_events: usize) -> bool {
        !self.parts.is_empty() || self.events.len() >= batch_events || self.bytes >= BATCH_BYTES
    }

    /// Appends a new event.
    pub(super) fn push(&mut self, event: Queued) {
        self.bytes += event.slot.bytes;
        self.events.push_back(event);
    }

    /// Takes the next batch: at least one event, if any are waiting.
    pub(super) fn take(&mut self, batch_events: usize) -> Batch {
        let part = self.parts.pop();
        let count = part.unwrap_or_else(|| self.fitting(batch_events));
        let (events, slots) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut batch = Batch { events, slots, is_part: part.is_some() };
        for Queued { event, slot } in self.events.drain(..count) {
            self.bytes -= slot.bytes;
            batch.events.push(event);
            batch.slots.push(slot);
        }
        batch
    }

    /// How many events from the front make a batch.
    fn fitting(&self, batch_events: usize) -> usize {
        let mut bytes = 0;
        let fits = |queued: &&Queued| {
            bytes += queued.slot.bytes;
            bytes <= BATCH_BYTES
        };
        let count = self.events.iter().take(batch_events).take_while(fits).count();
        count.max(1).min(self.events.len())
    }

    /// Puts events back at the front, for another attempt.
    pub(super) fn put_back(&mut self, batch: Batch) {
        if batch.is_part && !batch.events.is_empty() {
            self.parts.push(batch.events.len());
        }
        for (event, slot) in batch.events.into_iter().zip(batch.slots).rev() {
            self.bytes += slot.bytes;
            self.events.push_front(Queued { event, slot });
        }
    }

    /// Puts a batch of at least two events back as two batches.
    pub(super) fn put_back_halved(&mut self, mut batch: Batch) {
        let count = batch.events.len();
        batch.is_part = false;
        self.put_back(batch);
        self.parts.extend([count - count / 2, count / 2]);
    }
}

impl Batch {
    /// A batch of the events to retry.
    pub(super) fn rest(&self, rest: Vec<(Event, QueueSlot)>) -> Self {
        let (events, slots) = rest.into_iter().unzip();
        Self { events, slots, is_part: self.is_part }
    }
}
