//! The input of the queue, bounded in events and bytes.
//!
//! In: events. Out: messages to the worker. An event frees its slot when it is delivered or refused, not when it leaves
//! the queue: events in flight count too.

use super::stats::DeliveryStats;
use crate::event::Event;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// The most bytes of events that wait or are in flight: three full batches, one being sent, one next and one being
/// filled. Parts that events share count for each of them, so memory use is well below this.
pub(super) const QUEUE_BYTES: u32 = 16 * 1024 * 1024;

/// The pipeline is shut down and takes no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline is shut down")]
pub struct Closed;

/// A message to the worker.
#[derive(Debug)]
pub(super) enum Message {
    /// Events to deliver.
    Events(Vec<Queued>),
    /// Answer once every event before this is delivered or refused.
    Flush(oneshot::Sender<()>),
}

/// An event with its slot in the queue, which is freed on drop.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) event: Event,
    pub(super) slot: QueueSlot,
}

/// An event's slot in the queue.
#[derive(Debug)]
pub(super) struct QueueSlot {
    pub(super) bytes: usize,
    _lot: Arc<Lot>,
}

/// The slots of events that were queued together. They are freed when all of these events are done.
#[derive(Debug)]
struct Lot {
    _numbers: OwnedSemaphorePermit,
    _sizes: OwnedSemaphorePermit,
}

/// The queue's capacity, and the bytes in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Levels {
    pub(super) max_events: u64,
    pub(super) max_bytes: u64,
    pub(super) bytes: u64,
}

/// Puts events into the queue.
#[derive(Debug, Clone)]
pub struct Producer {
    sender: mpsc::Sender<Message>,
    numbers: Arc<Semaphore>,
    sizes: Arc<Semaphore>,
    /// The most events that wait or are in flight.
    capacity: usize,
    stats: Arc<DeliveryStats>,
}

impl Producer {
    pub(super) fn new(sender: mpsc::Sender<Message>, capacity: usize, stats: Arc<DeliveryStats>) -> Self {
        let numbers = Arc::new(Semaphore::new(capacity));
        let sizes = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
        Self { sender, numbers, sizes, capacity, stats }
    }

    /// Queues one event.
    #[cfg(test)]
    pub async fn send(&self, event: Event) -> Result<(), Closed> {
        self.send_all(vec![event]).await
    }

    /// Queues `events` in order. They go in one message, because waking the worker costs more than an event does; more
    /// than the queue can hold go in parts. Waits while the queue is full. After `Ok`, every event is accounted for.
    pub async fn send_all(&self, events: Vec<Event>) -> Result<(), Closed> {
        let all: usize = events.iter().map(size).sum();
        if let Some(bytes) = u32::try_from(all).ok().filter(|bytes| *bytes <= QUEUE_BYTES)
            && (1..=self.capacity).contains(&events.len())
        {
            return self.send_part(events, bytes).await;
        }
        let mut part = Vec::with_capacity(events.len().min(self.capacity));
        let mut bytes = 0;
        for event in events {
            let share = share(&event);
            if !part.is_empty() && (part.len() == self.capacity || bytes + share > QUEUE_BYTES) {
                self.send_part(std::mem::take(&mut part), bytes).await?;
                bytes = 0;
            }
            bytes += share;
            part.push(event);
        }
        if part.is_empty() { Ok(()) } else { self.send_part(part, bytes).await }
    }

    /// Queues events that fit into the queue together. `bytes` is the sum of their shares.
    async fn send_part(&self, events: Vec<Event>, bytes: u32) -> Result<(), Closed> {
        let count = u32::try_from(events.len()).map_err(|_| Closed)?;
        let numbers = Arc::clone(&self.numbers).acquire_many_owned(count).await.map_err(|_| Closed)?;
        let sizes = Arc::clone(&self.sizes).acquire_many_owned(bytes).await.map_err(|_| Closed)?;
        let permit = self.sender.reserve().await.map_err(|_| Closed)?;
        let lot = Arc::new(Lot { _numbers: numbers, _sizes: sizes });
        let queued = |event: Event| {
            let slot = QueueSlot { bytes: size(&event), _lot: Arc::clone(&lot) };
            Queued { event, slot }
        };
        let queued: Vec<Queued> = events.into_iter().map(queued).collect();
        self.stats.add_sent(queued.len());
        permit.send(Message::Events(queued));
        Ok(())
    }

    /// Returns when everything sent so far is delivered or refused. Does not wait for full batches.
    pub async fn flush(&self) -> Result<(), Closed> {
        let (done, reached) = oneshot::channel();
        self.sender.send(Message::Flush(done)).await.map_err(|_| Closed)?;
        reached.await.map_err(|_| Closed)
    }

    /// How full the queue is.
    pub(super) fn levels(&self) -> Levels {
        let max_bytes = u64::from(QUEUE_BYTES);
        let free = self.sizes.available_permits() as u64;
        Levels { max_events: self.capacity as u64, max_bytes, bytes: max_bytes.saturating_sub(free) }
    }

    /// Wakes senders that wait for a slot; they return [`Closed`].
    pub(super) fn close(&self) {
        self.numbers.close();
        self.sizes.close();
    }
}

/// An event's share of the queue's bytes. An event larger than the queue takes all of them.
fn share(event: &Event) -> u32 {
    u32::try_from(size(event)).unwrap_or(QUEUE_BYTES).min(QUEUE_BYTES)
}

/// An event's size in a request, with its action line.
pub(super) fn size(event: &Event) -> usize {
    const ACTION: usize = 40;
    event.document_len() + event.id().len() + event.index().len() + ACTION
}
