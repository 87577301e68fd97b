//! What waits for delivery, in order, and how it is cut into batches.
//!
//! In: events from the queue's front, and those that come back. Out: batches.
//! What comes back goes to the front, in its old order. What was too large goes out in halves.

use super::queue::{Place, Queued};
use crate::event::Event;
use std::collections::VecDeque;

/// A request's size before compression: far below what stores take (100 MiB), large enough that a
/// round trip is nothing beside it.
pub(super) const BATCH_BYTES: usize = 5 * 1024 * 1024;

/// Events under way.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) events: Vec<Event>,
    pub(super) places: Vec<Place>,
    /// A part of a batch that was too large: what comes back of it stays a part.
    is_part: bool,
}

/// Events that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    events: VecDeque<Queued>,
    bytes: usize,
    /// The sizes of the parts at the front that must go out by themselves, the next one last.
    parts: Vec<usize>,
}

impl Waiting {
    pub(super) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether more events would not make the next batch any larger.
    pub(super) fn is_full(&self, batch_events: usize) -> bool {
        !self.parts.is_empty() || self.events.len() >= batch_events || self.bytes >= BATCH_BYTES
    }

    /// A new event: behind all others.
    pub(super) fn push(&mut self, event: Queued) {
        self.bytes += event.place.bytes;
        self.events.push_back(event);
    }

    /// The next batch; at least one event, if there is any.
    pub(super) fn take(&mut self, batch_events: usize) -> Batch {
        let part = self.parts.pop();
        let count = part.unwrap_or_else(|| self.fitting(batch_events));
        let (events, places) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut batch = Batch { events, places, is_part: part.is_some() };
        for Queued { event, place } in self.events.drain(..count) {
            self.bytes -= place.bytes;
            batch.events.push(event);
            batch.places.push(place);
        }
        batch
    }

    /// How many events from the front on make a batch.
    fn fitting(&self, batch_events: usize) -> usize {
        let mut bytes = 0;
        let fits = |queued: &&Queued| {
            bytes += queued.place.bytes;
            bytes <= BATCH_BYTES
        };
        let count = self.events.iter().take(batch_events).take_while(fits).count();
        count.max(1).min(self.events.len())
    }

    /// Puts events back to the front, for another try.
    pub(super) fn put_back(&mut self, batch: Batch) {
        if batch.is_part && !batch.events.is_empty() {
            self.parts.push(batch.events.len());
        }
        for (event, place) in batch.events.into_iter().zip(batch.places).rev() {
            self.bytes += place.bytes;
            self.events.push_front(Queued { event, place });
        }
    }

    /// Puts a batch of more than one event back as two.
    pub(super) fn put_back_halved(&mut self, mut batch: Batch) {
        let count = batch.events.len();
        batch.is_part = false;
        self.put_back(batch);
        self.parts.extend([count - count / 2, count / 2]);
    }
}

impl Batch {
    /// The part of a batch that comes back.
    pub(super) fn rest(&self, rest: Vec<(Event, Place)>) -> Self {
        let (events, places) = rest.into_iter().unzip();
        Self { events, places, is_part: self.is_part }
    }
}
