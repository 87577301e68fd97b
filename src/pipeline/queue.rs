//! The queue's front: bounded by number and by bytes, and closed from behind.
//!
//! In: events. Out: messages to the worker. An event's place is free again when the event has come to
//! its end, not when it is taken out: what is under way counts too.

use super::stats::Stats;
use crate::event::Event;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

/// The bytes of all events that wait or are under way. Three full batches: one on the wire, one next,
/// one being filled. What shares a piece counts it each time, so memory stays well below.
pub(super) const QUEUE_BYTES: u32 = 16 * 1024 * 1024;

/// The pipeline takes nothing more, because it is being shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline is shut down")]
pub struct Closed;

/// What the worker is told.
#[derive(Debug)]
pub(super) enum Message {
    /// To be delivered.
    Event(Queued),
    /// Say so when everything before this has come to its end.
    Flush(oneshot::Sender<()>),
}

/// An event, and its place in the queue until this is dropped.
#[derive(Debug)]
pub(super) struct Queued {
    pub(super) event: Event,
    pub(super) place: Place,
}

/// Frees its share of the queue when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) bytes: usize,
    _number: OwnedSemaphorePermit,
    _size: OwnedSemaphorePermit,
}

/// Puts events into the queue.
#[derive(Debug, Clone)]
pub struct Producer {
    sender: mpsc::Sender<Message>,
    numbers: Arc<Semaphore>,
    sizes: Arc<Semaphore>,
    stats: Arc<Stats>,
}

impl Producer {
    pub(super) fn new(sender: mpsc::Sender<Message>, capacity: usize, stats: Arc<Stats>) -> Self {
        let numbers = Arc::new(Semaphore::new(capacity));
        let sizes = Arc::new(Semaphore::new(QUEUE_BYTES as usize));
        Self { sender, numbers, sizes, stats }
    }

    /// Queues `event`, waiting while the queue is full. Once this is `Ok`, the event is accounted for.
    pub async fn send(&self, event: Event) -> Result<(), Closed> {
        let bytes = size(&event);
        // An event over the bound may pass, alone.
        let share = u32::try_from(bytes).unwrap_or(QUEUE_BYTES).min(QUEUE_BYTES);
        let number = Arc::clone(&self.numbers).acquire_owned().await.map_err(|_| Closed)?;
        let size = Arc::clone(&self.sizes).acquire_many_owned(share).await.map_err(|_| Closed)?;
        let slot = self.sender.reserve().await.map_err(|_| Closed)?;
        self.stats.add_sent();
        slot.send(Message::Event(Queued { event, place: Place { bytes, _number: number, _size: size } }));
        Ok(())
    }

    /// Returns when everything sent so far is delivered or refused; nothing waits for a fuller batch.
    pub async fn flush(&self) -> Result<(), Closed> {
        let (done, reached) = oneshot::channel();
        self.sender.send(Message::Flush(done)).await.map_err(|_| Closed)?;
        reached.await.map_err(|_| Closed)
    }

    /// Wakes whoever waits for a place: there will be none.
    pub(super) fn close(&self) {
        self.numbers.close();
        self.sizes.close();
    }
}

/// What an event takes of a request, its action line included.
fn size(event: &Event) -> usize {
    const ACTION: usize = 40;
    event.body.len() + event.id.len() + event.index.len() + ACTION
}
